// The engine against Linux: random rulesets without NAT and random conversations, compared packet
// by packet in every verdict, header, ctstate, counter, answer and conntrack entry.
// POSTERN_RANDOM_ROUNDS=N runs N rulesets (20 by default), POSTERN_RANDOM_SEED=N starts elsewhere.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analyzer/replay.hpp"
#include "kernel/run.hpp"
#include "kernel_fixture.hpp"
#include "random_traffic.hpp"

namespace postern::kernel {
namespace {

// Rules are compared by table, chain and number: iptables-nft-save writes some of them in other
// words.
nlohmann::json without_texts(nlohmann::json document) {
  for (auto& packet : document["packets"]) {
    if (!packet.contains("rules")) continue;
    for (auto& hit : packet["rules"]) hit.erase("rule");
  }
  return document;
}

class EngineAgainstKernel : public KernelTest {};

unsigned setting(const char* name, unsigned fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : static_cast<unsigned>(std::stoul(text));
}

Scenario random_scenario(unsigned seed) {
  Dice dice(seed);
  const Family family = dice.chance(70) ? Family::kIpv4 : Family::kIpv6;
  Scenario scenario = random_world(dice);
  RandomRules rules(dice, family);
  (family == Family::kIpv4 ? scenario.ruleset : scenario.ruleset6) = rules.text();
  RandomTraffic traffic(dice, family);
  for (int i = 0; i < 20; ++i) scenario.steps.emplace_back(traffic.next());
  return scenario;
}

TEST_F(EngineAgainstKernel, AgreesOnRandomScenarios) {
  const unsigned seed = setting("POSTERN_RANDOM_SEED", 1);
  const unsigned rounds = setting("POSTERN_RANDOM_ROUNDS", 20);
  RecordProperty("seed", static_cast<int>(seed));
  std::map<std::string, int> verdicts;
  int packets = 0, answers = 0, entries = 0, failures = 0;
  unsigned undecided = 0;
  for (unsigned round = seed; round < seed + rounds; ++round) {
    const Scenario scenario = random_scenario(round);
    const auto engine = replay(scenario);
    ASSERT_TRUE(engine) << "seed " << round << ": " << engine.error().message << "\n"
                        << (engine.error().source
                                ? render(engine.error().diagnostics.front(), *engine.error().source)
                                : "");
    ASSERT_EQ(engine->unmodelled, "") << "seed " << round;
    if (!engine->choices.empty()) {  // a match that is opaque: the text does not decide
      ++undecided;
      continue;
    }
    const auto linux_says = run(scenario);
    ASSERT_TRUE(linux_says) << "seed " << round << ": " << linux_says.error() << "\n"
                            << scenario.ruleset.value_or("") << scenario.ruleset6.value_or("");
    const auto lines =
        differences(without_texts(to_json(engine->report)), without_texts(*linux_says));
    if (std::getenv("POSTERN_RANDOM_SHOW") != nullptr) {
      std::ofstream("/tmp/seed.json") << write_scenario(scenario);
      std::ofstream("/tmp/seed.engine.json") << to_json(engine->report).dump(1);
      std::ofstream("/tmp/seed.kernel.json") << linux_says->dump(1);
    }
    if (!lines.empty()) {
      ++failures;
      std::string all;
      for (std::size_t i = 0; i < lines.size() && i < 6; ++i) all += lines[i] + "\n";
      ADD_FAILURE() << "seed " << round << " (left engine, right Linux):\n" << all;
    }
    for (const PacketReport& report : engine->report.packets) {
      ++packets;
      ++verdicts[std::string(text(report.verdict))];
      answers += static_cast<int>(report.replies.size());
      entries += static_cast<int>(report.conntrack.size());
    }
    if (failures > 5 && std::getenv("POSTERN_RANDOM_SEED") == nullptr) break;
  }
  EXPECT_EQ(verdicts.size(), 4U) << "the conversations must reach every fate";
  EXPECT_GT(answers, packets / 50);
  EXPECT_GT(entries, packets / 2);
  EXPECT_LT(undecided, rounds * 9 / 10) << "too many matches are opaque";
  std::cout << packets << " packets, " << answers << " answers, " << failures
            << " differing rulesets\n";
}

}  // namespace
}  // namespace postern::kernel
