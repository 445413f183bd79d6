// Packets of a witness whose headers are not plain: those that are INVALID to every entry
// (PacketKind::kBroken, Condition::kWrongLength), and what ICMP errors and IPv6 redirects quote.
// Covered by tests/unit/odd_packets_test.cpp.
#pragma once

#include <memory>

#include "net/address.hpp"
#include "scenario/packet.hpp"

namespace postern {

// Of the whole packet; a GRE header of four bytes does not pass NAT.
u128 well_formed_length(const Packet& packet);

// Breaks the header of a packet that has its length already. False: it is too short for that.
bool break_header(Packet& packet);

// Writes what stands behind an IPv6 header that names an extension header, so that the packet ends
// within it, whatever its length.
void end_within_extensions(Packet& packet);
inline constexpr std::uint8_t kEndsWithin = 60;  // the header: routers and hosts pass it by

// A header of TCP or UDP that claims another length than the packet has. False: it has none, or
// options, which are where the header would end.
bool lie_about_length(Packet& packet);

bool is_redirect(const Packet& packet);  // IPv6's

// REQUIRES: it is an error or a redirect. `quoted` may be null, where nobody knows the flow.
void quote(Packet& packet, const std::shared_ptr<const Packet>& quoted);

}  // namespace postern
