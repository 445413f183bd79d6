#include "text/source.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace postern {

SourceFile::SourceFile(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n' && i + 1 < text_.size()) {
      line_starts_.push_back(static_cast<std::uint32_t>(i + 1));
    }
  }
}

std::string_view SourceFile::slice(Span span) const {
  POSTERN_CHECK(span.begin <= span.end && span.end <= text_.size(), "span outside its file");
  return std::string_view(text_).substr(span.begin, span.end - span.begin);
}

Position SourceFile::position(std::uint32_t offset) const {
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const auto line = static_cast<std::uint32_t>(next - line_starts_.begin());
  return {line, offset - line_starts_[line - 1] + 1};
}

std::string_view SourceFile::line_text(std::uint32_t line) const {
  POSTERN_CHECK(line >= 1 && line <= line_count(), "no such line");
  const std::uint32_t begin = line_starts_[line - 1];
  std::size_t end = line < line_count() ? line_starts_[line] : text_.size();
  while (end > begin && (text_[end - 1] == '\n' || text_[end - 1] == '\r')) --end;
  return std::string_view(text_).substr(begin, end - begin);
}

}  // namespace postern
