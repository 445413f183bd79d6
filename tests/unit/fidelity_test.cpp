// docs/fidelity.md names the tests that hold what it says: they exist, and every entry has one.
#include <gtest/gtest.h>

#include "tests/support/pages.hpp"

namespace postern {
namespace {

using test::content;
using test::found;

const std::filesystem::path kRoot = POSTERN_SOURCE_DIR;

struct TestTree {
  std::set<std::string> tests;  // "Suite.Name"
  std::string rows;             // text of the tables of parameterised tests
};

TestTree read_tests() {
  TestTree tree;
  for (const auto& file : std::filesystem::recursive_directory_iterator(kRoot / "tests")) {
    if (file.path().extension() == ".inc") tree.rows += content(file.path());
    if (file.path().extension() != ".cpp") continue;
    tree.tests.merge(
        found(content(file.path()), R"(TEST(?:_F|_P)?\(([A-Za-z0-9_]+),\s*([A-Za-z0-9_]+)\))"));
  }
  return tree;
}

const char* const kName = R"re(`([A-Z][A-Za-z0-9]*\.[A-Z][A-Za-z0-9]*(?:/[A-Za-z0-9]+)?)`)re";

TEST(Fidelity, EveryTestNamedExists) {
  const TestTree tree = read_tests();
  const std::set<std::string> names = found(content(kRoot / "docs/fidelity.md"), kName);
  EXPECT_GT(names.size(), 60u);
  for (const std::string& name : names) {
    const std::size_t slash = name.find('/');
    EXPECT_TRUE(tree.tests.contains(name.substr(0, slash))) << name;
    if (slash == std::string::npos) continue;
    EXPECT_NE(tree.rows.find("{\"" + name.substr(slash + 1) + "\""), std::string::npos) << name;
  }
}

TEST(Fidelity, EveryEntryIsNumberedInOrderAndNamesATest) {
  std::istringstream lines(content(kRoot / "docs/fidelity.md"));
  std::vector<std::string> entries;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, std::regex("^[0-9]+\\. "))) {
      entries.push_back(line);
    } else if (line.starts_with(" ") && !entries.empty()) {
      entries.back() += "\n" + line;
    }
  }
  ASSERT_GE(entries.size(), 25u);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_TRUE(entries[i].starts_with(std::to_string(i + 1) + ". ")) << entries[i];
    EXPECT_FALSE(found(entries[i], kName).empty()) << entries[i];
  }
}

}  // namespace
}  // namespace postern
