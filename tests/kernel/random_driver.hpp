// Engine against Linux on made-up scenarios: whoever has a generator gives it to RandomDriver,
// which runs each scenario in both, shrinks one on which they differ, and prints it as a scenario
// file.
//
//   RandomDriver driver("filter", [](Random& random) { ...; return scenario; });
//   driver.run(200);                       // rounds; POSTERN_RANDOM_ROUNDS and _SEED override
//   EXPECT_GT(driver.tally().verdicts["forwarded"], 50);   // it reached what it should
#pragma once

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "analyzer/replay.hpp"
#include "kernel/world.hpp"
#include "kernel_fixture.hpp"

namespace postern::kernel {

// A seeded source of small choices; the same on every platform.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class T>
  const T& pick(const std::vector<T>& list) {
    return list[below(list.size())];
  }

 private:
  std::mt19937_64 engine_;
};

// What the rounds came to; tests assert that they reached enough.
struct Tally {
  int scenarios = 0, packets = 0, entries = 0, rule_hits = 0, replies = 0;
  int refused = 0;     // neither Linux nor the binder takes the ruleset
  int unmodelled = 0;  // the engine stopped and said why
  std::map<std::string, int> verdicts, states;
};

class RandomDriver {
 public:
  using Generator = std::function<Scenario(Random&)>;
  RandomDriver(std::string name, Generator generator)
      : name_(std::move(name)), generator_(std::move(generator)) {}

  void run(int rounds) {
    rounds = static_cast<int>(setting("POSTERN_RANDOM_ROUNDS", static_cast<unsigned>(rounds)));
    const std::uint64_t seed = setting("POSTERN_RANDOM_SEED", 1);
    std::printf("%s: seed %llu, %d rounds\n", name_.c_str(), static_cast<unsigned long long>(seed),
                rounds);
    for (int round = 0; round < rounds; ++round) {
      Random random(seed * 1'000'003 + static_cast<std::uint64_t>(round));
      const Scenario scenario = generator_(random);
      const auto lines = compare(scenario, &tally_);
      if (lines.empty()) continue;
      report(shrink(scenario, lines), seed, round);
      if (++failures_ == 5) break;
    }
    std::printf("%s: %d packets of %d scenarios, %d refused, %d unmodelled\n", name_.c_str(),
                tally_.packets, tally_.scenarios, tally_.refused, tally_.unmodelled);
  }

  Tally& tally() { return tally_; }

 private:
  static std::uint64_t setting(const char* name, std::uint64_t standard) {
    const char* text = std::getenv(name);
    return text == nullptr ? standard : std::strtoull(text, nullptr, 10);
  }

  Outcome<nlohmann::json> on_linux(const Scenario& scenario) {
    if (world_ == nullptr || !world_->can_reload(scenario)) {
      world_.reset();
      auto made = World::create(scenario);
      if (!made) return tl::unexpected(made.error());
      world_ = std::move(*made);
    } else if (auto done = world_->reload(scenario); !done) {
      world_.reset();
      return tl::unexpected(done.error());
    }
    ScenarioReport report;
    report.each = scenario.observe == Observe::kEach;
    for (const Step& step : scenario.steps) {
      auto result = world_->run(step, report.each);
      if (!result) return tl::unexpected(result.error());
      report.packets.push_back(std::move(*result));
    }
    if (!report.each) {
      if (auto done = world_->observe(report.last); !done) return tl::unexpected(done.error());
    }
    return to_json(report);
  }

