// Zones of connection tracking in the engine and on Linux: which flows are told apart, which
// direction is looked up where, and where NAT sees a clash (kernel-facts 24).
#include "twin_case.hpp"

namespace postern::kernel {
namespace {

const Case kCases[] = {
#include "zone_cases.inc"
};

class ZoneCase : public TwinCase {};

TEST_P(ZoneCase, IsWhatLinuxDoes) { expect_agreement(); }

INSTANTIATE_TEST_SUITE_P(Linux, ZoneCase, testing::ValuesIn(kCases), case_name);

}  // namespace
}  // namespace postern::kernel
