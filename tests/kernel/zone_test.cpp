// Zones of connection tracking in the engine and on Linux: which flows are told apart, which
// direction is looked up where, and where NAT sees a clash (kernel-facts 24).
#include <gtest/gtest.h>

#include "kernel_fixture.hpp"
#include "twin_case.hpp"

namespace postern::kernel {
namespace {

const Case kCases[] = {
#include "zone_cases.inc"
};

class ZoneCase : public KernelTest, public testing::WithParamInterface<Case> {};

TEST_P(ZoneCase, IsWhatLinuxDoes) {
  for (const char* backend : {"legacy", "nft"}) {
    const auto twin = run_twin(scenario_of(GetParam(), backend));
    ASSERT_TRUE(twin) << twin.error();
    ASSERT_EQ(twin->unmodelled, "");
    ASSERT_FALSE(twin->undecided);
    EXPECT_EQ(difference(*twin), "") << backend << " (left engine, right Linux)";
  }
}

INSTANTIATE_TEST_SUITE_P(Linux, ZoneCase, testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace postern::kernel
