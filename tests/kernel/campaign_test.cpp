// The engine against Linux on random scenarios: see support/campaign.hpp. A fixed seed runs always,
// a fresh one (or POSTERN_CAMPAIGN_SEED) when POSTERN_CAMPAIGN_PACKETS says how long: `./dev
// campaign`. The runs assert that they reach what they should,
// and that a planted fault is found.
#include "tests/kernel/support/campaign.hpp"

#include <gtest/gtest.h>

#include <iostream>

#include "kernel_fixture.hpp"

namespace postern::kernel {
namespace {

constexpr std::uint64_t kLong = 400'000;  // packets from which every cell must be met often

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
      "eui64",    // a TUN device has no link layer
      "helper",   // true for children of a helper only: no helper speaks here
  };
  return kNever.contains(match);
}

void expect_interaction(const Campaign& campaign) {
  const Coverage& seen = campaign.coverage();
  const double all = static_cast<double>(seen.packets);
  const bool is_long = seen.packets >= kLong;
  EXPECT_GE(static_cast<double>(seen.dropped), 0.20 * all);
  EXPECT_GE(static_cast<double>(seen.passed), 0.40 * all);
  EXPECT_GE(static_cast<double>(seen.existing), 0.30 * all);
  if (campaign.abilities().nat) {
    EXPECT_GT(seen.nated, 0U);  // NatRandom.AgreesOnConversationsThatClash has most of it
  }
  EXPECT_EQ(seen.families.size(), 2U);
  EXPECT_EQ(seen.backends.size(), 2U);
  EXPECT_EQ(seen.verdicts.size(), 4U);
  EXPECT_EQ(seen.states.size(), 5U);
  for (const auto& [name, count] : seen.matches) {
    if (never_both(name)) continue;
    EXPECT_GE(count.yes, is_long ? 100U : 0U) << name;
    EXPECT_GE(count.no, is_long ? 100U : 0U) << name;
  }
  for (const auto& [table, cells] : measured_cells()) {
    std::size_t met = 0;
    for (const TcpCellAim& cell : cells) {
      const auto of_table = seen.cells.find(table);
      const auto found = of_table == seen.cells.end() ? 0 : [&] {
        const auto at = of_table->second.find(cell);
        return at == of_table->second.end() ? 0 : at->second;
      }();
      if (found > 0) ++met;
      if (is_long) {
        EXPECT_GE(found, 20U) << table << ": " << cell.row
                              << (cell.reply ? " reply " : " original ") << cell.column;
      }
    }
    EXPECT_GE(met * 2, seen.packets >= 20'000 ? cells.size() : 0) << table;
  }
}

void run(CampaignOptions options) {
  std::cout << "POSTERN_CAMPAIGN_SEED=" << options.seed << " packets " << options.packets
            << std::endl;
  Campaign campaign(std::move(options));
  campaign.run();
  std::cout << campaign.coverage().summary() << campaign.scenarios() << " rulesets";
  for (const auto& [why, count] : campaign.left_out()) std::cout << "; " << why << ": " << count;
  std::cout << std::endl;
  expect_agreement(campaign);
  if (campaign.failures().empty()) expect_interaction(campaign);
  std::uint64_t left_out = 0;
  for (const auto& [why, count] : campaign.left_out()) left_out += count;
  EXPECT_LT(left_out * 5, campaign.scenarios()) << "too much is not compared";
}

// The same every time in ./dev test; as long as one likes, and from any seed, in ./dev campaign.
TEST_F(CampaignTest, FindsNoDifference) {
  run({.packets = setting("POSTERN_CAMPAIGN_PACKETS", 5'000),
       .seed = setting("POSTERN_CAMPAIGN_SEED", 1),
       .directory = directory()});
}

// What the engine reads is not quite what Linux got: as if a descriptor, the walk or the tracker
// were wrong in that place. The campaign must notice each of them, and soon.
struct Fault {
  const char* name;
  const char* word;         // in the ruleset ...
  const char* replacement;  // ... and what the engine reads there
  const char* sysctl;       // or a setting that the engine reads the other way round
};
constexpr Fault kFaults[] = {
    {"LostNegation", " ! -s ", " -s ", nullptr},
    {"ReturnAccepts", "-j RETURN", "-j ACCEPT", nullptr},
    {"GotoComesBack", " -g user", " -j user", nullptr},
    {"StateIsForgotten", "--ctstate NEW", "--ctstate INVALID", nullptr},
    {"NotrackTracks", "-j NOTRACK", "-m comment --comment x", nullptr},
    {"AnotherPort", "--dport 1024", "--dport 1025", nullptr},
    {"MarkIsLost", "-j MARK --set-xmark 0x", "-j MARK --set-xmark 0x1", nullptr},
    {"PolicyAccepts", ":INPUT DROP", ":INPUT ACCEPT", nullptr},
    {"LoosePickup", nullptr, nullptr, "net/netfilter/nf_conntrack_tcp_loose"},
    {"LiberalWindow", nullptr, nullptr, "net/netfilter/nf_conntrack_tcp_be_liberal"},
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
  Campaign campaign({.packets = 12'000,
                     .seed = 3,
                     .most_failures = 1,
                     .directory = "",
                     .fault = [](const Scenario& it) { return with_fault(it, GetParam()); },
                     .talk = false});
  campaign.run();
  EXPECT_EQ(campaign.failures().size(), 1U) << campaign.coverage().packets << " packets agreed";
}

INSTANTIATE_TEST_SUITE_P(Engine, PlantedFault, testing::ValuesIn(kFaults),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace postern::kernel
