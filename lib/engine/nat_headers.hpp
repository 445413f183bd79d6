// Writing a flow's other tuple into a packet: addresses, ports, ICMP ids, and the packet that an
// ICMP error quotes. Checksums follow: a packet whose checksum was wrong keeps a wrong one, except
// where the kernel computes it anew (SCTP).
// Sources: nf_nat_manip_pkt, nf_nat_icmp_reply_translation; kernel-facts 49.
// Covered by tests/unit/nat_headers_test.cpp.
#pragma once

#include "engine/conntrack_tuple.hpp"
#include "engine/nat_range.hpp"
#include "scenario/packet.hpp"

namespace postern {

// Does NAT change this half of such a packet? One of GRE needs eight bytes, and, for its
// destination, a version that is known (gre_manip_pkt). What it cannot change is dropped.
bool translatable(const PacketView& packet, Manip manip);

// The packet with that half of its headers taken from `tuple`: source address and port, or
// destination address and port; an ICMP query's id for either.
Packet translated(const Packet& packet, Manip manip, const CtTuple& tuple);

// What a packet's addresses add to the checksum of its layer 4: two packets with the same one have
// the same checksum, as far as the addresses go.
std::uint16_t address_sum(const Packet& packet);

// An ICMP error translated: the quotation as the quoted flow's `quoted` tuple says (in the other
// half), the error's own address as the answer to it. nullopt: the quotation is too short to be
// translated, the packet is dropped.
std::optional<Packet> translated_error(const Packet& error, Manip manip, const CtTuple& quoted);

}  // namespace postern
