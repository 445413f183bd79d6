// The lexer table against ANTLR's own lexer of the same grammar, on random lines.
#include <IptablesSaveLexer.h>
#include <gtest/gtest.h>

#include <random>

#include "syntax/lexer_table.hpp"
#include "tests/support/seed.hpp"

namespace postern {
namespace {

using Lexemes = std::vector<std::array<std::size_t, 3>>;  // type, begin, end

// What ANTLR's runtime makes of the line; stops at the first byte that begins no token.
Lexemes by_antlr(const std::string& line) {
  struct Stop : antlr4::BaseErrorListener {
    bool stuck = false;
    void syntaxError(antlr4::Recognizer*, antlr4::Token*, size_t, size_t, const std::string&,
                     std::exception_ptr) override {
      stuck = true;
    }
  } stop;
  antlr4::ANTLRInputStream input(line);
  grammar::IptablesSaveLexer lexer(&input);
  lexer.removeErrorListeners();
  lexer.addErrorListener(&stop);
  Lexemes found;
  while (true) {
    const auto token = lexer.nextToken();
    if (stop.stuck || token->getType() == antlr4::Token::EOF) return found;
    found.push_back({token->getType(), token->getStartIndex(), token->getStopIndex() + 1});
  }
}

Lexemes by_table(const std::string& line) {
  std::vector<Lexeme> lexemes;
  LexerTable::instance().scan(line, 0, lexemes);
  Lexemes found;
  for (const Lexeme& lexeme : lexemes) found.push_back({lexeme.type, lexeme.begin, lexeme.end});
  return found;
}

TEST(LexerTable, AgreesWithAntlrOnRandomLines) {
  const auto seed = static_cast<unsigned>(test::seed_of_run());
  std::mt19937 random(seed);
  const std::string pieces[] = {"-A",    "-",       "--append", "!",     "\"",  "\\",     " ", "\t",
                                "*",     ":",       "[",        "]",     "0:0", "COMMIT", "#", "a",
                                "INPUT", "--dport", "x\"y z\"", "[1:2]", "=",   ","};
  std::size_t with_tokens = 0, with_quotes = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string line = i % 2 == 0 ? "-A " : "";
    const int length = std::uniform_int_distribution(1, 10)(random);
    for (int j = 0; j < length; ++j) {
      line += pieces[std::uniform_int_distribution<std::size_t>(0, std::size(pieces) - 1)(random)];
    }
    const Lexemes expected = by_antlr(line);
    ASSERT_EQ(by_table(line), expected) << line;
    with_tokens += expected.size() > 3;
    for (const auto& lexeme : expected) {
      with_quotes += lexeme[0] == grammar::IptablesSaveLexer::WORD &&
                     line.substr(lexeme[1], lexeme[2] - lexeme[1]).find('"') != std::string::npos;
    }
  }
  EXPECT_GT(with_tokens, 1000u);
  EXPECT_GT(with_quotes, 100u);
}

}  // namespace
}  // namespace postern
