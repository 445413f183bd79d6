// A concrete packet as scenarios describe it: headers, not bytes. Numbers are in host order.
// Format: scenario-format.md, "Packets". Covered by tests/unit/scenario_read_test.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/field.hpp"

namespace postern {

struct Packet {
  std::string name;  // label in scenarios; may be empty
  // Where it enters: `in` non-empty = arrives on that interface; empty = generated locally.
  std::string in;
  std::string out_interface;  // "oif" of a local packet; empty: by route
  std::optional<std::uint32_t> uid, gid;
  std::uint32_t mark = 0;

  Address source, destination;
  std::uint8_t protocol = 6;
  std::uint8_t ttl = 64, tos = 0;
  std::uint16_t ip_id = 0;
  bool dont_fragment = false, more_fragments = false;
  std::uint16_t fragment_offset = 0;  // in bytes, a multiple of 8
  std::uint16_t fragment_size = 0;    // >0: send as fragments of that many layer-4 bytes
  bool bad_checksum = false;

  std::uint16_t source_port = 0, destination_port = 0;  // tcp udp udplite sctp dccp
  // TCP
  std::uint8_t flags = 0;  // tcp_flag bits
  std::uint32_t seq = 0, ack = 0;
  std::uint16_t window = 65535, urgent = 0;
  std::vector<std::uint8_t> options;  // raw bytes, padded to 4 when serialised
  // ICMP and ICMPv6. `icmp_id` and `icmp_seq` also hold the "rest" word of other types.
  std::uint8_t type = 0, code = 0;
  std::uint16_t icmp_id = 0, icmp_seq = 0;
  std::shared_ptr<const Packet> inner;        // quoted by an error
  std::optional<std::uint32_t> inner_length;  // bytes of the quotation
  // SCTP, GRE, DCCP
  std::uint32_t verification_tag = 0;
  std::vector<std::uint8_t> chunks;  // SCTP chunk bytes
  std::uint32_t gre_key = 0;
  std::uint8_t dccp_type = 0;

  std::vector<std::uint8_t> payload;                // behind the layer-4 header
  std::optional<std::vector<std::uint8_t>> raw_l4;  // replaces layer 4
  std::optional<std::vector<std::uint8_t>> raw;     // replaces everything

  Family family() const { return source.family; }
  bool local() const { return in.empty(); }
};

}  // namespace postern
