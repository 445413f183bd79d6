// Whole diagnostics, caret included: each tests/golden/input/NAME.rules with NAME.expected. When a
// message changes on purpose, POSTERN_UPDATE_GOLDEN=1 writes the expected files anew: read the
// diff.
#include <cstdlib>

#include "../unit/ir_texts.hpp"

namespace postern {
namespace {

TEST(InputErrors, AreShownWholeAndAllAtOnce) {
  const auto directory = std::filesystem::path(POSTERN_SOURCE_DIR) / "tests/golden/input";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".rules") continue;
    SCOPED_TRACE(entry.path().filename().string());
    ++files;
    const auto source =
        std::make_shared<SourceFile>(entry.path().filename().string(), file_text(entry.path()));
    const auto bound = read_ruleset(source);
    const std::string shown =
        bound ? rendered(bound->warnings, *source) : rendered(bound.error(), *source);
    auto expected = entry.path();
    expected.replace_extension(".expected");
    if (std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr) std::ofstream(expected) << shown;
    EXPECT_EQ(shown, file_text(expected));
  }
  EXPECT_GE(files, 6u);
}

TEST(InputErrors, AreCountedAfterAHundred) {
  std::string text = "*filter\n";
  for (int i = 0; i < 250; ++i) text += "nonsense\n";
  const auto source = source_of(text + "COMMIT\n");
  const auto bound = read_ruleset(source);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().size(), 101u);
  EXPECT_EQ(bound.error().back().message, "and 150 more errors from here on");
}

}  // namespace
}  // namespace postern
