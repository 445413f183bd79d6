// The headers of one packet laid flat, as rules, conntrack and routing read them: plain numbers in
// host order, no allocation. Made once per packet from the scenario's Packet; NAT and TTL changes
// are made to the view. Invariant: fields of a header that is absent or cut short are 0. Covered by
// tests/unit/engine_view_test.cpp.
#pragma once

#include <cstdint>
#include <span>

#include "net/address.hpp"
#include "net/field.hpp"
#include "net/protocol.hpp"
#include "scenario/packet.hpp"

namespace postern {

struct PacketView {
  const Packet* packet = nullptr;  // what it was made from; never null, outlives the view
  Family family = Family::kIpv4;
  u128 source = 0, destination = 0;
  std::uint8_t protocol = 0;  // upper protocol (behind IPv6 extension headers)
  std::uint8_t ttl = 64, tos = 0;
  std::uint32_t length = 0;           // bytes: IPv4 total length, IPv6 payload length + 40
  std::uint32_t l4_length = 0;        // bytes behind the IP header(s)
  std::uint16_t fragment_offset = 0;  // 8-byte units
  bool more_fragments = false;
  bool truncated = false;     // layer-4 header cut short
  bool bad_checksum = false;  // of layer 4
  bool bad_length = false;    // UDP length, TCP data offset or the like make no sense

  std::uint16_t source_port = 0, destination_port = 0;  // tcp udp udplite sctp dccp
  std::uint8_t tcp_flags = 0;                           // tcp_flag bits
  std::uint32_t seq = 0, ack = 0;
  std::uint16_t window = 0;
  std::uint32_t data_length = 0;              // bytes of TCP payload
  std::span<const std::uint8_t> tcp_options;  // bytes behind the fixed header
  std::uint8_t icmp_type = 0, icmp_code = 0;
  std::uint16_t icmp_id = 0;
  std::uint32_t verification_tag = 0;         // SCTP
  std::span<const std::uint8_t> sctp_chunks;  // bytes behind the common header
  // ICMP error: the quoted packet (nullptr when there is none), and the quoted bytes of it.
  const Packet* inner = nullptr;
  std::uint32_t inner_length = 0;

  std::uint32_t mark = 0;  // skb mark

  Address source_address() const { return {family, source}; }
  Address destination_address() const { return {family, destination}; }
};

// Whether the packet's fields, and those of what it quotes, say all that its bytes do.
bool is_readable(const Packet& packet);

// The packet with the header fields that its bytes say, where it was given as bytes (`raw`,
// `raw_l4`), and so with what it quotes; any other packet unchanged.
Packet readable(const Packet& packet);

// The view of a readable packet, which must outlive the view.
PacketView view_of(const Packet& packet);

}  // namespace postern
