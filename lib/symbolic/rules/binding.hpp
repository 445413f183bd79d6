// Where and for whom a predicate is read: which axis a rule means by "source" depends on who sends
// the packet, and what it can see depends on where it stands.
//
// Sources: kernel-facts 10, 12, 19-21. Covered by tests/unit/walk_test.cpp.
#pragma once

#include <cstdint>

#include "flow/hooks.hpp"
#include "symbolic/entries/abstract_entry.hpp"
#include "symbolic/nat/rerouting.hpp"
#include "symbolic/nat/translation.hpp"
#include "symbolic/sets/space.hpp"

namespace postern {

// Where and for whom a predicate is read.
struct Binding {
  FlowEnd sender = FlowEnd::kInitiator;
  bool sees_input = true, sees_output = true;  // else the empty name
  // What the kernel makes of itself (IGMP, MLD, neighbour discovery) shows in POSTROUTING the
  // device that it leaves by as the one that it came in by, too (skb->dev is set from the start).
  bool shows_output_as_input = false;
  bool ttl_decremented = false;  // behind the routing of a forwarded packet
  // Before the lookup: the state is INVALID, or UNTRACKED once marked so (kernel-facts 19).
  bool before_lookup = false;
  bool confirmed = false;  // on lo, behind POSTROUTING: every entry is CONFIRMED
  // A question's packet, before any hook: both interfaces are seen, and a mark is the one that the
  // packet sets out with.
  bool question = false;
  // The binding of the packet's entry; before the NAT stage of the packet's first hook (kNat) the
  // ends are as on the wire. `to_host`: what the destination became is an address of this host.
  NatVariant nat = {};
  bool before_nat = false, to_host = false;
  // Behind the NAT of sources: security of INPUT, with iptables-nft; over lo, PREROUTING and INPUT.
  bool behind_source = false;
  SeenDevice device = SeenDevice::kOfFlow;  // which device its rules see
  // A socket of this host may have given the packet any mark (SO_MARK), also in bits that no rule
  // sets and that are not followed; `any_connmark`: a rule may have saved such a one in its entry.
  bool any_mark = false, any_connmark = false;
  // Other packets of the flow may have changed the entry since the lookup (interleaved.hpp).
  bool interleaved = false;
  auto operator<=>(const Binding&) const = default;

  static Binding at(Hook hook, Path path, FlowEnd sender);
};

}  // namespace postern
