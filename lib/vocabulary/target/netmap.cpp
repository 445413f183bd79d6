// `-j NETMAP`: maps a whole network to another, keeping the host bits (xt_NETMAP).
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target netmap;
const Target netmap{
    .name = "NETMAP",
    .options = {{.name = "--to", .type = ValueType::kPrefix, .required = true}},
    .effect = [](const Arguments& arguments) -> tl::expected<Effect, Complaint> {
      Nat nat;
      nat.kind = Nat::Kind::kNetmap;
      nat.network = *arguments.get<Prefix>("--to");
      // Measured: iptables makes a single host of a mask with holes, with both backends.
      if (!nat.network->length()) {
        nat.network->mask = low_bits(address_bits(nat.network->address.family));
      }
      return Effect{nat};
    },
    .switches_on_tracking = true,
    .tables = {"nat"},
    .hooks = {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
};

}  // namespace postern::target
