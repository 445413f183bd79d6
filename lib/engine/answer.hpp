// The packets that the host itself generates in answer to another: REJECT's resets and ICMP errors,
// time exceeded, unreachable. Only which packet it is; its way is the pipeline's business.
// Sources: kernel-facts 43-46; nf_reject_ipv4/6, icmp_send, icmp6_send.
// Covered by tests/unit/engine_answer_test.cpp.
#pragma once

#include <optional>

#include "engine/traveller.hpp"
#include "engine/world.hpp"
#include "scenario/packet.hpp"

namespace postern {

// The packet as it is now: what it was made from, with the changes made to the view.
Packet current(const PacketView& view);

// The reset that answers this segment; nullopt when the kernel sends none (a reset, a bad checksum,
// no whole TCP header, a broadcast).
std::optional<Packet> tcp_reset(const Traveller& rejected);

// The ICMP error of this type and code that answers the packet; nullopt when the kernel sends none.
// `rest`: the last 16 bits of the header's second word (IPv4: next-hop MTU; IPv6: MTU).
std::optional<Packet> icmp_error(const Traveller& about, IcmpError error, const World& world,
                                 std::uint32_t rest = 0);

// May REJECT answer this packet with an ICMP error (fragments, checksums)?
bool may_be_rejected_by_icmp(const Traveller& rejected);

}  // namespace postern
