// One line of text -> its shape, by the ANTLR parser. The only user of the generated parser; its
// exceptions stop here. One LineParser for each thread. Covered by
// tests/unit/syntax_parse_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "syntax/ast.hpp"
#include "text/diagnostic.hpp"

namespace postern {

struct BlankLine {};  // or a comment
struct TableLine {
  Span span, name;
};
struct CommitLine {
  Span span;
};
using FlatLine = std::variant<BlankLine, TableLine, CommitLine, ast::ChainLine, ast::RuleLine>;

class LineParser {
 public:
  LineParser();
  ~LineParser();
  LineParser(LineParser&&) noexcept;

  // `line` without its line end, `offset` its place in the file. Words of a rule are appended to
  // `words`. nullopt: the line is wrong, and what is wrong was appended to `errors`.
  std::optional<FlatLine> parse(std::string_view line, std::uint32_t offset,
                                std::vector<ast::Word>& words, Diagnostics& errors);
  // Only words, without a command (a question). False: an error was appended.
  bool parse_words(std::string_view line, std::vector<ast::Word>& words, Diagnostics& errors);

 private:
  struct Antlr;
  std::unique_ptr<Antlr> antlr_;
};

}  // namespace postern
