// `postern replay` and `postern trace` end to end: documents, exit codes, places of errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/support/run.hpp"

namespace postern::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const char* const kScenario =
    R"({"ruleset": "*filter\n:INPUT DROP [0:0]\n-A INPUT -p udp -j ACCEPT\nCOMMIT\n",
 "packets": [{"in": "eth0", "src": "192.0.2.9", "dst": "192.0.2.1", "proto": "udp", "sport": 1, "dport": 2},
             {"in": "eth0", "src": "192.0.2.9", "dst": "192.0.2.1", "proto": "tcp", "sport": 1, "dport": 2}]})";

TEST(Replay, PrintsOneDocument) {
  const Outcome outcome = run_postern({"replay", "-"}, {.input = kScenario});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const json document = json::parse(outcome.out);
  EXPECT_EQ(document["packets"][0]["verdict"], "delivered");
  EXPECT_EQ(document["packets"][1]["verdict"], "dropped");
  EXPECT_EQ(document["packets"][1]["died_at"], "INPUT");
}

TEST(Replay, TellsItInWordsOnRequestOnly) {
  const Outcome outcome = run_postern({"replay", "--format", "text", "-"}, {.input = kScenario});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("1.\n   eth0: 192.0.2.9:1 > 192.0.2.1:2 udp\n   delivered\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\n\n2.\n"));
  EXPECT_THAT(outcome.out, HasSubstr("   dropped in INPUT\n   filter INPUT policy DROP\n"));
}

TEST(Replay, ABadScenarioIsExitTwoWithItsPlace) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s.json", "{\"packets\": [{\"proto\": \"nope\"}]}");
  const Outcome outcome = run_postern({"replay", path});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("s.json:1:"));
  EXPECT_EQ(outcome.out, "");
}

TEST(Replay, PathsAreRelativeToTheScenario) {
  const Outcome outcome = run_postern({"replay", corpus("notrack/test3.json")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(json::accept(outcome.out));
}

TEST(Trace, ShowsRulesAndReasonsWhyNot) {
  const Outcome outcome = run_postern({"trace", corpus("notrack/test3-lockdown.rules"), "--", "-i",
                                       "lo", "-p", "tcp", "--sport", "1234", "--dport", "80"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("--sport 1234 -j NOTRACK"));
  EXPECT_THAT(outcome.out, HasSubstr("not: "));
  EXPECT_THAT(outcome.out, HasSubstr("delivered"));
}

TEST(Trace, AWrongWordIsExitTwo) {
  const Outcome outcome =
      run_postern({"trace", corpus("notrack/test3.rules"), "--", "-p", "tcp", "--dport", "x"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("^"));
}

}  // namespace
}  // namespace postern::test
