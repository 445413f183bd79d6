#include "symbolic/explore.hpp"

#include <numeric>

namespace postern {
namespace {

constexpr std::array kNow{Axis::kConnmark};
constexpr std::array kBefore{Axis::kConnmarkBefore};

Sight sight_of(const AbstractStep& step) {
  return {.state = step.state,
          .reply = step.direction == CtDirection::kReply,
          .first = step.created,
          .seen_reply = (step.status & ct_status::kSeenReply) != 0,
          .assured = (step.status & ct_status::kAssured) != 0,
          .expected = (step.status & ct_status::kExpected) != 0};
}

bool is_announced(const Edge& edge) { return edge.created && edge.what.sight.expected; }

}  // namespace

bool turns_invalid(PacketKind kind) {
  switch (kind) {
    case PacketKind::kTcpSyn:
    case PacketKind::kTcpSynAck:
    case PacketKind::kTcpFin:
    case PacketKind::kTcpAck:
    case PacketKind::kTcpRst:
    case PacketKind::kTcpInvalid:
    case PacketKind::kSctp:
      return true;
    default:
      return false;
  }
}

Explorer::Explorer(Space& space, Automaton& automaton, Guards& initiator, Guards& responder,
                   Path path, bool tracking, Script script, bool must)
    : space_(space),
      automaton_(automaton),
      initiator_(initiator),
      responder_(responder),
      path_(path),
      tracking_(tracking),
      script_(script),
      must_(must) {}

bool Explorer::local(FlowEnd sender) const {
  const Path own = sender == FlowEnd::kInitiator ? path_ : reverse(path_);
  return own == Path::kOut || own == Path::kLoopback;
}

const std::vector<Edge>& Explorer::edges(const FlowState& from) {
  const auto it = edges_.find(from);
  if (it != edges_.end()) return it->second;
  std::vector<Edge> found;
  collect(from, FlowEnd::kInitiator, found);
  if (from.reached) collect(from, FlowEnd::kResponder, found);
  return edges_[from] = std::move(found);
}

void Explorer::collect(const FlowState& from, FlowEnd sender, std::vector<Edge>& out) {
  plain(from, sender, CtState::kUntracked, out);
  if (!tracking_) return plain(from, sender, CtState::kInvalid, out);
  const auto kinds = automaton_.kinds(from.entry, sender);
  for (const PacketKind kind : std::vector<PacketKind>(kinds.begin(), kinds.end())) {
    if (kind != PacketKind::kIcmpUntracked) tracked(from, sender, kind, out);
  }
  if (from.entry != 0 || sender != FlowEnd::kInitiator) return;
  if (!related_.empty()) related(from, out);
  if (!strays_.empty()) strays(from, out);
  if (from.reached && !reopened_.empty()) reopened(from, out);
}

// An ICMP error of the initiator that quotes another flow which it opened (kernel-facts 40). It
// carries that flow's entry, of which nothing is known here (Guards: RELATED).
void Explorer::related(const FlowState& from, std::vector<Edge>& out) {
  Move move;
  move.step.state = CtState::kRelated;
  by_fate(from, FlowEnd::kInitiator, false, PacketKind::kIcmpOther, move, false, out);
}

// Its entry is another path's; here it has none.
void Explorer::strays(const FlowState& from, std::vector<Edge>& out) {
  Move move;
  move.step.state = CtState::kInvalid;
  move.step.coarse = true;
  const std::size_t first = out.size();
  const auto kinds = automaton_.kinds(0, FlowEnd::kInitiator);
  for (const PacketKind kind : std::vector<PacketKind>(kinds.begin(), kinds.end())) {
    if (turns_invalid(kind)) by_fate(from, FlowEnd::kInitiator, false, kind, move, false, out);
  }
  for (std::size_t i = first; i < out.size(); ++i) out[i].of = Edge::Of::kStray;
}

// Its packets answer an entry that the responder opened: whatever was decided for the first.
void Explorer::reopened(const FlowState& from, std::vector<Edge>& out) {
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
      for (const auto& [number, bound] : *bindings_) {
        if (bound.nat.originator != FlowEnd::kInitiator || bound.clash) continue;
        by_fate(from, FlowEnd::kInitiator, false, kind, move, false, out, number);
      }
    }
  }
  for (std::size_t i = first; i < out.size(); ++i) out[i].of = Edge::Of::kReopened;
}

