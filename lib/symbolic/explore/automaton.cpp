#include "symbolic/explore/automaton.hpp"

namespace postern {
namespace {

std::uint8_t protocol_class(Tracker tracker) {
  switch (tracker) {
    case Tracker::kTcp:
      return protocol::kTcp;
    case Tracker::kUdp:
      return protocol::kUdp;
    case Tracker::kUdplite:
      return protocol::kUdplite;
    case Tracker::kIcmp:
      return protocol::kIcmp;
    case Tracker::kIcmpv6:
      return protocol::kIcmpv6;
    case Tracker::kSctp:
      return protocol::kSctp;
    case Tracker::kGre:
      return protocol::kGre;
    case Tracker::kGeneric:
      break;
  }
  return 0;
}

EntryInfo describe(const AbstractEntry& entry) {
  EntryInfo info;
  info.protocol_class = protocol_class(entry.tracker);
  if (entry.present && entry.tracker == Tracker::kTcp) info.state = text(entry.state);
  if (entry.present && entry.tracker == Tracker::kSctp) info.state = text(entry.sctp);
  info.by_responder = entry.present && entry.originator == FlowEnd::kResponder;
  info.seen_reply = entry.seen_reply;
  info.assured = entry.assured;
  info.text = text(entry);
  info.entry = entry;
  return info;
}

}  // namespace

Automaton::Automaton(const ConntrackConfig& config, const Zones& zones, bool one_connmark)
    : config_(config), zones_(zones), one_connmark_(one_connmark) {
  number(AbstractEntry{});
}

std::uint16_t Automaton::number(const AbstractEntry& entry) {
  const auto [it, fresh] = numbers_.try_emplace(entry, static_cast<std::uint16_t>(infos_.size()));
  if (fresh) infos_.push_back(describe(entry));
  return it->second;
}

std::optional<std::uint16_t> Automaton::find(const AbstractEntry& entry) const {
  const auto it = numbers_.find(canonical(entry));
  if (it == numbers_.end()) return std::nullopt;
  return it->second;
}

std::span<const PacketKind> Automaton::kinds(std::uint16_t number, FlowEnd sender) const {
  using enum PacketKind;
  static constexpr std::array kTcp{kTcpSyn, kTcpSynAck,  kTcpFin, kTcpAck,
                                   kTcpRst, kTcpInvalid, kCut};
  static constexpr std::array kAll{kTcpSyn,      kTcpSynAck,   kTcpFin,         kTcpAck,
                                   kTcpRst,      kTcpInvalid,  kDatagram,       kUdplite,
                                   kIcmpRequest, kIcmpReply,   kIcmpOther,      kIcmpUntracked,
                                   kSctpInit,    kSctpInitAck, kSctpCookieEcho, kSctpCookieAck,
                                   kSctp,        kGre,         kGeneric,        kBroken,
                                   kCut};
  static constexpr std::array kUdp{kDatagram, kCut}, kQuery{kIcmpRequest, kCut},
      kAnswer{kIcmpReply, kCut}, kOther{kGeneric, kCut};
  static constexpr std::array kLite{kUdplite, kBroken, kCut}, kTunnel{kGre, kBroken, kCut};
  static constexpr std::array kAssociation{kSctpInit,      kSctpInitAck, kSctpCookieEcho,
                                           kSctpCookieAck, kSctp,        kCut};
  const AbstractEntry& e = infos_[number].entry;
  if (!e.present) return kAll;
  switch (e.tracker) {
    case Tracker::kTcp:
      return kTcp;
    case Tracker::kUdp:
      return kUdp;
    case Tracker::kUdplite:
      return kLite;
    case Tracker::kIcmp:
    case Tracker::kIcmpv6:
      return sender == e.originator ? std::span<const PacketKind>(kQuery) : kAnswer;
    case Tracker::kSctp:
      return kAssociation;
    case Tracker::kGre:
      return kTunnel;
    case Tracker::kGeneric:
      break;
  }
  return kOther;
}

Move Automaton::announced(const Move& created) {
  Move m = created;
  m.step = postern::announced(created.step);
  const auto instead = [&](std::uint16_t after, const AbstractEntry& entry) {
    Parts all = parts(after);
    if (all[m.pair] == 0 || after == beyond_)
      return after;  // it does not stand, or is not followed
    all[m.pair] = number(entry);
    return combine(all);
  };
  m.kept = instead(created.kept, m.step.entry(true));
  m.kept_reset = instead(created.kept_reset, closed_by_reset(m.step.entry(true)));
  return m;
}

const std::vector<Move>& Automaton::moves(std::uint16_t from, FlowEnd sender, PacketKind kind) {
  const auto key = std::tuple{from, sender, kind};
  if (const auto it = moves_.find(key); it != moves_.end()) return it->second;
  std::vector<Move> result;
  const AbstractEntry before = infos_[from].entry;
  for (const AbstractStep& step : successors(before, sender, kind, config_)) {
    Move m{.step = step, .fresh = !before.present};
    m.kept = number(step.entry(true));
    m.lost = number(step.entry(false));
    // Only an entry that stands in the table can be closed.
    m.reset = step.created ? m.lost : number(closed_by_reset(step.after));
    m.kept_reset = number(closed_by_reset(step.entry(true)));
    // An INVALID packet carries no entry that a reset could close.
    if (step.state == CtState::kInvalid || step.state == CtState::kUntracked) {
      m.reset = m.kept_reset = m.lost;
    }
    result.push_back(std::move(m));
  }
  return moves_[key] = std::move(result);
}

}  // namespace postern
