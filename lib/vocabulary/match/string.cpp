// `-m string`: a pattern in the packet's bytes (xt_string). Payloads are not modelled.
#include <fmt/format.h>

#include <algorithm>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::size_t kLongest = 128;  // XT_STRING_MAX_PATTERN_SIZE

// The bytes of --hex-string: text with hexadecimal parts between '|'.
std::optional<std::string> read_hex(std::string_view text) {
  std::string bytes;
  bool hexadecimal = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '|') {
      hexadecimal = !hexadecimal;
    } else if (!hexadecimal) {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      bytes += text[i];
    } else if (text[i] != ' ') {
      const auto byte = read_number("0x" + std::string(text.substr(i, 2)));
      if (i + 2 > text.size() || !byte) return std::nullopt;
      bytes += static_cast<char>(*byte);
      ++i;
    }
  }
  if (hexadecimal) return std::nullopt;
  return bytes;
}

std::optional<std::string> pattern(const Arguments& arguments) {
  if (const auto* text = arguments.get<std::string>("--string")) return *text;
  return read_hex(*arguments.get<std::string>("--hex-string"));
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto bytes = pattern(arguments);
  if (!bytes) {
    return complaint("the hexadecimal part is malformed", "pairs of digits between two |");
  }
  if (bytes->size() > kLongest) return complaint("the pattern is too long", "at most 128 bytes");
  return MatchMeaning{opaque("string: the bytes of the packet")};
}

// Printable text stays text unless it ends in a backslash.
std::string print_pattern(const std::string& bytes, bool inverted) {
  const bool text = std::ranges::all_of(bytes, [](char c) { return c >= ' ' && c <= '~'; }) &&
                    !bytes.ends_with('\\');
  std::string quoted = text ? "\"" : "\"|";
  for (const char c : bytes) {
    if (!text) {
      quoted += fmt::format("{:02x}", static_cast<unsigned char>(c));
      continue;
    }
    if (c == '\\' || c == '"') quoted += '\\';
    quoted += c;
  }
  std::string result;
  append_option(result, inverted, text ? "--string" : "--hex-string",
                quoted + (text ? "\"" : "|\""));
  return result;
}

std::string print(const Arguments& arguments) {
  const bool inverted = arguments.inverted("--string") || arguments.inverted("--hex-string");
  std::string text = print_pattern(*pattern(arguments), inverted);
  append_bound(text, arguments, "--algo");
  const auto* from = arguments.get<NumberRange>("--from");
  if (from != nullptr && from->lo != 0) append_bound(text, arguments, "--from");
  const auto* to = arguments.get<NumberRange>("--to");
  if (to != nullptr && to->lo != 65535) append_bound(text, arguments, "--to");
  append_bound(text, arguments, "--icase");
  return text;
}

std::optional<std::string> refused(const Arguments& arguments, const RulePlace&) {
  const std::string& algorithm = *arguments.get<std::string>("--algo");
  if (algorithm == "bm" || algorithm == "kmp") return std::nullopt;
  return "the kernel has no search algorithm " + algorithm;
}

}  // namespace

extern const Match string;
const Match string{
    .name = "string",
    .options = {{.name = "--string",
                 .type = ValueType::kText,
                 .invertible = true,
                 .required = true,
                 .excludes = "pattern"},
                {.name = "--hex-string",
                 .type = ValueType::kText,
                 .invertible = true,
                 .excludes = "pattern"},
                {.name = "--algo", .type = ValueType::kText, .required = true},
                {.name = "--from", .type = ValueType::kUnsigned, .max = 65535},
                {.name = "--to", .type = ValueType::kUnsigned, .max = 65535},
                {.name = "--icase"}},
    .meaning = meaning,
    .print = print,
    .refused = refused,
};

}  // namespace postern::match
