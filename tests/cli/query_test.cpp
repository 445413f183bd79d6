// `postern query` end to end: the questions that the NOTRACK and p2p stories must answer, with the
// exit codes that scripts rely on. One line of the issue is one row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/support/run.hpp"

namespace postern::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// `line`: options, the ruleset below corpus/, "--" and the question.
Outcome query(const std::string& line) {
  std::vector<std::string> arguments{"query"};
  for (std::string& word : words(line)) {
    arguments.push_back(word.ends_with(".rules") ? corpus(word) : word);
  }
  return run_postern(arguments);
}

class Expected : public ::testing::TestWithParam<const char*> {};

TEST_P(Expected, IsExitZero) {
  const Outcome outcome = query(GetParam());
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(
    Story, Expected,
    ::testing::Values(
        "--expect yes notrack/test3-lockdown.rules -- connect -i lo -p tcp --sport 1234 --dport 80",
        "--expect yes --find sport --every dport notrack/test3-lockdown.rules -- connect -i lo -p "
        "tcp",
        "--find sport --every dport --expect no notrack/test4.rules -- connect -i lo -p tcp",
        "--expect no notrack/test4.rules -- connect -i lo -p tcp --sport 1234 ! --dport 1234",
        "--expect yes notrack/test4.rules -- deliver -i lo -p tcp --sport 1234 --dport 80",
        "--expect no notrack/test4.rules -- deliver -i lo -p tcp --sport 1234 --dport 80 --syn",
        "--expect yes notrack/test1.rules -- track --entry-state ESTABLISHED -i lo -p tcp --dport "
        "1234",
        "--expect yes notrack/test2.rules -- track --entry-state SYN_SENT -i lo -p tcp --dport "
        "1234",
        "--expect no notrack/test3.rules -- track -i lo -p tcp --dport 1234",
        "--expect yes p2p/in.rules -- track -i eth0 -p udp --dport 33333",
        "--expect no p2p/both.rules -- track -i eth0 -p udp --dport 33333",
        "--expect no p2p/new-only.rules -- deliver -i eth0 -p udp --dport 33333"));

TEST(Query, TheOppositeIsExitOne) {
  EXPECT_EQ(query("--expect no notrack/test3-lockdown.rules -- connect -i lo -p tcp --sport 1234 "
                  "--dport 80")
                .code,
            1);
  EXPECT_EQ(query("--expect yes notrack/test3.rules -- track -i lo -p tcp --dport 1234").code, 1);
}

TEST(Query, JsonHasTheKeysOfTheContract) {
  const Outcome outcome = query(
      "--format json notrack/test3-lockdown.rules -- connect -i lo -p tcp "
      "--sport 1234 --dport 80");
  EXPECT_EQ(outcome.code, 0);
  const json document = json::parse(outcome.out);
  EXPECT_EQ(document["schema"], "postern/1");
  ASSERT_EQ(document["answers"].size(), 1u);
  const json& answer = document["answers"][0];
  EXPECT_EQ(answer["answer"], "yes");
  EXPECT_EQ(answer["replayed"], true);
  EXPECT_EQ(answer["conditional"], false);
  EXPECT_EQ(answer["generalised"]["dport"], json::parse("[[0,65535]]"));
  EXPECT_EQ(answer["within_question"]["dport"], json::parse("[[80,80]]"));
  EXPECT_TRUE(answer.contains("completeness"));
  EXPECT_TRUE(answer.contains("assumptions"));
}

TEST(Query, AWrongWordIsExitTwoWithItsPlace) {
  const Outcome outcome = query("notrack/test3.rules -- connect -i lo -p tcp --dprt 80");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("--dprt"));
  EXPECT_THAT(outcome.err, HasSubstr("^"));
}

TEST(Query, SeveralFilesAreAnsweredOneByOne) {
  const Outcome outcome = query(
      "--format json notrack/test3.rules notrack/test1.rules -- track -i lo "
      "-p tcp --dport 1234");
  const json answers = json::parse(outcome.out)["answers"];
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0]["answer"], "no");
  EXPECT_EQ(answers[1]["answer"], "yes");
}

}  // namespace
}  // namespace postern::test
