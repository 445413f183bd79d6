#include "symbolic/explore/edges.hpp"

#include <algorithm>
#include <set>

#include "symbolic/entries/kinds.hpp"

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

// Whether a checksum is looked at is a matter of where the packet comes from.
bool Edges::looked_at(FlowEnd sender, PacketKind kind, const Move& move) const {
  const Condition condition = move.step.condition;
  if (whole_ && unheard(condition)) return false;
  if (condition == Condition::kBroken) return wrong_checksums_count(path_);
  if (condition == Condition::kWrongLength) return wrong_lengths_count(path_, sender);
  // UNTRACKED whatever a rule says: it is plain.
  if (kind == PacketKind::kIcmpUntracked) return false;
  return kind != PacketKind::kUdplite || (condition == Condition::kUnlooked) == local(sender);
}

std::vector<Move> Edges::moves(std::uint16_t entry, FlowEnd sender, PacketKind kind,
                               std::uint8_t pair) {
  std::vector<Move> all = automaton_.moves(entry, sender, kind, pair);
  std::erase_if(all, [&](const Move& move) { return !looked_at(sender, kind, move); });
  const auto is = [](Condition condition) {
    return [condition](const Move& move) { return move.step.condition == condition; };
  };
  // One is enough to be INVALID.
  if (std::ranges::any_of(all, is(Condition::kBroken))) {
    std::erase_if(all, is(Condition::kWrongLength));
  }
  return all;
}

const std::vector<Edge>& Edges::from(const FlowState& state) {
  const auto it = known_.find(state);
  if (it != known_.end()) return it->second;
  if (!told_apart_) return known_[state] = collect(state, automaton_.pairs() > 1);
  std::vector<Edge> found = collect(state, false);
  if (!*told_apart_) return known_[state] = std::move(found);
  // What is the same for all flows is one edge.
  std::vector<Edge> others = collect(state, true);
  const std::set<Edge> of_one(found.begin(), found.end()), of_several(others.begin(), others.end());
  for (Edge& edge : found) {
    if (!of_several.contains(edge)) edge.several = false;
  }
  for (Edge& edge : others) {
    if (of_one.contains(edge)) continue;
    edge.several = true;
    found.push_back(std::move(edge));
  }
  return known_[state] = std::move(found);
}

std::vector<Edge> Edges::collect(const FlowState& from, bool several) {
  several_ = several;
  std::vector<Edge> found;
  collect(from, FlowEnd::kInitiator, found);
  if (from.reached) collect(from, FlowEnd::kResponder, found);
  return found;
}

void Edges::collect(const FlowState& from, FlowEnd sender, std::vector<Edge>& out) {
  const std::size_t first = out.size();
  plain(from, sender, CtState::kUntracked, out);
  if (!tracking_) return plain(from, sender, CtState::kInvalid, out);
  for (std::uint8_t zone = 0; zone < automaton_.pairs(); ++zone) {
    if (!comes_in(from, sender, zone)) continue;
    const auto kinds = automaton_.kinds(from.entry, sender, zone);
    for (const PacketKind kind : std::vector<PacketKind>(kinds.begin(), kinds.end())) {
      tracked(from, sender, kind, zone, out);
    }
  }
  found_by_resets(sender, first, out);
  if (from.entry != 0 || sender != FlowEnd::kInitiator) return;
  if (allowed(Edge::Of::kRelated)) related(from, out);
  if (allowed(Edge::Of::kStray)) strays(from, out);
  if (from.reached && allowed(Edge::Of::kReopened)) reopened(from, out);
}

bool Edges::comes_in(const FlowState& from, FlowEnd sender, std::uint8_t zone) {
  return guards(sender).comes_in(zone) ||
         (from.nat != 0 && guards(sender, from.nat).comes_in(zone));
}

