// Helpers in the engine and on Linux: what ftp, tftp and irc read, expect and drop, what becomes of
// the expected flow, and how NAT rewrites the payload (kernel-facts 56-58).
#include <gtest/gtest.h>

#include "kernel/world.hpp"
#include "kernel_fixture.hpp"
#include "scenario/serialise.hpp"
#include "twin_case.hpp"

namespace postern::kernel {
namespace {

const Case kCases[] = {
#include "helper_ftp_cases.inc"
#include "helper_nat_cases.inc"
#include "helper_udp_irc_cases.inc"
};

class HelperCase : public KernelTest, public testing::WithParamInterface<Case> {};

TEST_P(HelperCase, IsWhatLinuxDoes) {
  for (const char* backend : {"legacy", "nft"}) {
    const auto twin = run_twin(scenario_of(GetParam(), backend));
    ASSERT_TRUE(twin) << twin.error();
    ASSERT_EQ(twin->unmodelled, "");
    ASSERT_FALSE(twin->undecided);
    EXPECT_EQ(difference(*twin), "") << backend << " (left engine, right Linux)";
  }
}

// The documents tell payloads by their lengths: here every byte that leaves is compared.
TEST_P(HelperCase, RewritesWhatLinuxRewrites) {
  const Scenario scenario = scenario_of(GetParam(), "legacy");
  const auto world = World::create(scenario);
  ASSERT_TRUE(world) << world.error();
  const Programs programs(scenario);
  ListChooser chooser;
  Engine engine(scenario, programs.of(Family::kIpv4), programs.of(Family::kIpv6), chooser);
  for (const Step& step : scenario.steps) {
    const auto theirs = (*world)->run(step, false);
    ASSERT_TRUE(theirs) << theirs.error();
    const PacketReport ours = take_step(step, engine);
    if (!chooser.made().empty()) GTEST_SKIP() << "a port by chance";
    ASSERT_EQ(ours.out.size(), theirs->out.size());
    for (std::size_t i = 0; i < ours.out.size(); ++i) {
      Packet sent = ours.out[i].first, seen = theirs->out[i].first;
      sent.ip_id = seen.ip_id = 0;
      EXPECT_EQ(to_hex(to_bytes(sent)), to_hex(to_bytes(seen)));
      EXPECT_EQ(sent.bad_checksum, seen.bad_checksum);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Linux, HelperCase, testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace postern::kernel
