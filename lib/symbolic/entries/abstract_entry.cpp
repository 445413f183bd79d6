// The kernel's trackers as nondeterministic programs: wherever the kernel compares sequence
// numbers, acknowledgements or times, every outcome that some numbers give is followed. Sources:
// kernel-facts B-D and 28-41; the order of the tests inside TCP is nf_conntrack_tcp_packet's.
#include "symbolic/entries/abstract_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "flow/odd_headers.hpp"
#include "symbolic/entries/abstract_entry_sctp.hpp"
#include "symbolic/entries/abstract_entry_tcp.hpp"
#include "symbolic/entries/kinds.hpp"

namespace postern {
namespace {

constexpr std::array<std::string_view, kPacketKindCount> kKindNames{
    "syn",      "syn-ack",          "fin",         "ack",        "rst",        "invalid-flags",
    "datagram", "udplite",          "request",     "icmp-reply", "icmp-other", "icmp-untracked",
    "init",     "init-ack",         "cookie-echo", "cookie-ack", "sctp",       "gre",
    "generic",  "error-about-flow", "broken",      "cut"};

AbstractStep plain(const AbstractEntry& entry, CtState state, Condition condition) {
  AbstractStep step;
  step.state = state;
  step.after = entry;
  step.condition = condition;
  return step;
}

using Steps = std::vector<AbstractStep>;

// The flow's first packet, for every tracker but TCP's.
Steps create(Tracker tracker, FlowEnd sender) {
  AbstractStep step;
  step.state = CtState::kNew;
  step.created = true;
  step.after.present = true;
  step.after.tracker = tracker;
  step.after.originator = sender;
  return {step};
}

// A packet of an existing entry that moves nothing but SEEN_REPLY.
AbstractStep follow(const AbstractEntry& entry, FlowEnd sender) {
  AbstractStep step;
  step.direction = entry.direction(sender);
  const bool reply = step.direction == CtDirection::kReply;
  const CtState unreplied = entry.expected ? CtState::kRelated : CtState::kNew;
  step.state = reply || entry.seen_reply ? CtState::kEstablished : unreplied;
  step.after = entry;
  step.after.seen_reply = entry.seen_reply || reply;
  step.status = step.after.status();
  return step;
}

// UDP: once a reply was seen, ASSURED by any packet later than two seconds from the beginning.
Steps datagram(const AbstractEntry& entry, FlowEnd sender) {
  AbstractStep early = follow(entry, sender);
  if (!entry.seen_reply || entry.assured) return {early};
  early.condition = Condition::kEarly;
  AbstractStep late = early;
  late.condition = Condition::kLate;
  late.after.assured = true;
  late.status = late.after.status();
  return {early, late};
}

// GRE and UDP-Lite: ASSURED by the packet after the first reply.
AbstractStep after_reply(const AbstractEntry& entry, FlowEnd sender) {
  AbstractStep step = follow(entry, sender);
  step.after.assured = entry.assured || entry.seen_reply;
  step.status = step.after.status();
  return step;
}

// RELATED if the outer destination is the quoted packet's sender; the entry does not change.
Steps error_about(const AbstractEntry& entry, FlowEnd sender) {
  if (!entry.present) return {plain(entry, CtState::kInvalid, Condition::kAlways)};
  AbstractStep related = plain(entry, CtState::kRelated, Condition::kAlways);
  related.direction = entry.direction(sender);
  related.status = entry.status();
  return {related, plain(entry, CtState::kInvalid, Condition::kMisdirected)};
}

// In one ICMP flow one end sends requests and the other replies: else there is no way on.
Steps icmp_query(const AbstractEntry& entry, FlowEnd sender, PacketKind kind) {
  const bool request = kind == PacketKind::kIcmpRequest;
  if (entry.present && request != (sender == entry.originator)) return {};
  if (entry.present) return {follow(entry, sender)};
  if (request) return create(Tracker::kIcmp, sender);
  return {plain(entry, CtState::kInvalid, Condition::kAlways)};
}

// As UDP wherever the checksum is not looked at, INVALID elsewhere. But somebody may write a
// checksum that passes the kernel's odd test (measured): such a packet is as UDP everywhere.
Steps udplite(const AbstractEntry& entry, FlowEnd sender, const ConntrackConfig& config) {
  const Steps valid =
      entry.present ? Steps{after_reply(entry, sender)} : create(Tracker::kUdplite, sender);
  Steps steps = valid;
  for (auto& step : steps) step.condition = Condition::kUnlooked;
  if (config.checksum) steps.push_back(plain(entry, CtState::kInvalid, Condition::kAlways));
  for (AbstractStep one : valid) {  // on a wire
    if (config.checksum) one.condition = Condition::kCrafted;
    steps.push_back(one);
  }
  return steps;
}

}  // namespace

std::string_view text(PacketKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

std::string_view text(Condition condition) {
  static constexpr std::array<std::string_view, 19> kNames{"always",
                                                           "in window",
                                                           "stretched",
                                                           "out of window",
                                                           "answers the ignored SYN",
                                                           "answers no ignored SYN",
                                                           "reset exact",
                                                           "reset inexact",
                                                           "reset below",
                                                           "within 2 s",
                                                           "after 2 s",
                                                           "misdirected",
                                                           "checksum not looked at",
                                                           "crafted checksum",
                                                           "right tag",
                                                           "wrong tag",
                                                           "wrong checksum",
                                                           "wrong length",
                                                           "cut short"};
  return kNames[static_cast<std::size_t>(condition)];
}

PacketKind kind_by_header(PacketKind kind) { return sctp_kind(kind) ? PacketKind::kSctp : kind; }

PacketKind packet_kind(TcpSegment segment) {
  return static_cast<PacketKind>(static_cast<std::uint8_t>(segment));
}

PacketKind packet_kind(Family family, std::uint8_t protocol, std::uint8_t tcp_flags,
                       std::uint8_t icmp_type) {
  if (!has_key(family, protocol)) return PacketKind::kBroken;
  switch (tracker_of(protocol)) {
    case Tracker::kTcp: {
      const auto segment = tcp_segment(tcp_flags);
      return segment ? packet_kind(*segment) : PacketKind::kTcpInvalid;
    }
    case Tracker::kUdp:
      return PacketKind::kDatagram;
    case Tracker::kUdplite:
      return PacketKind::kUdplite;
    case Tracker::kSctp:
      return PacketKind::kSctp;
    case Tracker::kGre:
      return PacketKind::kGre;
    case Tracker::kGeneric:
      return PacketKind::kGeneric;
    case Tracker::kIcmp:
    case Tracker::kIcmpv6:
      break;
  }
  // ICMP's tracker refuses the other family's packets.
  if ((family == Family::kIpv4) != (protocol == protocol::kIcmp)) return PacketKind::kIcmpOther;
  switch (icmp_class(family, icmp_type)) {
    case IcmpClass::kRequest:
      return PacketKind::kIcmpRequest;
    case IcmpClass::kReply:
      return PacketKind::kIcmpReply;
    case IcmpClass::kUntracked:
      return PacketKind::kIcmpUntracked;
    case IcmpClass::kError:
    case IcmpClass::kOther:
      break;
  }
  return PacketKind::kIcmpOther;
}

bool invalid_if_cut(std::uint8_t protocol) {
  const Tracker tracker = tracker_of(protocol);
  return tracker != Tracker::kGre && tracker != Tracker::kGeneric;
}

bool may_be(PacketKind kind, Family family, std::uint8_t protocol) {
  const PacketKind plain = packet_kind(family, protocol, 0, 0);
  const bool breaks = plain == PacketKind::kGre || plain == PacketKind::kUdplite;
  return plain == kind_by_header(kind) || (kind == PacketKind::kBroken && breaks);
}

std::uint16_t AbstractEntry::status() const {
  if (!present) return 0;
  unsigned bits = ct_status::kConfirmed;
  if (seen_reply) bits |= ct_status::kSeenReply;
  if (assured) bits |= ct_status::kAssured;
  if (expected) bits |= ct_status::kExpected;
  return static_cast<std::uint16_t>(bits);
}

std::string text(const AbstractEntry& entry) {
  if (!entry.present) return "no entry";
  std::string out = entry.tracker == Tracker::kTcp    ? std::string(text(entry.state))
                    : entry.tracker == Tracker::kSctp ? std::string(text(entry.sctp))
                                                      : "entry";
  out += entry.originator == FlowEnd::kInitiator ? " by initiator" : " by responder";
  out += entry.seen_reply ? " replied" : " unreplied";
  if (entry.assured) out += " assured";
  if (entry.expected) out += " expected";
  if (entry.tracker != Tracker::kTcp) return out;
  if (entry.last_segment) {
    out += fmt::format(" last={}{}", text(packet_kind(*entry.last_segment)),
                       entry.last_direction == CtDirection::kOriginal ? ">" : "<");
  }
  if (entry.close_init) out += " close-init";
  if (entry.simultaneous_open) out += " simultaneous";
  if (entry.expect_challenge_ack) out += " challenge";
  if (entry.liberal_original) out += " liberal>";
  if (entry.liberal_reply) out += " liberal<";
  if (entry.reply_window_known) out += " window<";
  if (entry.acked_original) out += " acked>";
  if (entry.acked_reply) out += " acked<";
  return out;
}

namespace {

Steps of_whole_packets(const AbstractEntry& entry, FlowEnd sender, PacketKind kind,
                       const ConntrackConfig& config) {
  switch (kind) {
    case PacketKind::kTcpSyn:
      return tcp_successors(entry, sender, TcpSegment::kSyn, config);
    case PacketKind::kTcpSynAck:
      return tcp_successors(entry, sender, TcpSegment::kSynAck, config);
    case PacketKind::kTcpFin:
      return tcp_successors(entry, sender, TcpSegment::kFin, config);
    case PacketKind::kTcpAck:
      return tcp_successors(entry, sender, TcpSegment::kAck, config);
    case PacketKind::kTcpRst:
      return tcp_successors(entry, sender, TcpSegment::kRst, config);
    case PacketKind::kDatagram:
      return entry.present ? datagram(entry, sender) : create(Tracker::kUdp, sender);
    case PacketKind::kUdplite:
      return udplite(entry, sender, config);
    case PacketKind::kIcmpRequest:
    case PacketKind::kIcmpReply:
      return icmp_query(entry, sender, kind);
    case PacketKind::kIcmpUntracked:
      return {plain(entry, CtState::kUntracked, Condition::kAlways)};
    case PacketKind::kSctpInit:
    case PacketKind::kSctpInitAck:
    case PacketKind::kSctpCookieEcho:
    case PacketKind::kSctpCookieAck:
    case PacketKind::kSctp:
      return sctp_successors(entry, sender, kind);
    case PacketKind::kGre:
      return entry.present ? Steps{after_reply(entry, sender)} : create(Tracker::kGre, sender);
    case PacketKind::kGeneric:
      return entry.present ? Steps{follow(entry, sender)} : create(Tracker::kGeneric, sender);
    case PacketKind::kErrorAboutFlow:
      return error_about(entry, sender);
    case PacketKind::kTcpInvalid:
    case PacketKind::kIcmpOther:
    case PacketKind::kBroken:
      return {plain(entry, CtState::kInvalid, Condition::kAlways)};
    case PacketKind::kCut:
      return {plain(entry, CtState::kInvalid, Condition::kCut)};
  }
  return {};
}

// Has this kind a checksum that its tracker looks at? (Of SCTP's each is INVALID by chunks or tags,
// too.)
bool has_checksum(PacketKind kind) {
  return !sctp_kind(kind) && kind != PacketKind::kGeneric && kind != PacketKind::kGre &&
         kind != PacketKind::kErrorAboutFlow;
}

// ... or a length beside the IP header's?
bool has_length(PacketKind kind) {
  return kind <= PacketKind::kTcpInvalid || kind == PacketKind::kDatagram;
}

}  // namespace

std::vector<AbstractStep> successors(const AbstractEntry& entry, FlowEnd sender, PacketKind kind,
                                     const ConntrackConfig& config) {
  Steps steps = of_whole_packets(entry, sender, kind, config);
  const auto invalid = [&](const AbstractStep& step) {
    return step.state == CtState::kInvalid && step.after == entry && !step.coarse;
  };
  if (steps.empty() || std::ranges::any_of(steps, invalid)) return steps;
  if (config.checksum && has_checksum(kind)) {
    steps.push_back(plain(entry, CtState::kInvalid, Condition::kBroken));
  }
  if (has_length(kind)) steps.push_back(plain(entry, CtState::kInvalid, Condition::kWrongLength));
  return steps;
}

AbstractStep announced(AbstractStep created) {
  POSTERN_CHECK(created.created, "only a new entry fulfils an expectation");
  created.state = CtState::kRelated;
  created.status = ct_status::kExpected;
  created.after.expected = true;
  return created;
}

AbstractEntry canonical(AbstractEntry entry) {
  if (!entry.present) return {};
  return entry.tracker == Tracker::kTcp ? tcp_canonical(entry) : entry;
}

AbstractEntry closed_by_reset(AbstractEntry entry) {
  if (entry.present && entry.tracker == Tracker::kTcp) entry.state = TcpState::kClose;
  return canonical(entry);
}

}  // namespace postern
