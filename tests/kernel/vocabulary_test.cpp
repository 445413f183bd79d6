// Asks the installed iptables about every rule of corpus/matches and corpus/targets: OK and KEEP
// rules load, an OK rule is saved as the table says, --test refuses FAIL rules, the kernel refuses
// LOAD rules.
#include <gtest/gtest.h>

#include "../unit/rule_table.hpp"
#include "kernel/system.hpp"
#include "kernel_fixture.hpp"

namespace postern::kernel {
namespace {

// One namespace with the sets that the tables use; each rule replaces its table there.
class Vocabulary : public KernelTest {
 protected:
  // 0 when the program took the rule.
  int restore(const TableLine& line, Family family, bool test_only) {
    std::vector<std::string> command{program(family) + "-restore"};
    if (test_only) command.push_back("--test");
    const auto result = run_program(command, line.text());
    EXPECT_TRUE(result) << result.error();
    return result ? result->status : -1;
  }

  // The rule as it is saved, without "-A CHAIN ".
  std::string saved(const TableLine& line, Family family) {
    const auto result = run_program({program(family) + "-save", "-t", line.table}, "");
    if (!result) return "! " + result.error();
    const std::string start = "-A " + line.chain;
    std::istringstream lines(result->output);
    for (std::string text; std::getline(lines, text);) {
      if (text.starts_with(start)) return trim(text.substr(start.size()));
    }
    return "";
  }

  void ask(const TableLine& line, Family family) {
    if (line.verdict == "FAIL" || line.verdict == "LAX") {
      EXPECT_NE(restore(line, family, true), 0);
      return;
    }
    EXPECT_EQ(restore(line, family, true), 0);
    const int loaded = restore(line, family, false);
    EXPECT_EQ(loaded != 0, line.verdict == "LOAD");
    if (line.verdict == "OK") {
      EXPECT_EQ(saved(line, family), line.canonical);
    }
  }

 private:
  static std::string program(Family family) {
    return family == Family::kIpv4 ? "iptables-legacy" : "ip6tables-legacy";
  }
};

TEST_F(Vocabulary, TablesSayWhatTheKernelSays) {
  const auto space = NetNamespace::create();
  ASSERT_TRUE(space) << space.error();
  const auto inside = space->enter();
  ASSERT_TRUE(inside) << inside.error();
  ASSERT_TRUE(run_program({"ipset", "create", "foo", "hash:ip"}, ""));
  ASSERT_TRUE(run_program({"ipset", "create", "bar", "hash:ip,port"}, ""));
  int asked = 0;
  for (const TableLine& line : read_tables(std::filesystem::path(POSTERN_SOURCE_DIR) / "corpus")) {
    if (!line.truth.empty()) continue;
    for (const Family family : line.families) {
      SCOPED_TRACE(line.place() + (family == Family::kIpv4 ? " [4]" : " [6]"));
      ask(line, family);
      ++asked;
    }
  }
  EXPECT_GT(asked, 700);
}

}  // namespace
}  // namespace postern::kernel
