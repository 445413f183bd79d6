// Every check has its page, and every page the three parts that a reader looks for.
#include "analyzer/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "analyzer/checks/check.hpp"

namespace postern {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Explain, EveryCheckHasAPage) {
  for (const Check& check : all_checks()) {
    EXPECT_NE(find_check_page(check.id), nullptr) << check.id;
  }
  EXPECT_NE(find_check_page("PST309"), nullptr) << "stands under `related` of PST301";
}

TEST(Explain, EveryPageHasABadAndAGoodExample) {
  ASSERT_GE(check_pages().size(), 12u);
  for (const CheckPage& page : check_pages()) {
    EXPECT_THAT(page.text, StartsWith("# " + std::string(page.id) + " " + std::string(page.name)));
    EXPECT_THAT(page.text, HasSubstr("\nBad:\n")) << page.id;
    EXPECT_THAT(page.text, HasSubstr("\nGood:")) << page.id;
  }
}

TEST(Explain, PagesAreTheFilesByteForByte) {
  for (const CheckPage& page : check_pages()) {
    std::ostringstream text;
    text << std::ifstream(std::string(POSTERN_SOURCE_DIR "/docs/checks/") + std::string(page.id) +
                          ".md")
                .rdbuf();
    EXPECT_EQ(page.text, text.str()) << page.id;
  }
}

TEST(Explain, FindsByIdentifierNumberAndName) {
  const CheckPage* page = find_check_page("PST302");
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->name, "notrack-keeps-tracking");
  EXPECT_EQ(find_check_page("pst302"), page);
  EXPECT_EQ(find_check_page("302"), page);
  EXPECT_EQ(find_check_page("notrack-keeps-tracking"), page);
  EXPECT_EQ(find_check_page("PST999"), nullptr);
  EXPECT_EQ(find_check_page(""), nullptr);
}

}  // namespace
}  // namespace postern
