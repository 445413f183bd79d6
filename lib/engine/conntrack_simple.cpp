// The trackers without a state machine: UDP, UDP-Lite, ICMP queries, GRE, everything else.
// Sources: kernel-facts 25, 38, 39. Covered by tests/unit/conntrack_simple_test.cpp.
#include "engine/conntrack_trackers.hpp"

namespace postern {
namespace {

Tracked refresh(ConntrackEntry& entry, const TrackContext& context, bool stream,
                std::uint32_t short_timeout, std::uint32_t stream_timeout) {
  entry.deadline = context.in_seconds(stream ? stream_timeout : short_timeout);
  if (stream) entry.status |= ct_status::kAssured;
  return Tracked::kValid;
}

// Both ends have spoken before this packet.
bool replied(const ConntrackEntry& entry) { return entry.confirmed() && entry.seen_reply(); }

}  // namespace

Tracked track_udp(ConntrackEntry& entry, const PacketView& packet, const TrackContext& context) {
  if (packet.truncated || packet.bad_length) return Tracked::kInvalid;
  if (packet.bad_checksum && context.checks_sums()) return Tracked::kInvalid;
  // A flow is a stream once packets still come two seconds after its first one.
  const bool stream = replied(entry) && context.now > entry.created + kUdpStreamAfterMilliseconds;
  const auto& timeouts = context.config.timeouts;
  return refresh(entry, context, stream, timeouts.udp, timeouts.udp_stream);
}

// The kernel verifies UDP-Lite checksums with UDP's protocol number in the pseudo-header, so that
// the correct ones fail, and wrong ones (Packet::bad_checksum) are made to pass. The two seconds of
// UDP do not apply here (measured).
Tracked track_udplite(ConntrackEntry& entry, const PacketView& packet,
                      const TrackContext& context) {
  if (packet.truncated || packet.bad_length) return Tracked::kInvalid;
  if (!packet.bad_checksum && context.checks_sums()) return Tracked::kInvalid;
  const auto& timeouts = context.config.timeouts;
  return refresh(entry, context, replied(entry), timeouts.udp, timeouts.udp_stream);
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
  return refresh(entry, context, replied(entry), timeouts.gre, timeouts.gre_stream);
}

Tracked track_generic(ConntrackEntry& entry, const TrackContext& context) {
  entry.deadline = context.in_seconds(context.config.timeouts.generic);
  return Tracked::kValid;
}

}  // namespace postern
