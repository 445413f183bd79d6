#include "engine/ftp_command.hpp"

#include <array>
#include <cctype>
#include <string_view>

namespace postern {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

bool equal_but_for_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

constexpr char kAny = 0;

// Numbers with `separator` between them, up to an `end`, kAny for any other character. Returns how
// many characters the numbers take; 0: it is something else, or the text stops too early. Numbers
// wrap at 32 bits.
template <std::size_t N>
std::size_t read_numbers(std::string_view text, char separator, char end,
                         std::array<std::uint32_t, N>& numbers) {
  std::size_t index = 0;
  for (std::size_t i = 0; i < text.size() && index < N; ++i) {
    if (is_digit(text[i])) {
      numbers[index] = numbers[index] * 10 + static_cast<std::uint32_t>(text[i] - '0');
    } else if (text[i] == separator) {
      ++index;
    } else {
      return (text[i] == end || end == kAny) && index == N - 1 ? i : 0;
    }
  }
  return 0;
}

std::uint32_t address4(const std::uint32_t* numbers) {
  return numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3];
}

// "192,0,2,1,5,6"
std::size_t read_six(std::string_view text, char end, FtpAnnouncement& to) {
  std::array<std::uint32_t, 6> numbers{};
  const std::size_t length = read_numbers(text, ',', end, numbers);
  if (length == 0) return 0;
  to.address = {Family::kIpv4, address4(numbers.data())};
  to.port = static_cast<std::uint16_t>(numbers[4] << 8 | numbers[5]);
  return length;
}

// Digits from `start` up to a delimiter; returns the length of the text up to and with it.
std::size_t read_port(std::string_view text, std::size_t start, char delimiter,
                      std::uint16_t& port) {
  std::uint16_t read = 0;
  for (std::size_t i = start; i < text.size(); ++i) {
    if (text[i] == delimiter) {
      port = read;
      return read == 0 ? 0 : i + 1;
    }
    if (!is_digit(text[i])) return 0;
    read = static_cast<std::uint16_t>(read * 10 + (text[i] - '0'));
  }
  return 0;
}

char first_of(std::string_view text) { return text.empty() ? '\0' : text.front(); }
bool may_delimit(char c) { return !is_digit(c) && c >= 33 && c <= 126; }

// "|1|192.0.2.1|1286|", "|2|2001:db8::1|1286|"
std::size_t read_extended(std::string_view text, Family family, FtpAnnouncement& to) {
  const char delimiter = first_of(text);
  const char number = family == Family::kIpv4 ? '1' : '2';
  if (!may_delimit(delimiter) || !text.starts_with(std::string{delimiter, number, delimiter})) {
    return 0;
  }
  const std::string_view rest = text.substr(3);
  std::size_t length = 0;
  if (family == Family::kIpv4) {
    std::array<std::uint32_t, 4> numbers{};
    length = read_numbers(rest, '.', delimiter, numbers);
    to.address = {Family::kIpv4, address4(numbers.data())};
  } else {
    length = rest.find(delimiter);
    if (length == std::string_view::npos) return 0;
    const auto address = Address::parse(rest.substr(0, length), Family::kIpv6);
    if (!address) return 0;
    to.address = *address;
  }
  if (length == 0) return 0;
  return read_port(text, 3 + length + 1, delimiter, to.port);
}

// "|||1286|"
std::size_t read_extended_passive(std::string_view text, FtpAnnouncement& to) {
  const char delimiter = first_of(text);
  if (!may_delimit(delimiter) || !text.starts_with(std::string(3, delimiter))) return 0;
  return read_port(text, 3, delimiter, to.port);
}

struct Pattern {
  FtpCommand command;
  CtDirection direction;
  std::string_view word;
  char skip;  // the words begin behind the next one; kAny: at the first digit
};
constexpr Pattern kPatterns[] = {
    {FtpCommand::kPort, CtDirection::kOriginal, "PORT", ' '},
    {FtpCommand::kEprt, CtDirection::kOriginal, "EPRT", ' '},
    {FtpCommand::kPasv, CtDirection::kReply, "227 ", kAny},
    {FtpCommand::kEpsv, CtDirection::kReply, "229 ", '('},
};

// Where the words begin; nullopt: not in this segment.
std::optional<std::size_t> begin_of_words(std::string_view text, const Pattern& pattern) {
  std::size_t at = pattern.word.size();
  if (pattern.skip == kAny) {
    while (at < text.size() && !is_digit(text[at])) ++at;
    return at;
  }
  at = text.find(pattern.skip, at);
  if (at == std::string_view::npos) return std::nullopt;
  return at + 1;
}

std::size_t read_words(std::string_view words, Family family, FtpAnnouncement& to) {
  switch (to.command) {
    case FtpCommand::kPort:
      return read_six(words, '\r', to);
    case FtpCommand::kPasv:
      return read_six(words, kAny, to);
    case FtpCommand::kEprt:
      return read_extended(words, family, to);
    case FtpCommand::kEpsv:
      return read_extended_passive(words, to);
  }
  return 0;
}

}  // namespace

FtpReading read_ftp(ByteView payload, CtDirection direction, const Address& speaker) {
  const std::string text(payload.begin(), payload.end());
  const std::string_view view = text;
  for (const Pattern& pattern : kPatterns) {
    if (pattern.direction != direction) continue;
    const std::size_t size = pattern.word.size();
    if (view.size() <= size) {
      if (equal_but_for_case(view, pattern.word.substr(0, view.size()))) return {.partial = true};
      continue;
    }
    if (!equal_but_for_case(view.substr(0, size), pattern.word)) continue;
    FtpAnnouncement found;
    found.command = pattern.command;
    found.address = speaker;
    const auto begin = begin_of_words(view, pattern);
    if (!begin) return {.partial = true};
    found.offset = *begin;
    found.length = read_words(view.substr(*begin), speaker.family, found);
    if (found.length == 0) return {.partial = true};
    return {.partial = false, .found = found};
  }
  return {};
}

namespace {

// All eight groups with four digits each (the kernel's %pI6).
std::string long_text(const Address& address) {
  if (address.family == Family::kIpv4) return address.text();
  Bytes bytes;
  put_address(bytes, address);
  const std::string digits = to_hex(bytes);
  std::string text;
  for (std::size_t at = 0; at < digits.size(); at += 4) {
    text += (at == 0 ? "" : ":") + digits.substr(at, 4);
  }
  return text;
}

}  // namespace

std::string ftp_words(FtpCommand command, const Address& address, std::uint16_t port) {
  const std::string number = std::to_string(port);
  switch (command) {
    case FtpCommand::kPort:
    case FtpCommand::kPasv: {
      std::string words;
      for (int shift = 24; shift >= 0; shift -= 8) {
        words += std::to_string(static_cast<unsigned>(address.value >> shift) & 0xff) + ",";
      }
      return words + std::to_string(port >> 8) + "," + std::to_string(port & 0xff);
    }
    case FtpCommand::kEprt:
      return std::string(address.family == Family::kIpv4 ? "|1|" : "|2|") + long_text(address) +
             "|" + number + "|";
    case FtpCommand::kEpsv:
      return "|||" + number + "|";
  }
  return {};
}

}  // namespace postern
