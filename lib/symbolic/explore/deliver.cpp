// `deliver` and `track`: what the fixpoint of a path's flows says (design.md 4, "Flows").
// Covered by tests/unit/flow_sets_test.cpp.
#include <algorithm>
#include <tuple>

#include "symbolic/explore/model_impl.hpp"
#include "symbolic/rules/routing.hpp"

namespace postern {
namespace {

// Flows from an address and port to themselves, as far as the classes tell. `surely`: they leave no
// choice. ICMP's requests and replies are never one tuple.
Set one_tuple(Space& space, bool surely) {
  Bdd& bdd = space.bdd();
  const auto same = [&](Axis a, Axis b) {
    Set result = kNothing;
    const auto& classes = space.layout(a).classes->classes;
    for (std::uint32_t i = 0; i < classes.size(); ++i) {
      const auto& in = classes[i].intervals;
      if (surely && (in.size() != 1 || in[0].lo != in[0].hi)) continue;
      result = bdd.either(result, bdd.both(space.class_is(a, i), space.class_is(b, i)));
    }
    return result;
  };
  const Set ports = space.protocols([](std::uint8_t p) { return has_ports(tracker_of(p)); });
  const Set icmp = space.protocols(
      [](std::uint8_t p) { return p == protocol::kIcmp || p == protocol::kIcmpv6; });
  const Set by_port =
      bdd.choose(ports, same(Axis::kInitiatorPort, Axis::kResponderPort), kEverything);
  return bdd.minus(bdd.both(same(Axis::kInitiator, Axis::kResponder), by_port), icmp);
}

// Delivered packets of the initiator, by the flows that are in a state where they can be sent.
// Edges that differ in nothing but where they come from are asked once.
class Delivered {
 public:
  Delivered(Space& space, Explorer& explorer, Set m, const Arrival& arrival)
      : space_(space), explorer_(explorer), m_(m), arrival_(arrival) {}

  Set of(const Frontier& layer, bool coarse, FlowEnd sender = FlowEnd::kInitiator) {
    Bdd& bdd = space_.bdd();
    std::map<std::tuple<Case, bool, std::uint16_t, Edge::Of, std::optional<bool>>,
             std::pair<Edge, Set>>
        asked;
    for (const auto& [state, flows] : layer) {
      for (const Edge& edge : explorer_.edges(state)) {
        if (edge.sender != sender || edge.what.fate != Fate::kDelivered || edge.coarse != coarse ||
            edge.translated || edge.aside || edge.open || edge.led) {
          continue;
        }
        auto& [one, from] =
            asked
                .try_emplace({edge.what, edge.created, edge.through, edge.of, edge.several}, edge,
                             kNothing)
                .first->second;
        from = bdd.either(from, flows);
      }
    }
    Set result = kNothing;
    for (const auto& [key, value] : asked) {
      Edge edge = value.first;
      edge.to.entry = 1;  // the connmark afterwards does not matter
      const Set hit = explorer_.packets(value.second, edge, kEverything);
      const Set here = bdd.both(space_.exists(hit, kNow), m_);
      const MayMust arrives = arrival_.of(edge);
      result = bdd.either(result, bdd.both(here, arrives.must));
      unsure_ = bdd.either(unsure_, bdd.both(here, bdd.minus(arrives.may, arrives.must)));
    }
    return result;
  }
  // ICMP errors that NAT leads on: they may be.
  Set led(const Frontier& layer) {
    Set result = kNothing;
    for (const auto& [state, flows] : layer) {
      for (const Edge& edge : explorer_.edges(state)) {
        if (!edge.led || edge.what.fate != Fate::kDelivered) continue;
        const Set hit = space_.exists(explorer_.packets(flows, edge, kEverything), kNow);
        result = space_.bdd().either(result, space_.bdd().both(hit, m_));
      }
    }
    return result;
  }
  // Of all that was asked: delivered, but perhaps elsewhere than asked for.
  Set unsure() const { return unsure_; }

