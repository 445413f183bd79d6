// A source text and places in it. Spans are byte offsets; line and column are computed only when
// someone reads a message. Invariant: 0 <= begin <= end <= text.size().
// Covered by tests/unit/text_test.cpp.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

// Byte range [begin, end) of one SourceFile.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  auto operator<=>(const Span&) const = default;
};

// 1-based line; 1-based column counted in bytes.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// A named text with an index of its lines. Immutable; shared by everything parsed from it.
class SourceFile {
 public:
  SourceFile(std::string name, std::string text);

  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  std::string_view slice(Span span) const;
  Position position(std::uint32_t offset) const;
  // The text of 1-based `line`, without its line end (LF or CRLF).
  std::string_view line_text(std::uint32_t line) const;
  std::uint32_t line_count() const { return static_cast<std::uint32_t>(line_starts_.size()); }

 private:
  std::string name_;
  std::string text_;
  std::vector<std::uint32_t> line_starts_;
};

}  // namespace postern
