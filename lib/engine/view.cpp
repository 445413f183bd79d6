#include "engine/view.hpp"

#include <algorithm>

#include "flow/odd_headers.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

std::uint32_t size_of(const auto& bytes) { return static_cast<std::uint32_t>(bytes.size()); }

std::uint32_t layer4_size(const Packet& p);

std::uint32_t ip_header_size(const Packet& p) {
  if (p.family() == Family::kIpv4) return 20;
  return p.fragment_offset != 0 || p.more_fragments ? 48 : 40;
}

std::uint32_t whole_size(const Packet& p) {
  return p.raw ? size_of(*p.raw) : layer4_size(p) + ip_header_size(p);
}

// Bytes that an ICMP error quotes (one level: the quoted packet's own quotation is payload there).
std::uint32_t quoted_size(const Packet& error) {
  const std::uint32_t header = error.inner->family() == Family::kIpv4 ? 20 : 40;
  return std::min(error.inner_length.value_or(header + 8), whole_size(*error.inner));
}

// Bytes of layer 4, without writing them: must agree with to_bytes() (the test compares them).
std::uint32_t layer4_size(const Packet& p) {
  if (p.raw_l4) return size_of(*p.raw_l4);
  const std::uint32_t payload = size_of(p.payload);
  switch (p.protocol) {
    case protocol::kTcp:
      return 20 + (size_of(p.options) + 3) / 4 * 4 + payload;
    case protocol::kUdp:
    case protocol::kUdplite:
      return 8 + payload;
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      return 8 + (p.inner ? quoted_size(p) : 0) + payload;
    default:
      return size_of(to_bytes(p)) - ip_header_size(p);
  }
}

void read_ports(const Packet& p, PacketView& view) {
  view.source_port = p.source_port;
  view.destination_port = p.destination_port;
}

void read_tcp(const Packet& p, PacketView& view) {
  read_ports(p, view);
  view.tcp_flags = p.flags;
  view.seq = p.seq;
  view.ack = p.ack;
  view.window = p.window;
  view.tcp_options = p.options;
  view.data_length = size_of(p.payload);
}

void read_icmp(const Packet& p, PacketView& view) {
  view.icmp_type = p.type;
  view.icmp_code = p.code;
  view.icmp_id = p.icmp_id;
  view.inner = p.inner.get();
  if (view.inner != nullptr) view.inner_length = quoted_size(p);
}

void read_layer4(const Packet& p, PacketView& view) {
  switch (p.protocol) {
    case protocol::kTcp:
      return read_tcp(p, view);
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      return read_icmp(p, view);
    case protocol::kSctp:
      view.verification_tag = p.verification_tag;
      view.sctp_chunks = p.chunks;
      return read_ports(p, view);
    case protocol::kUdp:
    case protocol::kUdplite:
    case protocol::kDccp:
      return read_ports(p, view);
    default:
      return;
  }
}

// Whole headers whose lengths contradict the packet's: kept as raw bytes by from_bytes().
bool length_lies(std::uint8_t protocol, ByteView l4) {
  if (protocol == protocol::kTcp) {
    const std::size_t header = (l4[12] >> 4) * 4U;
    return header < 20 || header > l4.size();
  }
  if (protocol == protocol::kUdp) return get16(l4, 4) != l4.size();
  if (protocol == protocol::kUdplite) {  // how much its checksum covers; it must have one
    const std::uint16_t covered = get16(l4, 4);
    return (covered != 0 && (covered < 8 || covered > l4.size())) || get16(l4, 6) == 0;
  }
  return false;
}

bool given_as_fields(const Packet& p) {
  return !p.raw && !p.raw_l4 && !is_extension_header(p.family(), p.protocol);
}

}  // namespace

PacketView view_of(const Packet& packet) {
  PacketView view;
  view.packet = &packet;
  view.family = packet.family();
  view.source = packet.source.value;
  view.destination = packet.destination.value;
  view.protocol = packet.protocol;
  view.ttl = packet.ttl;
  view.tos = packet.tos;
  view.fragment_offset = packet.fragment_offset / 8;
  view.more_fragments = packet.more_fragments;
  view.bad_checksum = packet.bad_checksum;
  view.mark = packet.mark;
  view.length = whole_size(packet);
  if (packet.raw) {
    const auto layer4 = find_layer4(*packet.raw);
    view.l4_length = layer4 ? view.length - static_cast<std::uint32_t>(layer4->offset) : 0;
  } else {
    view.l4_length = layer4_size(packet);
  }
  if (view.fragment_offset != 0) return view;
  view.truncated = view.l4_length < matched_header_size(view.protocol);
  if (view.truncated) return view;
  read_layer4(packet, view);
  if (packet.raw) {
    view.bad_length = length_lies(view.protocol, ByteView(*packet.raw).last(view.l4_length));
  } else if (packet.raw_l4) {
    view.bad_length = length_lies(view.protocol, *packet.raw_l4);
  }
  return view;
}

bool is_readable(const Packet& packet) {
  return given_as_fields(packet) && (packet.inner == nullptr || given_as_fields(*packet.inner));
}

Packet readable(const Packet& packet) {
  if (is_readable(packet)) return packet;
  if (given_as_fields(packet)) {
    Packet same = packet;
    same.inner = std::make_shared<const Packet>(readable(*packet.inner));
    return same;
  }
  std::optional<Packet> read = from_bytes(to_bytes(packet));
  if (!read) return packet;
  if (read->raw) {
    // A plain IP header before odd bytes: kept apart, so that the header can change.
    Packet apart = *read;
    const auto layer4 = find_layer4(*read->raw);
    apart.raw.reset();
    apart.raw_l4 =
        Bytes(read->raw->begin() + static_cast<std::ptrdiff_t>(layer4->offset), read->raw->end());
    if (to_bytes(apart) == *read->raw) *read = std::move(apart);
  }
  read->name = packet.name;
  read->in = packet.in;
  read->out_interface = packet.out_interface;
  read->uid = packet.uid;
  read->gid = packet.gid;
  read->mark = packet.mark;
  read->fragment_size = packet.fragment_size;
  return std::move(*read);
}

}  // namespace postern
