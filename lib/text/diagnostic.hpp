// What postern says about a place in a text: severity, stable code, one sentence, caret, help,
// notes. Everything that reads text collects Diagnostics; nothing stops at the first error. Covered
// by tests/unit/text_test.cpp and the goldens in tests/golden/.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "text/source.hpp"

namespace postern {

enum class Severity : std::uint8_t { kError, kWarning, kInfo };

// "error", "warning" or "info", in texts and in JSON.
std::string_view severity_word(Severity severity);

// A second place that explains the first ("earlier rule here").
struct Note {
  Span span;
  std::string message;
};

// `code` is a stable word such as "syntax" or "unknown-option" (errors), or "PST001" (findings).
// `help` says what would be right; empty when nothing sensible can be said.
struct Diagnostic {
  Severity severity = Severity::kError;
  std::string code;
  Span span;
  std::string message;
  std::string help;
  std::vector<Note> notes;
};

using Diagnostics = std::vector<Diagnostic>;

// A value, or every error that was found (never empty).
template <class T>
using Result = tl::expected<T, Diagnostics>;

// `file:line:column: error: message [code]`, the source line with a caret below the span, then help
// and notes. Tabs are kept so that carets line up; a span over several lines is marked on its
// first. Long lines are cut to a window around the caret. With `color`, ANSI escapes; plain text
// otherwise.
std::string render(const Diagnostic& diagnostic, const SourceFile& source, bool color = false);

}  // namespace postern
