// Which packets can set out on a path at all: what routing, the interfaces and the headers allow.
// Without facts about the host any unicast address may be local or not.
// Sources: design.md 4 ("Packets that routing kills"), kernel-facts 13, 42; what Linux does with
// 0.0.0.0, broadcast and multicast (net/ipv4/route.c: ip_route_input_slow). Covered by
// tests/unit/walk_test.cpp, structure_test.cpp.
#pragma once

#include "flow/hooks.hpp"
#include "symbolic/entries/abstract_entry.hpp"
#include "symbolic/sets/space.hpp"

namespace postern {

// Packets from `sender` of a flow whose initiator's packets take `path` (answers take its reverse):
// over flow and packet axes. With `tracking`, fragments have been put together.
Set can_set_out(Space& space, Path path, FlowEnd sender, bool tracking);
// The same where NAT replaces the responder's end: routing never sees what it was.
Set can_set_out_translated(Space& space, Path path, FlowEnd sender, bool tracking);
// The same with any addresses. Routing comes behind PREROUTING, a raw socket writes what it likes,
// and sysctls (route_localnet, accept_local) change the rest: for "no packet ever matches".
Set unrouted(Space& space, Path path, FlowEnd sender, bool tracking);
// Both: also what NAT in OUTPUT leads to the path from any device.
Set unrouted_anywhere(Space& space, Path path, FlowEnd sender, bool tracking);

// Flows whose first packets only some hosts take: to a multicast group that may not be joined (in),
// to everybody here and there at once (out), or where addrtype finds a type that only routes give
// (a subnet's broadcast address), or from such an
// address to itself (in). Flow axes.
Set depends_on_host(Space& space, Path path);
// ... the latter alone: nothing where no rule asks for a type.
Set typed_by_routes(Space& space);
// Flows between one single address and itself that are never on the path: what goes to an own
// address does not leave (out). Flow axes.
Set own_address(Space& space, Path path);
// Flows of which only some get where NAT in OUTPUT leads them: from nobody, from ::1 or to
// themselves (out). Flow axes.
Set odd_when_moved(Space& space, Path path);

}  // namespace postern
