// The command line as scripts see it: exit codes, what goes to which stream, options before and
// after the file. Nothing here depends on what a ruleset means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/exit_code.hpp"
#include "cli/support/run.hpp"

namespace postern::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ExitCodes, TheStrongestWins) {
  EXPECT_EQ(stronger(ExitCode::kIncomplete, ExitCode::kFindings), ExitCode::kFindings);
  EXPECT_EQ(stronger(ExitCode::kFindings, ExitCode::kBadInput), ExitCode::kBadInput);
  EXPECT_EQ(stronger(ExitCode::kBadInput, ExitCode::kInternal), ExitCode::kInternal);
  EXPECT_EQ(stronger(ExitCode::kClean, ExitCode::kIncomplete), ExitCode::kIncomplete);
  EXPECT_EQ(stronger(ExitCode::kClean, ExitCode::kClean), ExitCode::kClean);
}

TEST(Usage, VersionAndHelpGoToStandardOutput) {
  const Outcome version = run_postern({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, StartsWith("postern "));
  const Outcome help = run_postern({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("Exit codes"));
  EXPECT_THAT(help.out, Not(HasSubstr("matrix")));
  EXPECT_THAT(help.err, IsEmpty());
  EXPECT_THAT(run_postern({"lint", "--help"}).out, HasSubstr("--pcap"));
}

class BadUsage : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(BadUsage, IsExitTwoWithAWordOnStandardErrorOnly) {
  const Outcome outcome = run_postern(GetParam());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("error"));
}

INSTANTIATE_TEST_SUITE_P(
    Lines, BadUsage,
    ::testing::Values(
        std::vector<std::string>{}, std::vector<std::string>{"frobnicate"},
        std::vector<std::string>{"lint"}, std::vector<std::string>{"lint", "--format", "xml", "x"},
        std::vector<std::string>{"lint", "--no-such-option", "x"},
        std::vector<std::string>{"lint", "--family", "5", "x"},
        std::vector<std::string>{"lint", "-", "-"}, std::vector<std::string>{"query", "x"},
        std::vector<std::string>{"query", "x", "--"}, std::vector<std::string>{"trace", "x"},
        std::vector<std::string>{"lint", "--format", "sarif", "x"},
        std::vector<std::string>{"lint", "--jobs", "0", "x"},
        std::vector<std::string>{"lint", "--timeout", "soon", "x"},
        std::vector<std::string>{"lint", "--ip-addr", "a.txt", "x"},
        std::vector<std::string>{"query", "x", "-", "-", "--", "connect", "-p", "tcp"},
        std::vector<std::string>{"explain", "PST999"}, std::vector<std::string>{"check", "x"},
        std::vector<std::string>{"diff", "x"}, std::vector<std::string>{"matrix", "x"}));

TEST(Usage, WhatIsNotBuiltYetSaysSo) {
  for (const char* command : {"check", "diff", "matrix"}) {
    EXPECT_THAT(run_postern({command, "x"}).err,
                HasSubstr("'" + std::string(command) + "' is not yet available"));
  }
  for (const char* option : {"--ip-addr", "--ip-route", "--ipset", "--sysctl"}) {
    const Outcome outcome = run_postern({"lint", std::string(option) + "=x", "x"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("'" + std::string(option) + "' is not yet available"));
  }
  EXPECT_THAT(run_postern({"lint", "--format", "sarif", "x"}).err,
              HasSubstr("'sarif' is not yet available: json|text"));
}

TEST(Usage, EveryCommandsHelpSaysHowToCallItAndItsExitCodes) {
  for (const auto& [command, usage] : std::vector<std::pair<std::string, std::string>>{
           {"lint", "Usage: postern lint [OPTIONS] FILE...\n"},
           {"query", "Usage: postern query [OPTIONS] FILE... -- VERB MATCH...\n"},
           {"replay", "Usage: postern replay [OPTIONS] SCENARIO...\n"},
           {"trace", "Usage: postern trace [OPTIONS] FILE... -- PACKET...\n"},
           {"explain", "Usage: postern explain [OPTIONS] [ID...]\n"}}) {
    const Outcome help = run_postern({command, "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.err, IsEmpty());
    EXPECT_THAT(help.out, HasSubstr(usage));
    EXPECT_THAT(help.out, HasSubstr("Exit codes:\n  0  clean"));
    EXPECT_THAT(help.out, Not(HasSubstr("FLOAT")));
  }
}

TEST(Usage, AQuestionWithoutItsDashesIsToldWhereToStand) {
  const Outcome outcome = run_postern({"query", "x", "connect", "-i", "lo", "-p", "tcp"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("postern query FILE -- VERB MATCH..."));
}

TEST(Usage, AnAbsentFileIsNamed) {
  const Outcome outcome =
      run_postern({"query", "absent", "--", "connect", "-i", "lo", "-p", "tcp"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "postern: error: absent: No such file or directory\n");
}

TEST(Usage, SeveralFilesAreAnsweredOneByOneAndNamed) {
  const std::string rules = read_file(corpus("notrack/test3.rules"));
  const Outcome outcome = run_postern({"query", "-", corpus("notrack/test4.rules"), "--", "track",
                                       "-i", "lo", "-p", "tcp", "--dport", "1234"},
                                      {.input = rules});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("<stdin>: track -i lo"));
  EXPECT_THAT(outcome.out, HasSubstr("test4.rules: track -i lo"));
}

TEST(Terminal, ProgressIsShownThereAndNowhereElse) {
  const std::vector<std::string> line{"lint", "test1.rules"};
  const std::filesystem::path directory = corpus("notrack");
  EXPECT_THAT(run_postern(line, {.directory = directory}).err, IsEmpty());
  EXPECT_THAT(run_postern(line, {.directory = directory, .terminal = true}).err,
              HasSubstr("test1.rules: PST"));
  EXPECT_THAT(
      run_postern({"lint", "--quiet", "test1.rules"}, {.directory = directory, .terminal = true})
          .err,
      IsEmpty());
}

TEST(Terminal, ColourIsForTerminalsAndNoColorIsHonoured) {
  const TemporaryDirectory directory;
  const std::string bad = directory.file("x.rules", "*filter\n-A INPUT -p tcp --dport x\nCOMMIT\n");
  const std::vector<std::string> line{"lint", "--quiet", bad};
  EXPECT_THAT(run_postern(line).err, Not(HasSubstr("\x1b[")));
  EXPECT_THAT(run_postern(line, {.terminal = true}).err, HasSubstr("\x1b["));
  EXPECT_THAT(run_postern(line, {.environment = {"NO_COLOR=1"}, .terminal = true}).err,
              Not(HasSubstr("\x1b[")));
  EXPECT_THAT(run_postern({"lint", "--color", "always", bad}).err, HasSubstr("\x1b["));
  EXPECT_THAT(run_postern({"lint", "--quiet", "--color", "never", bad}, {.terminal = true}).err,
              Not(HasSubstr("\x1b[")));
}

TEST(Jobs, GiveTheSameTextAsOne) {
  std::vector<std::string> line{"lint"};
  for (const char* name : {"test1", "test2", "test3", "test4"}) {
    line.push_back(corpus("notrack/" + std::string(name) + ".rules"));
  }
  const Outcome one = run_postern(line);
  line.insert(line.end(), {"--jobs", "3"});
  EXPECT_EQ(run_postern(line).out, one.out);
  EXPECT_THAT(one.out, HasSubstr("in 4 files"));
}

TEST(Explain, ListsChecksAndShowsPages) {
  const Outcome list = run_postern({"explain"});
  EXPECT_EQ(list.code, 0);
  for (const char* id : {"PST001", "PST101", "PST202", "PST302", "PST309"}) {
    EXPECT_THAT(list.out, HasSubstr(id));
  }
  EXPECT_THAT(run_postern({"explain", "PST202"}).out, StartsWith("# PST202 source-port-hole"));
  EXPECT_EQ(run_postern({"explain", "source-port-hole"}).out, run_postern({"explain", "202"}).out);
  const auto json = nlohmann::json::parse(run_postern({"explain", "--format", "json"}).out);
  EXPECT_EQ(json["schema"], "postern/1");
  EXPECT_GE(json["checks"].size(), 11u);
}

TEST(Output, IsWrittenWholeAndReplacesTheFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("page", "old text that is much longer than nothing");
  const Outcome outcome = run_postern({"explain", "202", "--output", path});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_EQ(read_file(path), run_postern({"explain", "202"}).out);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
}

TEST(Output, ThatCannotBeWrittenIsExitTwoAndLeavesNothing) {
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "no-such-directory" / "x").string();
  const Outcome outcome = run_postern({"explain", "202", "--output", path});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("cannot write"));
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace postern::test