// Packets that conntrack leaves alone.
void Explorer::plain(const FlowState& from, FlowEnd sender, CtState state, std::vector<Edge>& out) {
  Move move;
  move.step.state = state;
  move.step.after = automaton_.entry(from.entry);
  move.kept = move.lost = move.reset = move.kept_reset = from.entry;
  by_fate(from, sender, false, std::nullopt, move, true, out);
  // Loopback: INVALID in OUTPUT, marked UNTRACKED in PREROUTING.
  if (!tracking_ || state != CtState::kUntracked) return;
  for (const PacketKind kind : automaton_.kinds(from.entry, sender)) {
    bool ordinary = true;
    for (const Move& first : automaton_.moves(from.entry, sender, kind)) {
      if (first.step.state == CtState::kInvalid) {
        Move second = move;
        second.step.after = first.step.after;
        second.step.condition = first.step.condition;
        second.step.coarse = first.step.coarse;
        second.kept = second.lost = second.reset = second.kept_reset = first.lost;
        by_fate(from, sender, true, kind, second, ordinary, out);
      }
      ordinary = false;
    }
  }
}

void Explorer::tracked(const FlowState& from, FlowEnd sender, PacketKind kind,
                       std::vector<Edge>& out) {
  bool ordinary = true;
  for (const Move& move : std::vector<Move>(automaton_.moves(from.entry, sender, kind))) {
    // Whether a checksum is looked at is a matter of where the packet comes from.
    if (kind == PacketKind::kUdplite &&
        (move.step.condition == Condition::kUnlooked) != local(sender)) {
      continue;
    }
    under_nat(from, sender, kind, move, ordinary, out);
    if (move.step.created) announced(from, sender, kind, move, ordinary, out);
    if (move.step.state == CtState::kInvalid)
      second_lookup(from, sender, kind, move, ordinary, out);
    ordinary = false;
  }
}

// The same with an expectation, where one may be. The master's connmark is not followed: what must
// happen does not rest on it.
void Explorer::announced(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                         bool ordinary, std::vector<Edge>& out, bool again) {
  if (expected_.by(sender).empty()) return;
  const bool marks = !space_.layout(Axis::kConnmark).variables.empty();
  if (must_ && expected_.marked && marks) return;
  by_fate(from, sender, again, kind, automaton_.announced(move), ordinary, out);
}

