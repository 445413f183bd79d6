#include "syntax/strictness.hpp"

#include <string>

namespace postern {
namespace {

constexpr std::string_view kBlanks = " \t";

Diagnostic error(std::uint32_t begin, std::size_t length, std::string message, std::string help) {
  const auto end = begin + static_cast<std::uint32_t>(length);
  return {Severity::kError, "syntax", {begin, end}, std::move(message), std::move(help), {}};
}

}  // namespace

std::optional<Diagnostic> misplaced_blanks(std::string_view line, std::uint32_t offset) {
  if (line.empty()) return std::nullopt;
  const std::size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return error(offset, line.size(), "blanks on an otherwise empty line",
                 "iptables-restore rejects such a line: remove the blanks");
  }
  if (first > 0 && line[first] != '-') {
    return error(offset, first, "blanks at the beginning of this line",
                 "iptables-restore takes it for a rule and rejects it: remove the blanks");
  }
  constexpr std::string_view kCommit = "COMMIT";
  if (line.size() > kCommit.size() && line.starts_with(kCommit) &&
      line.find_first_not_of(kBlanks, kCommit.size()) == std::string_view::npos) {
    return error(offset + kCommit.size(), line.size() - kCommit.size(), "blanks behind COMMIT",
                 "iptables-restore does not know it then: remove them");
  }
  return std::nullopt;
}

bool minds_carriage_return(std::string_view line) {
  return line.empty() || (line.front() != '#' && line.front() != ':');
}

Diagnostic carriage_returns(Span span, std::size_t count) {
  std::string message = "a carriage return ends this line";
  if (count > 1) message += " and " + std::to_string(count - 1) + " more";
  return {Severity::kError,
          "syntax",
          span,
          std::move(message),
          "iptables-restore takes it for a part of the last word: end lines with LF alone "
          "(dos2unix)",
          {}};
}

}  // namespace postern
