#include "symbolic/explore/explore.hpp"

#include <numeric>

namespace postern {
namespace {

constexpr std::array kNow{Axis::kConnmark};
constexpr std::array kBefore{Axis::kConnmarkBefore};

}  // namespace

Explorer::Explorer(Space& space, Automaton& automaton, Guards& initiator, Guards& responder,
                   Path path, bool tracking, Script script, bool must)
    : space_(space),
      edges_(automaton, initiator, responder, path, tracking, script, must),
      script_(script),
      must_(must) {}

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
  if (edge.of == Edge::Of::kRelated) {
    return bdd.both_exists(flows, guard, space_.cube(kBefore));
  }
  const Set source = edge.created ? fresh(flows, edge) : flows;
  Set result = bdd.both_exists(parked(source), guard, space_.cube(kBefore));
  if (edge.to.entry == 0) result = begin(space_.exists(result, kNow));
  return result;
}

// The connmark that a new entry begins with.
Set Explorer::fresh(Set flows, const Edge& edge) {
  const Set all = space_.exists(flows, kNow);
  return edge.of == Edge::Of::kAnnounced && expected_.marked ? all : begin(all);
}

// What may be announced to the zone of the edge's packet.
const ExpectedInZone& Explorer::expected_by(const Edge& edge) const {
  return expected_.in(space_.classes().zones.pairs()[edge.what.sight.zone].id());
}

Set Explorer::narrowed(Set flows, const Edge& edge) {
  if (edge.several) {
    flows =
        *edge.several ? space_.bdd().both(flows, several_) : space_.bdd().minus(flows, several_);
  }
  switch (edge.of) {
    case Edge::Of::kFlow:
      return flows;
    case Edge::Of::kRelated: {
      const auto at = related_.find(edge.through);
      if (at == related_.end()) return kNothing;
      const Set zone = space_.class_is(Axis::kZone, edge.what.sight.zone);
      return space_.bdd().both(flows, space_.bdd().restrict(at->second, zone));
    }
    case Edge::Of::kStray:
      return space_.bdd().both(flows, strays_);
    case Edge::Of::kAnnounced:
      return space_.bdd().both(flows, edge.follows_master
                                          ? expected_by(edge).following(edge.through)
                                          : expected_by(edge).by(edge.sender));
    case Edge::Of::kAstray:
      return space_.bdd().both(flows, edges_.comes_back(edge.through));
    case Edge::Of::kReopened:
      break;
  }
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
  if (space_.layout(Axis::kConnmark).variables.empty() || edge.of == Edge::Of::kRelated) {
    return bdd.both_exists(bdd.both(flows, target), guard, space_.cube(kBefore));
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

Set Explorer::quoting_packets(Set flows, const Edge& edge, Set target) {
  Bdd& bdd = space_.bdd();
  const Set all = guards(edge).packets(edge.what);
  return space_.exists(bdd.both(all, bdd.both(narrowed(flows, edge), target)), kNow);
}

Set Explorer::packets(Set flows, const Edge& edge, Set target) {
  if (edge.of == Edge::Of::kRelated) {
    return space_.exists(quoting_packets(flows, edge, target), kBefore);
  }
  Bdd& bdd = space_.bdd();
  flows = narrowed(flows, edge);
  Set all = guards(edge).packets(edge.what);
  const bool marks = !space_.layout(Axis::kConnmark).variables.empty();
  const Set wanted = marks && edge.to.entry == 0 ? space_.exists(target, kNow) : target;
  all = bdd.both(all, wanted);
  if (!marks) return bdd.both(all, flows);
  const Set source = edge.created ? fresh(flows, edge) : flows;
  const std::array both_marks{Axis::kConnmark, Axis::kConnmarkBefore};
  return bdd.both_exists(all, parked(source), space_.cube(both_marks));
}

Set Explorer::with_sharers(Set flows) {
  Bdd& bdd = space_.bdd();
  const Set some = bdd.both(flows, sharing_);
  if (some.empty()) return flows;
  constexpr std::array kOwn{Axis::kInitiatorPort, Axis::kResponderPort, Axis::kInitialMark};
  return bdd.either(flows, bdd.both(space_.exists(some, kOwn), sharing_));
}

void Explorer::add(Frontier& next, const FlowState& to, Set flows) {
  if (flows.empty()) return;
  Bdd& bdd = space_.bdd();
  if (to.entry != 0) flows = with_sharers(flows);
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
      for (const std::uint16_t left : edges_.after_expiry(state.entry)) {
        const Set unmarked = space_.exists(flows, kNow);
        add(next, {left, state.reached, 0}, left == 0 ? begin(unmarked) : flows);
      }
      continue;
    }
    unmodelled_ = bdd.either(unmodelled_, bdd.both(space_.exists(flows, kNow),
                                                   guards(FlowEnd::kInitiator).unmodelled_early()));
    if (state.reached) {
      unmodelled_ = bdd.either(
          unmodelled_,
          bdd.both(space_.exists(flows, kNow), guards(FlowEnd::kResponder).unmodelled_early()));
    }
    if (state.nat != 0) {
      for (const FlowEnd end : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
        unmodelled_ = bdd.either(unmodelled_, bdd.both(space_.exists(flows, kNow),
                                                       guards(end, state.nat).unmodelled_early()));
      }
    }
    for (const Edge& edge : edges(state)) {
      if (edge.coarse) continue;
      if (edge.unmodelled()) {
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
  const Set early = bdd.both_exists(guards(FlowEnd::kInitiator).walk().early_unmodelled, first,
                                    space_.cube(packet_axes()));
  unmodelled_ = bdd.both(early, start);
  // A first packet that never comes to the lookup begins the flow as well.
  add(next, {0, true},
      begin(bdd.both_exists(guards(FlowEnd::kInitiator).walk().early, first,
                            space_.cube(packet_axes()))));
  // So does one that is dropped while NAT leads it another way.
  if (!must_) add(next, {0, true}, bdd.both(start, strays_));
  for (const Edge& edge : edges(fresh)) {
    if (edge.coarse) continue;
    const Set image = image_of(start, edge, first);
    if (edge.unmodelled()) {
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
      if (!edge.coarse || edge.aside) continue;
      const Set there = image(flows, edge);
      if (edge.unmodelled()) {
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
    const FlowState fresh{0, script_ == Script::kFree || script_ == Script::kOpener};
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