  // Every difference; empty when they agree. A refusal by one side only is a difference.
  std::vector<std::string> compare(const Scenario& scenario, Tally* tally) {
    const auto linux = on_linux(scenario);
    const auto engine = replay(scenario);
    if (!linux && !engine) {
      if (tally != nullptr) ++tally->refused;
      return {};
    }
    if (!linux) return {"Linux refuses: " + linux.error()};
    if (!engine) {
      const auto& error = engine.error();
      return {"the engine refuses: " +
              (error.diagnostics.empty() ? error.message : error.diagnostics.front().message)};
    }
    if (!engine->unmodelled.empty()) {
      if (tally != nullptr) ++tally->unmodelled;
      return {};
    }
    if (tally != nullptr) count(*linux, *tally);
    auto mine = to_json(engine->report), theirs = *linux;
    if (scenario.backend == Backend::kNft) {  // which prints some rules in another form
      drop_rule_texts(mine);
      drop_rule_texts(theirs);
    }
    return differences(theirs, mine);
  }

  static void drop_rule_texts(nlohmann::json& document) {
    for (auto& packet : document["packets"]) {
      if (!packet.contains("rules")) continue;
      for (auto& rule : packet["rules"]) rule.erase("rule");
    }
  }

  static void count(const nlohmann::json& document, Tally& tally) {
    ++tally.scenarios;
    for (const auto& packet : document["packets"]) {
      if (!packet.contains("verdict")) continue;
      ++tally.packets;
      ++tally.verdicts[packet["verdict"]];
      if (packet.contains("replies")) tally.replies += static_cast<int>(packet["replies"].size());
      if (packet.contains("rules")) tally.rule_hits += static_cast<int>(packet["rules"].size());
      if (packet.contains("conntrack"))
        tally.entries += static_cast<int>(packet["conntrack"].size());
      if (!packet.contains("ctstate")) continue;
      for (const auto& item : packet["ctstate"].items()) ++tally.states[item.value()];
    }
  }

  struct Found {
    Scenario scenario;
    std::vector<std::string> lines;
  };

  // Keeps `candidate` when the two still differ on it.
  bool improve(Found& found, Scenario candidate) {
    auto lines = compare(candidate, nullptr);
    if (lines.empty()) return false;
    found = {std::move(candidate), std::move(lines)};
    return true;
  }

  Found shrink(const Scenario& scenario, const std::vector<std::string>& lines) {
    Found found{scenario, lines};
    unsigned first = 0;
    if (std::sscanf(lines.front().c_str(), "packets[%u]", &first) == 1 &&
        first + 1 < scenario.steps.size()) {
      Scenario shorter = scenario;
      shorter.steps.resize(first + 1);
      improve(found, std::move(shorter));
    }
    // Whatever else differs is of no interest while the first difference remains.
    for (std::size_t i = found.scenario.steps.size(); i-- > 0;) {
      Scenario without = found.scenario;
      without.steps.erase(without.steps.begin() + static_cast<std::ptrdiff_t>(i));
      improve(found, std::move(without));
    }
    shrink_rules(found, &Scenario::ruleset);
    shrink_rules(found, &Scenario::ruleset6);
    return found;
  }

  void shrink_rules(Found& found, std::optional<std::string> Scenario::*ruleset) {
    if (!(found.scenario.*ruleset)) return;
    for (std::size_t i = split(*(found.scenario.*ruleset)).size(); i-- > 0;) {
      auto rules = split(*(found.scenario.*ruleset));
      if (i >= rules.size() || !rules[i].starts_with("-A ")) continue;
      rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(i));
      Scenario without = found.scenario;
      std::string text;
      for (const std::string& rule : rules) text += rule + "\n";
      without.*ruleset = text;
      improve(found, std::move(without));
    }
  }

  static std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  void report(const Found& found, std::uint64_t seed, int round) {
    std::string text;
    for (const std::string& line : found.lines) text += "  " + line + "\n";
    ADD_FAILURE() << name_ << ", seed " << seed << ", round " << round
                  << " (left: Linux, right: the engine)\n"
                  << text << write_scenario(found.scenario);
  }

  std::string name_;
  Generator generator_;
  std::unique_ptr<World> world_;
  Tally tally_;
  int failures_ = 0;
};

}  // namespace postern::kernel
