// Which flows two ordinary hosts may have: what checks, and --every, speak of.
#pragma once

#include "flow/hooks.hpp"
#include "symbolic/sets/space.hpp"

namespace postern {

// Those of `flows` whose ends could both hold a conversation, whatever the host: no multicast, no
// broadcast, no 0.0.0.0 or ::, none from an address to itself by a wire, nothing that depends on
// its routes (a subnet's broadcast address) or takes an unusual socket. `moved`: NAT may replace
// destinations on the path.
Set between_hosts(Space& space, Path path, Set flows, bool moved = false);

// Those of `flows` over lo whose ends are surely this host's: 127.0.0.0/8, ::1 and, where rules ask
// for types, what is LOCAL of the addresses that no rule names. Whose a named one is stays open: a
// rule against a stranger is none against this host.
Set of_this_host(Space& space, Set flows);

}  // namespace postern
