// Places in a text and how a diagnostic shows them.
#include <gtest/gtest.h>

#include "text/diagnostic.hpp"

namespace postern {
namespace {

std::string shown(const std::string& text, Span span, std::string message = "wrong",
                  std::string help = "") {
  const SourceFile source("f", text);
  return render({Severity::kError, "code", span, std::move(message), std::move(help), {}}, source);
}

TEST(SourceFile, KnowsLinesOfEveryLineEnd) {
  const SourceFile source("f", "ab\r\nc\n\nd");
  EXPECT_EQ(source.line_count(), 4u);
  EXPECT_EQ(source.line_text(1), "ab");
  EXPECT_EQ(source.line_text(3), "");
  EXPECT_EQ(source.line_text(4), "d");
  EXPECT_EQ(source.position(4).line, 2u);
  EXPECT_EQ(source.position(5).column, 2u);
}

TEST(Render, PutsTheCaretBelowTheSpan) {
  EXPECT_EQ(shown("one\ntwo three\n", {8, 13}, "wrong", "write four"),
            "f:2:5: error: wrong [code]\n"
            "    2 | two three\n"
            "      |     ^~~~~\n"
            "      = help: write four\n");
}

TEST(Render, KeepsTabsAndCountsCharactersNotBytes) {
  EXPECT_EQ(shown("\t\xc3\xa9 x\n", {4, 5}),
            "f:1:5: error: wrong [code]\n"
            "    1 | \t\xc3\xa9 x\n"
            "      | \t  ^\n");
}

TEST(Render, ShowsNoControlBytes) {
  EXPECT_EQ(shown("a\x1b[31mb\n", {0, 1}),
            "f:1:1: error: wrong [code]\n"
            "    1 | a?[31mb\n"
            "      | ^\n");
}

TEST(Render, MarksASpanOverLinesOnItsFirst) {
  EXPECT_EQ(shown("ab\ncd\n", {1, 5}),
            "f:1:2: error: wrong [code]\n"
            "    1 | ab\n"
            "      |  ^\n");
}

TEST(Render, PointsBehindTheLastByte) {
  EXPECT_EQ(shown("ab", {2, 2}),
            "f:1:3: error: wrong [code]\n"
            "    1 | ab\n"
            "      |   ^\n");
}

TEST(Render, CutsALongLineAroundTheCaret) {
  const std::string text = std::string(1000, 'a') + "X" + std::string(1000, 'b');
  const std::string out = shown(text, {1000, 1001});
  EXPECT_LT(out.size(), 400u);
  const std::size_t line = out.find("| ..."), caret = out.rfind("| ");
  ASSERT_NE(line, std::string::npos);
  EXPECT_EQ(out.find('X') - line, out.find('^') - caret) << out;
}

TEST(Render, ShowsNotesInTheirOwnPlace) {
  const SourceFile source("f", "first\nsecond\n");
  const Diagnostic diagnostic{Severity::kWarning,      "PST001", {6, 12}, "again", "",
                              {{{0, 5}, "first here"}}};
  EXPECT_EQ(render(diagnostic, source),
            "f:2:1: warning: again [PST001]\n"
            "    2 | second\n"
            "      | ^~~~~~\n"
            "f:1:1: note: first here\n"
            "    1 | first\n"
            "      | ^~~~~\n");
  EXPECT_NE(render(diagnostic, source, true).find("\x1b["), std::string::npos);
}

}  // namespace
}  // namespace postern
