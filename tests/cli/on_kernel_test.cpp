// --on-kernel on query, lint and replay, on the real kernel: root, or a user who may make a user
// namespace. Where neither can be, the tests that need it are skipped (a failure when
// POSTERN_REQUIRE names "kernel").
#include "analyzer/on_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "analyzer/replay.hpp"
#include "cli/support/run.hpp"
#include "kernel/run.hpp"
#include "tests/support/required.hpp"

namespace postern::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string release() {
  utsname name{};
  uname(&name);
  return std::string(name.sysname) + " " + name.release;
}

class OnKernelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto here = kernel::available();
    if (!here) test::is_missing("kernel", "no kernel: " + here.error());
  }
};

std::vector<std::string> hole_query(std::vector<std::string> options) {
  std::vector<std::string> line{"query"};
  line.insert(line.end(), options.begin(), options.end());
  for (const char* word :
       {"--", "connect", "-i", "lo", "-p", "tcp", "--sport", "1234", "--dport", "80"}) {
    line.emplace_back(word);
  }
  line.insert(line.begin() + 1, corpus("notrack/test3-lockdown.rules"));
  return line;
}

TEST_F(OnKernelTest, QueryIsConfirmed) {
  const Outcome text = run_postern(hole_query({"--on-kernel", "--expect", "yes"}));
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("replayed, confirmed on " + release()));
  const Outcome outcome = run_postern(hole_query({"--on-kernel", "--format", "json"}));
  const json verdict = json::parse(outcome.out)["answers"][0]["on_kernel"];
  EXPECT_EQ(verdict, (json{{"release", release()}, {"confirmed", true}}));
}

TEST_F(OnKernelTest, LintConfirmsTheHole) {
  const std::string rules = corpus("notrack/test3-lockdown.rules");
  const Outcome text = run_postern({"lint", "--on-kernel", rules});
  EXPECT_EQ(text.code, 1) << text.err;
  EXPECT_THAT(text.out, HasSubstr("1 of 1 witness confirmed on " + release()));
  const Outcome outcome = run_postern({"lint", "--on-kernel", "--format", "json", rules});
  unsigned confirmed = 0;
  const json document = json::parse(outcome.out);
  for (const json& finding : document["files"][0]["findings"]) {
    if (finding["id"] != "PST202") continue;
    ++confirmed;
    EXPECT_EQ(finding["on_kernel"]["confirmed"], true) << finding["on_kernel"];
    EXPECT_EQ(finding["on_kernel"]["release"], release());
  }
  EXPECT_EQ(confirmed, 1u);
}

TEST_F(OnKernelTest, EveryWitnessOfTheStoriesIsConfirmed) {
  unsigned witnesses = 0;
  for (const char* name : {"notrack/test1", "notrack/test2", "notrack/test4", "p2p/in"}) {
    const Outcome outcome = run_postern(
        {"lint", "--on-kernel", "--format", "json", corpus(std::string(name) + ".rules")});
    const json document = json::parse(outcome.out);
    for (const json& finding : document["files"][0]["findings"]) {
      if (!finding.contains("witness")) continue;
      ++witnesses;
      EXPECT_EQ(finding["on_kernel"]["confirmed"], true) << name << ": " << finding["on_kernel"];
    }
  }
  EXPECT_GE(witnesses, 4u);
}

// An ICMP error that Linux forwards to whom it masquerades, behind the packet that it is about.
TEST_F(OnKernelTest, AnErrorToWhatMasqueradeMadeOfItsOpenerIsConfirmed) {
  const std::string rules =
      "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -m addrtype ! --dst-type LOCAL -j "
      "DROP\n"
      "COMMIT\n*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A FORWARD -i docker0 -o eth0 -j ACCEPT\n"
      "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n";
  const Outcome outcome = run_postern({"query", "--on-kernel", "--format", "json", "-", "--",
                                       "deliver", "-i", "eth0", "-o", "docker0", "-p", "icmp"},
                                      {.input = rules});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json answer = json::parse(outcome.out)["answers"][0];
  EXPECT_EQ(answer["answer"], "yes");
  EXPECT_EQ(answer["on_kernel"]["confirmed"], true) << answer["on_kernel"];
  EXPECT_EQ(answer["witness"]["packets"][0]["sender"], "opener");
}

const char* const kScenario =
    R"({"ruleset": "*filter\n:INPUT DROP [0:0]\n-A INPUT -p udp -j ACCEPT\nCOMMIT\n",
 "packets": [{"in": "eth0", "src": "192.0.2.9", "dst": "192.0.2.1", "proto": "udp", "sport": 1, "dport": 2}]})";

