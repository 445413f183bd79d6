// `postern lint` end to end: which checks fire on which rulesets (and which do not), the keys of
// the JSON, exit codes over several files, and the files that --pcap and --scenario write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "cli/support/run.hpp"

namespace postern::test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

json lint_json(const std::string& file) {
  const Outcome outcome = run_postern({"lint", "--format", "json", file});
  EXPECT_LE(outcome.code, 3) << outcome.err;
  return json::parse(outcome.out).at("files").at(0);
}

std::set<std::string> ids(const json& file) {
  std::set<std::string> found;
  for (const json& finding : file["findings"]) found.insert(finding["id"].get<std::string>());
  return found;
}

const json* find(const json& file, const std::string& id) {
  for (const json& finding : file["findings"]) {
    if (finding["id"] == id) return &finding;
  }
  return nullptr;
}

std::set<std::string> ids_of(const std::string& rules) {
  const TemporaryDirectory directory;
  return ids(lint_json(directory.file("x.rules", rules)));
}

// A filter table with these policies and rules.
std::string filter(const std::string& policy, const std::string& rules) {
  return "*filter\n:INPUT " + policy + " [0:0]\n:FORWARD " + policy +
         " [0:0]\n:OUTPUT ACCEPT [0:0]\n" + rules + "COMMIT\n";
}

TEST(LintNotrack, LockdownHasTheHoleAndItsKeys) {
  const std::string file = corpus("notrack/test3-lockdown.rules");
  EXPECT_EQ(run_postern({"lint", file}).code, 1);
  const json report = lint_json(file);
  const json* hole = find(report, "PST202");
  ASSERT_NE(hole, nullptr);
  EXPECT_EQ((*hole)["sport"], json::parse("[[1234,1234]]"));
  EXPECT_EQ((*hole)["opens"], json::parse("[[0,65535]]"));
  EXPECT_EQ((*hole)["opens_only_thus"], json::parse("[[0,1233],[1235,65535]]"));
  EXPECT_EQ((*hole)["replayed"], true);
  EXPECT_EQ((*hole)["line"], 15);
  EXPECT_EQ((*hole)["chain"], "INPUT");
  EXPECT_FALSE((*hole)["witness"].empty());
  EXPECT_EQ((*hole)["reproduction"].at(0), "nc -p 1234 127.0.0.1 80");
}

TEST(LintNotrack, EachRulesetTellsItsStory) {
  const auto test1 = ids(lint_json(corpus("notrack/test1.rules")));
  EXPECT_THAT(test1, Contains("PST302"));
  for (const char* id : {"PST101", "PST103", "PST305", "PST202", "PST301"}) {
    EXPECT_THAT(test1, Not(Contains(id)));
  }
  const json test2 = lint_json(corpus("notrack/test2.rules"));
  const json* one_way = find(test2, "PST301");
  ASSERT_NE(one_way, nullptr);
  EXPECT_EQ((*one_way)["related"].at(0)["id"], "PST309");
  EXPECT_THAT(ids(test2), Not(Contains("PST309"))) << "one root cause is one finding";
  EXPECT_THAT(ids(lint_json(corpus("notrack/test3.rules"))), Not(Contains("PST202")));
  const auto test4 = ids(lint_json(corpus("notrack/test4.rules")));
  EXPECT_THAT(test4, Contains("PST206"));
  EXPECT_THAT(test4, Not(Contains("PST202")));
}

TEST(LintNotrack, NothingIsLeftUnknown) {
  for (const char* name :
       {"notrack/test1", "notrack/test2", "notrack/test3", "notrack/test3-lockdown",
        "notrack/test4", "p2p/in", "p2p/both", "p2p/new-only"}) {
    const json file = lint_json(corpus(std::string(name) + ".rules"));
    EXPECT_EQ(file["incomplete"], json::array()) << name;
    EXPECT_EQ(file["statistics"]["unknown"], 0) << name;
    EXPECT_GT(file["statistics"]["answered"], 10) << name;
  }
}

TEST(LintNotrack, AnswersOfAnUntrackedPeerMakeEntries) {
  EXPECT_THAT(ids(lint_json(corpus("p2p/in.rules"))), Contains("PST301"));
  EXPECT_THAT(ids(lint_json(corpus("p2p/both.rules"))), Not(Contains("PST301")));
}

