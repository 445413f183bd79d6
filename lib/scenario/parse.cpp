// Bytes -> Packet: the inverse of serialise.cpp. Never reads past the end, whatever the lengths in
// the headers claim. Covered by tests/unit/scenario_bytes_test.cpp.
#include <algorithm>

#include "net/protocol.hpp"
#include "scenario/quotation.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kDestinationOptions = 60,
                       kAuthentication = 51;

bool is_extension(std::uint8_t next) {
  return next == kHopByHop || next == kRouting || next == kFragment ||
         next == kDestinationOptions || next == kAuthentication;
}

// Walks IPv6 extension headers as the kernel does (ipv6_find_hdr), which wants to see two bytes of
// each, and four of a routing and of a fragment header; stops in a non-first fragment.
Layer4 skip_extensions(ByteView bytes) {
  const auto seen = [](std::uint8_t header) {
    return header == kFragment || header == kRouting ? 4U : 2U;
  };
  Layer4 found;
  found.protocol = bytes[6];
  found.offset = 40;
  while (is_extension(found.protocol) && found.offset + seen(found.protocol) <= bytes.size()) {
    const std::uint8_t current = found.protocol;
    const std::size_t at = found.offset;
    found.protocol = bytes[at];
    if (current == kFragment) {
      const std::uint16_t offset = get16(bytes, at + 2) & 0xfff8;
      found.offset += 8;
      if (found.offset <= bytes.size()) {  // else there is nothing to put together
        found.fragment_offset = offset;
        found.more_fragments = (bytes[at + 3] & 1) != 0;
      }
      if (offset != 0) break;
    } else {
      found.authenticated = found.authenticated || current == kAuthentication;
      found.offset +=
          current == kAuthentication ? (bytes[at + 1] + 2u) * 4 : (bytes[at + 1] + 1u) * 8;
    }
  }
  found.offset = std::min(found.offset, bytes.size());
  return found;
}

std::optional<Packet> read_packet(ByteView bytes, bool quoted);

void parse_tcp(ByteView l4, Packet& p) {
  p.seq = get32(l4, 4);
  p.ack = get32(l4, 8);
  p.flags = l4[13];
  p.window = get16(l4, 14);
  p.urgent = get16(l4, 18);
  const std::size_t header = (l4[12] >> 4) * 4u;
  if (header < 20 || header > l4.size()) {
    p.raw_l4 = Bytes(l4.begin(), l4.end());
    return;
  }
  p.options.assign(l4.begin() + 20, l4.begin() + static_cast<std::ptrdiff_t>(header));
  p.payload.assign(l4.begin() + static_cast<std::ptrdiff_t>(header), l4.end());
}

// An error inside an error stays payload: packets do not nest deeper than one quotation.
void parse_icmp(ByteView l4, bool quoted, Packet& p) {
  p.type = l4[0];
  p.code = l4[1];
  p.icmp_id = get16(l4, 4);
  p.icmp_seq = get16(l4, 6);
  const ByteView rest = l4.subspan(8);
  if (!quoted && is_icmp_error(p.protocol, p.type)) {
    if (auto inner = read_quotation(rest)) {
      p.inner = std::make_shared<const Packet>(std::move(*inner));
      p.inner_length = static_cast<std::uint32_t>(rest.size());
      return;
    }
  }
  p.payload.assign(rest.begin(), rest.end());
}

void parse_other(ByteView l4, Packet& p) {
  const auto tail = [&](std::size_t from) {
    return Bytes(l4.begin() + static_cast<std::ptrdiff_t>(from), l4.end());
  };
  switch (p.protocol) {
    case protocol::kUdp:
    case protocol::kUdplite:
      p.payload = tail(8);
      break;
    case protocol::kSctp:
      p.verification_tag = get32(l4, 4);
      p.chunks = tail(12);
      break;
    case protocol::kGre:
      if ((l4[0] & 0x20) != 0 && l4.size() >= 8) p.gre_key = get32(l4, 4);
      p.payload = tail(p.gre_key != 0 ? 8 : 4);
      break;
    case protocol::kDccp: {
      p.dccp_type = (l4[8] >> 1) & 15;
      const bool acknowledges = p.dccp_type != 0 && p.dccp_type != 2;
      const std::size_t header = acknowledges ? 24 : 16;
      if (l4.size() < header) {
        p.raw_l4 = tail(0);
        break;
      }
      p.seq = get32(l4, 12);
      if (acknowledges) p.ack = get32(l4, 20);
      p.payload = tail(header);
      break;
    }
    default:
      p.payload = tail(0);
  }
}