// REJECT answers a segment to which conntrack has attached nothing with a reset all the same.
// OUTPUT looks that up, and it meets the flow's entry as a reset of the other end. Coarse: what raw
// does with it there, and which numbers it has, is not followed.
void Edges::found_by_resets(FlowEnd sender, std::size_t first, std::vector<Edge>& out) {
  if (must_) return;
  const FlowEnd other = sender == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator;
  for (std::size_t i = first, end = out.size(); i < end; ++i) {
    const Edge answered = out[i];
    const CtState state = answered.what.sight.state;
    const Fate fate = answered.what.fate;
    if (fate != Fate::kReset && fate != Fate::kResetConfirmed) continue;
    if (state != CtState::kInvalid && state != CtState::kUntracked) continue;
    if (answered.to.entry == 0) continue;
    for (std::uint8_t pair = 0; pair < automaton_.pairs(); ++pair) {
      const auto kinds = automaton_.kinds(answered.to.entry, other, pair);
      if (std::ranges::find(kinds, PacketKind::kTcpRst) == kinds.end()) continue;
      for (const Move& move : moves(answered.to.entry, other, PacketKind::kTcpRst, pair)) {
        if (move.lost == answered.to.entry) continue;
        Edge& closed = out.emplace_back(answered);
        closed.to.entry = move.lost;
        if (closed.to.entry == 0) closed.to.nat = 0;
        closed.coarse = true;
        closed.ordinary = false;
      }
    }
  }
}

// An ICMP error of the initiator that quotes another flow which it opened (kernel-facts 40). It
// carries that flow's entry, of which nothing is known here but how NAT has bound it and in which
// of the error's own zones it is found (Guards: RELATED).
void Edges::related(const FlowState& from, std::vector<Edge>& out) {
  Move move;
  move.step.state = CtState::kRelated;
  const std::size_t first = out.size();
  constexpr PacketKind kError = PacketKind::kIcmpOther;
  for (std::uint8_t zone = 0; zone < automaton_.pairs(); ++zone) {
    if (!guards(FlowEnd::kInitiator).comes_in(zone)) continue;
    by_fate(from, FlowEnd::kInitiator, false, kError, move, false, out, 0, {zone, 0});
    if (bindings_ == nullptr) continue;
    for (const auto& [number, bound] : *bindings_) {
      if (bound.nat.originator != FlowEnd::kInitiator || (must_ && bound.clash)) continue;
      if (bound.nat.follows_master()) continue;
      by_fate(from, FlowEnd::kInitiator, false, kError, move, false, out, number, {zone, 0});
    }
  }
  related_again(from, out);
  if (errors_ != nullptr && !must_) {
    by_fate(from, FlowEnd::kInitiator, false, PacketKind::kIcmpOther, move, false, out,
            errors_->number);
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
    for (std::uint8_t zone = 0; zone < automaton_.pairs(); ++zone) {
      by_fate(from, FlowEnd::kInitiator, false, kind, move, false, out, 0, {zone, 0});
      // Over lo it is looked up again.
      Move again = move;
      for (std::uint8_t second = 0; second < automaton_.pairs(); ++second) {
        by_fate(from, FlowEnd::kInitiator, true, kind, again, false, out, 0, {second, zone});
      }
      again.step.state = CtState::kUntracked;
      by_fate(from, FlowEnd::kInitiator, true, kind, again, false, out, 0, {0, zone});
    }
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
    if (kind == PacketKind::kIcmpUntracked || kind == PacketKind::kTcpInvalid ||
        kind == PacketKind::kBroken || kind == PacketKind::kCut) {
      continue;
    }
    for (const std::uint16_t assured : {std::uint16_t{0}, std::uint16_t{ct_status::kAssured}}) {
      move.step.status = ct_status::kConfirmed | ct_status::kSeenReply | assured;
      for (std::uint8_t zone = 0; zone < automaton_.pairs(); ++zone) {
        reopened(from, kind, move, zone, out);
      }
    }
  }
  for (std::size_t i = first; i < out.size(); ++i) out[i].of = Edge::Of::kReopened;
}

