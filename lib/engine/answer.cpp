#include "engine/answer.hpp"

#include <algorithm>

#include "flow/odd_headers.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

bool multicast6(u128 address) { return (address >> 120) == 0xff; }
bool link_local6(u128 address) { return (address >> 118) == 0x3fa; }
bool is_icmp(const PacketView& view) {
  return view.protocol == (view.family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6);
}

// icmp_send's and icmp6_send's rule: never an error about an error. IPv4 takes everything but echo,
// timestamp, information and address mask for one, IPv6 every type below 128. A later fragment
// tells no type: IPv6 answers it (is_ineligible), IPv4 answers no such packet.
bool is_error(const PacketView& view) {
  if (!is_icmp(view) || view.fragment_offset != 0) return false;
  if (view.family == Family::kIpv6) return view.icmp_type < 128;
  return view.icmp_type != 0 && view.icmp_type != 8 && (view.icmp_type < 13 || view.icmp_type > 18);
}

// nf_reject_verify_csum: protocols whose checksum is not the plain sum over the payload are
// trusted; DCCP no longer (measured on 6.18).
bool checksum_is_trusted(std::uint8_t number) {
  return number == protocol::kGre || number == protocol::kAh || number == protocol::kEsp ||
         number == protocol::kSctp || number == protocol::kUdplite;
}

// For every other protocol the kernel sums the whole layer 4, whether there is a checksum in it or
// not: a packet of an unknown protocol is "bad" unless its payload happens to sum up.
bool checksum_holds(const PacketView& view) {
  if (checksum_is_trusted(view.protocol)) return true;
  const bool transport = view.protocol == protocol::kTcp || view.protocol == protocol::kUdp;
  // Of a first fragment the kernel sums up what is there.
  if ((transport || is_icmp(view)) && !view.truncated && !view.packet->more_fragments) {
    return !view.bad_checksum;
  }
  if (view.l4_length == 0) return true;
  const Bytes bytes = to_bytes(*view.packet);
  const std::uint32_t pseudo =
      view.family == Family::kIpv4 && !transport
          ? 0
          : pseudo_header_sum(view.source_address(), view.destination_address(), view.protocol,
                              view.l4_length);
  return internet_checksum(ByteView(bytes).last(view.l4_length), pseudo) == 0;
}

// TTL and TOS in the bytes of a packet that only its bytes describe.
void patch_raw(Bytes& raw, const PacketView& view) {
  if (view.family == Family::kIpv6) {
    if (raw.size() < 40) return;
    raw[0] = static_cast<std::uint8_t>(0x60 | view.tos >> 4);
    raw[1] = static_cast<std::uint8_t>((view.tos << 4) | (raw[1] & 15));
    raw[7] = view.ttl;
    return;
  }
  const std::size_t header = raw.empty() ? 0 : (raw[0] & 15) * 4U;
  if (header < 20 || raw.size() < header) return;
  raw[1] = view.tos;
  raw[8] = view.ttl;
  raw[10] = raw[11] = 0;
  const std::uint16_t sum = internet_checksum(ByteView(raw).first(header));
  raw[10] = static_cast<std::uint8_t>(sum >> 8);
  raw[11] = static_cast<std::uint8_t>(sum);
}

}  // namespace

Packet current(const PacketView& view) {
  Packet packet = *view.packet;
  const bool changed = packet.ttl != view.ttl || packet.tos != view.tos;
  packet.ttl = view.ttl;
  packet.tos = view.tos;
  packet.mark = view.mark;
  if (changed && packet.raw) patch_raw(*packet.raw, view);
  return packet;
}

