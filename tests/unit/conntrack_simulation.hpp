// The bridge between the engine's entries and the symbolic side's abstract ones, for the tests that
// hold the two against each other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conntrack_packets.hpp"
#include "symbolic/entries/abstract_entry.hpp"

namespace postern::test {

inline const TcpEnd kInitiatorEnd{0xc0000209, 40000, 1000, 1000},
    kResponderEnd{0xc6336409, 80, 5000, 5000};

// The most precise abstract entry of a concrete one.
inline AbstractEntry abstraction(const ConntrackEntry* entry) {
  AbstractEntry out;
  if (entry == nullptr) return out;
  out.present = true;
  out.tracker = tracker_of(entry->original.protocol);
  const bool by_initiator = entry->original.source == kInitiatorEnd.address;
  out.originator = by_initiator ? FlowEnd::kInitiator : FlowEnd::kResponder;
  out.seen_reply = entry->seen_reply();
  out.assured = entry->assured();
  if (out.tracker == Tracker::kSctp) out.sctp = entry->sctp.state;
  if (out.tracker != Tracker::kTcp) return out;
  const TcpTracking& tcp = entry->tcp;
  out.state = tcp.state;
  out.last_segment = tcp.last_segment;
  out.last_direction = tcp.last_direction;
  out.close_init = tcp.side[0].close_init || tcp.side[1].close_init;
  out.simultaneous_open = tcp.simultaneous_open;
  out.expect_challenge_ack = tcp.expect_challenge_ack;
  out.liberal_original = tcp.side[0].be_liberal;
  out.liberal_reply = tcp.side[1].be_liberal;
  out.reply_window_known = tcp.side[1].max_window != 0;
  out.acked_original = tcp.side[0].max_ack_set;
  out.acked_reply = tcp.side[1].max_ack_set;
  return canonical(out);
}

// Does `general` stand for everything that `exact` stands for? Three of its bits mean "perhaps".
inline bool covers(AbstractEntry general, const AbstractEntry& exact) {
  const auto perhaps = [](bool& bit, bool concrete) {
    if (bit) bit = concrete;
  };
  perhaps(general.reply_window_known, exact.reply_window_known);
  perhaps(general.acked_original, exact.acked_original);
  perhaps(general.acked_reply, exact.acked_reply);
  return general == exact;
}

// What one packet did to a flow's entry in the engine.
struct ConcreteStep {
  CtState state = CtState::kInvalid;
  CtDirection direction = CtDirection::kOriginal;
  std::uint16_t status = 0;
  bool created = false, deleted = false;
  std::optional<ConntrackEntry> after;  // the packet was confirmed
};

// Meets `before` (nothing: the flow has no entry) with a packet that every rule accepts.
inline ConcreteStep meet(const std::optional<ConntrackEntry>& before, const PacketView& packet,
                         const ConntrackConfig& config) {
  ConntrackTable table(config);
  ConntrackEntryPtr old;
  if (before) {
    old = std::make_shared<ConntrackEntry>(*before);
    old->status &= static_cast<std::uint16_t>(~ct_status::kConfirmed);
    Attachment carrier{old, CtState::kNew, CtDirection::kOriginal};
    table.confirm(carrier);
  }
  Attachment attachment;
  table.track(packet, Hook::kPrerouting, attachment);
  ConcreteStep step;
  step.state = attachment.state;
  step.direction = attachment.direction;
  step.created = attachment.entry && attachment.entry != old;
  step.deleted = old && old->dying;
  step.status = attachment.entry ? attachment.entry->status : std::uint16_t{0};
  table.confirm(attachment);
  const auto entries = table.entries();
  if (!entries.empty()) step.after = *entries.front();
  return step;
}

inline bool matches(const AbstractStep& abstract, const ConcreteStep& concrete) {
  return abstract.state == concrete.state && abstract.direction == concrete.direction &&
         abstract.status == concrete.status && abstract.created == concrete.created &&
         abstract.deleted == concrete.deleted &&
         covers(abstract.after, abstraction(concrete.after ? &*concrete.after : nullptr));
}

inline std::string text(const ConcreteStep& step) {
  return "state " + std::to_string(static_cast<int>(step.state)) + " direction " +
         std::to_string(static_cast<int>(step.direction)) + " status " +
         std::to_string(step.status) + (step.created ? " created" : "") +
         (step.deleted ? " deleted" : "") + " -> " +
         text(abstraction(step.after ? &*step.after : nullptr));
}

// Sequence and acknowledgement numbers around everything that the tracker compares them with.
struct Numbers {
  std::uint32_t seq, ack;
};
inline std::vector<Numbers> telling_numbers(const std::optional<ConntrackEntry>& entry,
                                            const TcpEnd& from, const TcpEnd& to) {
  constexpr std::uint32_t kFar = 1u << 30, kOpposite = 1u << 31;
  std::vector<std::uint32_t> seqs{from.isn, from.isn + 1, 0, kFar};
  std::vector<std::uint32_t> acks{to.isn + 1, to.isn, 0, 1u << 31};
  if (entry) {
    const bool original = entry->original.source == from.address;
    const TcpTracking& tcp = entry->tcp;
    const TcpSide& own = tcp.side[original ? 0 : 1];
    const TcpSide& other = tcp.side[original ? 1 : 0];
    seqs.insert(seqs.begin(), {own.end, other.max_ack, own.end + 5, own.max_end + 10,
                               own.end + kFar, own.end - kFar, own.end + kOpposite,
                               other.max_ack - 1, own.end - other.max_window - 100, own.max_end,
                               own.max_end + 1, tcp.last_ack, tcp.last_end, own.end - 1});
    acks.insert(acks.begin(), {other.end, tcp.last_end, other.end + kFar, other.end - 100000,
                               other.end + 1, other.end - 1});
  }
  std::vector<Numbers> numbers;
  for (const auto seq : seqs) {
    for (const auto ack : acks) numbers.push_back({seq, ack});
  }
  return numbers;
}

inline std::uint8_t flags_of(PacketKind kind) {
  switch (kind) {
    case PacketKind::kTcpSyn:
      return kSyn;
    case PacketKind::kTcpSynAck:
      return kSyn | kAck;
    case PacketKind::kTcpFin:
      return kFin | kAck;
    case PacketKind::kTcpAck:
      return kAck;
    case PacketKind::kTcpRst:
      return kRst;
    default:
      return 0;
  }
}

}  // namespace postern::test
