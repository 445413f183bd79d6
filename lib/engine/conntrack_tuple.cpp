#include "engine/conntrack_tuple.hpp"

#include "engine/odd_packets.hpp"
#include "flow/odd_headers.hpp"

namespace postern {
namespace {

bool is_icmp(const CtTuple& tuple) {
  return tuple.protocol == protocol::kIcmp || tuple.protocol == protocol::kIcmpv6;
}

// The family whose ICMP types the protocol speaks, whatever carries it.
Family icmp_family(std::uint8_t protocol_number) {
  return protocol_number == protocol::kIcmp ? Family::kIpv4 : Family::kIpv6;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2);
  return hash * 0xff51afd7ed558ccdu;
}

}  // namespace

std::optional<CtTuple> CtTuple::inverse() const {
  CtTuple other = *this;
  other.source = destination;
  other.destination = source;
  if (!is_icmp(*this)) {
    other.source_key = destination_key;
    other.destination_key = source_key;
    return other;
  }
  const auto type = static_cast<std::uint8_t>(destination_key >> 8);
  const auto counterpart = icmp_counterpart(icmp_family(protocol), type);
  if (!counterpart) return std::nullopt;
  other.destination_key =
      static_cast<std::uint16_t>((*counterpart << 8) | (destination_key & 0xff));
  return other;
}

std::size_t CtTuple::hash() const {
  std::uint64_t hash = mix(protocol, static_cast<std::uint64_t>(family) << 16 | zone);
  hash = mix(hash, static_cast<std::uint64_t>(source));
  hash = mix(hash, static_cast<std::uint64_t>(destination));
  if (family == Family::kIpv6) {
    hash = mix(hash, static_cast<std::uint64_t>(source >> 64));
    hash = mix(hash, static_cast<std::uint64_t>(destination >> 64));
  }
  return mix(hash, static_cast<std::uint64_t>(source_key) << 16 | destination_key);
}

TupleReport CtTuple::report() const {
  TupleReport report;
  report.source = {family, source};
  report.destination = {family, destination};
  if (is_icmp(*this)) {
    report.icmp_id = source_key;
    report.icmp_type = static_cast<std::uint8_t>(destination_key >> 8);
    report.icmp_code = static_cast<std::uint8_t>(destination_key & 0xff);
  } else if (has_ports(tracker_of(protocol)) || tracker_of(protocol) == Tracker::kGre) {
    // GRE's keys stand where ports do; they are 0 but for the call of a PPTP packet.
    report.source_port = source_key;
    report.destination_port = destination_key;
  }
  return report;
}

std::optional<CtTuple> tuple_of(const PacketView& packet) {
  constexpr std::uint32_t kPortBytes = 4, kIcmpBytes = 8;
  if (!has_key(packet.family, packet.protocol)) return std::nullopt;
  CtTuple tuple;
  tuple.family = packet.family;
  tuple.protocol = packet.protocol;
  tuple.source = packet.source;
  tuple.destination = packet.destination;
  if (has_ports(tracker_of(packet.protocol))) {
    if (packet.l4_length < kPortBytes) return std::nullopt;
    tuple.source_key = packet.source_port;
    tuple.destination_key = packet.destination_port;
  } else if (is_icmp(tuple)) {
    if (packet.l4_length < kIcmpBytes) return std::nullopt;
    tuple.source_key = packet.icmp_id;
    tuple.destination_key = static_cast<std::uint16_t>((packet.icmp_type << 8) | packet.icmp_code);
  } else if (packet.protocol == protocol::kGre) {
    const GreHeader header = gre_header(packet);
    if (header.pptp && !header.ppp) return std::nullopt;
    tuple.destination_key = header.call;
  }
  return tuple;
}

}  // namespace postern
