// Text -> AST. Every error of the file is reported; a bad line is left out and reading goes on with
// the next. ANTLR and its exceptions are not seen outside lib/syntax.
// Covered by tests/unit/syntax_parse_test.cpp.
#pragma once

#include <memory>

#include "syntax/ast.hpp"
#include "text/diagnostic.hpp"

namespace postern {

struct Parsed {
  ast::File file;      // what could be read, also when there are errors
  Diagnostics errors;  // in the order of the text
};

Parsed parse(std::shared_ptr<const SourceFile> source);

// The words of a single line of arguments, as in a rule (used for questions).
struct ParsedWords {
  std::vector<ast::Word> words;
  Diagnostics errors;
};
ParsedWords parse_words(const SourceFile& source);

}  // namespace postern
