// Packets as bytes on the wire (from the IP header on) and back, and pcap files of them.
// A Packet is written exactly as it says, valid or not: bad checksums, cut headers, lone fragments.
// Covered by tests/unit/scenario_bytes_test.cpp, which reads the bytes with libtins as well.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "scenario/bytes.hpp"
#include "scenario/packet.hpp"
#include "text/diagnostic.hpp"

namespace postern {

// One IP packet; `fragment_size` is not applied.
Bytes to_bytes(const Packet& packet);
// What is put on the wire: one packet, or the fragments of `fragment_size` layer-4 bytes each
// (rounded up to a multiple of 8).
std::vector<Bytes> to_wire(const Packet& packet);

// Reads the headers of one IP packet. nullopt: not even a whole IP header. A layer-4 header that is
// cut short, and everything in a non-first fragment, is kept in `raw_l4`; what Packet cannot
// express (IPv4 options, IPv6 extension headers, an odd length) keeps the whole in `raw` beside the
// fields, so that to_bytes(*from_bytes(x)) == x but for layer-4 checksums other than right or
// wrong.
std::optional<Packet> from_bytes(ByteView bytes);

// Where the layer-4 header of an IP packet begins and what it is. nullopt: no whole IP header.
struct Layer4 {
  std::uint8_t protocol = 0;          // behind IPv6 extension headers
  std::size_t offset = 0;             // from the IP header's begin; may be the packet's end
  std::uint16_t fragment_offset = 0;  // in bytes
  bool more_fragments = false;
  bool authenticated = false;  // an IPv6 authentication header stands before it
};
std::optional<Layer4> find_layer4(ByteView bytes);

// Does a packet of this protocol quote another one (ICMP 3 4 5 11 12, ICMPv6 below 128)?
bool is_icmp_error(std::uint8_t protocol, std::uint8_t type);
// Bytes of the smallest whole layer-4 header; 0 for protocols that have none we know.
std::size_t layer4_header_size(std::uint8_t protocol);
// Bytes of it that the kernel's matches want to be there (ip_esp_hdr, ip_auth_hdr, too).
std::size_t matched_header_size(std::uint8_t protocol);

// Writes a pcap file (link type RAW, one packet a millisecond). The error says why not.
tl::expected<void, std::string> write_pcap(std::span<const Packet> packets,
                                           const std::string& file);

}  // namespace postern