std::optional<Packet> tcp_reset(const Traveller& rejected) {
  const PacketView& view = rejected.view;
  if (view.protocol != protocol::kTcp || view.fragment_offset != 0 || view.truncated ||
      (view.tcp_flags & tcp_flag::kRst) != 0 || !checksum_holds(view)) {
    return std::nullopt;
  }
  const bool v4 = view.family == Family::kIpv4;
  if (v4 && !rejected.unicast) return std::nullopt;
  if (!v4 && (multicast6(view.source) || multicast6(view.destination) || view.source == 0)) {
    return std::nullopt;
  }
  Packet reset;
  reset.source = view.destination_address();
  reset.destination = view.source_address();
  reset.dont_fragment = v4;
  reset.source_port = view.destination_port;
  reset.destination_port = view.source_port;
  reset.window = 0;
  reset.flags = tcp_flag::kRst;
  if ((view.tcp_flags & tcp_flag::kAck) != 0) {
    reset.seq = view.ack;
    return reset;
  }
  const auto header = static_cast<std::uint32_t>(20 + view.tcp_options.size());
  reset.flags |= tcp_flag::kAck;
  reset.ack = view.seq + ((view.tcp_flags & tcp_flag::kSyn) != 0 ? 1 : 0) +
              ((view.tcp_flags & tcp_flag::kFin) != 0 ? 1 : 0) + view.l4_length - header;
  return reset;
}

bool may_be_rejected_by_icmp(const Traveller& rejected) {
  const PacketView& view = rejected.view;
  if (view.fragment_offset != 0) return false;
  // reject6_csum_ok: what ends within its extension headers has nothing to sum up.
  if (is_extension_header(view.family, view.protocol)) return false;
  if (view.family == Family::kIpv6 && view.l4_length == 0) return false;
  return checksum_holds(view);
}

std::optional<Packet> icmp_error(const Traveller& about, IcmpError error, const World& world,
                                 std::uint32_t rest) {
  const PacketView& view = about.view;
  const bool v4 = view.family == Family::kIpv4;
  if (is_error(view)) return std::nullopt;
  if (v4 && (!about.unicast || view.fragment_offset != 0)) return std::nullopt;
  if (!v4 && (multicast6(view.destination) || multicast6(view.source) || view.source == 0)) {
    return std::nullopt;
  }
  Packet answer;
  answer.destination = view.source_address();
  // An anycast source is nobody's alone (icmp6_send).
  if (!v4 && world.address_type(answer.destination) == AddressType::kAnycast) return std::nullopt;
  const bool on_link = !v4 && link_local6(view.source);
  const OutputRoute route = world.route_output(answer.destination, on_link ? about.in : kNoDevice);
  if (!route.found) return std::nullopt;
  // A packet that was meant for this host is answered from the address that it was sent to; others,
  // in IPv4, from an address of the device that leads back, in IPv6 from one of the device that the
  // packet came in by (measured on 6.18).
  // Not, in IPv6, from one that only another device knows (ipv6_chk_addr: ::1, fe80::/10).
  const bool narrow = !v4 && (view.destination == 1 || link_local6(view.destination));
  const bool elsewhere =
      narrow && about.in != kNoDevice && !world.has_address(about.in, view.destination_address());
  const AddressType type = world.address_type(view.destination_address());
  const bool anycast = !v4 && type == AddressType::kAnycast;
  // To IPv4 it counts how the packet was routed last: a bound socket's leaves by a wire
  // (icmp_send).
  const DeviceId by = about.routed_by();
  const bool leaves = v4 && by != kNoDevice && by != world.loopback();
  const bool here = !elsewhere && !leaves && (type == AddressType::kLocal || anycast);
  const bool by_input = !v4 && about.in != kNoDevice;
  const auto source = here       ? view.destination_address()
                      : by_input ? world.source_for(answer.destination, about.in)
                                 : route.source;
  // A host without an address of its own speaks as 192.0.0.8 (RFC 7600), or from ::1; but to a
  // link-local address only from one of the link.
  if (!source && on_link) return std::nullopt;
  answer.source = source.value_or(Address{view.family, v4 ? 0xc0000008 : 1});
  answer.protocol = v4 ? protocol::kIcmp : protocol::kIcmpv6;
  answer.tos = v4 ? static_cast<std::uint8_t>((view.tos & 0x1e) | 0xc0) : std::uint8_t{0};
  answer.type = error.type;
  answer.code = error.code;
  answer.icmp_id = static_cast<std::uint16_t>(rest >> 16);
  answer.icmp_seq = static_cast<std::uint16_t>(rest);
  answer.inner = std::make_shared<const Packet>(current(view));
  answer.inner_length = std::min<std::uint32_t>(view.length, v4 ? 576 - 28 : 1280 - 48);
  return answer;
}

}  // namespace postern
