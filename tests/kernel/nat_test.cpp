// NAT in the engine against Linux, scenario by scenario: every target at every hook, clashes, ICMP
// errors, loopback, both families and backends (nat_cases.inc), then random rulesets with random
// conversations that clash (nat_random.hpp).
#include "nat_random.hpp"
#include "twin_case.hpp"

namespace postern::kernel {
namespace {

const Case kCases[] = {
#include "nat_cases.inc"
};

class NatCase : public TwinCase {};

TEST_P(NatCase, IsWhatLinuxDoes) { expect_agreement(); }

INSTANTIATE_TEST_SUITE_P(Linux, NatCase, testing::ValuesIn(kCases), case_name);

class NatRandom : public RandomTwins {};

TEST_F(NatRandom, AgreesOnConversationsThatClash) {
  int packets = 0, translated = 0, ports = 0;
  expect_agreement(40, random_nat_scenario, [&](const NatTwin& twin) {
    ports += twin.ports_chosen;
    for (const Json& packet : twin.linux_says["packets"]) {
      ++packets;
      for (const Json& entry : packet.value("conntrack", Json::array())) {
        for (const Json& bit : entry["status"]) translated += bit == "SRC_NAT" || bit == "DST_NAT";
      }
    }
  });
  EXPECT_GT(translated, packets / 2) << "NAT must come up";
  EXPECT_GT(ports, packets / 200) << "clashes must come up";
  std::printf("%d packets, %d ports chosen by chance\n", packets, ports);
}

}  // namespace
}  // namespace postern::kernel
