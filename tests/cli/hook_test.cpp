// The pre-commit hook: that its command runs, that it picks rulesets by their names and nothing
// else, and that its page speaks of this hook. (Real pre-commit is tried by hand:
// docs/pre-commit.md.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "cli/support/run.hpp"

namespace postern::test {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kRoot = POSTERN_SOURCE_DIR;

// The value of a key of the one hook; single quotes taken off.
std::string hook(const std::string& key) {
  std::istringstream lines(read_file(kRoot / ".pre-commit-hooks.yaml"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(key + ": ");
    if (at != 2 || line.starts_with("#")) continue;
    std::string value = line.substr(at + key.size() + 2);
    if (value.starts_with('\'')) value = value.substr(1, value.size() - 2);
    return value;
  }
  return "";
}

bool picked(const std::string& path) {
  return std::regex_search(path, std::regex(hook("files"))) &&
         !std::regex_search(path, std::regex(hook("exclude")));
}

TEST(Hook, PicksRulesetsByName) {
  for (const char* path :
       {"rules.v4", "etc/iptables/rules.v6", "iptables.rules", "x/ip6tables.save",
        "fw/lockdown.rules", "gate.iptables", "gate.ip6tables"}) {
    EXPECT_TRUE(picked(path)) << path;
  }
  for (const char* path : {"README.md", "rules.v4.txt", "etc/udev/70-net.rules",
                           "audit/rules.d/a.rules", "local.snort.rules", "rules.c"}) {
    EXPECT_FALSE(picked(path)) << path;
  }
}

TEST(Hook, RunsAsItStandsOnFilesBehindIt) {
  std::istringstream words(hook("entry"));
  std::string program, word;
  words >> program;
  EXPECT_EQ(program, "postern");
  std::vector<std::string> line;
  while (words >> word) line.push_back(word);
  line.push_back(corpus("notrack/test3-lockdown.rules"));
  EXPECT_EQ(run_postern(line).code, 1);
  line.back() = corpus("no-such-file");
  EXPECT_EQ(run_postern(line).code, 2);
}

TEST(Hook, APageExplainsIt) {
  const std::string page = read_file(kRoot / "docs/pre-commit.md");
  EXPECT_THAT(page, HasSubstr("- id: postern-lint"));
  EXPECT_THAT(read_file(kRoot / ".pre-commit-hooks.yaml"), HasSubstr("- id: postern-lint"));
  EXPECT_EQ(hook("language"), "system");
}

TEST(Hook, ACleanRulesetPasses) {
  const TemporaryDirectory directory;
  const std::string path = directory.file(
      "rules.v4",
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A INPUT -i lo -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
      "-A INPUT -i eth0 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n");
  const Outcome outcome = run_postern({"lint", path});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
}

}  // namespace
}  // namespace postern::test
