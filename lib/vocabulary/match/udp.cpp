// `-m udp`: ports of a UDP header (xt_tcpudp).
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  return on_transport(protocol::kUdp,
                      all({range_test(Field::kSourcePort, arguments, "--sport"),
                           range_test(Field::kDestinationPort, arguments, "--dport")}));
}

// As in tcp.cpp: a plain full range prints as nothing, an inverted one is kept.
std::string print(const Arguments& arguments) {
  std::string text;
  for (const std::string_view name : {"--sport", "--dport"}) {
    const BoundOption* option = arguments.find(name);
    if (option == nullptr) continue;
    if (!option->inverted && std::get<NumberRange>(option->value) == NumberRange{0, 65535})
      continue;
    append_option(text, option->inverted, name, print_value(option->spec->type, option->value));
  }
  return text;
}

}  // namespace

extern const Match udp;
const Match udp{
    .name = "udp",
    .protocols = {protocol::kUdp},
    .options = {{.name = "--sport",
                 .aliases = {"--source-port"},
                 .type = ValueType::kPortRange,
                 .invertible = true},
                {.name = "--dport",
                 .aliases = {"--destination-port"},
                 .type = ValueType::kPortRange,
                 .invertible = true}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
