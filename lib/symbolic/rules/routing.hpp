// Which packets can set out on a path at all: what routing, the interfaces and the headers allow.
// Without facts about the host any unicast address may be local or not.
// Sources: design.md 4 ("Packets that routing kills"), kernel-facts 13, 42; what Linux does with
// 0.0.0.0, broadcast and multicast (net/ipv4/route.c: ip_route_input_slow). Covered by
// tests/unit/walk_test.cpp, structure_test.cpp.
#pragma once

#include <vector>

#include "flow/hooks.hpp"
#include "symbolic/entries/abstract_entry.hpp"
#include "symbolic/sets/space.hpp"

namespace postern {

// Flows both of whose ends are behind one interface.
Set by_one_interface(Space& space);

// Packets from `sender` of a flow whose initiator's packets take `path` (answers take its reverse):
// over flow and packet axes. With `tracking`, fragments have been put together.
Set can_set_out(Space& space, Path path, FlowEnd sender, bool tracking);
// ... that a multicast router forwards, if this host is one: packets to groups.
Set can_set_out_to_groups(Space& space, bool tracking);
// ... where rules have fragments put together, but for those of a raw socket with IP_NODEFRAG.
Set can_set_out_unjoined(Space& space, Path path);
// ... where NAT may have replaced the destination, but has not: then only some `ip rule` says that
// a packet stays here, or does not, whose destination says otherwise (left out).
Set can_keep_its_destination(Space& space, Path path, FlowEnd sender, bool tracking);
// The same where NAT replaces the responder's end: routing never sees what it was.
// (With `elsewhere` perhaps by a rule that is not followed: to a broadcast address as well, to
// which odder sources may send.)
Set can_set_out_translated(Space& space, Path path, FlowEnd sender, bool tracking,
                           bool elsewhere = false);
// The same with any addresses. Routing comes behind PREROUTING, a raw socket writes what it likes,
// and sysctls (route_localnet, accept_local) change the rest: for "no packet ever matches".
Set unrouted(Space& space, Path path, FlowEnd sender, bool tracking);
// Both: also what NAT in OUTPUT leads to the path from any device.
Set unrouted_anywhere(Space& space, Path path, FlowEnd sender, bool tracking);

// Flows whose first packets only some hosts take or send, and what that hangs on: groups that may
// not be joined, a type that only routes give (addrtype), an address to itself. `moved`: NAT may
// replace destinations before routing. Flow axes.
struct HostsAffair {
  Set flows;
  const char* what;
};
std::vector<HostsAffair> hosts_affairs(Space& space, Path path, bool moved);
Set depends_on_host(Space& space, Path path, bool moved);
// ... the types alone: nothing where no rule asks for one.
Set typed_by_routes(Space& space);
// Flows that take an unusual host or socket, but may be on any: one bound to a device sends by it
// whatever its destination is, a raw one from any address, and a network on lo makes LOCAL what is
// no address of the host. A witness shows them, but nothing that answers. Flow axes.
Set odd_flows(Space& space, Path path);
// Flows of which only some get where NAT in OUTPUT leads them: odd ones, from nobody, or from ::1
// (out). Flow axes.
Set odd_when_moved(Space& space, Path path);

}  // namespace postern
