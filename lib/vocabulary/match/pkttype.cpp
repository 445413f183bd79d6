// `-m pkttype`: how the packet was addressed on the link layer (xt_pkttype).
#include <array>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::array<NamedValue, 4> kTypes{
    {{"unicast", 1}, {"broadcast", 2}, {"multicast", 4}, {"host", 1}}};

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto type =
      read_name(kTypes, *arguments.get<std::string>("--pkt-type"), "type of packet", true);
  if (!type) return tl::unexpected(type.error());
  return MatchMeaning{opaque("pkttype: how the link layer addressed the packet")};
}

std::string print(const Arguments& arguments) {
  const auto type = *read_name(kTypes, *arguments.get<std::string>("--pkt-type"), "", true);
  std::string text;
  append_option(text, arguments.inverted("--pkt-type"), "--pkt-type",
                print_names(std::span(kTypes).first(3), type));
  return text;
}

}  // namespace

extern const Match pkttype;
const Match pkttype{
    .name = "pkttype",
    .options =
        {{.name = "--pkt-type", .type = ValueType::kText, .invertible = true, .required = true}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