 private:
  static constexpr std::array kNow{Axis::kConnmark};
  Space& space_;
  Explorer& explorer_;
  Set m_, unsure_ = kNothing;
  const Arrival& arrival_;
};

}  // namespace

// An expectation turns NEW into RELATED (kernel-facts 58): of these it is not known whether there
// can be one, and it might let something through.
Set Model::Impl::beyond(Path path, Set m) {
  const ExpectedFlows& known = expected(path, false);
  const ExpectedFlows& open = announcements.of(path, Announcements::Certainty::kUnmodelled);
  if (open.empty()) return kNothing;
  // ... and NAT takes it where it likes.
  Set result = kNothing;
  for (const auto& [id, here] : open.zones) {
    if (translations.some()) result = bdd().either(result, bdd().both(m, here.by_initiator));
  }
  if (translations.some()) return result;
  PathGuards& both = guards(path, flows_of(m));
  for (const FlowEnd sender : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
    Guards& end = sender == FlowEnd::kInitiator ? both.initiator : both.responder;
    for (const auto& [id, here] : open.zones) {
      const Set others = bdd().minus(here.by(sender), known.in(id).by(sender));
      const Set asked = bdd().both(m, others);
      if (asked.empty()) continue;
      result = bdd().either(result, bdd().both(asked, let_through_as_announced(end, id)));
    }
  }
  return result;
}

// Flows whose first packet gets further where an expectation in the zone makes it RELATED.
Set Model::Impl::let_through_as_announced(Guards& end, std::uint16_t id) {
  constexpr std::array kMarks{Axis::kConnmark, Axis::kConnmarkBefore};
  Case first{.again = false,
             .fate = Fate::kDelivered,
             .sight = {.state = CtState::kRelated, .first = true, .expected = true},
             .kind = std::nullopt,
             .must = false};
  Set result = kNothing;
  const auto add = [&] {
    for (const Fate fate :
         {Fate::kDelivered, Fate::kDroppedConfirmed, Fate::kResetConfirmed, Fate::kUnmodelled}) {
      first.fate = fate;
      result = bdd().either(result, space.exists(end.flows(first), kMarks));
    }
  };
  for (std::uint8_t zone = 0; zone < automaton.pairs(); ++zone) {
    if (automaton.zones().pairs()[zone].id() != id) continue;
    first.sight.zone = zone;
    first.again = false;
    add();
    // Over lo, what was INVALID in OUTPUT may be announced in PREROUTING from another zone.
    first.again = automaton.pairs() > 1;
    for (first.first_zone = 0; first.again && first.first_zone < automaton.pairs();
         ++first.first_zone) {
      add();
    }
    first.first_zone = 0;
  }
  return result;
}

void Model::Impl::route(Path path, Triple& answer, std::vector<Set>& may, std::vector<Set>& must) {
  const bool moved = moves_destination(path);
  const Set host = depends_on_host(space, path, moved);
  const Set unsure = moved ? bdd().either(host, odd_when_moved(space, path)) : host;
  answer.unmodelled = bdd().either(answer.unmodelled, bdd().both(answer.may, unsure));
  answer.may = bdd().minus(answer.may, unsure);
  answer.must = bdd().minus(answer.must, unsure);
  for (Set& layer : may) layer = bdd().minus(layer, unsure);
  for (Set& layer : must) layer = bdd().minus(layer, unsure);
}

Set Model::Impl::own_tuple(Path path) {
  return to_itself(path) ? one_tuple(space, true) : kNothing;
}

Set Model::Impl::may_be_own_tuple(Path path) {
  return to_itself(path) ? bdd().either(one_tuple(space, false), answered_over_lo(path)) : kNothing;
}

// IPv6 takes a packet from an address of its own off a wire, and answers it over lo: the sets,
// where both directions have one way, do not follow that.
Set Model::Impl::answered_over_lo(Path path) {
  const bool may_be = path == Path::kIn && program.ruleset().family == Family::kIpv6;
  return may_be ? space.from_itself() : kNothing;
}

// Where a flow from an address and port to themselves may be: not on a wire to or from this host in
// IPv4, nor on one that leaves it (routing.hpp).
bool Model::Impl::to_itself(Path path) const {
  if (!tracking || path == Path::kOut) return false;
  return path != Path::kIn || program.ruleset().family == Family::kIpv6;
}

Set Model::Impl::one_tuple_in_zones(Path path, Set flows) {
  if (!to_itself(path) || automaton.pairs() == 1) return kNothing;
  Set own = bdd().both(flows, one_tuple(space, false));
  if (path == Path::kForward) {  // one address is behind one interface
    own = bdd().both(own, by_one_interface(space));
  }
  if (own.empty()) return own;
  return bdd().both(own, zones_of(path, flows).several);
}

Set Model::Impl::with_entry(const Exploration& world, const Arrival& asked) {
  const std::array now{Axis::kConnmark};
  Set result = world.unmodelled;
  for (const Reached& r : world.states) {
    if (r.state.entry == 0) continue;
    // (What is INVALID to a bound entry goes as it was sent: the search itself follows that.)
    const Set there = asked.under(r.state.nat).may;
    result = bdd().either(result, bdd().both(space.exists(r.flows, now), there));
  }
  return result;
}

// To conntrack every packet of such a flow after its first is an answer, whether the first arrived
// or not: each is a packet of both ends, and both speak as soon as the first was sent.
Set Model::Impl::delivered_to_itself(Path path, Set m, const Exploration& world,
                                     const Arrival& asked) {
  if (!to_itself(path)) return kNothing;
  const Set own = bdd().both(m, bdd().either(one_tuple(space, false), answered_over_lo(path)));
  const Set shared = sharers(path, flows_of(own));
  // On a wire an answer comes by the interface of the request, which the sets do not follow.
  if (path != Path::kLoopback) {
    if (own.empty()) return own;
    const Set others = with_entry(shared_world(path, shared, Script::kDeliver), asked);
    return bdd().both(own, bdd().either(with_entry(world, asked), others));
  }
  // The far end's packets have no mark in the sets; here they may.
  if (own.empty() || !space.layout(Axis::kInitialMark).bits.empty()) return own;
  const Set flows = bdd().either(flows_of(own), shared);
  Explorer search = explorer(path, bdd().either(flows_of(m), shared), Script::kTrack, false, true);
  search.share_entries(shared);
  search.expect(expected(path, false));
  const Exploration both = search.run(flows, kEverything);
  Delivered delivered(space, search, own, asked);
  Set result = bdd().both(own, bdd().either(both.unmodelled, one_tuple_in_zones(path, flows)));
  for (const Frontier& layer : search.layers()) {
    for (const FlowEnd sender : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
      for (const bool coarse : {false, true}) {
        result = bdd().either(result, delivered.of(layer, coarse, sender));
      }
    }
  }
  return bdd().either(result, delivered.unsure());
}

// What the search says of a flow to itself is never a yes.
void Model::Impl::take_out(Set surely_own, Triple& answer, std::vector<Set>& may,
                           std::vector<Set>& must) {
  if (surely_own.empty()) return;
  answer.may = bdd().minus(answer.may, surely_own);
  answer.must = bdd().minus(answer.must, surely_own);
  for (Set& layer : may) layer = bdd().minus(layer, surely_own);
  for (Set& layer : must) layer = bdd().minus(layer, surely_own);
}

// What takes another flow to announce it comes last.
std::vector<Model::Impl::Search> Model::Impl::searches(Path path) {
  std::vector<Search> result;
  for (const bool must : {false, true}) {
    result.push_back({must, false});
    if (!expected(path, must).empty()) result.push_back({must, true});
  }
  return result;
}

Set Model::Impl::may_arrive(Path path, const Arrival& asked) {
  const auto other = [&](RuleId rule) {
    const Effect* effect = std::get_if<Effect>(&program.rules()[rule].rule->action);
    return effect == nullptr || !std::holds_alternative<Nat>(*effect);
  };
  // (Over lo rules of PREROUTING may lead on what was INVALID in OUTPUT.)
  const bool sure = path != Path::kLoopback && translations.all_followed() &&
                    chains.opaque_targets() == 0 &&
                    std::ranges::none_of(chains.unmodelled_rules(), other);
  return sure ? asked.anyhow() : kEverything;
}

// One search for what is delivered, with or without expectations; adds to the answer.
void Model::Impl::deliver(Path path, Set m, Set flows, const Arrival& arrival, Search how,
                          DeliverAnswer& answer) {
  const bool must = how.must, expecting = how.expecting;
  const RelatedErrors quoting = related(path, m, must);
  if (quoting.by_nat.contains(translations.number_of_errors(path))) lead_errors(path, flows_of(m));
  Explorer search = explorer(path, flows_of(m), Script::kDeliver, must, true);
  search.allow_related(quoting.by_nat);
  search.lose_turned();
  if (expecting) search.expect(expected(path, must));
  if (!must) answer.related = quoting.by_nat;
  Exploration& world = must ? answer.must : answer.may;
  world = search.run(flows, kEverything);
  Delivered delivered(space, search, m, arrival);
  Set& all = must ? answer.packets.must : answer.packets.may;
  Set coarse = kNothing;
  for (const Frontier& layer : search.layers()) {
    const Set here = bdd().minus(delivered.of(layer, false), all);
    all = bdd().either(all, here);
    (must ? answer.must_by_depth : answer.by_depth).push_back(here);
    if (!must) coarse = bdd().either(coarse, delivered.of(layer, true));
    if (!must) answer.led = bdd().either(answer.led, delivered.led(layer));
  }
  if (must) return;
  coarse = bdd().either(bdd().either(coarse, delivered.unsure()), answer.led);
  const Set parents = bdd().both(m, quoting.unmodelled);
  answer.errors_unchecked = !bdd().disjoint(m, quoting.unchecked);
  // An error goes to where the flow that it quotes does.
  const Set there = bdd().either(may_arrive(path, arrival), carriers(FlowEnd::kInitiator, false));
  const PathWalk& walk = search.guards(FlowEnd::kInitiator).walk();
  const Set together = bdd().minus(bdd().either(walk.joined, walk.pieces), all);
  const Set open = bdd().both(bdd().both(m, there), bdd().either(world.unmodelled, together));
  answer.packets.unmodelled = bdd().either(open, bdd().minus(bdd().either(coarse, parents), all));
}

Set Model::Impl::delivered_by_sharers(Path path, Set m, const Arrival& asked, Script script) {
  const Set flows = sharers(path, flows_of(m));
  if (flows.empty()) return flows;
  Explorer search = explorer(path, flows, script, false, true);
  search.share_entries(flows);
  search.lose_turned();
  const Exploration world = search.run(flows, kEverything);
  Delivered delivered(space, search, m, asked);
  Set result = bdd().both(m, bdd().both(world.unmodelled, may_arrive(path, asked)));
  for (const Frontier& layer : search.layers()) {
    for (const bool coarse : {false, true}) {
      result = bdd().either(result, delivered.of(layer, coarse));
    }
  }
  return bdd().either(result, delivered.unsure());
}

DeliverAnswer Model::Impl::deliver(Path path, Set m, const PredicatePtr& to) {
  const Arrival asked = arrival(path, to);
  DeliverAnswer answer;
  const Set beyond_us = beyond(path, m);
  const Set flows = bdd().minus(flows_of(m), flows_of(beyond_us));
  for (const Search how : searches(path)) deliver(path, m, flows, asked, how, answer);
  const Set shared = delivered_by_sharers(path, m, asked, Script::kDeliver);
  answer.packets.unmodelled = bdd().either(
      answer.packets.unmodelled, bdd().either(beyond_us, bdd().minus(shared, answer.packets.may)));
  const Set later = bdd().minus(answer.packets.may, answer.by_depth.front());
  const Set found = bdd().either(bdd().both(answer.packets.may, own_tuple(path)),
                                 bdd().both(later, answered_over_lo(path)));
  take_out(found, answer.packets, answer.by_depth, answer.must_by_depth);
  const Set open = bdd().minus(delivered_to_itself(path, m, answer.may, asked), answer.packets.may);
  const Set own = bdd().either(found, open);
  answer.to_itself = bdd().minus(own, answer.packets.unmodelled);
  answer.packets.unmodelled = bdd().either(answer.packets.unmodelled, own);
  route(path, answer.packets, answer.by_depth, answer.must_by_depth);
  return answer;
}

TrackAnswer Model::Impl::track(Path path, Set m, const std::string& entry_state,
                               const PredicatePtr& to) {
  TrackAnswer answer;
  const Arrival asked = arrival(path, to);
  const Set all_flows = flows_of(m), beyond_us = flows_of(beyond(path, m));
  const Set flows = bdd().minus(all_flows, beyond_us);
  const std::array now{Axis::kConnmark};
  for (const Search& how : searches(path)) {
    const bool must = how.must, expecting = how.expecting;
    Explorer search = explorer(path, all_flows, Script::kTrack, must, true);
    if (expecting) search.expect(expected(path, must));
    Exploration& world = must ? answer.must : answer.may;
    world = search.run(flows, m);
    Set& all = must ? answer.flows.must : answer.flows.may;
    Set unsure = kNothing;
    for (const Frontier& layer : search.layers()) {
      Set here = kNothing;
      for (const auto& [state, set] : layer) {
        if (!wanted(state.entry, entry_state)) continue;
        const MayMust leads = asked.under(state.nat);
        const Set flows_here = space.exists(set, now);
        here = bdd().either(here, bdd().both(flows_here, leads.must));
        unsure = bdd().either(unsure, bdd().both(flows_here, bdd().minus(leads.may, leads.must)));
      }
      here = bdd().minus(here, all);
      all = bdd().either(all, here);
      (must ? answer.must_by_depth : answer.by_depth).push_back(here);
    }
    if (must) continue;
    const Set open = bdd().both(world.unmodelled, may_arrive(path, asked));
    answer.flows.unmodelled = bdd().either(bdd().either(open, beyond_us), bdd().minus(unsure, all));
  }
  const Set shared = tracked_by_sharers(path, m, entry_state, asked);
  answer.flows.unmodelled =
      bdd().either(answer.flows.unmodelled, bdd().minus(shared, answer.flows.may));
  // Over lo a flow to itself is covered: both ends are free. On a wire they have one interface.
  const Set over_lo = answered_over_lo(path);
  Set own = bdd().both(answer.flows.may, bdd().either(own_tuple(path), over_lo));
  take_out(own, answer.flows, answer.by_depth, answer.must_by_depth);
  if (path != Path::kLoopback && to_itself(path)) {
    const Set maybe = bdd().both(all_flows, bdd().either(one_tuple(space, false), over_lo));
    if (!maybe.empty()) {
      const Exploration others = shared_world(path, sharers(path, maybe), Script::kTrack);
      const Set found = bdd().either(with_entry(answer.may, asked), with_entry(others, asked));
      own = bdd().either(own, bdd().both(maybe, found));
    }
  }
  own = bdd().either(own, one_tuple_in_zones(path, all_flows));
  answer.flows.unmodelled =
      bdd().either(answer.flows.unmodelled, bdd().minus(own, answer.flows.may));
  route(path, answer.flows, answer.by_depth, answer.must_by_depth);
  return answer;
}

}  // namespace postern
