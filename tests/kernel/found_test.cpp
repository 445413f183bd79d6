// Scenarios on which engine and Linux once differed, as the campaign wrote them, shrunk
// (tests/kernel/found/*.json; a file's name says what it is about): they agree now.
#include <gtest/gtest.h>

#include <set>

#include "kernel_fixture.hpp"
#include "tests/kernel/support/judge.hpp"

namespace postern::kernel {
namespace {

class FoundScenario : public KernelTest {};

TEST_F(FoundScenario, AgreesByNow) {
  std::set<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(
           std::filesystem::path(POSTERN_SOURCE_DIR) / "tests/kernel/found")) {
    files.insert(file.path());
  }
  ASSERT_FALSE(files.empty());
  Judge judge;
  for (const auto& file : files) {
    Scenario scenario = read_one(file);
    for (const Backend backend : {Backend::kLegacy, Backend::kNft}) {
      scenario.backend = backend;
      const Judged judged = judge.judge(scenario);
      const std::string where = file.filename().string();
      EXPECT_EQ(judged.kind, Judged::Kind::kCompared) << where;
      EXPECT_EQ(judged.unmodelled, "") << where;
      EXPECT_EQ(judged.lines.empty() ? "" : judged.lines.front(), "")
          << where << " (left Linux, right the engine)";
    }
  }
}

}  // namespace
}  // namespace postern::kernel