void Edges::reopened(const FlowState& from, PacketKind kind, const Move& move, std::uint8_t zone,
                     std::vector<Edge>& out) {
  by_fate(from, FlowEnd::kInitiator, false, kind, move, false, out, 0, {zone, 0});
  // Over lo it may be INVALID in another zone first.
  for (std::uint8_t other = 0; several() && other < automaton_.pairs(); ++other) {
    by_fate(from, FlowEnd::kInitiator, true, kind, move, false, out, 0, {zone, other});
  }
  if (bindings_ == nullptr) return;
  for (const auto& [number, bound] : *bindings_) {
    if (bound.nat.originator != FlowEnd::kInitiator || bound.clash) continue;
    if (bound.nat.by == NatVariant::By::kMaster) continue;
    by_fate(from, FlowEnd::kInitiator, false, kind, move, false, out, number, {zone, 0});
  }
}

// Packets that conntrack leaves alone.
void Edges::plain(const FlowState& from, FlowEnd sender, CtState state, std::vector<Edge>& out) {
  Move move;
  move.step.state = state;
  move.step.after = automaton_.entry(from.entry);
  move.kept = move.lost = move.reset = move.kept_reset = from.entry;
  by_fate(from, sender, false, std::nullopt, move, true, out);
  if (must_ && !whole_) {  // Guards leaves these to a kind of their own, since no end hears them
    Move cut = move;
    cut.step.condition = Condition::kCut;
    by_fate(from, sender, false, PacketKind::kCut, cut, false, out);
  }
  if (!tracking_ || state != CtState::kUntracked) return;
  for (std::uint8_t zone = 0; zone < automaton_.pairs(); ++zone) {
    invalid_then_untracked(from, sender, move, zone, out);
  }
}

