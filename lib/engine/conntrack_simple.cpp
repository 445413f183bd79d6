// The trackers without a state machine: UDP, UDP-Lite, ICMP queries, GRE, everything else.
// Sources: kernel-facts 25, 38, 39. Covered by tests/unit/conntrack_simple_test.cpp.
#include "engine/conntrack_trackers.hpp"

namespace postern {
namespace {

// A flow is a stream once packets still come two seconds after its first one.
Tracked track_datagram(ConntrackEntry& entry, const TrackContext& context) {
  const auto& timeouts = context.config.timeouts;
  const bool stream = entry.confirmed() && entry.seen_reply() &&
                      context.now > entry.created + kUdpStreamAfterMilliseconds;
  entry.deadline = context.in_seconds(stream ? timeouts.udp_stream : timeouts.udp);
  if (stream) entry.status |= ct_status::kAssured;
  return Tracked::kValid;
}

}  // namespace

Tracked track_udp(ConntrackEntry& entry, const PacketView& packet, const TrackContext& context) {
  if (packet.truncated || packet.bad_length) return Tracked::kInvalid;
  if (packet.bad_checksum && context.checks_sums()) return Tracked::kInvalid;
  return track_datagram(entry, context);
}

// The kernel verifies UDP-Lite checksums with UDP's protocol number in the pseudo-header, so that the
// correct ones fail.
Tracked track_udplite(ConntrackEntry& entry, const PacketView& packet,
                      const TrackContext& context) {
  if (packet.truncated || packet.bad_length || context.checks_sums()) return Tracked::kInvalid;
  return track_datagram(entry, context);
}

Tracked track_icmp(ConntrackEntry& entry, const PacketView& packet, const TrackContext& context) {
  const bool v4 = packet.protocol == protocol::kIcmp;
  if (v4 != (packet.family == Family::kIpv4)) return Tracked::kInvalid;
  const auto type = static_cast<std::uint8_t>(entry.original.destination_key >> 8);
  if (icmp_class(packet.family, type) != IcmpClass::kRequest) return Tracked::kInvalid;
  const auto& timeouts = context.config.timeouts;
  entry.deadline = context.in_seconds(v4 ? timeouts.icmp : timeouts.icmpv6);
  return Tracked::kValid;
}

Tracked track_gre(ConntrackEntry& entry, const TrackContext& context) {
  const auto& timeouts = context.config.timeouts;
  const bool stream = entry.confirmed() && entry.seen_reply();
  entry.deadline = context.in_seconds(stream ? timeouts.gre_stream : timeouts.gre);
  if (stream) entry.status |= ct_status::kAssured;
  return Tracked::kValid;
}

Tracked track_generic(ConntrackEntry& entry, const TrackContext& context) {
  entry.deadline = context.in_seconds(context.config.timeouts.generic);
  return Tracked::kValid;
}

}  // namespace postern
