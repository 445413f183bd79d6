// The engine against Linux on random scenarios: see support/campaign.hpp. `./dev test` runs a fixed
// seed and a fresh one; `./dev campaign` any, as long as one likes. The runs assert that they reach
// what they should, and that a planted fault is found.
//   POSTERN_CAMPAIGN_PACKETS=N POSTERN_CAMPAIGN_SEED=N  how long, and from this seed alone
//   POSTERN_CAMPAIGN_SCENARIO=N  only the scenario of which a failure says "seed N"
//   POSTERN_CAMPAIGN_DIR=PATH    where failing scenarios are written, shrunk
#include "tests/kernel/support/campaign.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "kernel_fixture.hpp"
#include "tests/kernel/support/left_out.hpp"
#include "tests/kernel/support/real_rules.hpp"
#include "vocabulary/registry.hpp"

namespace postern::kernel {
namespace {

constexpr std::uint64_t kInTests = 420'000;  // packets of one ./dev test,
constexpr std::uint64_t kFresh = 100'000;    // these of them from the fresh seed
constexpr std::uint64_t kWhole = 300'000;    // from so many on, everything must be met often

class CampaignTest : public KernelTest {
 protected:
  static std::string directory() {
    const char* set = std::getenv("POSTERN_CAMPAIGN_DIR");
    return set != nullptr ? set : "";
  }
};

void expect_agreement(const Campaign& campaign) {
  for (const Campaign::Failure& failure : campaign.failures()) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(failure.lines.size(), 6); ++i) {
      text += "  " + failure.lines[i] + "\n";
    }
    ADD_FAILURE() << "seed " << failure.seed << " (left Linux, right the engine):\n"
                  << text << failure.scenario;
  }
}

// Matches that the wire of these tests can never make true or false, each with its reason.
bool never_both(const std::string& match) {
  static const std::set<std::string> kNever{
      "mac",      // a TUN device has no link layer
      "comment",  // always true
  };
  return kNever.contains(match);
}

// `count` in a whole campaign; a short one must reach its share, or a quarter of it by bad luck.
std::uint64_t scaled(std::uint64_t count, std::uint64_t packets) {
  return packets >= kWhole ? count : count * packets / kWhole / 4;
}

void expect_cells(const Coverage& seen) {
  for (const auto& [table, cells] : measured_cells()) {
    for (const TcpCellAim& cell : cells) {
      const auto of_table = seen.cells.find(table);
      std::uint64_t met = 0;
      if (of_table != seen.cells.end() && of_table->second.contains(cell)) {
        met = of_table->second.at(cell);
      }
      EXPECT_GE(met, scaled(20, seen.packets))
          << table << ": " << cell.row << (cell.reply ? " reply " : " original ") << cell.column;
    }
  }
}

// Every match and target of the registry is drawn, executed and decided both ways, in each of its
// families, or left out for a reason.
void expect_vocabulary(const Coverage& seen) {
  const auto met = [](const auto& counts, const std::string& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? typename std::decay_t<decltype(counts)>::mapped_type{}
                                 : found->second;
  };
  for (const Match* match : all_matches()) {
    const std::string name(match->name);
    for (const Family family : match->families) {
      const std::string key = Coverage::key(name, family);
      const Coverage::Count all = met(seen.matches, name), count = met(seen.matches_of, key);
      if (const auto why = left_out(*match, family)) {
        EXPECT_EQ(count.yes + count.no, 0U) << key << " is drawn, though " << *why;
        continue;
      }
      const bool one_sided = never_both(name);
      EXPECT_GE(one_sided ? all.yes + all.no : all.yes, scaled(100, seen.packets)) << name;
      EXPECT_GE(one_sided ? all.yes + all.no : all.no, scaled(100, seen.packets)) << name;
      if (seen.packets < kWhole) continue;  // a few rules make too much of each count
      EXPECT_GE(one_sided ? count.yes + count.no : count.yes, 20U) << key;
      EXPECT_GE(one_sided ? count.yes + count.no : count.no, 20U) << key;
    }
  }
  for (const Target* target : all_targets()) {
    for (const Family family : target->families) {
      const std::string key = Coverage::key(target->name, family);
      if (const auto why = left_out(*target, family)) {
        EXPECT_EQ(met(seen.targets_of, key), 0U) << key << " is drawn, though " << *why;
      } else if (seen.packets >= kWhole) {
        EXPECT_GE(met(seen.targets_of, key), 20U) << key;
      }
    }
  }
}

