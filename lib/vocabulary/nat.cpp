#include "vocabulary/nat.hpp"

#include <algorithm>
#include <array>

#include "net/protocol.hpp"

namespace postern {
namespace {

constexpr std::array<std::uint8_t, 5> kWithPorts{protocol::kTcp, protocol::kUdp, protocol::kSctp,
                                                 protocol::kDccp, protocol::kIcmp};

// iptables looks at the protocol only, not at its inversion.
bool has_ports(const Arguments& arguments) {
  return arguments.protocol &&
         std::ranges::find(kWithPorts, *arguments.protocol) != kWithPorts.end();
}

}  // namespace

tl::expected<Effect, Complaint> nat_effect(Nat::Kind kind, std::string_view option,
                                           const Arguments& arguments) {
  Nat nat;
  nat.kind = kind;
  if (const auto* range = arguments.get<NatRange>(option)) {
    if (range->has_ports && !has_ports(arguments)) {
      return complaint("ports need a protocol that has them",
                       "put -p tcp, udp, sctp or dccp into the rule");
    }
    if (range->base_port != 0 && kind != Nat::Kind::kDestination) {
      return complaint("a base port goes only with DNAT",
                       "leave the /" + std::to_string(range->base_port) + " out");
    }
    if (range->addresses) {
      nat.low = range->addresses->low;
      nat.high = range->addresses->high;
    }
    nat.port_low = range->port_low;
    nat.port_high = range->port_high;
    nat.port_base = range->base_port;
  }
  nat.random = arguments.has("--random") || arguments.has("--random-fully");
  nat.persistent = arguments.has("--persistent");
  return Effect{nat};
}

std::string nat_print(std::string_view option, const Arguments& arguments) {
  std::string text;
  for (const std::string_view name :
       {option, std::string_view("--random"), std::string_view("--random-fully"),
        std::string_view("--persistent")}) {
    append_bound(text, arguments, name);
  }
  return text;
}

}  // namespace postern
