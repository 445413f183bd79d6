// Findings as text and JSON: places, related rules, the port hole's own keys, open questions and
// the summary, on a report made by hand.
#include "analyzer/report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace postern {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const char* const kText =
    "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --sport 53 -j ACCEPT\n-A INPUT -j "
    "DROP\nCOMMIT\n";

Span span_of(const SourceFile& source, std::string_view text) {
  const auto begin = static_cast<std::uint32_t>(source.text().find(text));
  return {begin, begin + static_cast<std::uint32_t>(text.size())};
}

FileReport example() {
  FileReport report;
  report.file = "x.rules";
  report.source = std::make_shared<const SourceFile>("x.rules", kText);
  report.family = Family::kIpv4;
  Finding finding;
  finding.id = "PST202";
  finding.severity = Severity::kError;
  finding.place = {.table = TableName::kFilter,
                   .chain = "INPUT",
                   .number = 1,
                   .text = "-A INPUT -p tcp --sport 53 -j ACCEPT"};
  finding.place.span = span_of(*report.source, finding.place.text);
  finding.message = "a hole";
  finding.reasons = {"because"};
  finding.help = "close it";
  finding.hole = PortHole{{{53, 53}}, {{0, 65535}}, {{0, 79}, {81, 65535}}};
  Place other{
      .table = TableName::kFilter, .chain = "INPUT", .number = 2, .text = "-A INPUT -j DROP"};
  other.span = span_of(*report.source, other.text);
  finding.related = {{"PST309", other, "this one, too"}};
  report.lint.findings = {finding};
  report.lint.open = {{.id = "PST101",
                       .question = "whether it matches",
                       .why = "NAT",
                       .met_nat = true,
                       .span = other.span}};
  report.lint.statistics = {.answered = 7, .unknown = 0, .met_nat = 1};
  return report;
}

TEST(IntervalText, NamesRangesAndSingleValues) {
  EXPECT_EQ(text(IntervalList{}), "none");
  EXPECT_EQ(text(IntervalList{{53, 53}, {60, 65535}}), "53,60-65535");
}

TEST(IntervalText, CountsSourcePorts) {
  EXPECT_EQ(source_ports_text({{53, 53}}), "source port 53");
  EXPECT_EQ(source_ports_text({{53, 53}, {60, 61}}), "each of the source ports 53,60-61");
}

TEST(LintText, HasFrameReasonPortsHelpAndSummary) {
  const std::string text = lint_text({example()}, {});
  EXPECT_THAT(text, HasSubstr("x.rules:3:1: error: a hole [PST202 source-port-hole]\n"));
  EXPECT_THAT(text, HasSubstr("-A INPUT -p tcp --sport 53 -j ACCEPT\n"));
  EXPECT_THAT(text, HasSubstr("^~~~"));
  EXPECT_THAT(text, HasSubstr("x.rules:4:1: note: PST309: this one, too\n"));
  EXPECT_THAT(text, HasSubstr("source port 53 opens destination ports 0-65535\n"));
  EXPECT_THAT(text, HasSubstr("open only thus: 0-79,81-65535\n"));
  EXPECT_THAT(text, HasSubstr("why: because\n"));
  EXPECT_THAT(text, HasSubstr("help: close it\n"));
  EXPECT_THAT(text, HasSubstr("x.rules:4: unknown: whether it matches: NAT [PST101]\n"));
  EXPECT_THAT(text, HasSubstr("1 finding (1 error) in 1 file; 1 question left unknown\n"));
  EXPECT_THAT(text, Not(HasSubstr("questions answered")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(LintText, QuietHasNoSummaryAndVerboseHasStatistics) {
  EXPECT_THAT(lint_text({example()}, {.quiet = true}), Not(HasSubstr("1 file")));
  EXPECT_THAT(lint_text({example()}, {.verbose = true}),
              HasSubstr("x.rules: 7 questions answered, 0 unknown, 1 left open by NAT\n"));
}

TEST(LintJson, HasTheKeysOfTheContract) {
  const auto json = nlohmann::json::parse(lint_json({example()}));
  EXPECT_EQ(json["schema"], "postern/1");
  const auto& file = json["files"].at(0);
  EXPECT_EQ(file["file"], "x.rules");
  EXPECT_EQ(file["family"], 4);
  const auto& finding = file["findings"].at(0);
  EXPECT_EQ(finding["id"], "PST202");
  EXPECT_EQ(finding["name"], "source-port-hole");
  EXPECT_EQ(finding["severity"], "error");
  EXPECT_EQ(finding["line"], 3);
  EXPECT_EQ(finding["column"], 1);
  EXPECT_EQ(finding["table"], "filter");
  EXPECT_EQ(finding["chain"], "INPUT");
  EXPECT_EQ(finding["number"], 1);
  EXPECT_EQ(finding["rule"], "-A INPUT -p tcp --sport 53 -j ACCEPT");
  EXPECT_EQ(finding["opens_only_thus"], nlohmann::json::parse("[[0,79],[81,65535]]"));
  EXPECT_EQ(finding["related"].at(0)["id"], "PST309");
  EXPECT_EQ(finding["related"].at(0)["line"], 4);
  EXPECT_EQ(file["errors"].size(), 0u);
  EXPECT_EQ(file["incomplete"].at(0)["met_nat"], true);
  EXPECT_EQ(file["statistics"]["answered"], 7);
}

TEST(LintJson, StaysValidWhenTheRulesetIsNotUtf8) {
  FileReport report = example();
  report.lint.findings[0].message = "bytes \xff\xfe";
  EXPECT_TRUE(nlohmann::json::accept(lint_json({report})));
}

TEST(ErrorText, ShowsEveryErrorWithItsPlace) {
  FileReport report = example();
  report.lint = {};
  Diagnostic error;
  error.code = "syntax";
  error.message = "what is this";
  error.span = {9, 15};
  report.errors = {error, error};
  EXPECT_THAT(error_text(report, false), HasSubstr("x.rules:2:2: error: what is this [syntax]\n"));
  EXPECT_TRUE(report.bad());
  EXPECT_THAT(lint_text({report}, {}), HasSubstr("nothing was checked; 1 file could not be read"));
}

TEST(PlaceIndex, FindsRulesAndChainLines) {
  Ruleset ruleset;
  ruleset.source = std::make_shared<const SourceFile>("x.rules", kText);
  Table table;
  table.name = TableName::kFilter;
  Chain chain;
  chain.name = "INPUT";
  chain.policy = Policy::kAccept;
  chain.span = span_of(*ruleset.source, ":INPUT ACCEPT [0:0]");
  for (const char* text : {"-A INPUT -p tcp --sport 53 -j ACCEPT", "-A INPUT -j DROP"}) {
    Rule rule;
    rule.span = span_of(*ruleset.source, text);
    chain.rules.push_back(rule);
  }
  table.chains.push_back(chain);
  ruleset.tables.push_back(table);
  const PlaceIndex places(ruleset);
  EXPECT_EQ(places.at(span_of(*ruleset.source, "--sport 53")).number, 1u);
  EXPECT_EQ(places.at(span_of(*ruleset.source, "-j DROP")).number, 2u);
  const Place line = places.at(span_of(*ruleset.source, "ACCEPT [0"));
  EXPECT_EQ(line.number, 0u);
  EXPECT_EQ(line.chain, "INPUT");
  EXPECT_EQ(places.at(span_of(*ruleset.source, "COMMIT")).chain, "");
}

}  // namespace
}  // namespace postern