void expect_interaction(const Coverage& seen) {
  const double all = static_cast<double>(seen.packets);
  EXPECT_GE(static_cast<double>(seen.dropped), 0.20 * all);
  EXPECT_GE(static_cast<double>(seen.passed), 0.40 * all);
  EXPECT_GE(static_cast<double>(seen.existing), 0.30 * all);
  EXPECT_GE(static_cast<double>(seen.nated), 0.10 * all);
  EXPECT_EQ(seen.families.size(), 2U);
  EXPECT_EQ(seen.backends.size(), 2U);
  EXPECT_EQ(seen.verdicts.size(), 4U);
  EXPECT_EQ(seen.states.size(), 5U);
  expect_vocabulary(seen);
  for (const std::string& name : Coverage::reaches()) {
    const auto met = seen.reached.find(name);
    EXPECT_GE(met == seen.reached.end() ? 0 : met->second, scaled(100, seen.packets)) << name;
  }
  expect_cells(seen);
}

// Is only the scenario wanted that a failure named?
bool one_scenario() { return std::getenv("POSTERN_CAMPAIGN_SCENARIO") != nullptr; }

// Is a seed given, to run that alone?
bool one_seed() { return one_scenario() || std::getenv("POSTERN_CAMPAIGN_SEED") != nullptr; }

// Runs it and prints what came of it; what was compared is added to `seen`.
void run(CampaignOptions options, Coverage& seen) {
  if (one_scenario()) {
    options.most_rulesets = 1;
    const auto source = options.source ? options.source : make_scenario;
    options.source = [source](std::uint64_t, std::size_t length, Abilities abilities) {
      return source(setting("POSTERN_CAMPAIGN_SCENARIO", 0), length, abilities);
    };
  }
  std::cout << "POSTERN_CAMPAIGN_SEED=" << options.seed << " packets " << options.packets
            << std::endl;
  Campaign campaign(std::move(options));
  campaign.run();
  std::cout << campaign.scenarios() << " rulesets";
  for (const auto& [why, count] : campaign.left_out()) std::cout << "; " << why << ": " << count;
  std::cout << std::endl;
  expect_agreement(campaign);
  EXPECT_FALSE(campaign.left_out().contains(std::string(kDidNotComeAgain)))
      << "something outlives its scenario: see \"differed once\" above";
  std::uint64_t left_out = 0;
  for (const auto& [why, count] : campaign.left_out()) left_out += count;
  EXPECT_TRUE(one_scenario() || left_out * 5 < campaign.scenarios()) << "too much is not compared";
  seen.merge(campaign.coverage());
}

TEST_F(CampaignTest, FindsNoDifference) {
  const std::uint64_t packets = setting("POSTERN_CAMPAIGN_PACKETS", kInTests);
  const std::uint64_t fresh = one_seed() ? 0 : std::min(kFresh, packets / 2);
  CampaignOptions options{.packets = packets - fresh, .directory = directory()};
  Coverage seen;
  options.seed = setting("POSTERN_CAMPAIGN_SEED", 1);
  run(options, seen);
  if (!one_seed()) {
    options.packets = fresh;
    options.seed = std::random_device{}();
    run(options, seen);
  }
  std::cout << seen.summary();
  if (!one_scenario() && !HasFailure()) expect_interaction(seen);
}