struct Case {
  const char* name;
  std::string rules;
  std::set<std::string> fires;
  std::set<std::string> silent;
};

class Fires : public ::testing::TestWithParam<Case> {};

TEST_P(Fires, Exactly) {
  const std::set<std::string> found = ids_of(GetParam().rules);
  for (const std::string& id : GetParam().fires) EXPECT_THAT(found, Contains(id));
  for (const std::string& id : GetParam().silent) EXPECT_THAT(found, Not(Contains(id)));
}

const std::string kEstablished = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";

INSTANTIATE_TEST_SUITE_P(
    Rulesets, Fires,
    ::testing::Values(
        Case{"PlainGoodFilter",
             filter("DROP", "-A INPUT -i lo -j ACCEPT\n" + kEstablished +
                                "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"),
             {},
             {"PST001", "PST101", "PST103", "PST104", "PST201", "PST202", "PST206", "PST305"}},
        Case{"UnknownModule",
             filter("DROP", "-A INPUT -m frobnicate --foo 1 -j ACCEPT\n"),
             {"PST001"},
             {}},
        Case{"JumpLoop",
             "*filter\n:INPUT ACCEPT [0:0]\n:A - [0:0]\n-A INPUT -j A\n-A A -j A\nCOMMIT\n",
             {"PST002"},
             {"PST104"}},
        Case{"RejectInNat",
             "*nat\n:PREROUTING ACCEPT [0:0]\n:A - [0:0]\n-A PREROUTING -j A\n"
             "-A A -p tcp -j REJECT\nCOMMIT\n",
             {"PST002"},
             {"PST001"}},
        Case{"OwnerReachedFromInput",
             "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n-A OUTPUT -j A\n"
             "-A INPUT -j A\n-A A -m owner --uid-owner 0 -j ACCEPT\nCOMMIT\n",
             {"PST002"},
             {}},
        Case{"OwnerReachedFromOutputOnly",
             "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n-A OUTPUT -j A\n"
             "-A A -m owner --uid-owner 0 -j ACCEPT\nCOMMIT\n",
             {},
             {"PST002"}},
        Case{"HelperOfAnotherProtocol",
             "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j CT --helper ftp\nCOMMIT\n",
             {"PST002"},
             {}},
        Case{"KnownHelperAndSocketOutsideMangle",
             "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j CT --helper ftp\nCOMMIT\n" +
                 filter("DROP", "-A INPUT -m socket -j ACCEPT\n"),
             {},
             {"PST002"}},
        Case{"TcpMatchWithoutItsProtocol",
             filter("DROP", "-A INPUT -m tcp -j ACCEPT\n"),
             {"PST002"},
             {}},
        Case{"TableReplacedByALaterOne",
             filter("DROP", "-A INPUT -p udp -j DROP\n") + filter("DROP", kEstablished),
             {"PST101"},
             {}},
        Case{"UnreferencedChain",
             "*filter\n:INPUT DROP [0:0]\n:A - [0:0]\n-A A -j DROP\nCOMMIT\n",
             {"PST104"},
             {"PST101", "PST103"}},
        Case{"Shadowed",
             filter("DROP",
                    "-A INPUT -p tcp -j DROP\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"),
             {"PST101"},
             {"PST103", "PST201"}},
        Case{"WhatRoutingWouldKeepOutIsNotCalledImpossible",
             filter("DROP",
                    "-A INPUT -s 127.0.0.0/8 ! -i lo -j DROP\n-A INPUT -d 0.0.0.0/32 -j DROP\n"
                    "-A FORWARD -d 224.0.0.0/4 -j ACCEPT\n" +
                        kEstablished),
             {},
             {"PST101", "PST103", "PST305"}},
        Case{"ShadowedByTwoTogether",
             filter("DROP",
                    "-A INPUT -p tcp -m tcp --dport 0:1000 -j DROP\n"
                    "-A INPUT -p tcp -m tcp --dport 900:65535 -j DROP\n"
                    "-A INPUT -p tcp -m tcp --dport 500:2000 -j ACCEPT\n"),
             {"PST101"},
             {"PST103"}},
        Case{"OnlySometimesShadowed",
             filter("DROP",
                    "-A INPUT -p tcp -m limit --limit 1/sec -j DROP\n"
                    "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"),
             {},
             {"PST101", "PST103"}},
        Case{"ImpossibleMatch",
             filter("DROP", "-A INPUT -p udp -m udp --dport 1024:80 -j ACCEPT\n"),
             {"PST103"},
             {"PST101"}},
        Case{"ImpossibleState",
             filter("DROP", "-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT\n"),
             {"PST305"},
             {"PST101", "PST103"}},
        Case{"OneImpossibleStateOfAList",
             filter("DROP", "-A INPUT -m conntrack --ctstate UNTRACKED,NEW -j ACCEPT\n"),
             {},
             {"PST305", "PST101", "PST103"}},
        Case{"DefaultAccept",
             filter("ACCEPT", "-A INPUT -p tcp -m tcp --dport 23 -j DROP\n"),
             {"PST201"},
             {}},
        Case{"DefaultAcceptByLastRule",
             filter("DROP", "-A INPUT -p tcp -m tcp --dport 23 -j DROP\n-A INPUT -j ACCEPT\n"),
             {"PST201"},
             {}},
        Case{"DropsOnlyInvalid",
             filter("ACCEPT", "-A INPUT -m conntrack --ctstate INVALID -j DROP\n"),
             {},
             {"PST201"}},
        Case{"EndsInDrop",
             filter("ACCEPT", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -j DROP\n"),
             {},
             {"PST201"}},
        Case{"SourcePortHole",
             filter("DROP", "-A INPUT -p udp -m udp --sport 53 -j ACCEPT\n"),
             {"PST202"},
             {}},
        Case{"SourcePortOfKnownConnections",
             filter("DROP",
                    "-A INPUT -p udp -m udp --sport 53 -m conntrack --ctstate ESTABLISHED "
                    "-j ACCEPT\n"),
             {},
             {"PST202"}},
        Case{"FixedPair",
             filter("DROP", "-A INPUT -p udp -m udp --sport 67 --dport 68 -j ACCEPT\n"),
             {},
             {"PST202"}},
        Case{"BlockedSourcePortsAreNoHole",
             filter("DROP",
                    "-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --sport 6000:6063 -j DROP\n"
                    "-A INPUT -p tcp -m tcp --dport 22:80 -j ACCEPT\n"),
             {},
             {"PST202"}},
        Case{"ForwardedHole",
             filter("DROP",
                    "-A FORWARD -p tcp -m tcp --sport 20 -j ACCEPT\n"
                    "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"),
             {"PST202"},
             {}},
        Case{"StatelessAck",
             filter("DROP",
                    kEstablished + "-A INPUT -p tcp -m tcp --tcp-flags SYN,ACK ACK -j ACCEPT\n"),
             {"PST206"},
             {"PST202"}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Lint, ARangeOfSourcePortsIsOneFinding) {
  const TemporaryDirectory directory;
  const json file = lint_json(directory.file(
      "x.rules", filter("DROP", "-A INPUT -p tcp -m tcp --sport 100:110 -j ACCEPT\n")));
  std::size_t holes = 0;
  for (const json& finding : file["findings"]) holes += finding["id"] == "PST202" ? 1 : 0;
  ASSERT_EQ(holes, 1u) << file.dump(1);
  EXPECT_EQ((*find(file, "PST202"))["sport"], json::parse("[[100,110]]"));
  EXPECT_EQ((*find(file, "PST202"))["message"],
            "whoever binds one of the tcp source ports 100-110 connects to ports that are closed "
            "to others");
}

TEST(Lint, AChainWithoutJumpIsNamedWithItsTable) {
  const TemporaryDirectory directory;
  const json file = lint_json(directory.file(
      "x.rules", "*mangle\n:idle - [0:0]\nCOMMIT\n*filter\n:idle - [0:0]\nCOMMIT\n"));
  const json finding = *find(file, "PST104");
  EXPECT_EQ(finding["message"], "no rule jumps to chain idle of table mangle and 1 more");
  EXPECT_EQ(finding["related"][0]["message"], "no rule jumps to chain idle of table filter");
}

TEST(Lint, TheRuleThatIsNotModelledIsNamed) {
  const TemporaryDirectory directory;
  const std::string rule = "-A PREROUTING -p udp -j CT --helper sip";
  const Outcome outcome =
      run_postern({"lint", directory.file("x.rules", "*raw\n:PREROUTING ACCEPT [0:0]\n" + rule +
                                                         "\nCOMMIT\n" + filter("DROP", ""))});
  EXPECT_THAT(outcome.out, HasSubstr("a rule whose effect is not modelled yet (" + rule + ")"));
}

TEST(Lint, UnreachableRulesWithOneCauseAreOneFindingThatNamesAll) {
  const TemporaryDirectory directory;
  const json file = lint_json(directory.file(
      "x.rules", filter("DROP",
                        "-A INPUT -p tcp -j DROP\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
                        "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n")));
  ASSERT_EQ(file["findings"].size(), 1u) << file.dump(1);
  const json& finding = file["findings"][0];
  EXPECT_EQ(finding["line"], 6);
  ASSERT_EQ(finding["related"].size(), 2u);
  EXPECT_EQ(finding["related"][0]["line"], 5);
  EXPECT_EQ(finding["related"][1]["line"], 7);
}

TEST(LintFiles, TheStrongestExitCodeWinsAndEveryFileIsReported) {
  const TemporaryDirectory directory;
  const std::string clean = directory.file("clean", filter("DROP", ""));
  const std::string finding = corpus("notrack/test3-lockdown.rules");
  const std::string bad =
      directory.file("bad", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT --dport\nCOMMIT\n");
  EXPECT_EQ(run_postern({"lint", clean}).code, 0);
  EXPECT_EQ(run_postern({"lint", clean, finding}).code, 1);
  const Outcome all = run_postern({"lint", "--jobs", "3", "--format", "json", clean, bad, finding});
  EXPECT_EQ(all.code, 2);
  EXPECT_THAT(all.err, HasSubstr("bad:3:"));
  EXPECT_THAT(all.err, HasSubstr("^"));
  const json files = json::parse(all.out)["files"];
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[1]["errors"][0]["line"], 3);
  EXPECT_THAT(ids(files[2]), Contains("PST202"));
}

TEST(LintFiles, AMissingFileIsExitTwo) {
  const Outcome outcome = run_postern({"lint", "no-such-file"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("no-such-file: No such file"));
}

TEST(LintFiles, DashReadsStandardInput) {
  const Outcome outcome =
      run_postern({"lint", "-"}, {.input = read_file(corpus("notrack/test3-lockdown.rules"))});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("<stdin>:15:1: error"));
}

TEST(LintFiles, OptionsStandBeforeOrAfterTheFile) {
  const std::string file = corpus("notrack/test3-lockdown.rules");
  const Outcome before = run_postern({"lint", "--quiet", "--format", "json", file});
  const Outcome after = run_postern({"lint", file, "--format", "json", "--quiet"});
  EXPECT_EQ(before.out, after.out);
  EXPECT_TRUE(json::accept(before.out));
}

TEST(LintFiles, JobsDoNotChangeTheReport) {
  std::vector<std::string> arguments{"lint"};
  for (const char* name : {"test1", "test2", "test3", "test3-lockdown", "test4"}) {
    arguments.push_back(corpus("notrack/" + std::string(name) + ".rules"));
  }
  const Outcome one = run_postern(arguments);
  arguments.insert(arguments.end(), {"--jobs", "4"});
  EXPECT_EQ(run_postern(arguments).out, one.out);
}

TEST(LintColor, IsOffInAPipeAndOnWhenAskedFor) {
  const std::string file = corpus("notrack/test3-lockdown.rules");
  EXPECT_THAT(run_postern({"lint", file}).out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(run_postern({"lint", "--color", "always", file}).out, HasSubstr("\x1b["));
  EXPECT_THAT(run_postern({"lint", file}).err, IsEmpty()) << "no progress in a pipe";
}

TEST(LintWitness, ScenarioReplaysAndCaptureIsACapture) {
  const TemporaryDirectory directory;
  const std::string scenario = (directory.path() / "w.json").string();
  const std::string capture = (directory.path() / "w.pcap").string();
  const Outcome lint = run_postern(
      {"lint", corpus("notrack/test3-lockdown.rules"), "--scenario", scenario, "--pcap", capture});
  EXPECT_EQ(lint.code, 1);
  const Outcome replay = run_postern({"replay", scenario});
  ASSERT_EQ(replay.code, 0) << replay.err;
  const json report = json::parse(replay.out);
  ASSERT_EQ(report["packets"].size(), 5u);
  for (const json& packet : report["packets"]) EXPECT_EQ(packet["verdict"], "delivered");
  EXPECT_THAT(read_file(capture), StartsWith("\xa1\xb2\xc3\xd4"));
}

TEST(LintWitness, WithoutOneSaysSo) {
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "w.json").string();
  const Outcome outcome =
      run_postern({"lint", directory.file("clean", filter("DROP", "")), "--scenario", path});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("no witness"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

const json& only(const json& file, const std::string& id) {
  const json* found = nullptr;
  for (const json& finding : file["findings"]) {
    if (finding["id"] != id) continue;
    EXPECT_EQ(found, nullptr) << "more than one " << id;
    found = &finding;
  }
  if (found == nullptr) throw std::runtime_error("no " + id);
  return *found;
}

json lint_text_of(const std::string& rules) {
  const TemporaryDirectory directory;
  return lint_json(directory.file("x.rules", rules));
}

TEST(LintStructure, TheOneRuleThatTakesAllIsNamedAlone) {
  const json file = lint_text_of(
      filter("DROP", "-A INPUT -i eth0 -p udp -m udp --dport 53 -j ACCEPT\n" + kEstablished +
                         "-A INPUT -p udp -m state --state ESTABLISHED -j ACCEPT\n"
                         "-A INPUT -p tcp -m state --state ESTABLISHED -j DROP\n"));
  const json& finding = only(file, "PST101");
  EXPECT_EQ(finding["message"],
            "this rule and 1 more never match: line 6 takes every packet that would");
  EXPECT_EQ(finding["related"].size(), 2u);
  EXPECT_EQ(finding["severity"], "warning");
}

TEST(LintStructure, WhatChangesNothingIsANote) {
  const json twice = lint_text_of(filter("DROP",
                                         "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p "
                                         "tcp -m tcp --dport 22 -j ACCEPT\n"));
  EXPECT_EQ(only(twice, "PST101")["severity"], "info");
  const json backstop = lint_text_of(
      filter("DROP", "-A INPUT -p tcp -j ACCEPT\n-A INPUT ! -p tcp -j REJECT\n-A INPUT -j DROP\n"));
  EXPECT_EQ(only(backstop, "PST101")["severity"], "info");
}

TEST(LintStructure, TakersInTheCallersAndUntrackersAreNamed) {
  const json ssh =
      lint_text_of("*filter\n:INPUT DROP [0:0]\n:S - [0:0]\n" + kEstablished +
                   "-A INPUT -p tcp -m tcp --dport 22 -j S\n"
                   "-A S -m conntrack --ctstate ESTABLISHED -j DROP\n-A S -j ACCEPT\nCOMMIT\n");
  EXPECT_THAT(only(ssh, "PST101")["message"].get<std::string>(), HasSubstr("line 4 takes"));
  const json p2p = lint_json(corpus("p2p/in.rules"));
  const json& state = only(p2p, "PST305");
  EXPECT_THAT(state["message"].get<std::string>(), HasSubstr("--ctstate NEW"));
  EXPECT_EQ(state["related"].at(0)["line"], 7);
}

TEST(LintStructure, TheConditionThatCannotHoldIsNamed) {
  const json file = lint_text_of(filter("DROP",
                                        "-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT\n"
                                        "-A FORWARD -f -p icmp -j ACCEPT\n"));
  const json& finding = only(file, "PST103");
  EXPECT_THAT(finding["reasons"].at(0).get<std::string>(), HasSubstr("`-f`"));
}

}  // namespace
}  // namespace postern::test
