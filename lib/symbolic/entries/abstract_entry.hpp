// One flow's conntrack entry as the symbolic side sees it: everything that decides what later
// packets of the flow will be called and what the entry becomes, except sequence numbers and time,
// which are free. successors() is an over-approximation of the kernel over all sequence numbers and
// waits: each concrete step is covered, and each outcome happens for some numbers unless marked
// `coarse`.
//
// An AbstractEntry is what stands in the table *between* packets, so it is always confirmed. A
// packet that would create an entry says so (`created`): the caller knows whether the packet lives
// to its last hook; if it does not, the flow stands without entry again. Changes of an existing
// entry happen before any filter rule and hold even when the packet is dropped afterwards
// (kernel-facts 15). Reads only flow/conntrack.hpp. Covered by
// tests/unit/conntrack_abstract_test.cpp, which holds it against the engine's tracker in both
// directions.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flow/conntrack.hpp"
#include "flow/conntrack_sctp.hpp"
#include "net/field.hpp"

namespace postern {

// The two ends of the question's flow; which of them an *entry* calls original is part of the
// entry.
enum class FlowEnd : std::uint8_t { kInitiator, kResponder };
constexpr FlowEnd other_end(FlowEnd end) {
  return end == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator;
}

// What a packet of the flow is to its tracker. Kinds beyond these make no difference to any entry.
enum class PacketKind : std::uint8_t {
  kTcpSyn,
  kTcpSynAck,
  kTcpFin,
  kTcpAck,
  kTcpRst,         // the valid flag sets, by tcp_segment()
  kTcpInvalid,     // every other flag set
  kDatagram,       // UDP
  kUdplite,        // its tracker misreads checksums (kernel-facts 25)
  kIcmpRequest,    // IcmpClass::kRequest: sent by the end whose type is a request type
  kIcmpReply,      // IcmpClass::kReply: sent by the other end of the same flow
  kIcmpOther,      // IcmpClass::kOther, or an error that quotes nothing known: INVALID
  kIcmpUntracked,  // IcmpClass::kUntracked
  // SCTP, by the first chunk. These four stand first or alone.
  kSctpInit,
  kSctpInitAck,
  kSctpCookieEcho,
  kSctpCookieAck,
  kSctp,  // every other packet
  kGre,
  kGeneric,
  // An ICMP error that quotes a packet of this flow, whatever its protocol, and goes to the end
  // that sent the quoted packet: the *sender* given to successors() is the other end.
  kErrorAboutFlow,
  // A packet whose checksum or lengths are wrong: INVALID where they are looked at.
  kBroken,
  kCut,  // its transport header is cut short, of a protocol whose tracker reads that: INVALID
};
inline constexpr std::size_t kPacketKindCount = 22;
std::string_view text(PacketKind kind);
PacketKind packet_kind(TcpSegment segment);
// What the header tells of a kind: chunks are no field of it, so all of SCTP's are kSctp.
PacketKind kind_by_header(PacketKind kind);
// The kind of an honest packet by its header; error types are kIcmpOther here, as what they quote
// is not known. `tcp_flags` and `icmp_type` count only for their protocols.
PacketKind packet_kind(Family family, std::uint8_t protocol, std::uint8_t tcp_flags,
                       std::uint8_t icmp_type);

struct AbstractEntry {
  bool present = false;  // false: every other member has its default
  Tracker tracker = Tracker::kGeneric;
  FlowEnd originator = FlowEnd::kInitiator;
  bool seen_reply = false, assured = false;
  bool expected = false;  // another flow's helper had announced it
  // TCP only:
  TcpState state = TcpState::kNone;
  std::optional<TcpSegment> last_segment;  // the last that counted, and its direction
  CtDirection last_direction = CtDirection::kOriginal;
  bool close_init = false;  // a FIN was the first to leave SYN_RECV/ESTABLISHED
  bool simultaneous_open = false;
  bool expect_challenge_ack = false;
  bool liberal_original = false,
       liberal_reply = false;                        // picked up: no window checks for that side
  bool reply_window_known = false;                   // some segment of the reply side was measured
  bool acked_original = false, acked_reply = false;  // an ACK of that side may bound resets
  // SCTP only; kNone elsewhere:
  SctpState sctp = SctpState::kNone;
  auto operator<=>(const AbstractEntry&) const = default;

