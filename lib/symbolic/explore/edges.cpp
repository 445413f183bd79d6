#include "symbolic/explore/edges.hpp"

#include <algorithm>

namespace postern {
namespace {

Sight sight_of(const AbstractStep& step) {
  return {.state = step.state,
          .reply = step.direction == CtDirection::kReply,
          .first = step.created,
          .seen_reply = (step.status & ct_status::kSeenReply) != 0,
          .assured = (step.status & ct_status::kAssured) != 0,
          .expected = (step.status & ct_status::kExpected) != 0};
}

}  // namespace

bool turns_invalid(PacketKind kind) {
  switch (kind) {
    case PacketKind::kTcpSyn:
    case PacketKind::kTcpSynAck:
    case PacketKind::kTcpFin:
    case PacketKind::kTcpAck:
    case PacketKind::kTcpRst:
    case PacketKind::kTcpInvalid:
    case PacketKind::kSctpInit:
    case PacketKind::kSctpInitAck:
    case PacketKind::kSctpCookieEcho:
    case PacketKind::kSctpCookieAck:
    case PacketKind::kSctp:
      return true;
    default:
      return false;
  }
}

Edges::Edges(Automaton& automaton, Guards& initiator, Guards& responder, Path path, bool tracking,
             Script script, bool must)
    : automaton_(automaton),
      initiator_(initiator),
      responder_(responder),
      path_(path),
      tracking_(tracking),
      script_(script),
      must_(must) {}

bool Edges::local(FlowEnd sender) const {
  const Path own = sender == FlowEnd::kInitiator ? path_ : reverse(path_);
  return own == Path::kOut || own == Path::kLoopback;
}

// Whether a checksum of UDP-Lite is looked at is a matter of where the packet comes from.
bool Edges::looked_at(FlowEnd sender, PacketKind kind, const Move& move) const {
  return kind != PacketKind::kUdplite ||
         (move.step.condition == Condition::kUnlooked) == local(sender);
}

const std::vector<Edge>& Edges::from(const FlowState& state) {
  const auto it = known_.find(state);
  if (it != known_.end()) return it->second;
  std::vector<Edge> found;
  collect(state, FlowEnd::kInitiator, found);
  if (state.reached) collect(state, FlowEnd::kResponder, found);
  return known_[state] = std::move(found);
}

void Edges::collect(const FlowState& from, FlowEnd sender, std::vector<Edge>& out) {
  plain(from, sender, CtState::kUntracked, out);
  if (!tracking_) return plain(from, sender, CtState::kInvalid, out);
  for (std::uint8_t zone = 0; zone < automaton_.pairs(); ++zone) {
    if (!guards(sender).comes_in(zone)) continue;
    const auto kinds = automaton_.kinds(from.entry, sender, zone);
    for (const PacketKind kind : std::vector<PacketKind>(kinds.begin(), kinds.end())) {
      if (kind != PacketKind::kIcmpUntracked) tracked(from, sender, kind, zone, out);
    }
  }
  if (from.entry != 0 || sender != FlowEnd::kInitiator) return;
  if (allowed(Edge::Of::kRelated)) related(from, out);
  if (allowed(Edge::Of::kStray)) strays(from, out);
  if (from.reached && allowed(Edge::Of::kReopened)) reopened(from, out);
}

// An ICMP error of the initiator that quotes another flow which it opened (kernel-facts 40). It
// carries that flow's entry, of which nothing is known here but how NAT has bound it (Guards:
// RELATED).
void Edges::related(const FlowState& from, std::vector<Edge>& out) {
  Move move;
  move.step.state = CtState::kRelated;
  const std::size_t first = out.size();
  by_fate(from, FlowEnd::kInitiator, false, PacketKind::kIcmpOther, move, false, out);
  if (bindings_ != nullptr) {
    for (const auto& [number, bound] : *bindings_) {
      if (bound.nat.originator != FlowEnd::kInitiator || (must_ && bound.clash)) continue;
      if (bound.nat.follows_master()) continue;
      by_fate(from, FlowEnd::kInitiator, false, PacketKind::kIcmpOther, move, false, out, number);
    }
  }
  for (std::size_t i = first; i < out.size(); ++i) out[i].of = Edge::Of::kRelated;
}

// Its entry is another path's; here it has none.
void Edges::strays(const FlowState& from, std::vector<Edge>& out) {
  Move move;
  move.step.state = CtState::kInvalid;
  move.step.coarse = true;
  const std::size_t first = out.size();
  const auto kinds = automaton_.kinds(0, FlowEnd::kInitiator);
  for (const PacketKind kind : std::vector<PacketKind>(kinds.begin(), kinds.end())) {
    if (!turns_invalid(kind)) continue;
    by_fate(from, FlowEnd::kInitiator, false, kind, move, false, out);
    // Over lo it is looked up again.
    Move again = move;
    by_fate(from, FlowEnd::kInitiator, true, kind, again, false, out);
    again.step.state = CtState::kUntracked;
    by_fate(from, FlowEnd::kInitiator, true, kind, again, false, out);
  }
  for (std::size_t i = first; i < out.size(); ++i) out[i].of = Edge::Of::kStray;
}

// Its packets answer an entry that the responder opened: whatever was decided for the first.
void Edges::reopened(const FlowState& from, std::vector<Edge>& out) {
  Move move;
  move.step.state = CtState::kEstablished;
  move.step.direction = CtDirection::kReply;
  move.step.coarse = true;
  const std::size_t first = out.size();
  const auto kinds = automaton_.kinds(0, FlowEnd::kInitiator);
  for (const PacketKind kind : std::vector<PacketKind>(kinds.begin(), kinds.end())) {
    if (kind == PacketKind::kIcmpUntracked || kind == PacketKind::kTcpInvalid) continue;
    for (const std::uint16_t assured : {std::uint16_t{0}, std::uint16_t{ct_status::kAssured}}) {
      move.step.status = ct_status::kConfirmed | ct_status::kSeenReply | assured;
      by_fate(from, FlowEnd::kInitiator, false, kind, move, false, out);
      if (bindings_ == nullptr) continue;
      for (const auto& [number, bound] : *bindings_) {
        if (bound.nat.originator != FlowEnd::kInitiator || bound.clash) continue;
        if (bound.nat.by == NatVariant::By::kMaster) continue;
        by_fate(from, FlowEnd::kInitiator, false, kind, move, false, out, number);
      }
    }
  }
  for (std::size_t i = first; i < out.size(); ++i) out[i].of = Edge::Of::kReopened;
}

// Packets that conntrack leaves alone.
void Edges::plain(const FlowState& from, FlowEnd sender, CtState state, std::vector<Edge>& out) {
  Move move;
  move.step.state = state;
  move.step.after = automaton_.entry(from.entry);
  move.kept = move.lost = move.reset = move.kept_reset = from.entry;
  by_fate(from, sender, false, std::nullopt, move, true, out);
  if (!tracking_ || state != CtState::kUntracked) return;
  for (std::uint8_t zone = 0; zone < automaton_.pairs(); ++zone) {
    invalid_then_untracked(from, sender, move, zone, out);
  }
}

// Loopback: INVALID in OUTPUT, marked UNTRACKED in PREROUTING.
void Edges::invalid_then_untracked(const FlowState& from, FlowEnd sender, const Move& move,
                                   std::uint8_t zone, std::vector<Edge>& out) {
  for (const PacketKind kind : automaton_.kinds(from.entry, sender, zone)) {
    bool ordinary = true;
    for (const Move& first : automaton_.moves(from.entry, sender, kind, zone)) {
      if (first.step.state == CtState::kInvalid && looked_at(sender, kind, first)) {
        Move second = move;
        second.step.after = first.step.after;
        second.step.condition = first.step.condition;
        second.step.sctp = first.step.sctp;
        second.step.coarse = first.step.coarse;
        second.pair = first.pair;
        second.fresh = first.fresh;
        second.kept = second.lost = second.reset = second.kept_reset = first.lost;
        by_fate(from, sender, true, kind, second, ordinary, out, 0, {0, zone});
      }
      ordinary = false;
    }
  }
}

void Edges::tracked(const FlowState& from, FlowEnd sender, PacketKind kind, std::uint8_t zone,
                    std::vector<Edge>& out) {
  bool ordinary = true;
  for (const Move& move : std::vector<Move>(automaton_.moves(from.entry, sender, kind, zone))) {
    if (!looked_at(sender, kind, move)) continue;
    under_nat(from, sender, kind, move, zone, ordinary, out);
    announced(from, sender, false, kind, move, {zone, 0}, ordinary, out);
    const bool again = path_ == Path::kLoopback && move.step.state == CtState::kInvalid;
    for (std::uint8_t second = 0; again && second < automaton_.pairs(); ++second) {
      second_lookup(from, sender, kind, move, {second, zone}, ordinary, out);
    }
    ordinary = false;
  }
}

// A new entry of a flow that a helper had announced: in the zone of its master, which is the
// default one (templates.hpp).
void Edges::announced(const FlowState& from, FlowEnd sender, bool again, PacketKind kind,
                      const Move& move, InZones zones, bool ordinary, std::vector<Edge>& out) {
  if (!move.step.created || zones.zone != 0 || !allowed(Edge::Of::kAnnounced)) return;
  const std::size_t first = out.size();
  const Move made = automaton_.announced(move);
  by_fate(from, sender, again, kind, made, ordinary, out, 0, zones);
  if (bindings_ != nullptr) {
    for (const auto& [number, bound] : *bindings_) {
      if (bound.nat.originator != sender || (must_ && bound.clash)) continue;
      if (again && !bound.nat.follows_master()) continue;
      by_fate(from, sender, again, kind, made, ordinary, out, number, zones);
    }
  }
  for (std::size_t i = first; i < out.size(); ++i) out[i].of = Edge::Of::kAnnounced;
}

// A new entry may be bound in any way, an old one is bound as it is. An answer to a bound entry is
// sent to where the binding says; what its sender sends to the opener's own address is of no entry,
// as if this one had expired.
void Edges::under_nat(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                      std::uint8_t zone, bool ordinary, std::vector<Edge>& out) {
  const FlowEnd opener = from.nat == 0 ? sender : bindings_->at(from.nat).nat.originator;
  if (opener == sender || from.nat == 0) {
    const bool bound = from.nat != 0 && !move.step.created && move.step.state != CtState::kInvalid;
    by_fate(from, sender, false, kind, move, ordinary, out, bound ? from.nat : std::uint16_t{0},
            {zone, 0});
    if (!move.step.created || bindings_ == nullptr) return;
    for (const auto& [number, bound_guards] : *bindings_) {
      if (bound_guards.nat.follows_master()) continue;
      if (bound_guards.nat.originator == sender && !(must_ && bound_guards.clash)) {
        by_fate(from, sender, false, kind, move, ordinary, out, number);
      }
    }
  } else if (!move.step.created) {
    by_fate(from, sender, false, kind, move, ordinary, out, from.nat);
    if (must_ || move.step.state != CtState::kInvalid) return;
    // Where the binding changes nothing (MASQUERADE to the address that it has), it is sent there.
    Move same = move;
    same.step.coarse = true;
    by_fate(from, sender, false, kind, same, ordinary, out);
    if (path_ == Path::kLoopback) answered_again(from, sender, kind, move, ordinary, out);
  }
}

// Loopback: an INVALID answer to a bound entry is looked up again in PREROUTING, where the entry
// may remember it; one that NAT would not change goes on from there.
void Edges::answered_again(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                           bool ordinary, std::vector<Edge>& out) {
  std::vector<Move> again = automaton_.moves(move.lost, sender, kind);
  // The same packet meets the same outcome, unless the entry has changed.
  const auto same = std::ranges::find_if(again, [&](const Move& second) {
    return second.step.condition == move.step.condition && second.step.state == move.step.state &&
           second.lost == move.lost;
  });
  if (same != again.end()) again = {Move(*same)};
  for (Move& second : again) {
    second.step.coarse = true;
    by_fate(from, sender, true, kind, second, ordinary, out);
    for (const std::uint16_t then : {second.lost, second.kept}) {
      Move lost = move;
      lost.step.coarse = true;
      lost.lost = then;
      if (then != move.lost) by_fate(from, sender, false, kind, lost, ordinary, out, from.nat);
    }
  }
}

// Loopback: an INVALID packet is looked up again in PREROUTING. The same packet with the same
// numbers meets the same outcome; only the entry may remember it since the first lookup. From
// another zone it may find another entry: then the two do not hinder each other, unless both ask
// for certain numbers.
void Edges::second_lookup(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                          InZones zones, bool ordinary, std::vector<Edge>& out) {
  if (!guards(sender).comes_in(zones.zone, true)) return;
  const auto kinds = automaton_.kinds(move.lost, sender, zones.zone);
  if (std::ranges::find(kinds, kind) == kinds.end()) return;  // no packet of that entry's protocol
  const std::vector<Move> again = automaton_.moves(move.lost, sender, kind, zones.zone);
  const bool same =
      move.fresh ? again.front().fresh : std::ranges::any_of(again, [&](const Move& second) {
        return !second.fresh && second.pair == move.pair;
      });
  for (Move second : again) {
    if (same && second.step.condition == move.step.condition &&
        second.step.state == move.step.state && second.lost == move.lost) {
      second.step.sctp = move.step.sctp;
      return by_fate(from, sender, true, kind, second, ordinary, out, 0, zones);
    }
  }
  for (Move second : again) {
    const bool free = !same && (move.step.condition == Condition::kAlways ||
                                second.step.condition == Condition::kAlways);
    second.step.coarse = second.step.coarse || !free;
    by_fate(from, sender, true, kind, second, ordinary, out, 0, zones);
    announced(from, sender, true, kind, second, zones, ordinary, out);
    if (free) ordinary = false;
  }
}

void Edges::by_fate(const FlowState& from, FlowEnd sender, bool again,
                    std::optional<PacketKind> kind, const Move& move, bool ordinary,
                    std::vector<Edge>& out, std::uint16_t through, InZones zones) {
  if (script_ == Script::kOpener && sender == FlowEnd::kResponder && move.step.created) return;
  for (std::size_t f = 0; f < kFateCount; ++f) {
    const auto fate = static_cast<Fate>(f);
    if (fate == Fate::kElsewhere || (fate == Fate::kTurned && lose_turned_)) continue;
    if (!guards(sender, through).may_happen(again, fate)) continue;
    Edge edge;
    edge.through = through;
    edge.translated = through != 0 && sender != bindings_->at(through).nat.originator;
    edge.follows_master = through != 0 && bindings_->at(through).nat.follows_master();
    edge.sender = sender;
    edge.step = move.step;
    edge.created = move.step.created;
    edge.coarse = move.step.coarse;
    edge.ordinary = ordinary;
    edge.pair = move.pair;
    edge.fresh = move.fresh;
    edge.what = {.again = again,
                 .fate = fate,
                 .sight = sight_of(move.step),
                 .kind = kind,
                 .must = must_,
                 .first_zone = zones.first};
    edge.what.sight.zone = zones.zone;
    edge.to = after(from, sender, fate, move, through);
    out.push_back(std::move(edge));
  }
}

// Where a packet of this fate leaves the flow.
FlowState Edges::after(const FlowState& from, FlowEnd sender, Fate fate, const Move& move,
                       std::uint16_t through) const {
  FlowState to = from;
  switch (fate) {
    case Fate::kDelivered:
      to.entry = move.kept;
      if (sender == FlowEnd::kInitiator) to.reached = true;
      break;
    case Fate::kDropped:
      to.entry = move.lost;
      break;
    case Fate::kReset:
      to.entry = move.reset;
      break;
    case Fate::kDroppedConfirmed:
      to.entry = move.kept;
      break;
    case Fate::kResetConfirmed:
      to.entry = move.kept_reset;
      break;
    case Fate::kUnmodelled:
    case Fate::kElsewhere:
    case Fate::kTurned:
      break;
  }
  const bool stands =
      fate == Fate::kDelivered || fate == Fate::kDroppedConfirmed || fate == Fate::kResetConfirmed;
  if (move.step.created && stands) to.nat = through;
  if (to.entry == 0) to.nat = 0;
  if (script_ != Script::kDeliver) to.reached = true;
  return to;
}

}  // namespace postern
