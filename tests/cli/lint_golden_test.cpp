// The whole text of `postern lint` on the NOTRACK and p2p rulesets. With POSTERN_UPDATE_GOLDEN=1
// the expected files are written anew: read the difference before you commit it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "cli/support/run.hpp"

namespace postern::test {
namespace {

class LintGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(LintGolden, IsUnchanged) {
  const std::string name = GetParam();
  const auto directory = std::filesystem::path(corpus(name + ".rules")).parent_path();
  const std::string file = std::filesystem::path(name).filename().string();
  const Outcome outcome = run_postern({"lint", file + ".rules"}, {.directory = directory});
  EXPECT_LE(outcome.code, 1) << outcome.err;
  const std::string text = outcome.out + "exit " + std::to_string(outcome.code) + "\n";
  const std::filesystem::path golden =
      std::filesystem::path(POSTERN_SOURCE_DIR) / "tests/golden/lint" / (file + ".txt");
  if (std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(golden.parent_path());
    std::ofstream(golden) << text;
  }
  EXPECT_EQ(text, read_file(golden));
}

INSTANTIATE_TEST_SUITE_P(Corpus, LintGolden,
                         ::testing::Values("notrack/test1", "notrack/test2", "notrack/test3",
                                           "notrack/test3-lockdown", "notrack/test4", "p2p/in",
                                           "p2p/both", "p2p/new-only"),
                         [](const auto& row) {
                           std::string name(row.param);
                           name = name.substr(name.find('/') + 1);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace postern::test
