// Lines, words and tables; every way in which a text can be no ruleset.
#include <gtest/gtest.h>

#include "syntax/parse.hpp"

namespace postern {
namespace {

Parsed parsed(std::string text) {
  return parse(std::make_shared<SourceFile>("t", std::move(text)));
}

// The words of the n-th rule of the first table, separated by '|'.
std::string words(const Parsed& result, std::size_t n = 0) {
  std::string out;
  for (const ast::Line& line : result.file.tables.at(0).lines) {
    const auto* rule = std::get_if<ast::RuleLine>(&line);
    if (rule == nullptr || n-- != 0) continue;
    for (const ast::Word& word : result.file.words_of(*rule)) {
      out += (out.empty() ? "" : "|") + ast::unquote(result.file.source->slice(word.span));
    }
  }
  return out;
}

std::string rule_words(const std::string& rule) {
  return words(parsed("*filter\n" + rule + "\nCOMMIT\n"));
}

std::string messages(const std::string& text) {
  const auto source = std::make_shared<SourceFile>("t", text);
  std::string out;
  for (const Diagnostic& error : parse(source).errors) {
    const Position at = source->position(error.span.begin);
    out += std::to_string(at.line) + ":" + std::to_string(at.column) + " " + error.message + "\n";
  }
  return out;
}

TEST(Parse, TakesAnEmptyText) {
  EXPECT_TRUE(parsed("").errors.empty());
  EXPECT_TRUE(parsed("\n\n\n# only this").errors.empty());
}

TEST(Parse, ReadsTablesChainsAndRules) {
  const Parsed result = parsed(
      "# comment\n*filter\n:INPUT DROP [12:34]\n:user -\n[5:6] -A INPUT -j user\nCOMMIT\n"
      "*raw\n:OUTPUT ACCEPT\nCOMMIT\n");
  ASSERT_TRUE(result.errors.empty());
  ASSERT_EQ(result.file.tables.size(), 2u);
  const auto& lines = result.file.tables[0].lines;
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(std::get<ast::ChainLine>(lines[0]).counters->bytes, 34u);
  EXPECT_FALSE(std::get<ast::ChainLine>(lines[1]).counters);
  EXPECT_EQ(std::get<ast::RuleLine>(lines[2]).counters->packets, 5u);
  EXPECT_EQ(words(result), "-A|INPUT|-j|user");
  EXPECT_EQ(result.file.source->slice(std::get<ast::RuleLine>(lines[2]).span),
            "[5:6] -A INPUT -j user");
}

TEST(Parse, TakesNoFinalNewlineAndIndentedRules) {
  EXPECT_TRUE(parsed("*filter\n:INPUT ACCEPT [0:0]\n  -A INPUT -j ACCEPT\nCOMMIT").errors.empty());
}

// Each tried with iptables-restore --test of both backends.
TEST(Parse, RejectsBlanksAndCarriageReturnsThatIptablesRestoreRejects) {
  const std::string begin = "*filter\n:INPUT ACCEPT [0:0]\n", end = "COMMIT\n";
  for (const std::string& text :
       {begin + " \n" + end, begin + "\t\n" + end, begin + " # x\n" + end, begin + " COMMIT\n",
        begin + "COMMIT \n", begin + " [1:2] -A INPUT -j ACCEPT\n" + end, " " + begin + end,
        begin + end + " \n", begin + "\r\n" + end, "*filter\r\n:INPUT ACCEPT [0:0]\n" + end,
        begin + "COMMIT\r\n", begin + "-A INPUT -j ACCEPT\r\n" + end}) {
    EXPECT_EQ(parsed(text).errors.size(), 1u) << text;
  }
  for (const std::string& text :
       {begin + "\n" + end, begin + "# x\r\n" + end, "*filter \n:INPUT ACCEPT [0:0]\r\n" + end,
        begin + "  -A INPUT -j ACCEPT\n" + end}) {
    EXPECT_TRUE(parsed(text).errors.empty()) << text;
  }
}

TEST(Parse, AllCarriageReturnsAreOneError) {
  const Parsed result = parsed("*filter\r\n-A INPUT -j ACCEPT\r\nCOMMIT\r\n");
  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(result.errors[0].message, "a carriage return ends this line and 2 more");
  EXPECT_EQ(words(result), "-A|INPUT|-j|ACCEPT");
}

TEST(Parse, ReadsNamesThatLookLikeKeywords) {
  const Parsed result = parsed(
      "*filter\n:COMMIT - [0:0]\n:*filter - [0:0]\n:-A - [0:0]\n:# - [0:0]\n-A COMMIT -j "
      "*filter\nCOMMIT\n");
  ASSERT_TRUE(result.errors.empty());
  ASSERT_EQ(result.file.tables.size(), 1u);
  EXPECT_EQ(result.file.tables[0].lines.size(), 5u);
  EXPECT_EQ(words(result), "-A|COMMIT|-j|*filter");
}

TEST(Parse, ReadsQuotesAsIptablesRestoreDoes) {
  EXPECT_EQ(rule_words(R"(-A X --comment "a b")"), "-A|X|--comment|a b");
  EXPECT_EQ(rule_words(R"(-A X --comment "a \"b\" \\ \c")"), R"(-A|X|--comment|a "b" \ c)");
  EXPECT_EQ(rule_words(R"(-A X --comment a"b c")"), "-A|X|--comment|ab c");
  EXPECT_EQ(rule_words(R"(-A X --comment "a"b)"), "-A|X|--comment|a|b");
  EXPECT_EQ(rule_words(R"(-A X --comment "" -j Y)"), "-A|X|--comment||-j|Y");
  EXPECT_EQ(rule_words(R"(-A X --comment a\b -j Y)"), R"(-A|X|--comment|a\b|-j|Y)");
  EXPECT_EQ(rule_words("-A X --comment 'a b'"), "-A|X|--comment|'a|b'");
}

TEST(Parse, TakesTheCommandAnywhere) {
  EXPECT_EQ(rule_words("-4 -A INPUT -j X"), "-4|-A|INPUT|-j|X");
  EXPECT_EQ(rule_words("! -s 192.0.2.1 --append INPUT"), "!|-s|192.0.2.1|--append|INPUT");
  EXPECT_EQ(rule_words("[1:2]-A INPUT"), "-A|INPUT");
}

TEST(Parse, ReportsEveryBadLineAndReadsTheOthers) {
  EXPECT_EQ(messages("*filter\n:INPUT\nhello world\n-A INPUT -j ACCEPT\n[1:2\n-s "
                     "192.0.2.1\n*\nCOMMIT now\nCOMMIT\n"),
            "2:7 a chain line needs a name and a policy\n"
            "3:1 unexpected \"hello\"\n"
            "5:1 unexpected \"[\"\n"
            "6:13 the rule names no chain\n"
            "7:2 a table name is missing\n"
            "8:8 unexpected \"now\"\n");
}

TEST(Parse, ReportsWhatStandsOutsideOfTables) {
  EXPECT_EQ(messages(":INPUT ACCEPT\n-A INPUT\nCOMMIT\n"),
            "1:1 this stands outside of any table\n3:1 COMMIT without a table\n");
  EXPECT_EQ(messages("*filter\n-A INPUT\n*raw\nCOMMIT\n"), "1:1 this table is never committed\n");
  EXPECT_EQ(messages("*filter\n"), "1:1 this table is never committed\n");
}

TEST(Parse, RefusesUnclosedQuotes) {
  EXPECT_EQ(messages("*filter\n-A X --comment \"abc\nCOMMIT\n"),
            "2:16 this quote is never closed\n");
  EXPECT_EQ(messages("*filter\n-A X --comment \"abc\\\nCOMMIT\n"),
            "2:16 this quote is never closed\n");
}

TEST(Parse, SurvivesHostileText) {
  EXPECT_EQ(messages(std::string("*filter\n-A X\0 -j ACCEPT\nCOMMIT\n", 31)), "2:5 a NUL byte\n");
  const std::string giant(1 << 20, 'a');
  EXPECT_EQ(messages("*filter\n-A " + giant + "\nCOMMIT\n"),
            "2:1 the line is longer than 10238 bytes\n");
  std::string many = "*filter\n-A X";
  for (int i = 0; i < 300; ++i) many += " -f";
  EXPECT_EQ(messages(many + "\nCOMMIT\n"), "2:759 more than 253 words in a rule\n");
  std::string bytes;
  for (int i = 1; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_FALSE(messages(bytes).empty());
  EXPECT_EQ(messages("*filter\n-A X --comment \xff\xfe\x80\nCOMMIT\n"), "");
}

TEST(Parse, ReadsManyLinesSideBySideInTheirOrder) {
  std::string text = "*filter\n";
  for (int i = 0; i < 20000; ++i) text += "-A INPUT -s " + std::to_string(i) + "\n";
  text += "bad\nCOMMIT\n";
  const Parsed result = parsed(text);
  ASSERT_EQ(result.errors.size(), 1u);
  ASSERT_EQ(result.file.tables.at(0).lines.size(), 20000u);
  EXPECT_EQ(words(result, 0), "-A|INPUT|-s|0");
  EXPECT_EQ(words(result, 19999), "-A|INPUT|-s|19999");
}

}  // namespace
}  // namespace postern
