#include "engine/irc_dcc.hpp"

#include <string>
#include <string_view>

namespace postern {
namespace {

constexpr std::string_view kCommands[] = {"SEND ", "CHAT ", "MOVE ", "TSEND ", "SCHAT "};
// The shortest rest of a message that is looked at, from " :" on, and the shortest rest behind the
// command's first word.
constexpr std::size_t kShortestMessage = 26, kShortestArguments = 12, kShortestPrefix = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Digits from `at` on, which is moved behind them.
std::uint32_t read_number(std::string_view text, std::size_t& at) {
  std::uint64_t value = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
  }
  return static_cast<std::uint32_t>(value);
}

struct Dcc {
  std::uint32_t address = 0;
  DccAnnouncement what;
};

// "file 3221225993 5001": one word, then the two numbers, somewhere before a line's end.
std::optional<Dcc> read_arguments(std::string_view text, std::size_t at) {
  for (;; ++at) {
    if (at >= text.size()) return std::nullopt;
    if (text[at] == ' ') break;
    if (at + 1 + kShortestArguments > text.size()) return std::nullopt;
  }
  ++at;
  if (text.find('\n', at) == std::string_view::npos) return std::nullopt;
  Dcc dcc;
  dcc.what.offset = at;
  dcc.address = read_number(text, at);
  while (at < text.size() && text[at] == ' ') ++at;
  dcc.what.port = static_cast<std::uint16_t>(read_number(text, at));
  dcc.what.length = at - dcc.what.offset;
  return dcc;
}

// Behind leading blanks the message must be a PRIVMSG; a very short rest is not looked at.
std::optional<std::size_t> begin_of_message(std::string_view text) {
  std::size_t at = 0;
  const auto long_enough = [&] { return at + kShortestPrefix < text.size(); };
  while (long_enough() && (text[at] == ' ' || text[at] == '\r' || text[at] == '\n')) ++at;
  if (!long_enough()) return at;
  for (const char expected : std::string_view("PRIVMSG ")) {
    if (upper(text[at++]) != expected) return std::nullopt;
  }
  return at;
}

}  // namespace

std::optional<DccAnnouncement> read_dcc(ByteView payload, std::uint32_t client,
                                        std::uint32_t client_outside) {
  const std::string bytes(payload.begin(), payload.end());
  const std::string_view text = bytes;
  const auto begin = begin_of_message(text);
  if (!begin) return std::nullopt;
  std::size_t at = *begin;
  while (at + kShortestMessage < text.size() && text.substr(at, 2) != " :") ++at;
  if (at + kShortestMessage >= text.size()) return std::nullopt;
  at += 2;
  if (text.substr(at, 5) != "\001DCC ") return std::nullopt;
  at += 5;
  for (const std::string_view command : kCommands) {
    if (text.substr(at, command.size()) != command) continue;
    at += command.size();  // and stays there: a second command may follow the first one's word
    const auto dcc = read_arguments(text, at);
    if (!dcc || dcc->what.port == 0) continue;
    if (dcc->address == client || dcc->address == client_outside) return dcc->what;
  }
  return std::nullopt;
}

}  // namespace postern
