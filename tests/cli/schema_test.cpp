// Everything that --format json prints is what docs/schema/postern-1.json says.
#include "cli/support/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/support/run.hpp"

namespace postern::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

json schema() {
  return json::parse(
      read_file(std::filesystem::path(POSTERN_SOURCE_DIR) / "docs/schema/postern-1.json"));
}

json printed(std::vector<std::string> line) {
  line.insert(line.begin() + 1, {"--format", "json"});
  const Outcome outcome = run_postern(line);
  return json::parse(outcome.out);
}

TEST(Schema, LintKeepsIt) {
  const TemporaryDirectory directory;
  const std::string bad = directory.file("bad.rules", "*filter\n-A INPUT -p tcp --dport x\n");
  const std::string open = directory.file(
      "open.rules", "*filter\n:INPUT DROP [0:0]\n-A INPUT -m nosuch --odd -j ACCEPT\nCOMMIT\n");
  std::vector<std::string> line{"lint", bad, open, (directory.path() / "absent").string()};
  for (const char* name : {"test1", "test2", "test3", "test3-lockdown", "test4"}) {
    line.push_back(corpus("notrack/" + std::string(name) + ".rules"));
  }
  const json document = printed(line);
  EXPECT_THAT(schema_errors(document, schema()), IsEmpty());
  EXPECT_EQ(document["files"].size(), 8u);
}

TEST(Schema, QueryKeepsItInEveryAnswer) {
  const std::string rules = corpus("notrack/test4.rules");
  std::vector<std::string> seen;
  for (const char* verb : {"connect", "deliver", "track"}) {
    const json document =
        printed({"query", rules, "--", verb, "-i", "lo", "-p", "tcp", "--sport", "1234"});
    EXPECT_THAT(schema_errors(document, schema()), IsEmpty()) << verb;
    seen.push_back(document["answers"][0]["answer"]);
  }
  EXPECT_THAT(seen, ::testing::Contains("yes"));
  const json found =
      printed({"query", "--find", "sport", "--every", "dport",
               corpus("notrack/test3-lockdown.rules"), "--", "connect", "-i", "lo", "-p", "tcp"});
  EXPECT_THAT(schema_errors(found, schema()), IsEmpty());
  EXPECT_EQ(found["answers"][0]["found"]["sport"], 1234);
}

TEST(Schema, TraceAndExplainKeepIt) {
  EXPECT_THAT(schema_errors(printed({"explain"}), schema()), IsEmpty());
  EXPECT_THAT(schema_errors(printed({"trace", corpus("notrack/test3.rules"), "--", "-i", "lo", "-p",
                                     "tcp", "--dport", "80"}),
                            schema()),
              IsEmpty());
}

TEST(Schema, TheValidatorSeesMistakes) {
  json document = printed({"query", corpus("notrack/test3.rules"), "--", "connect", "-i", "lo",
                           "-p", "tcp", "--dport", "80"});
  ASSERT_THAT(schema_errors(document, schema()), IsEmpty());
  document["answers"][0]["path"] = "sideways";
  EXPECT_THAT(schema_errors(document, schema()),
              ::testing::ElementsAre(HasSubstr("/answers/0/path: is not in")));
  document["answers"][0].erase("query");
  EXPECT_EQ(schema_errors(document, schema()).size(), 2u);
}

}  // namespace
}  // namespace postern::test