bool has_ports(std::uint8_t protocol) {
  return protocol == protocol::kTcp || protocol == protocol::kUdp ||
         protocol == protocol::kUdplite || protocol == protocol::kSctp ||
         protocol == protocol::kDccp;
}

void parse_layer4(ByteView l4, bool quoted, Packet& p) {
  if (p.fragment_offset != 0) {
    p.raw_l4 = Bytes(l4.begin(), l4.end());
    return;
  }
  if (has_ports(p.protocol) && l4.size() >= 4) {
    p.source_port = get16(l4, 0);
    p.destination_port = get16(l4, 2);
  }
  if (l4.size() < layer4_header_size(p.protocol)) {
    if ((p.protocol == protocol::kIcmp || p.protocol == protocol::kIcmpv6) && l4.size() >= 2) {
      p.type = l4[0];
      p.code = l4[1];
    }
    p.raw_l4 = Bytes(l4.begin(), l4.end());
  } else if (p.protocol == protocol::kTcp) {
    parse_tcp(l4, p);
  } else if (p.protocol == protocol::kIcmp || p.protocol == protocol::kIcmpv6) {
    parse_icmp(l4, quoted, p);
  } else {
    parse_other(l4, p);
  }
}

void parse_ip(ByteView bytes, const Layer4& layer4, Packet& p) {
  const bool v4 = (bytes[0] >> 4) == 4;
  const Family family = v4 ? Family::kIpv4 : Family::kIpv6;
  p.source = get_address(bytes, v4 ? 12 : 8, family);
  p.destination = get_address(bytes, v4 ? 16 : 24, family);
  p.protocol = layer4.protocol;
  p.fragment_offset = layer4.fragment_offset;
  p.more_fragments = layer4.more_fragments;
  if (v4) {
    p.tos = bytes[1];
    p.ip_id = get16(bytes, 4);
    p.dont_fragment = (bytes[6] & 0x40) != 0;
    p.ttl = bytes[8];
  } else {
    p.tos = static_cast<std::uint8_t>(get16(bytes, 0) >> 4);
    p.ttl = bytes[7];
    if (bytes[6] == kFragment && bytes.size() >= 48) p.ip_id = get16(bytes, 46);
  }
}

std::optional<Packet> read_packet(ByteView bytes, bool quoted) {
  const auto layer4 = find_layer4(bytes);
  if (!layer4) return std::nullopt;
  Packet p;
  parse_ip(bytes, *layer4, p);
  parse_layer4(bytes.subspan(layer4->offset), quoted, p);
  if (to_bytes(p) != Bytes(bytes.begin(), bytes.end())) {
    p.bad_checksum = true;
    if (to_bytes(p) != Bytes(bytes.begin(), bytes.end())) {
      p.bad_checksum = false;
      p.raw = Bytes(bytes.begin(), bytes.end());
    }
  }
  return p;
}

}  // namespace

std::optional<Layer4> find_layer4(ByteView bytes) {
  if (bytes.empty()) return std::nullopt;
  if ((bytes[0] >> 4) == 6) {
    if (bytes.size() < 40) return std::nullopt;
    return skip_extensions(bytes);
  }
  const std::size_t header = (bytes[0] & 15) * 4u;
  if ((bytes[0] >> 4) != 4 || header < 20 || bytes.size() < header) return std::nullopt;
  return Layer4{bytes[9], header, static_cast<std::uint16_t>((get16(bytes, 6) & 0x1fff) * 8),
                (bytes[6] & 0x20) != 0};
}

std::optional<Packet> read_quotation(ByteView bytes) {
  auto quoted = read_packet(bytes, true);
  if (quoted) quoted->raw = Bytes(bytes.begin(), bytes.end());  // cut short: its fields are not all
  return quoted;
}

std::optional<Packet> from_bytes(ByteView bytes) { return read_packet(bytes, false); }

}  // namespace postern
