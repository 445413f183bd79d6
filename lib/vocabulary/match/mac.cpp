// `-m mac`: the source address of the Ethernet header. A packet without one (from lo, a tunnel, or
// sent from here) does not match, inverted or not (xt_mac).
#include <fmt/format.h>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

std::optional<std::uint64_t> read_mac(std::string_view text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() != 6) return std::nullopt;
  std::uint64_t value = 0;
  for (const std::string& part : parts) {
    if (part.empty() || part.size() > 2) return std::nullopt;
    const auto byte = read_number("0x" + part);
    if (!byte) return std::nullopt;
    value = value << 8 | *byte;
  }
  return value;
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const std::string& word = *arguments.get<std::string>("--mac-source");
  const auto address = read_mac(word);
  if (!address) {
    return complaint("\"" + word + "\" is not a MAC address", "six bytes: 00:11:22:aa:bb:cc");
  }
  return MatchMeaning{
      all({equals(Field::kHasMac, 1),
           negate_if(arguments.inverted("--mac-source"), equals(Field::kMacSource, *address))})};
}

std::string print(const Arguments& arguments) {
  const std::uint64_t value = *read_mac(*arguments.get<std::string>("--mac-source"));
  std::string address;
  for (int shift = 40; shift >= 0; shift -= 8) {
    address += fmt::format("{}{:02x}", shift == 40 ? "" : ":", value >> shift & 0xff);
  }
  std::string text;
  append_option(text, arguments.inverted("--mac-source"), "--mac-source", address);
  return text;
}

}  // namespace

extern const Match mac;
const Match mac{
    .name = "mac",
    .options =
        {{.name = "--mac-source", .type = ValueType::kText, .invertible = true, .required = true}},
    .meaning = meaning,
    .print = print,
    .hooks = {"PREROUTING", "INPUT", "FORWARD"},
};

}  // namespace postern::match
