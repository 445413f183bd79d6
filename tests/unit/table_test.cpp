// The tables of corpus/matches and corpus/targets against parser, printer and meaning.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "ir/bind.hpp"
#include "ir/print.hpp"
#include "rule_table.hpp"
#include "truth.hpp"
#include "vocabulary/registry.hpp"

namespace postern {
namespace {

const std::filesystem::path kCorpus = std::filesystem::path(POSTERN_SOURCE_DIR) / "corpus";

Result<Bound> read(const std::string& text, Family family) {
  return read_ruleset(std::make_shared<SourceFile>("table", text), family);
}

// The rules of a bound file without "-A CHAIN ", or the first error.
std::string printed(const Result<Bound>& bound) {
  if (!bound) return "! " + bound.error().front().message;
  std::string text;
  for (const Table& table : bound->ruleset.tables) {
    for (const Chain& chain : table.chains) {
      for (const Rule& rule : chain.rules) {
        text += trim(print(rule, chain.name).substr(3 + chain.name.size()));
      }
    }
  }
  return text;
}

// The kernel refuses these for a reason that postern does not look at: what it was built with, or
// a value of an option.
const std::set<std::string> kRefusedForMore{"-m ipvs --ipvs", "-m limit --limit-burst 0",
                                            "-j CLUSTERIP", "-j IDLETIMER --timeout 0 --label a",
                                            "-j ULOG --ulog-nlgroup 1"};

// Does a warning say that the kernel refuses the rule (check PST002)?
bool kernel_refuses_it(const Bound& bound) {
  return std::ranges::any_of(bound.warnings,
                             [](const Diagnostic& d) { return d.code == "PST002"; });
}

bool knows_everything(const Bound& bound) {
  for (const Table& table : bound.ruleset.tables) {
    for (const Chain& chain : table.chains) {
      for (const Rule& rule : chain.rules) {
        if (!rule.target_known) return false;
        for (const Clause& clause : rule.clauses) {
          if (!clause.known) return false;
        }
      }
    }
  }
  return true;
}

std::string outcome(const Rule& rule, const WordPacket& packet) {
  Truth result = Truth::kYes;
  for (const Clause& clause : rule.clauses) {
    if (result == Truth::kYes && truth(*clause.hotdrop, packet) == Truth::kYes) return "drop";
    result = std::min(result, truth(*clause.predicate, packet));
    if (result == Truth::kNo) return "no";
  }
  return result == Truth::kYes ? "yes" : "unknown";
}

TEST(Tables, RulesPrintAsTheTableSays) {
  int read_lines = 0;
  for (const TableLine& line : read_tables(kCorpus)) {
    if (!line.truth.empty()) continue;
    for (const Family family : line.families) {
      ++read_lines;
      SCOPED_TRACE(line.place() + (family == Family::kIpv4 ? " [4]" : " [6]"));
      const auto bound = read(line.text(), family);
      if (line.verdict == "FAIL" || line.verdict == "STRICT") {
        EXPECT_FALSE(bound) << printed(bound);
        continue;
      }
      EXPECT_TRUE(bound) << printed(bound);
      if (!bound) continue;
      EXPECT_TRUE(knows_everything(*bound));
      if (!kRefusedForMore.contains(line.rule)) {
        EXPECT_EQ(kernel_refuses_it(*bound), line.verdict == "LOAD");
      }
      if (line.verdict != "LOAD") {
        EXPECT_EQ(printed(bound), line.canonical);
      }
      // What was printed reads back as the same.
      const std::string again =
          "*" + line.table + "\n-A " + line.chain + " " + printed(bound) + "\nCOMMIT\n";
      EXPECT_EQ(printed(read(again, family)), printed(bound));
    }
  }
  EXPECT_GT(read_lines, 700);
}

// Options that take numbers, and words as well: names of services, protocols, users, and any text.
const std::set<std::string> kTakeWords{"-p",
                                       "--sport",
                                       "--dport",
                                       "--dp",
                                       "--sports",
                                       "--dports",
                                       "--source-port",
                                       "--source-ports",
                                       "--destination-port",
                                       "--destination-ports",
                                       "--ctorigsrcport",
                                       "--ctorigdstport",
                                       "--ctreplsrcport",
                                       "--ctrepldstport",
                                       "--on-port",
                                       "--to-ports",
                                       "--uid-owner",
                                       "--gid-owner",
                                       "--label",
                                       "--log-prefix"};

// Rules like `rule`, each with a word instead of one of its options' numbers; by option.
std::vector<std::pair<std::string, std::string>> with_a_word(const std::string& rule) {
  std::vector<std::pair<std::string, std::string>> result;
  static const std::regex kNumber("(-{1,2}[a-z0-9-]+) ([0-9]+)( |$)");
  for (std::sregex_iterator at(rule.begin(), rule.end(), kNumber), end; at != end; ++at) {
    std::string changed = rule;
    changed.replace(static_cast<std::size_t>(at->position(2)),
                    static_cast<std::size_t>(at->length(2)), "domain");
    result.emplace_back((*at)[1], changed);
  }
  return result;
}

TEST(Tables, NumbersAreNotWords) {
  std::set<std::string> tried;
  for (TableLine line : read_tables(kCorpus)) {
    if (!line.truth.empty() || line.verdict != "OK") continue;
    for (const auto& [option, changed] : with_a_word(line.rule)) {
      if (kTakeWords.contains(option)) continue;
      tried.insert(option);
      line.rule = changed;
      for (const Family family : line.families)
        EXPECT_FALSE(read(line.text(), family)) << option << " " << changed;
    }
  }
  EXPECT_GT(tried.size(), 50u);
}

TEST(Tables, PacketsMatchAsTheTableSays) {
  int packets = 0;
  for (const TableLine& line : read_tables(kCorpus)) {
    if (line.truth.empty()) continue;
    for (const Family family : line.families) {
      ++packets;
      SCOPED_TRACE(line.place() + (family == Family::kIpv4 ? " [4]" : " [6]"));
      const auto bound = read(line.text(), family);
      ASSERT_TRUE(bound) << printed(bound);
      const WordPacket packet(line.packet);
      packet.check();
      EXPECT_EQ(outcome(bound->ruleset.tables.at(0).chains.back().rules.at(0), packet), line.truth);
    }
  }
  EXPECT_GT(packets, 100);
}

TEST(Tables, EveryExtensionHasOne) {
  for (const Match* match : all_matches()) {
    EXPECT_TRUE(exists(kCorpus / "matches" / (std::string(match->name) + ".t"))) << match->name;
  }
  for (const Target* target : all_targets()) {
    EXPECT_TRUE(exists(kCorpus / "targets" / (std::string(target->name) + ".t"))) << target->name;
  }
}

}  // namespace
}  // namespace postern
