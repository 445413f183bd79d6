// What a `no` takes for granted of the host around its ruleset, as far as what the rules let
// through hangs on that: a bridge, a multicast router, tunnels, an `ip rule`, unusual sockets; and
// of the wires, that nobody sends in another's name.
//
// Idea: the packets in question are walked once more as such a host would have them (or from the
// sets that the search has anyway), with whatever conntrack might say. Where the rules let none of
// them through, the answer holds on any host; else it says what it assumes. That is a set operation
// and no proof: where it is unsure, the answer lists the assumption.
// Covered by tests/unit/surroundings_test.cpp.
#pragma once

#include <cstdint>
#include <optional>

#include "flow/program.hpp"

namespace postern {

// What the `no` denies.
enum class Denied : std::uint8_t { kPacket, kConversation, kEntry };

struct Surroundings {
  // A rule whose target sends by itself what the rules may let through: nothing to take for
  // granted, the answer is unknown.
  std::optional<RuleId> sent_by = {};
  bool forged = false;       // packets in the name of the flow's other end, from where it is not
  bool forged_here = false;  // ... by a raw socket of this host
  bool replies = false;      // what this host sends to whoever asks it, its kernel and REJECT, too
  bool bridged = false;      // what a bridge passes on, which routing never sees (br_netfilter)
  bool asymmetric = false;   // packets of one end by more than one interface
  bool wrapped = false;      // what conntrack finds behind IPv6's authentication header (nft)
  bool groups = false;       // packets to groups, if a multicast router runs here
  bool answered = false;     // packets to groups and broadcasts, if such an address answers
  bool marked = false;       // packets that a tunnel hands on with the mark of its own packet
  bool rerouted = false;     // OUTPUT sees another device than what leaves it takes (rerouting.hpp)
  bool echoed = false;       // copies of this host's own packets to groups and broadcasts
  bool kept = false;         // packets for others that an `ip rule` keeps here, where there is DNAT
  bool bound = false;        // what leaves by a bound socket though OUTPUT turns it to this host
  bool unjoined = false;     // fragments that a raw socket sends past defragmentation (IP_NODEFRAG)
  bool lengthless = false;   // UDP over IPv6 whose length says 0
  bool in_pieces = false;    // fragments that only their receiver puts together
  bool scattered = false;    // pieces of one packet by several interfaces, or from several cards
  bool cut_over_lo = false;  // fragments over lo, which PREROUTING sees each alone
  bool trailed = false;      // IPv6 packets over lo with bytes behind their end
};

}  // namespace postern
