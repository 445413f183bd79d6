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
        std::vector<std::string>{"explain", "PST999"}, std::vector<std::string>{"check", "x"},
        std::vector<std::string>{"diff", "x"}, std::vector<std::string>{"matrix", "x"}));

TEST(Usage, WhatIsNotBuiltYetSaysSo) {
  EXPECT_THAT(run_postern({"matrix", "x"}).err, HasSubstr("not yet available"));
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
