// docs/literature.md lists claims and the kernel tests that measure them: every test exists and is
// listed, and no claim of kernel-facts.md (section I) is left out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "tests/support/pages.hpp"
#include "tests/support/required.hpp"

namespace postern {
namespace {

namespace fs = std::filesystem;
using test::content;
using test::found;

struct Row {
  std::string source, claim, today, tests;
};

std::vector<Row> rows() {
  std::istringstream lines(content(fs::path(POSTERN_SOURCE_DIR) / "docs/literature.md"));
  const std::regex row(R"(\| (\d{3}) \| (.*?) \| (.*?) \| (.*?) \|)");
  std::vector<Row> all;
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, match, row)) all.push_back({match[1], match[2], match[3], match[4]});
  }
  return all;
}

TEST(LiteratureTable, EveryRowHasItsTestAndEveryTestItsRow) {
  std::set<std::string> listed;
  for (const Row& row : rows()) {
    const auto names = found(row.tests, R"(`Literature\.([A-Za-z0-9]+)`)");
    EXPECT_FALSE(names.empty()) << row.claim;
    listed.insert(names.begin(), names.end());
  }
  const std::string tests =
      content(fs::path(POSTERN_SOURCE_DIR) / "tests/kernel/literature_test.cpp");
  EXPECT_EQ(listed, found(tests, R"(TEST_F\(Literature, ([A-Za-z0-9]+)\))"));
  EXPECT_GT(listed.size(), 15U);
}

// Section I, by source: "* 003 (1.2.2): outdated: ...".
std::map<std::string, std::string> measured_claims(const std::string& facts) {
  const std::size_t begin = facts.find("## I. Claims of the literature");
  if (begin == std::string::npos) return {};
  std::istringstream lines(facts.substr(begin, facts.find("\n## ", begin + 1) - begin));
  std::map<std::string, std::string> claims;
  std::string source;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, match, std::regex(R"(^\* (\d{3}))"))) {
      source = match[1];
      line = match.suffix();
    }
    if (!source.empty()) claims[source] += " " + line;
  }
  return claims;
}

void take_out(std::string& text, const std::string& words) {
  const std::size_t at = text.find(words);
  if (at != std::string::npos) text.replace(at, words.size(), " ");
}

// Words of a source's claims that the table does not have to the letter: remarks, numbers of other
// facts, and what it says in other words. Whoever adds a claim there has it asked for here.
const std::map<std::string, std::string> kRemarks{
    {"000", "and confirmed (Test 2: ; )"},
    {"001", "right about (F6). Its"},
    {"002", "true (same entry); false for helper connections (copied once)"},
    {"003", "(1.2.2): outdated: (now 120, and ASSURED not on first reply). Right:"},
    {"004", "is (57); (22, M3)"}};

std::set<std::string> words_of(const std::string& text) {
  return found(text, R"(([A-Za-z0-9_]+))");
}

TEST(LiteratureTable, HasEveryClaimThatWasMeasured) {
  const auto facts = test::shared("kernel-facts.md");
  if (!facts) return;
  auto claims = measured_claims(content(*facts));
  EXPECT_EQ(claims.size(), 5U);
  std::set<std::string> sources;
  for (const Row& row : rows()) {
    ASSERT_TRUE(claims.contains(row.source)) << row.source;
    sources.insert(row.source);
    for (const std::string& words : {row.claim, row.today}) take_out(claims[row.source], words);
  }
  EXPECT_EQ(sources.size(), claims.size());
  for (const auto& [source, left] : claims) {
    std::set<std::string> unknown, remarks = words_of(kRemarks.at(source));
    std::ranges::set_difference(words_of(left), remarks, std::inserter(unknown, unknown.end()));
    EXPECT_TRUE(unknown.empty()) << "not in docs/literature.md, of " << source << ": "
                                 << testing::PrintToString(unknown);
  }
}

}  // namespace
}  // namespace postern