  CtDirection direction(FlowEnd sender) const {
    return sender == originator ? CtDirection::kOriginal : CtDirection::kReply;
  }
  // ct_status bits: CONFIRMED, SEEN_REPLY, ASSURED, EXPECTED. 0 when absent.
  std::uint16_t status() const;
};
// "ESTABLISHED orig=initiator replied assured last=ACK>" for messages and tests.
std::string text(const AbstractEntry& entry);

// Which numbers or times make an outcome come true.
enum class Condition : std::uint8_t {
  kAlways,          // any numbers
  kInWindow,        // the numbers that an honest end would send next
  kStretched,       // old data, or more than the window allows: ESTABLISHED, the entry stays
  kOutOfWindow,     // far beyond the window, or acknowledges what was never sent: INVALID
  kAnswersIgnored,  // SYN/ACK that acknowledges exactly the SYN that was ignored before
  kAnswersNothing,  // SYN/ACK with any other acknowledgement
  kResetExact,      // RST with the next expected sequence number
  kResetInexact,    // RST in the window, but not exactly there
  kResetBelow,      // RST below what the other side has acknowledged: INVALID
  kEarly,
  kLate,         // UDP: within / after 2 s from the flow's first packet
  kMisdirected,  // an ICMP error whose outer destination is not the quoted source: INVALID
  kUnlooked,     // nobody looks at the checksum: the packet is the host's own, or checking is off
  kCrafted,      // UDP-Lite: a checksum that is wrong, but passes the tracker's test
  kTagRight,     // SCTP: the tag that the entry waits for (0 as long as it knows none; INIT's is 0)
  kTagWrong,     // ... another one; behind chunks that were taken, an ABORT that claims another
  // INVALID, whatever the packet is else; no end hears it.
  kBroken,       // a wrong checksum, where it is looked at
  kWrongLength,  // TCP's data offset, or UDP's length: looked at everywhere
  kCut,          // a transport header that is cut short
};
std::string_view text(Condition condition);
constexpr bool unheard(Condition condition) { return condition >= Condition::kBroken; }

// The chunks of an SCTP packet that brings an outcome about, by type. With kTagWrong and more than
// one chunk the tag is right, but the last, an ABORT with the T flag, claims it as the other
// direction's.
struct SctpPacket {
  std::array<std::uint8_t, 6> chunks{};
  std::uint8_t count = 0;
  void add(std::uint8_t chunk);
  auto operator<=>(const SctpPacket&) const = default;
};

struct AbstractStep {
  CtState state = CtState::kInvalid;               // what rules see from mangle on
  CtDirection direction = CtDirection::kOriginal;  // kOriginal where nothing is attached
  AbstractEntry after;                             // of a created entry: if the packet is confirmed
  // After the packet's own last hook. What rules and --ctstatus read *during* the packet: `status`.
  std::uint16_t status = 0;  // ct_status bits while the packet passes; 0: no entry
  bool created = false;      // `after` stands only if the packet is confirmed
  bool deleted = false;      // an entry was there and is gone, whatever happens later
  bool coarse = false;       // over-approximated: may not be realisable
  Condition condition = Condition::kAlways;
  SctpPacket sctp = {};
  auto operator<=>(const AbstractStep&) const = default;

  // What stands in the table when the packet is through.
  AbstractEntry entry(bool confirmed) const {
    return created && !confirmed ? AbstractEntry{} : after;
  }
};

// Every way in which a tracked packet of `kind` from `sender` can meet `entry`. Never empty. The
// most ordinary outcome (kAlways or kInWindow) comes first, those that no end hears last. Not for
// packets that are UNTRACKED by a rule (entry and state are then plain) nor for the second half of
// loopback.
std::vector<AbstractStep> successors(const AbstractEntry& entry, FlowEnd sender, PacketKind kind,
                                     const ConntrackConfig& config);

// A step that creates an entry, when a helper had announced the flow: RELATED.
AbstractStep announced(AbstractStep created);

// Forgets what cannot matter any more for this entry, so that entries that behave alike are equal.
// successors() and closed_by_reset() return such entries; idempotent.
AbstractEntry canonical(AbstractEntry entry);

// The entry after REJECT answered one of its packets with a TCP reset (only confirmed entries).
AbstractEntry closed_by_reset(AbstractEntry entry);

}  // namespace postern
