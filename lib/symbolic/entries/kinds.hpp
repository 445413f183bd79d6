// Which protocols a kind of packet may have, beside those whose headers tell their kinds; and on
// which paths packets count that no end hears.
// Covered by tests/unit/odd_packets_test.cpp and tests/unit/broken_packets_test.cpp.
#pragma once

#include "flow/hooks.hpp"
#include "symbolic/entries/abstract_entry.hpp"

namespace postern {

// May a packet of this protocol (not TCP, nor the family's own ICMP) be of the kind? Of kBroken,
// which is INVALID to every entry, are: IPv6 without a next header, GRE of version 1 without PPP,
// UDP-Lite without a checksum, or whose checksum covers what it must not.
bool may_be(PacketKind kind, Family family, std::uint8_t protocol);

// Is a packet of this protocol PacketKind::kCut if its transport header is cut short? (To conntrack
// it is as any other if not.) A later piece is, of any protocol.
bool invalid_if_cut(std::uint8_t protocol);

// A wrong checksum is looked at off a wire, a wrong length everywhere. This host's own stack takes
// neither, so that both count only for what goes on to others. Of a flow on `path`, whose first
// packet the initiator sends. (Of this host's answers no such tricks are asked.)
constexpr bool wrong_checksums_count(Path path) { return path == Path::kForward; }
constexpr bool wrong_lengths_count(Path path, FlowEnd sender) {
  return path == Path::kForward || (path == Path::kOut && sender == FlowEnd::kInitiator);
}

}  // namespace postern
