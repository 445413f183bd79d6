// Packet -> bytes. By hand rather than by libtins, which repairs on the way out just what a
// firewall test needs broken. Covered by tests/unit/scenario_bytes_test.cpp.
#include "scenario/serialise.hpp"

#include <algorithm>

#include "net/protocol.hpp"

namespace postern {
namespace {

constexpr std::uint8_t kFragmentHeader = 44;

void set16(Bytes& bytes, std::size_t at, std::uint32_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

// Stores the checksum at `at` (which holds zeros), a wrong one if the packet wants that: of
// UDP-Lite the one that is right for UDP, which is what conntrack looks for (kernel-facts 25). UDP
// stores 0xffff for a computed 0, because 0 means "none".
void finish_checksum(const Packet& packet, Bytes& l4, std::size_t at, bool pseudo,
                     bool zero_is_none) {
  const bool crafted = packet.bad_checksum && packet.protocol == protocol::kUdplite;
  const std::uint8_t number = crafted ? protocol::kUdp : packet.protocol;
  const std::uint32_t sum = pseudo ? pseudo_header_sum(packet.source, packet.destination, number,
                                                       static_cast<std::uint32_t>(l4.size()))
                                   : 0;
  std::uint16_t checksum = internet_checksum(l4, sum);
  if (packet.bad_checksum && !crafted) checksum = static_cast<std::uint16_t>(checksum ^ 0x5555);
  if (checksum == 0 && zero_is_none) checksum = packet.bad_checksum && !crafted ? 0x5555 : 0xffff;
  set16(l4, at, checksum);
}

Bytes tcp_bytes(const Packet& p) {
  Bytes options = p.options;
  options.resize((options.size() + 3) / 4 * 4, 0);
  Bytes out;
  put16(out, p.source_port);
  put16(out, p.destination_port);
  put32(out, p.seq);
  put32(out, p.ack);
  put8(out, static_cast<std::uint32_t>((5 + options.size() / 4) << 4));
  put8(out, p.flags);
  put16(out, p.window);
  put16(out, 0);
  put16(out, p.urgent);
  put(out, options);
  put(out, p.payload);
  finish_checksum(p, out, 16, true, false);
  return out;
}

// UDP, and UDP-Lite with full coverage (its length field then holds the same number).
Bytes udp_bytes(const Packet& p) {
  Bytes out;
  put16(out, p.source_port);
  put16(out, p.destination_port);
  put16(out, static_cast<std::uint32_t>(8 + p.payload.size()));
  put16(out, 0);
  put(out, p.payload);
  finish_checksum(p, out, 6, true, true);
  return out;
}

Bytes icmp_bytes(const Packet& p) {
  Bytes out;
  put8(out, p.type);
  put8(out, p.code);
  put16(out, 0);
  put16(out, p.icmp_id);
  put16(out, p.icmp_seq);
  if (p.inner) {
    Bytes inner = to_bytes(*p.inner);
    const std::size_t header = p.inner->family() == Family::kIpv4 ? 20 : 40;
    inner.resize(std::min<std::size_t>(
        inner.size(), p.inner_length.value_or(static_cast<std::uint32_t>(header + 8))));
    put(out, inner);
  }
  put(out, p.payload);
  finish_checksum(p, out, 2, p.protocol == protocol::kIcmpv6, false);
  return out;
}

Bytes sctp_bytes(const Packet& p) {
  Bytes out;
  put16(out, p.source_port);
  put16(out, p.destination_port);
  put32(out, p.verification_tag);
  put32(out, 0);
  put(out, p.chunks);
  put(out, p.payload);
  const std::uint32_t checksum = sctp_checksum(out) ^ (p.bad_checksum ? 0x55555555u : 0u);
  set16(out, 8, checksum >> 16);
  set16(out, 10, checksum & 0xffff);
  return out;
}

Bytes gre_bytes(const Packet& p) {
  Bytes out;
  put16(out, p.gre_key != 0 ? 0x2000 : 0);
  put16(out, 0x0800);
  if (p.gre_key != 0) put32(out, p.gre_key);
  put(out, p.payload);
  return out;
}

// DCCP with 48-bit sequence numbers (RFC 4340 5.1): 16 bytes, plus 8 for an acknowledgement number
// in every type but Request and Data.
Bytes dccp_bytes(const Packet& p) {
  const bool acknowledges = p.dccp_type != 0 && p.dccp_type != 2;
  Bytes out;
  put16(out, p.source_port);
  put16(out, p.destination_port);
  put8(out, acknowledges ? 6 : 4);
  put8(out, 0);
  put16(out, 0);
  put8(out, static_cast<std::uint32_t>(p.dccp_type << 1) | 1u);
  put8(out, 0);
  put16(out, 0);
  put32(out, p.seq);
  if (acknowledges) {
    put32(out, 0);
    put32(out, p.ack);
  }
  put(out, p.payload);
  finish_checksum(p, out, 6, true, false);
  return out;
}

Bytes layer4_bytes(const Packet& p) {
  if (p.raw_l4) return *p.raw_l4;
  switch (p.protocol) {
    case protocol::kTcp:
      return tcp_bytes(p);
    case protocol::kUdp:
    case protocol::kUdplite:
      return udp_bytes(p);
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      return icmp_bytes(p);
    case protocol::kSctp:
      return sctp_bytes(p);
    case protocol::kGre:
      return gre_bytes(p);
    case protocol::kDccp:
      return dccp_bytes(p);
    default:
      return p.payload;
  }
}

// An IP packet of these layer-4 bytes, at this fragment offset (bytes).
Bytes ip_packet(const Packet& p, ByteView l4, std::uint32_t offset, bool more) {
  Bytes out;
  if (p.family() == Family::kIpv4) {
    put8(out, 0x45);
    put8(out, p.tos);
    put16(out, static_cast<std::uint32_t>(20 + l4.size()));
    put16(out, p.ip_id);
    put16(out, (p.dont_fragment ? 0x4000u : 0u) | (more ? 0x2000u : 0u) | (offset / 8));
    put8(out, p.ttl);
    put8(out, p.protocol);
    put16(out, 0);
    put_address(out, p.source);
    put_address(out, p.destination);
    set16(out, 10, internet_checksum(out));
  } else {
    const bool fragment = more || offset != 0;
    put32(out, (6u << 28) | (static_cast<std::uint32_t>(p.tos) << 20));
    put16(out, static_cast<std::uint32_t>(l4.size() + (fragment ? 8 : 0)));
    put8(out, fragment ? kFragmentHeader : p.protocol);
    put8(out, p.ttl);
    put_address(out, p.source);
    put_address(out, p.destination);
    if (fragment) {
      put8(out, p.protocol);
      put8(out, 0);
      put16(out, offset | (more ? 1u : 0u));
      put32(out, p.ip_id);
    }
  }
  put(out, l4);
  return out;
}

}  // namespace

Bytes to_bytes(const Packet& packet) {
  if (packet.raw) return *packet.raw;
  return ip_packet(packet, layer4_bytes(packet), packet.fragment_offset, packet.more_fragments);
}

std::vector<Bytes> to_wire(const Packet& packet) {
  if (packet.fragment_size == 0 || packet.raw) return {to_bytes(packet)};
  const Bytes l4 = layer4_bytes(packet);
  const std::size_t step = (packet.fragment_size + 7u) / 8 * 8;
  std::vector<Bytes> wire;
  for (std::size_t at = 0; at == 0 || at < l4.size(); at += step) {
    const std::size_t size = std::min(step, l4.size() - at);
    wire.push_back(ip_packet(packet, ByteView(l4).subspan(at, size), static_cast<std::uint32_t>(at),
                             at + size < l4.size()));
  }
  return wire;
}

std::size_t matched_header_size(std::uint8_t protocol) {
  if (protocol == protocol::kEsp) return 8;
  return protocol == protocol::kAh ? 12 : layer4_header_size(protocol);
}

std::size_t layer4_header_size(std::uint8_t protocol) {
  switch (protocol) {
    case protocol::kTcp:
      return 20;
    case protocol::kUdp:
    case protocol::kUdplite:
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      return 8;
    case protocol::kSctp:
    case protocol::kDccp:
      return 12;
    case protocol::kGre:
      return 4;
    default:
      return 0;
  }
}

bool is_icmp_error(std::uint8_t protocol, std::uint8_t type) {
  if (protocol == protocol::kIcmp) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
  }
  return protocol == protocol::kIcmpv6 && type < 128;
}

}  // namespace postern
