// What iptables-restore rejects although the line's shape is clear: blanks and carriage returns
// that it takes for a part of the line. Both backends, tried with 1.8.9; what one of them takes
// passes. Covered by tests/unit/syntax_parse_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "text/diagnostic.hpp"

namespace postern {

// Blanks where none may stand; `line` without its line end, `offset` its place in the file.
std::optional<Diagnostic> misplaced_blanks(std::string_view line, std::uint32_t offset);

// Does a carriage return behind this line make it wrong? Not behind comments and chain lines.
bool minds_carriage_return(std::string_view line);

// The one error for all carriage returns of a file; `count` lines have one, the first of them is
// `span`.
Diagnostic carriage_returns(Span span, std::size_t count);

}  // namespace postern
