// `-m udp`: ports of a UDP header (xt_tcpudp).
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  MatchMeaning made = on_transport(
      protocol::kUdp, all({range_test(Field::kSourcePort, arguments, "--sport"),
                           range_test(Field::kDestinationPort, arguments, "--dport")}));
  if (tests_a_port(arguments)) made.translated = translated_ports(protocol::kUdp, arguments);
  return made;
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_range(text, arguments, "--sport", 65535);
  append_range(text, arguments, "--dport", 65535);
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
                 .invertible = true,
                 .any_service = true},
                {.name = "--dport",
                 .aliases = {"--destination-port"},
                 .type = ValueType::kPortRange,
                 .invertible = true,
                 .any_service = true}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