// A new entry may be bound in any way, an old one is bound as it is. An answer to a bound entry is
// sent to where the binding says; what its sender sends to the opener's own address is of no entry,
// as if this one had expired.
void Explorer::under_nat(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                         bool ordinary, std::vector<Edge>& out) {
  const FlowEnd opener = from.nat == 0 ? sender : bindings_->at(from.nat).nat.originator;
  if (opener == sender || from.nat == 0) {
    const bool bound = from.nat != 0 && !move.step.created && move.step.state != CtState::kInvalid;
    by_fate(from, sender, false, kind, move, ordinary, out, bound ? from.nat : std::uint16_t{0});
    if (!move.step.created || bindings_ == nullptr) return;
    for (const auto& [number, bound_guards] : *bindings_) {
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
  }
}

// Loopback: an INVALID packet is looked up again in PREROUTING. The same packet with the same
// numbers meets the same outcome; only the entry may remember it since the first lookup.
void Explorer::second_lookup(const FlowState& from, FlowEnd sender, PacketKind kind,
                             const Move& move, bool ordinary, std::vector<Edge>& out) {
  const std::vector<Move> again = automaton_.moves(move.lost, sender, kind);
  for (const Move& second : again) {
    if (second.step.condition == move.step.condition && second.step.state == move.step.state &&
        second.lost == move.lost) {
      return by_fate(from, sender, true, kind, second, ordinary, out);
    }
  }
  for (Move second : again) {
    second.step.coarse = true;
    by_fate(from, sender, true, kind, second, ordinary, out);
    if (second.step.created) announced(from, sender, kind, second, ordinary, out, true);
  }
}

void Explorer::by_fate(const FlowState& from, FlowEnd sender, bool again,
                       std::optional<PacketKind> kind, const Move& move, bool ordinary,
                       std::vector<Edge>& out, std::uint16_t through) {
  for (std::size_t f = 0; f < kFateCount; ++f) {
    const auto fate = static_cast<Fate>(f);
    if (fate == Fate::kElsewhere || !guards(sender, through).may_happen(again, fate)) continue;
    Edge edge;
    edge.through = through;
    edge.translated = through != 0 && sender != bindings_->at(through).nat.originator;
    edge.sender = sender;
    edge.step = move.step;
    edge.created = move.step.created;
    edge.coarse = move.step.coarse;
    edge.ordinary = ordinary;
    edge.what = {
        .again = again, .fate = fate, .sight = sight_of(move.step), .kind = kind, .must = must_};
    edge.to = from;
    switch (fate) {
      case Fate::kDelivered:
        edge.to.entry = move.kept;
        if (sender == FlowEnd::kInitiator) edge.to.reached = true;
        break;
      case Fate::kDropped:
        edge.to.entry = move.lost;
        break;
      case Fate::kReset:
        edge.to.entry = move.reset;
        break;
      case Fate::kDroppedConfirmed:
        edge.to.entry = move.kept;
        break;
      case Fate::kResetConfirmed:
        edge.to.entry = move.kept_reset;
        break;
      case Fate::kUnmodelled:
      case Fate::kElsewhere:
        break;
    }
    const bool stands = fate == Fate::kDelivered || fate == Fate::kDroppedConfirmed ||
                        fate == Fate::kResetConfirmed;
    if (move.step.created && stands) edge.to.nat = through;
    if (edge.to.entry == 0) edge.to.nat = 0;
    if (script_ != Script::kDeliver) edge.to.reached = true;
    out.push_back(std::move(edge));
  }
}

Set Explorer::begin(Set flows) {
  Bdd& bdd = space_.bdd();
  for (const unsigned v : space_.layout(Axis::kConnmark).variables) {
    flows = bdd.both(flows, bdd.literal(v, false));
  }
  return flows;
}

Set Explorer::parked(Set flows) {
  const auto& now = space_.layout(Axis::kConnmark).variables;
  if (now.empty()) return flows;
  Bdd::VariableMap map(space_.bdd().variables());
  std::iota(map.begin(), map.end(), 0u);
  const auto& before = space_.layout(Axis::kConnmarkBefore).variables;
  for (std::size_t i = 0; i < now.size(); ++i) map[now[i]] = before[i];
  return space_.bdd().rename(flows, map);
}

Set Explorer::carry(Set flows, Set guard, const Edge& edge) {
  Bdd& bdd = space_.bdd();
  if (space_.layout(Axis::kConnmark).variables.empty()) return bdd.both(flows, guard);
  if (edge.what.sight.foreign()) return bdd.both(flows, guard);
  const Set source = edge.created ? fresh(flows, edge) : flows;
  Set result = bdd.both_exists(parked(source), guard, space_.cube(kBefore));
  if (edge.to.entry == 0) result = begin(space_.exists(result, kNow));
  return result;
}

// The connmark that a new entry begins with.
Set Explorer::fresh(Set flows, const Edge& edge) {
  const Set all = space_.exists(flows, kNow);
  return is_announced(edge) && expected_.marked ? all : begin(all);
}

Set Explorer::narrowed(Set flows, const Edge& edge) {
  if (edge.what.sight.foreign()) return space_.bdd().both(flows, related_);
  if (is_announced(edge)) return space_.bdd().both(flows, expected_.by(edge.sender));
  if (edge.of == Edge::Of::kFlow) return flows;
  if (edge.of == Edge::Of::kStray) return space_.bdd().both(flows, strays_);
  return space_.bdd().both(space_.exists(flows, kNow), reopened_);  // with a connmark of its own
}

Set Explorer::image(Set flows, const Edge& edge) {
  return carry(narrowed(flows, edge), guards(edge).flows(edge.what), edge);
}

Set Explorer::image_of(Set flows, const Edge& edge, Set first) {
  Bdd& bdd = space_.bdd();
  const Set guard =
      bdd.both_exists(guards(edge).packets(edge.what), first, space_.cube(packet_axes()));
  return carry(narrowed(flows, edge), guard, edge);
}

Set Explorer::preimage(Set flows, const Edge& edge, Set target, Set only) {
  Bdd& bdd = space_.bdd();
  flows = narrowed(flows, edge);
  Set guard = only == kEverything ? guards(edge).flows(edge.what)
                                  : bdd.both_exists(guards(edge).packets(edge.what), only,
                                                    space_.cube(packet_axes()));
  if (space_.layout(Axis::kConnmark).variables.empty() || edge.what.sight.foreign()) {
    return bdd.both(bdd.both(flows, guard), target);
  }
  const Set wanted = edge.to.entry == 0 ? space_.exists(target, kNow) : target;
  guard = bdd.both_exists(guard, wanted, space_.cube(kNow));
  if (edge.created) {
    const Set from_zero = bdd.both(guard, parked(fresh(kEverything, edge)));
    return bdd.both(flows, space_.exists(from_zero, kBefore));
  }
  // The guard speaks of the connmark before; `flows` of the present one.
  const Set hit = bdd.both(parked(flows), guard);
  Bdd::VariableMap map(bdd.variables());
  std::iota(map.begin(), map.end(), 0u);
  const auto& now = space_.layout(Axis::kConnmark).variables;
  const auto& before = space_.layout(Axis::kConnmarkBefore).variables;
  for (std::size_t i = 0; i < now.size(); ++i) map[before[i]] = now[i];
  return bdd.rename(hit, map);
}

Set Explorer::packets(Set flows, const Edge& edge, Set target) {
  Bdd& bdd = space_.bdd();
  flows = narrowed(flows, edge);
  Set all = guards(edge).packets(edge.what);
  const bool marks = !space_.layout(Axis::kConnmark).variables.empty();
  if (marks && edge.what.sight.foreign()) {
    return space_.exists(bdd.both(all, bdd.both(flows, target)), kNow);
  }
  const Set wanted = marks && edge.to.entry == 0 ? space_.exists(target, kNow) : target;
  all = bdd.both(all, wanted);
  if (!marks) return bdd.both(all, flows);
  const Set source = edge.created ? fresh(flows, edge) : flows;
  const std::array both_marks{Axis::kConnmark, Axis::kConnmarkBefore};
  return bdd.both_exists(all, parked(source), space_.cube(both_marks));
}

void Explorer::add(Frontier& next, const FlowState& to, Set flows) {
  if (flows.empty()) return;
  Bdd& bdd = space_.bdd();
  const auto known = reached_.find(to);
  const Set fresh = known == reached_.end() ? flows : bdd.minus(flows, known->second);
  if (fresh.empty()) return;
  Set& place = next[to];
  place = bdd.either(place, fresh);
}

Frontier Explorer::step(const Frontier& from, bool waiting) {
  Bdd& bdd = space_.bdd();
  Frontier next;
  for (const auto& [state, flows] : from) {
    bdd.check_time();
    if (waiting) {
      if (state.entry != 0) add(next, {0, state.reached, 0}, begin(space_.exists(flows, kNow)));
      continue;
    }
    unmodelled_ = bdd.either(unmodelled_,
                             bdd.both(space_.exists(flows, kNow), initiator_.unmodelled_early()));
    if (state.reached) {
      unmodelled_ = bdd.either(unmodelled_,
                               bdd.both(space_.exists(flows, kNow), responder_.unmodelled_early()));
    }
    if (state.nat != 0) {
      for (const FlowEnd end : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
        unmodelled_ = bdd.either(unmodelled_, bdd.both(space_.exists(flows, kNow),
                                                       guards(end, state.nat).unmodelled_early()));
      }
    }
    for (const Edge& edge : edges(state)) {
      if (edge.coarse) continue;
      if (edge.what.fate == Fate::kUnmodelled) {
        unmodelled_ = bdd.either(unmodelled_, space_.exists(image(flows, edge), kNow));
      } else {
        add(next, edge.to, image(flows, edge));
      }
    }
  }
  for (const auto& [state, flows] : next) {
    Set& place = reached_[state];
    place = bdd.either(place, flows);
  }
  return next;
}

// The flow's first packet is one of `first`, sent by the initiator.
void Explorer::first_layer(Set flows, Set first) {
  Bdd& bdd = space_.bdd();
  const FlowState fresh{0, false};
  const Set start = begin(bdd.both(flows, space_.exists(first, packet_axes())));
  layers_.push_back({{fresh, start}});
  reached_[fresh] = start;
  Frontier next;
  const Set early =
      bdd.both_exists(initiator_.walk().early_unmodelled, first, space_.cube(packet_axes()));
  unmodelled_ = bdd.both(early, start);
  // A first packet that never comes to the lookup begins the flow as well.
  add(next, {0, true},
      begin(bdd.both_exists(initiator_.walk().early, first, space_.cube(packet_axes()))));
  for (const Edge& edge : edges(fresh)) {
    if (edge.coarse) continue;
    const Set image = image_of(start, edge, first);
    if (edge.what.fate == Fate::kUnmodelled) {
      unmodelled_ = bdd.either(unmodelled_, space_.exists(image, kNow));
    } else {
      add(next, edge.to, image);
    }
  }
  for (const auto& [state, set] : next) reached_[state] = set;
  layers_.push_back(std::move(next));
}

// Flows that an over-approximated outcome would take to a state where they have not been, or to
// which others may give a connmark that they have not had.
Set Explorer::coarse_leftovers() {
  Bdd& bdd = space_.bdd();
  Set result = kNothing;
  for (const auto& [state, flows] : reached_) {
    if (state.entry != 0 && !others_.empty()) {
      const Set marked = bdd.both_exists(parked(flows), others_, space_.cube(kBefore));
      result = bdd.either(result, space_.exists(bdd.minus(marked, flows), kNow));
    }
    if (script_ == Script::kTrack && !state.reached) continue;
    if (reopened_read_ && state.reached) {
      result = bdd.either(result, bdd.both(space_.exists(flows, kNow), reopened_));
    }
    for (const Edge& edge : edges(state)) {
      if (!edge.coarse) continue;
      const Set there = image(flows, edge);
      if (edge.what.fate == Fate::kUnmodelled) {
        result = bdd.either(result, space_.exists(there, kNow));
        continue;
      }
      const auto known = reached_.find(edge.to);
      const Set fresh = known == reached_.end() ? there : bdd.minus(there, known->second);
      result = bdd.either(result, space_.exists(fresh, kNow));
    }
  }
  return result;
}

Exploration Explorer::run(Set flows, Set first) {
  Bdd& bdd = space_.bdd();
  if (script_ == Script::kTrack) {
    first_layer(flows, first);
  } else {
    const FlowState fresh{0, script_ == Script::kFree};
    const Set start = begin(flows);
    reached_[fresh] = start;
    layers_.push_back({{fresh, start}});
  }
  std::size_t waited = 0;  // layers whose expiry has been followed
  while (true) {
    Frontier next = step(layers_.back(), false);
    if (next.empty()) {
      // Nothing new by packets: let entries of all layers expire.
      for (; next.empty() && waited < layers_.size(); ++waited) next = step(layers_[waited], true);
      if (next.empty()) break;
    }
    layers_.push_back(std::move(next));
  }
  if (!must_) unmodelled_ = bdd.either(unmodelled_, coarse_leftovers());
  Exploration result;
  result.unmodelled = unmodelled_;
  result.depth = static_cast<unsigned>(layers_.size()) - 1;
  for (const auto& [state, set] : reached_) {
    Reached r{.state = state, .flows = set, .by_depth = {}};
    for (const Frontier& layer : layers_) {
      const auto it = layer.find(state);
      r.by_depth.push_back(it == layer.end() ? kNothing : it->second);
    }
    result.states.push_back(std::move(r));
  }
  return result;
}

}  // namespace postern
