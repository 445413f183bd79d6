// Text to IR on what other people wrote: the real rulesets, and netfilter's own option tests.
#include <map>
#include <set>

#include "ir_texts.hpp"

namespace postern {
namespace {

using BindCorpus = SharedCorpus;

TEST_F(BindCorpus, TakesEveryFileThatIptablesRestoreTakesAndPrintsItAgain) {
  std::size_t accepted = 0;
  for (const auto& row : table_rows(corpus_ / "real/INDEX.tsv")) {
    SCOPED_TRACE(row[0]);
    const Family family = row[2] == "v6" ? Family::kIpv6 : Family::kIpv4;
    const auto source = std::make_shared<SourceFile>(row[0], file_text(corpus_ / "real" / row[0]));
    const auto bound = read_ruleset(source);  // by content
    if (!bound) {
      // A rejected file may have an answer; an accepted one must.
      EXPECT_FALSE(row[7].starts_with("accepted")) << rendered(bound.error(), *source);
      continue;
    }
    if (!row[7].starts_with("accepted")) continue;
    ++accepted;
    EXPECT_EQ(bound->ruleset.family, family);
    const std::string text = print(bound->ruleset);
    const auto again = read_ruleset(source_of(text), family);
    ASSERT_TRUE(again);
    EXPECT_EQ(print(again->ruleset), text);
  }
  EXPECT_GE(accepted, 140u);
}

struct Outcome {
  bool bound = false, known = false;
  std::string text = {};  // canonical rule, or the messages
};

Outcome try_rule(const std::string& table, const std::string& chain, const std::string& rule,
                 Family family) {
  const auto source = source_of("*" + table + "\n-A " + chain + " " + rule + "\nCOMMIT\n");
  const auto bound = read_ruleset(source, family);
  if (!bound) return {.text = rendered(bound.error(), *source)};
  Outcome outcome{.bound = true, .known = bound->warnings.empty()};
  for (const Chain& c : bound->ruleset.tables.at(0).chains) {
    for (const Rule& r : c.rules) outcome.text += print(r, c.name) + "\n";
  }
  return outcome;
}

// One line of a .t file: the rule, and what iptables-save prints for it.
struct Line {
  std::string rule, saved;
};

Line option_line(const std::string& text) {
  std::istringstream in(text);
  Line line;
  std::getline(in, line.rule, ';');
  std::getline(in, line.saved, ';');
  if (line.saved == "=") line.saved = line.rule;
  return line;
}

// Lines where postern is on purpose unlike iptables-restore 1.8.9 --test.
bool excepted(const std::string& file, const std::string& line) {
  static const std::set<std::pair<std::string, std::string>> kExceptions{
      // "--sport 4:3": other versions of the tool and other backends load it, and it never matches.
      {"libxt_tcp.t", "14"},
      {"libxt_tcp.t", "20"},
      // Which sets and labels exist is not in the text.
      {"libxt_set.t", "4"},
      {"libxt_SET.t", "3"},
      {"libxt_connlabel.t", "7"},
  };
  return kExceptions.contains({file, line});
}

TEST_F(BindCorpus, AgreesWithIptablesRestoreOnEveryLineOfItsOptionTests) {
  std::map<std::string, std::vector<std::string>> files;
  std::size_t good = 0, refused = 0;
  for (const auto& row : table_rows(corpus_ / "extensions-t/LINES-ON-1.8.9.tsv")) {
    auto& lines = files[row[0]];
    if (lines.empty()) {
      std::istringstream in(file_text(corpus_ / "extensions-t" / row[0]));
      for (std::string line; std::getline(in, line);) lines.push_back(line);
    }
    const Line line = option_line(lines.at(std::stoul(row[1]) - 1));
    SCOPED_TRACE(row[0] + ":" + row[1] + " " + row[2] + " " + line.rule);
    const Family family = row[2] == "iptables" ? Family::kIpv4 : Family::kIpv6;
    const Outcome outcome = try_rule(row[3], row[4], line.rule, family);
    if (row[6] == "OK") {
      EXPECT_TRUE(outcome.bound) << outcome.text;
      ++good;
    } else if (!outcome.known && outcome.bound) {
      continue;  // an extension that postern does not know is never refused
    } else {
      EXPECT_TRUE(!outcome.bound || excepted(row[0], row[1])) << outcome.text;
      ++refused;
    }
  }
  EXPECT_GT(good, 600u);
  EXPECT_GT(refused, 20u);
}

}  // namespace
}  // namespace postern
