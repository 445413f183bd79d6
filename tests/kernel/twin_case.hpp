// What the tests share that run scenarios in the engine and on Linux and compare everything: rows
// of tables (TwinCase) and random rulesets from a seed (RandomTwins).
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "chain_lines.hpp"
#include "kernel_fixture.hpp"
#include "nat_twin.hpp"
#include "tests/kernel/support/random.hpp"

namespace postern::kernel {

using Json = nlohmann::json;

struct Case {
  const char* name;
  const char* ruleset;      // IPv4; "6" in front: IPv6
  const char* packets;      // JSON list
  const char* more = "{}";  // further keys of the scenario
};

inline void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

// For INSTANTIATE_TEST_SUITE_P.
inline std::string case_name(const testing::TestParamInfo<Case>& row) { return row.param.name; }

// Where a row says nothing else, its packets run in a router between two networks.
struct RowWorld {
  const char *interfaces, *routes;  // JSON lists
};
inline constexpr RowWorld kRouter{
    R"([{"name":"lo"},{"name":"eth0","addresses":["192.0.2.1/24","192.0.2.2/24","2001:db8:1::1/64"]},
        {"name":"eth1","addresses":["198.51.100.1/24","2001:db8:2::1/64"]}])",
    R"([{"to":"default","dev":"eth1"}])"};

inline Scenario scenario_of(const Case& one, const char* backend, const RowWorld& world = kRouter) {
  Json json = Json::parse(one.more);
  const bool six = one.ruleset[0] == '6';
  const std::string text = one.ruleset + (six ? 1 : 0);
  // The legacy backend counts policies of chains that the text leaves out, too.
  const bool nft = std::string_view(backend) == "nft";
  json[six ? "ruleset6" : "ruleset"] = nft ? with_chains(text) : text;
  json["packets"] = Json::parse(one.packets);
  json["backend"] = backend;
  if (!json.contains("interfaces")) json["interfaces"] = Json::parse(world.interfaces);
  if (!json.contains("routes")) json["routes"] = Json::parse(world.routes);
  if (!json.contains("forwarding")) json["forwarding"] = true;
  const SourceFile source(one.name, json.dump());
  auto file = read_scenarios(source, ".");
  if (!file) throw std::runtime_error(render(file.error().front(), source));
  return file->scenarios.at(0);
}

// iptables-nft-save writes some rules in other words.
inline Json without_texts(Json document) {
  for (auto& packet : document["packets"]) {
    if (!packet.contains("rules")) continue;
    for (auto& hit : packet["rules"]) hit.erase("rule");
  }
  return document;
}

inline std::string difference(const NatTwin& twin, std::size_t most = 12) {
  std::string all;
  const auto lines = differences(without_texts(twin.engine_says), without_texts(twin.linux_says));
  for (std::size_t i = 0; i < std::min(lines.size(), most); ++i) all += lines[i] + "\n";
  return all;
}

// Linux and the engine give the same, with both backends; what they gave with the legacy one.
inline Json same_on_both(const std::function<Scenario(const char* backend)>& scenario) {
  Json documents;
  for (const char* backend : {"nft", "legacy"}) {
    const auto twin = run_twin(scenario(backend));
    if (!twin) throw std::runtime_error(twin.error());
    EXPECT_EQ(twin->unmodelled, "");
    EXPECT_FALSE(twin->undecided);
    EXPECT_EQ(difference(*twin), "") << backend << " (left engine, right Linux)";
    documents = twin->linux_says;
  }
  return documents;
}

// TEST_P(NatCase, IsWhatLinuxDoes) { expect_agreement(); }
class TwinCase : public KernelTest, public testing::WithParamInterface<Case> {
 protected:
  static void expect_agreement() {
    same_on_both([](const char* backend) { return scenario_of(GetParam(), backend); });
  }
};

// POSTERN_RANDOM_ROUNDS=N runs N rulesets, POSTERN_RANDOM_SEED=N starts elsewhere.
class RandomTwins : public KernelTest {
 protected:
  // Each of them agrees; `count` sees what came of each, to assert afterwards that
  // the rulesets reach what they should.
  template <class Count>
  static void expect_agreement(std::uint64_t rounds, Scenario (*make)(std::uint64_t seed),
                               const Count& count) {
    const std::uint64_t first = setting("POSTERN_RANDOM_SEED", 1);
    const std::uint64_t end = first + setting("POSTERN_RANDOM_ROUNDS", rounds);
    std::printf("POSTERN_RANDOM_SEED=%llu, %llu rounds\n", static_cast<unsigned long long>(first),
                static_cast<unsigned long long>(end - first));
    int failures = 0;
    for (std::uint64_t seed = first; seed < end && failures < 5; ++seed) {
      const Scenario scenario = make(seed);
      const auto twin = run_twin(scenario);
      ASSERT_TRUE(twin) << "seed " << seed << ": " << twin.error() << "\n"
                        << scenario.ruleset.value_or("") << scenario.ruleset6.value_or("");
      ASSERT_EQ(twin->unmodelled, "") << "seed " << seed;
      ASSERT_FALSE(twin->undecided) << "seed " << seed << ": no match or target may be open";
      const std::string lines = difference(*twin, 6);
      if (!lines.empty()) ++failures;
      EXPECT_EQ(lines, "") << "seed " << seed << " (left engine, right Linux)\n"
                           << write_scenario(scenario);
      count(*twin);
    }
  }
};

}  // namespace postern::kernel
