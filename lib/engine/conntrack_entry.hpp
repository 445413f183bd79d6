// One conntrack entry with everything the kernel keeps about it that decides later behaviour.
// Plain data: the trackers (conntrack_*.cpp) change it, ConntrackTable owns it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/conntrack_tuple.hpp"
#include "flow/conntrack.hpp"
#include "flow/conntrack_sctp.hpp"
#include "net/field.hpp"

namespace postern {

// What the window tracker knows of one side. Sequence numbers; `end` is one past the last byte.
struct TcpSide {
  std::uint32_t end = 0;         // highest seq + length sent
  std::uint32_t max_end = 0;     // highest byte that the other side has allowed
  std::uint32_t max_window = 0;  // largest window advertised, bytes; 0: nothing seen yet
  std::uint32_t max_ack = 0;     // highest ack sent, if max_ack_set
  std::uint8_t scale = 0;        // window scale shift
  bool window_scale = false, sack_permitted = false;  // options seen in its SYN
  bool be_liberal = false;                            // picked up: windows are not believed
  bool close_init = false;                            // sent the first FIN
  bool data_unacknowledged = false;
  bool max_ack_set = false;
};

// By how much a NAT helper has shifted what one side says: sequence numbers after `position` by
// `after`, those up to it by `before` (struct nf_ct_seqadj).
struct SequenceShift {
  std::uint32_t position = 0, before = 0, after = 0;

  std::uint32_t at(std::uint32_t seq) const {
    return static_cast<std::int32_t>(position - seq) < 0 ? after : before;
  }
};

struct TcpTracking {
  TcpState state = TcpState::kNone;
  std::array<TcpSide, 2> side;         // by CtDirection
  std::array<SequenceShift, 2> shift;  // the same
  // The last segment that counted. `last_segment` is empty on a fresh entry.
  CtDirection last_direction = CtDirection::kOriginal;
  std::optional<TcpSegment> last_segment;
  std::uint32_t last_seq = 0, last_ack = 0, last_end = 0;
  std::uint16_t last_window = 0;
  std::uint32_t retransmissions = 0;
  // Noted from an ignored SYN, in case the other side answers it.
  std::uint8_t noted_scale = 0;
  bool noted_window_scale = false, noted_sack = false;
  bool expect_challenge_ack = false;
  bool simultaneous_open = false;
};

// Verification tags per direction: what packets of that direction must carry. 0: not known.
struct SctpTracking {
  SctpState state = SctpState::kNone;
  std::array<std::uint32_t, 2> vtag{};
  std::array<bool, 2> init{};     // an INIT of this direction waits for its INIT ACK
  bool heartbeat_failed = false;  // a HEARTBEAT with a foreign tag came from `last_direction`
  CtDirection last_direction = CtDirection::kOriginal;
};

// Where lines of FTP begin: the last two sequence numbers behind a line's end, of one side.
struct LineStarts {
  std::array<std::uint32_t, 2> seq{};
  std::uint8_t count = 0;
};

// How an expected flow is translated if its master is: it goes to where `direction` of the master
// goes to, as its master's other end, at this port (nf_nat_follow_master).
struct FollowMaster {
  CtDirection direction = CtDirection::kOriginal;
  std::uint16_t port = 0;
};

// The zone of a packet or an entry: one id for both directions, or for one of them, and then the
// other is in the default zone 0 (struct nf_conntrack_zone; kernel-facts 24).
struct ConntrackZone {
  std::uint16_t original = 0, reply = 0;

  std::uint16_t id() const { return original | reply; }
  bool one_way() const { return original != reply; }
  auto operator<=>(const ConntrackZone&) const = default;
};

struct ConntrackEntry {
  CtTuple original, reply;   // reply is original.inverse() unless NAT changed it
  std::uint16_t status = 0;  // ct_status bits
  std::uint32_t mark = 0;
  std::uint64_t deadline = 0;           // virtual milliseconds; expired when now >= deadline
  std::uint64_t created = 0;            // virtual milliseconds
  std::uint64_t serial = 0;             // order of creation
  std::uint16_t masquerade_device = 0;  // the DeviceId by which a masqueraded flow left; 0: none
  bool dying = false;                   // out of the table; a packet may still carry it
  TcpTracking tcp;
  SctpTracking sctp;
  std::string helper;                      // by name; empty: none
  std::array<LineStarts, 2> lines;         // of the FTP helper, by CtDirection
  std::shared_ptr<ConntrackEntry> master;  // of an expected flow
  std::optional<FollowMaster> follow;      // of an expected flow whose master is translated

  bool seen_reply() const { return (status & ct_status::kSeenReply) != 0; }
  bool assured() const { return (status & ct_status::kAssured) != 0; }
  bool confirmed() const { return (status & ct_status::kConfirmed) != 0; }
  ConntrackZone zone() const { return {original.zone, reply.zone}; }
  EntryReport report() const;
};

}  // namespace postern
