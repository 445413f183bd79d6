// Rendering of diagnostics; the format is documented in diagnostic.hpp.
#include "text/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"

namespace postern {
namespace {

// How much of a long line is shown, in bytes, and how much of it before the caret.
constexpr std::size_t kWindow = 140;
constexpr std::size_t kBeforeCaret = 60;
constexpr std::string_view kEllipsis = "...";

std::string_view colour(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "\x1b[1;31m";
    case Severity::kWarning:
      return "\x1b[1;33m";
    case Severity::kInfo:
      return "\x1b[1;36m";
  }
  return "";
}

std::string paint(bool color, std::string_view escape, std::string_view text) {
  return color ? fmt::format("{}{}\x1b[0m", escape, text) : std::string(text);
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// A control byte could move a terminal's cursor: it is shown as '?'. Tabs and UTF-8 stay.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) c = '?';
  }
  return out;
}

// Blanks as wide as `text`: tabs stay tabs, and a UTF-8 character is one column.
std::string blanks(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!continues_character(c)) out.push_back(c == '\t' ? '\t' : ' ');
  }
  return out;
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !continues_character(c); }));
}

// The part of `line` that is shown: all of it, or a window with the caret inside.
struct Window {
  std::size_t begin = 0, end = 0;
};

Window window(std::string_view line, std::size_t caret) {
  if (line.size() <= kWindow) return {0, line.size()};
  std::size_t begin = caret > kBeforeCaret ? caret - kBeforeCaret : 0;
  std::size_t end = std::min(line.size(), begin + kWindow);
  while (begin > 0 && continues_character(line[begin])) --begin;
  while (end < line.size() && continues_character(line[end])) ++end;
  return {begin, end};
}

// Two lines: the source text with its number, and the caret below the span.
std::string frame(Span span, Position at, const SourceFile& source, bool color,
                  std::string_view escape) {
  const std::string_view line = source.line_text(at.line);
  const std::size_t caret = std::min<std::size_t>(at.column - 1, line.size());
  const std::size_t stop =
      std::clamp<std::size_t>(caret + (span.end - span.begin), caret, line.size());
  const Window shown = window(line, caret);
  const std::string_view left = shown.begin > 0 ? kEllipsis : "";
  const std::string_view right = shown.end < line.size() ? kEllipsis : "";
  const auto marked = line.substr(caret, std::min(stop, shown.end) - caret);
  const std::string tildes(std::max<std::size_t>(columns(marked), 1) - 1, '~');
  const std::string text = printable(line.substr(shown.begin, shown.end - shown.begin));
  return fmt::format("{:5} | {}{}{}\n      | {}{}{}\n", at.line, left, text, right, blanks(left),
                     blanks(line.substr(shown.begin, caret - shown.begin)),
                     paint(color, escape, "^" + tildes));
}

}  // namespace

std::string_view severity_word(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kInfo:
      return "info";
  }
  throw InternalError("severity_word: unknown severity");
}

std::string render(const Diagnostic& diagnostic, const SourceFile& source, bool color) {
  const Position at = source.position(diagnostic.span.begin);
  const std::string_view escape = colour(diagnostic.severity);
  std::string out = fmt::format("{}:{}:{}: {}: {} [{}]\n", source.name(), at.line, at.column,
                                paint(color, escape, severity_word(diagnostic.severity)),
                                printable(diagnostic.message), diagnostic.code);
  out += frame(diagnostic.span, at, source, color, escape);
  if (!diagnostic.help.empty())
    out += fmt::format("      = help: {}\n", printable(diagnostic.help));
  for (const Note& note : diagnostic.notes) {
    const Position there = source.position(note.span.begin);
    out += fmt::format("{}:{}:{}: note: {}\n", source.name(), there.line, there.column,
                       printable(note.message));
    out += frame(note.span, there, source, color, "\x1b[1m");
  }
  return out;
}

}  // namespace postern
