// Which protocols a kind of packet may have, beside those whose headers tell their kinds.
// Covered by tests/unit/odd_packets_test.cpp.
#pragma once

#include "symbolic/entries/abstract_entry.hpp"

namespace postern {

// May a packet of this protocol (not TCP, nor the family's own ICMP) be of the kind? Of kBroken,
// which is INVALID to every entry, are: IPv6 without a next header, GRE of version 1 without PPP,
// UDP-Lite without a checksum, or whose checksum covers what it must not.
bool may_be(PacketKind kind, Family family, std::uint8_t protocol);

}  // namespace postern
