// NAT in the engine against Linux, scenario by scenario: every target at every hook, clashes, ICMP
// errors, loopback, both families and backends (nat_cases.inc), then random rulesets with random
// conversations that clash (nat_random.hpp). POSTERN_RANDOM_ROUNDS=N runs N rulesets,
// POSTERN_RANDOM_SEED=N starts elsewhere.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kernel_fixture.hpp"
#include "nat_random.hpp"
#include "twin_case.hpp"

namespace postern::kernel {
namespace {

const Case kCases[] = {
#include "nat_cases.inc"
};

class NatCase : public KernelTest, public testing::WithParamInterface<Case> {};

TEST_P(NatCase, IsWhatLinuxDoes) {
  for (const char* backend : {"legacy", "nft"}) {
    const auto twin = run_twin(scenario_of(GetParam(), backend));
    ASSERT_TRUE(twin) << twin.error();
    ASSERT_EQ(twin->unmodelled, "");
    ASSERT_FALSE(twin->undecided);
    EXPECT_EQ(difference(*twin), "") << backend << " (left engine, right Linux)";
  }
}

INSTANTIATE_TEST_SUITE_P(Linux, NatCase, testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

class NatRandom : public KernelTest {};

TEST_F(NatRandom, AgreesOnConversationsThatClash) {
  const std::uint64_t seed = setting("POSTERN_RANDOM_SEED", 1);
  const std::uint64_t rounds = setting("POSTERN_RANDOM_ROUNDS", 40);
  std::printf("seed %llu, %llu rounds\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(rounds));
  int packets = 0, translated = 0, ports = 0, failures = 0;
  for (std::uint64_t round = seed; round < seed + rounds && failures < 5; ++round) {
    const Scenario scenario = random_nat_scenario(round);
    const auto twin = run_twin(scenario);
    ASSERT_TRUE(twin) << "seed " << round << ": " << twin.error() << "\n"
                      << scenario.ruleset.value_or("") << scenario.ruleset6.value_or("");
    ASSERT_EQ(twin->unmodelled, "") << "seed " << round;
    const std::string lines = difference(*twin, 6);
    if (!lines.empty()) ++failures;
    EXPECT_EQ(lines, "") << "seed " << round << " (left engine, right Linux)\n"
                         << write_scenario(scenario);
    ports += twin->ports_chosen;
    for (const Json& packet : twin->linux_says["packets"]) {
      ++packets;
      if (!packet.contains("conntrack")) continue;
      for (const Json& entry : packet["conntrack"]) {
        for (const Json& bit : entry["status"]) translated += bit == "SRC_NAT" || bit == "DST_NAT";
      }
    }
  }
  EXPECT_GT(translated, packets / 2) << "NAT must come up";
  EXPECT_GT(ports, packets / 200) << "clashes must come up";
  std::printf("%d packets, %d ports chosen by chance\n", packets, ports);
}

}  // namespace
}  // namespace postern::kernel
