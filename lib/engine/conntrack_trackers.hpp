// What each protocol's tracker does with a packet of an entry (the kernel's nf_conntrack_*_packet).
// A tracker judges the packet, moves the entry's state, sets ASSURED and the deadline. SEEN_REPLY
// is set by the table afterwards, so that a tracker sees it as it was before the packet.
#pragma once

#include <cstdint>

#include "engine/conntrack_entry.hpp"
#include "engine/view.hpp"
#include "flow/conntrack.hpp"
#include "flow/hooks.hpp"

namespace postern {

struct TrackContext {
  const ConntrackConfig& config;
  std::uint64_t now;  // virtual milliseconds
  Hook hook;

  // Checksums are looked at on the way in only.
  bool checks_sums() const { return config.checksum && hook == Hook::kPrerouting; }
  std::uint64_t in_seconds(std::uint32_t seconds) const {
    return now + std::uint64_t{1000} * seconds;
  }
};

enum class Tracked : std::uint8_t {
  kValid,
  kInvalid,  // the packet has nothing to do with the entry
  kEnds,     // valid, and the entry goes at once; the packet carries it to its end
  kReopens,  // the entry goes at once; look again, the packet begins another
};

// An entry that is not confirmed is new: its first packet is this one.
Tracked track_tcp(ConntrackEntry& entry, const PacketView& packet, CtDirection direction,
                  const TrackContext& context);
Tracked track_sctp(ConntrackEntry& entry, const PacketView& packet, CtDirection direction,
                   const TrackContext& context);
Tracked track_udp(ConntrackEntry& entry, const PacketView& packet, const TrackContext& context);
Tracked track_udplite(ConntrackEntry& entry, const PacketView& packet, const TrackContext& context);
Tracked track_icmp(ConntrackEntry& entry, const PacketView& packet, const TrackContext& context);
Tracked track_gre(ConntrackEntry& entry, const TrackContext& context);
Tracked track_generic(ConntrackEntry& entry, const TrackContext& context);

}  // namespace postern
