// The lexemes of one line as the token stream that an ANTLR parser reads. Tokens are reused from
// line to line: nothing is allocated for a token. Used by line_parser.cpp only.
#pragma once

#include <antlr4-runtime.h>

#include <deque>
#include <span>

#include "base/check.hpp"
#include "syntax/lexer_table.hpp"

namespace postern {

// A token that knows its type and place; its text is never asked for.
class LineToken : public antlr4::Token {
 public:
  Lexeme lexeme;
  std::size_t index = 0;

  std::string getText() const override { return {}; }
  std::size_t getType() const override { return lexeme.type; }
  std::size_t getLine() const override { return 1; }
  std::size_t getCharPositionInLine() const override { return lexeme.begin; }
  std::size_t getChannel() const override { return DEFAULT_CHANNEL; }
  std::size_t getTokenIndex() const override { return index; }
  std::size_t getStartIndex() const override { return lexeme.begin; }
  std::size_t getStopIndex() const override { return lexeme.end; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  antlr4::CharStream* getInputStream() const override { return nullptr; }
  std::string toString() const override { return {}; }
};

class LineTokens : public antlr4::TokenStream {
 public:
  // The tokens of the next line, and the end of input behind them.
  void assign(std::span<const Lexeme> lexemes, std::uint32_t line_size) {
    at_ = 0;
    count_ = lexemes.size() + 1;
    while (tokens_.size() < count_) {
      tokens_.emplace_back();
      tokens_.back().index = tokens_.size() - 1;
    }
    for (std::size_t i = 0; i < lexemes.size(); ++i) tokens_[i].lexeme = lexemes[i];
    tokens_[count_ - 1].lexeme = {antlr4::Token::EOF, line_size, line_size};
  }

  void consume() override {
    if (at_ + 1 < count_) ++at_;
  }
  std::size_t LA(ssize_t i) override { return LT(i)->getType(); }
  antlr4::Token* LT(ssize_t k) override {
    const ssize_t wanted = static_cast<ssize_t>(at_) + (k > 0 ? k - 1 : k);
    if (wanted < 0) return nullptr;
    return &tokens_[std::min(static_cast<std::size_t>(wanted), count_ - 1)];
  }
  antlr4::Token* get(std::size_t index) const override {
    POSTERN_CHECK(index < count_, "no such token");
    return const_cast<LineToken*>(&tokens_[index]);
  }
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  std::size_t index() override { return at_; }
  void seek(std::size_t index) override { at_ = std::min(index, count_ - 1); }
  std::size_t size() override { return count_; }
  std::string getSourceName() const override { return {}; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  std::string getText(const antlr4::misc::Interval&) override { return {}; }
  std::string getText() override { return {}; }
  std::string getText(antlr4::RuleContext*) override { return {}; }
  std::string getText(antlr4::Token*, antlr4::Token*) override { return {}; }

 private:
  std::deque<LineToken> tokens_;
  std::size_t at_ = 0;
  std::size_t count_ = 1;
};

}  // namespace postern