// The same with rules that people have written, and traffic aimed at them.
TEST_F(CampaignTest, FindsNoDifferenceOnRealRulesets) {
  const auto shared = shared_directory();
  if (!shared) return;
  const RealRules real(*shared / "corpus" / "real");
  ASSERT_GT(real.files(), 50U);
  Coverage seen;
  CampaignOptions options{
      .packets = setting("POSTERN_CAMPAIGN_PACKETS", 8'000),
      .seed = setting("POSTERN_CAMPAIGN_SEED", 11),
      .packets_per_scenario = 60,
      .directory = directory(),
      .source = [&](std::uint64_t seed, std::size_t length, Abilities abilities) {
        return real.make(seed, length, abilities);
      }};
  run(options, seen);
  if (!one_seed()) {
    options.seed = std::random_device{}();
    run(options, seen);
  }
  std::cout << seen.summary();
  if (one_scenario()) return;
  EXPECT_GT(seen.rule_hits, seen.packets / 2) << "the traffic misses the rules";
}

// What the engine reads is not quite what Linux got: as if a descriptor, the walk or the tracker
// were wrong in that place. The campaign must notice each of them, and soon.
struct Fault {
  const char* name;
  const char* word;         // in the ruleset ...
  const char* replacement;  // ... and what the engine reads there
  const char* sysctl;       // or a setting that the engine reads the other way round
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

constexpr Fault kFaults[] = {
    {"LostNegation", " ! -s ", " -s ", nullptr},
    {"ReturnAccepts", "-j RETURN", "-j ACCEPT", nullptr},
    {"GotoComesBack", " -g user", " -j user", nullptr},
    {"StateIsForgotten", "--ctstate NEW", "--ctstate INVALID", nullptr},
    {"NotrackTracks", "-j NOTRACK", "-m comment --comment x", nullptr},
    {"AnotherPort", "--dport 1024", "--dport 1025", nullptr},
    {"MarkIsLost", "-j MARK --set-xmark 0x", "-j MARK --set-xmark 0x1", nullptr},
    {"RedirectIsLost", "-j REDIRECT\n", "-j ACCEPT\n", nullptr},
    {"PolicyAccepts", ":INPUT DROP", ":INPUT ACCEPT", nullptr},
    {"LoosePickup", nullptr, nullptr, "net/netfilter/nf_conntrack_tcp_loose"},
    {"LiberalWindow", nullptr, nullptr, "net/netfilter/nf_conntrack_tcp_be_liberal"},
    {"ForgivesResetsBelow", nullptr, nullptr, "net/netfilter/nf_conntrack_tcp_ignore_invalid_rst"},
    {"BlindToChecksums", nullptr, nullptr, "net/netfilter/nf_conntrack_checksum"},
};

Scenario with_fault(const Scenario& scenario, const Fault& fault) {
  Scenario faulty = scenario;
  for (auto* ruleset : {&faulty.ruleset, &faulty.ruleset6}) {
    if (!*ruleset || fault.word == nullptr) continue;
    for (auto at = (*ruleset)->find(fault.word); at != std::string::npos;
         at = (*ruleset)->find(fault.word, at + std::string_view(fault.replacement).size())) {
      (*ruleset)->replace(at, std::string_view(fault.word).size(), fault.replacement);
    }
  }
  if (fault.sysctl != nullptr) {
    std::string& value = std::get<SysctlStep>(faulty.steps.front()).values.at(fault.sysctl);
    value = value == "1" ? "0" : "1";
  }
  return faulty;
}

class PlantedFault : public CampaignTest, public testing::WithParamInterface<Fault> {};

TEST_P(PlantedFault, IsFound) {
  Campaign campaign({.packets = 40'000,
                     .seed = 3,
                     .most_failures = 1,
                     .directory = "",
                     .fault = [](const Scenario& it) { return with_fault(it, GetParam()); },
                     .talk = false});
  campaign.run();
  ASSERT_FALSE(campaign.failures().empty()) << campaign.coverage().packets << " packets agreed";
  const std::string& first = campaign.failures().front().lines.front();
  EXPECT_EQ(first.find("refuses"), std::string::npos) << first;
}

INSTANTIATE_TEST_SUITE_P(Engine, PlantedFault, testing::ValuesIn(kFaults),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace postern::kernel