TEST_F(OnKernelTest, ReplayPrintsWhatLinuxSaw) {
  const Outcome outcome = run_postern({"replay", "--on-kernel", "-"}, {.input = kScenario});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "postern: confirmed on " + release() + "\n");
  const json document = json::parse(outcome.out);
  EXPECT_EQ(document["packets"][0]["verdict"], "delivered");
  EXPECT_EQ(document["meta"]["on_kernel"]["confirmed"], true);
  EXPECT_THAT(document["meta"]["kernel"], HasSubstr("Linux"));
  EXPECT_EQ(run_postern({"replay", "--on-kernel", "--quiet", "-"}, {.input = kScenario}).err, "");
}

Scenario scenario() {
  auto file = read_scenarios(SourceFile("s", kScenario), ".");
  EXPECT_TRUE(file.has_value());
  return file->scenarios.at(0);
}

TEST_F(OnKernelTest, ADifferenceIsShown) {
  const Scenario one = scenario();
  json wrong = to_json(replay(one)->report);
  wrong["packets"][0]["verdict"] = "dropped";
  const OnKernel verdict = run_on_kernel(one, wrong, std::chrono::seconds(1)).verdict;
  EXPECT_FALSE(verdict.confirmed);
  EXPECT_EQ(verdict.release, release());
  EXPECT_THAT(verdict.difference, HasSubstr("packets[0].verdict"));
  EXPECT_THAT(to_text(verdict), HasSubstr("differs on " + release()));
  EXPECT_EQ(to_json(verdict)["difference"], verdict.difference);
}

TEST_F(OnKernelTest, WhatChanceDecidesIsNoContradiction) {
  Scenario one = scenario();
  one.choices = {0};
  json other = to_json(replay(scenario())->report);
  other["packets"][0]["verdict"] = "dropped";
  const OnKernel verdict = run_on_kernel(one, other, std::chrono::seconds(1)).verdict;
  EXPECT_FALSE(verdict.confirmed);
  EXPECT_EQ(verdict.difference, "");
  EXPECT_THAT(verdict.reason, HasSubstr("Linux decided otherwise"));
}

// A coin falls some day as the scenario says: eight runs, four times, miss it once in 2^32.
TEST_F(OnKernelTest, WhatChanceDecidesIsTriedAgain) {
  auto file = read_scenarios(SourceFile("s", R"({"choices": [1], "ruleset":
    "*filter\n:INPUT DROP\n-A INPUT -m statistic --mode random --probability 0.5 -j ACCEPT\nCOMMIT\n",
    "packets": [{"in": "eth0", "src": "192.0.2.9", "dst": "192.0.2.1", "proto": "udp", "sport": 1,
                 "dport": 2}]})"),
                             ".");
  ASSERT_TRUE(file.has_value());
  const Scenario coin = file->scenarios.at(0);
  ASSERT_EQ(replay(coin)->report.packets.at(0).verdict, Verdict::kDelivered);
  OnKernel verdict = witness_on_kernel(coin);
  for (unsigned i = 0; i < 3 && !verdict.confirmed; ++i) verdict = witness_on_kernel(coin);
  EXPECT_TRUE(verdict.confirmed) << verdict.reason;
  EXPECT_LE(verdict.runs, 8U);
}

TEST(OnKernelWithout, ALongWaitIsNotWaitedFor) {
  Scenario one = scenario();
  one.steps.emplace_back(WaitStep{120'000});
  const OnKernel verdict = witness_on_kernel(one);
  EXPECT_EQ(verdict.release, "");
  EXPECT_THAT(verdict.reason, HasSubstr("waits 120 s"));
}

TEST(OnKernelWithout, WhereItCannotRunItSaysWhyAndTheAnswerStands) {
  if (run_postern({"--version"}, {.without_rights = true}).code == 125) {
    GTEST_SKIP() << "this machine has no user namespaces";
  }
  const Outcome text =
      run_postern(hole_query({"--on-kernel", "--expect", "yes"}), {.without_rights = true});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("yes: such a conversation can be held (5 packets, replayed)"));
  EXPECT_THAT(text.out, HasSubstr("not run on a kernel: cannot make a user namespace"));

  const Outcome lint = run_postern(
      {"lint", "--on-kernel", "--format", "json", corpus("notrack/test3-lockdown.rules")},
      {.without_rights = true});
  EXPECT_EQ(lint.code, 1) << lint.err;
  EXPECT_THAT(lint.out, HasSubstr("\"confirmed\": false"));
  EXPECT_THAT(lint.out, Not(HasSubstr("\"release\"")));

  const Outcome replayed =
      run_postern({"replay", "--on-kernel", "-"}, {.input = kScenario, .without_rights = true});
  EXPECT_EQ(replayed.code, 0) << replayed.err;
  EXPECT_THAT(replayed.err, HasSubstr("not run on a kernel"));
  const json document = json::parse(replayed.out);
  EXPECT_EQ(document["packets"][0]["verdict"], "delivered");
  EXPECT_TRUE(document["meta"]["on_kernel"].contains("reason"));
}

}  // namespace
}  // namespace postern::test