// Loopback: INVALID in OUTPUT, marked UNTRACKED in PREROUTING.
void Edges::invalid_then_untracked(const FlowState& from, FlowEnd sender, const Move& move,
                                   std::uint8_t zone, std::vector<Edge>& out) {
  // (What is INVALID to an entry by its plain headers alone surely is so without it, too.)
  if (must_ && several() && answers(from, sender)) return;
  for (const PacketKind kind : automaton_.kinds(from.entry, sender, zone)) {
    bool ordinary = true;
    for (const Move& first : moves(from.entry, sender, kind, zone)) {
      if (first.step.state == CtState::kInvalid) {
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
  for (const Move& move : moves(from.entry, sender, kind, zone)) {
    under_nat(from, sender, kind, move, zone, ordinary, out);
    if (several() && answers(from, sender)) {  // else it is of no entry
      ordinary = false;
      continue;
    }
    announced(from, sender, false, kind, move, {zone, 0}, ordinary, out);
    const bool again = path_ == Path::kLoopback && move.step.state == CtState::kInvalid;
    for (std::uint8_t second = 0; again && second < automaton_.pairs(); ++second) {
      second_lookup(from, sender, kind, move, {second, zone}, ordinary, out);
    }
    ordinary = false;
  }
  if (hides() && turns_invalid(kind) && !answers(from, sender)) {
    hidden_first(from, sender, kind, zone, out);
  }
}

void Edges::allow_announced(std::uint16_t zone) {
  const auto& pairs = automaton_.zones().pairs();
  for (std::uint8_t pair = 0; pair < pairs.size(); ++pair) {
    if (pairs[pair].id() == zone) announced_.push_back(pair);
  }
}

// A new entry of a flow that a helper had announced, in a zone with the id of its master's.
void Edges::announced(const FlowState& from, FlowEnd sender, bool again, PacketKind kind,
                      const Move& move, InZones zones, bool ordinary, std::vector<Edge>& out) {
  if (!move.step.created || !allowed_announced(zones.zone)) return;
  const std::size_t first = out.size();
  const Move made = automaton_.announced(move);
  const auto bound_as = [&](std::uint16_t number) {
    if (move.second && (number != 0 || from.nat != 0)) {
      beside(from, sender, again, kind, made, zones, ordinary, out, number);
    } else {
      by_fate(from, sender, again, kind, made, ordinary, out, number, zones);
    }
  };
  bound_as(0);
  if (bindings_ != nullptr) {
    for (const auto& [number, bound] : *bindings_) {
      if (bound.nat.originator != sender || (must_ && bound.clash)) continue;
      if (again && !bound.nat.follows_master()) continue;
      bound_as(number);
    }
  }
  for (std::size_t i = first; i < out.size(); ++i) out[i].of = Edge::Of::kAnnounced;
}

// A new entry may be bound in any way, an old one is bound as it is.
void Edges::under_nat(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                      std::uint8_t zone, bool ordinary, std::vector<Edge>& out) {
  if (answers(from, sender)) return answer(from, sender, kind, move, zone, ordinary, out);
  const bool bound = from.nat != 0 && !move.step.created && move.step.state != CtState::kInvalid;
  const bool another = move.step.created && move.second;
  if (another && from.nat != 0) {
    beside(from, sender, false, kind, move, {zone, 0}, ordinary, out, 0);
  } else {
    by_fate(from, sender, false, kind, move, ordinary, out, bound ? from.nat : std::uint16_t{0},
            {zone, 0});
  }
  if (!move.step.created || bindings_ == nullptr) return;
  for (const auto& [number, bound_guards] : *bindings_) {
    if (bound_guards.nat.follows_master() || bound_guards.nat.originator != sender) continue;
    if (must_ && bound_guards.clash) continue;
    if (another) {
      beside(from, sender, false, kind, move, {zone, 0}, ordinary, out, number);
    } else {
      by_fate(from, sender, false, kind, move, ordinary, out, number, {zone, 0});
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
  const std::vector<Move> again = moves(move.lost, sender, kind, zones.zone);
  if (again.empty()) return;
  const bool same =
      move.fresh ? again.front().fresh : std::ranges::any_of(again, [&](const Move& second) {
        return !second.fresh && second.pair == move.pair;
      });
  for (Move second : again) {
    if (same && second.step.condition == move.step.condition &&
        second.step.state == move.step.state && second.lost == move.lost) {
      second.step.sctp = move.step.sctp;
      return found_again(from, sender, kind, second, zones, ordinary, out);
    }
  }
  for (Move second : again) {
    const auto unconditional = [](const AbstractStep& step) {
      return step.condition == Condition::kAlways || step.condition == Condition::kCut;
    };
    const bool free = !same && (unconditional(move.step) || unconditional(second.step));
    second.step.coarse = second.step.coarse || !free;
    found_again(from, sender, kind, second, zones, ordinary, out);
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
    edge.translated = through != 0 && sender != bound(through).nat.originator;
    edge.follows_master = through != 0 && bound(through).nat.follows_master();
    edge.led = through != 0 && bound(through).nat.of_error();
    edge.sender = sender;
    edge.step = move.step;
    edge.created = move.step.created;
    edge.coarse = move.step.coarse;
    edge.ordinary = ordinary && !unheard(move.step.condition);
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

// The initiator's first packet went as its entry is bound (or as it was sent, if another's packet
// made the entry): so the ends know each other.
Set Edges::heard(const FlowState& from, std::uint16_t through) const {
  const bool by_initiator =
      from.nat != 0 && bindings_->at(from.nat).nat.originator == FlowEnd::kInitiator;
  const std::uint16_t known = by_initiator ? from.nat : std::uint16_t{0};
  if (through == known) return kEverything;
  if (must_) return kNothing;
  if (through != 0 && known != 0) return kEverything;  // over
  return bindings_->at(through != 0 ? through : known).unchanged;
}

// Where a packet of this fate leaves the flow.
FlowState Edges::after(const FlowState& from, FlowEnd sender, Fate fate, const Move& move,
                       std::uint16_t through) const {
  FlowState to = from;
  switch (fate) {
    case Fate::kDelivered:
      to.entry = move.kept;
      if (sender == FlowEnd::kInitiator && !unheard(move.step.condition)) to.reached = true;
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
