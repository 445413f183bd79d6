// `deliver` and `track`: what the fixpoint of a path's flows says (design.md 4, "Flows").
// Covered by tests/unit/flow_sets_test.cpp.
#include <algorithm>
#include <tuple>

#include "symbolic/model_impl.hpp"
#include "symbolic/routing.hpp"

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
  const Set ports = space.class_set_if(Axis::kProtocol, [](const ValueClass& c) {
    return has_ports(tracker_of(static_cast<std::uint8_t>(c.canonical)));
  });
  const Set icmp = space.class_set_if(Axis::kProtocol, [](const ValueClass& c) {
    return c.canonical == protocol::kIcmp || c.canonical == protocol::kIcmpv6;
  });
  const Set by_port =
      bdd.choose(ports, same(Axis::kInitiatorPort, Axis::kResponderPort), kEverything);
  return bdd.minus(bdd.both(same(Axis::kInitiator, Axis::kResponder), by_port), icmp);
}

// Delivered packets of the initiator, by the flows that are in a state where they can be sent.
// Edges that differ in nothing but where they come from are asked once.
class Delivered {
 public:
  Delivered(Space& space, Explorer& explorer, Set m) : space_(space), explorer_(explorer), m_(m) {}

  Set of(const Frontier& layer, bool coarse, FlowEnd sender = FlowEnd::kInitiator) {
    Bdd& bdd = space_.bdd();
    std::map<std::tuple<Case, bool, std::uint16_t, Edge::Of>, std::pair<Edge, Set>> asked;
    for (const auto& [state, flows] : layer) {
      for (const Edge& edge : explorer_.edges(state)) {
        if (edge.sender != sender || edge.what.fate != Fate::kDelivered || edge.coarse != coarse ||
            edge.translated) {
          continue;
        }
        auto& [one, from] =
            asked.try_emplace({edge.what, edge.created, edge.through, edge.of}, edge, kNothing)
                .first->second;
        from = bdd.either(from, flows);
      }
    }
    Set result = kNothing;
    for (const auto& [key, value] : asked) {
      Edge edge = value.first;
      edge.to.entry = 1;  // the connmark afterwards does not matter
      const Set hit = explorer_.packets(value.second, edge, kEverything);
      result = bdd.either(result, bdd.both(space_.exists(hit, kNow), m_));
    }
    return result;
  }

 private:
  static constexpr std::array kNow{Axis::kConnmark};
  Space& space_;
  Explorer& explorer_;
  Set m_;
};

}  // namespace

// On lo the other port shows from POSTROUTING on, in the same packet. Flows meet clashes there only
// where NAT rules bind some.
Set Model::Impl::clash_on_loopback(Path path, Set m) {
  if (path != Path::kLoopback || !tracking || !translations.some() || m.empty()) return kNothing;
  const bool seen = std::ranges::any_of(program.rules(), [](const ProgramRule& rule) {
    return std::ranges::any_of(rule.rule->clauses, [](const Clause& clause) {
      constexpr std::array kTold{Field::kSourcePort, Field::kDestinationPort, Field::kCtStatus,
                                 Field::kCtReplySourcePort, Field::kCtReplyDestinationPort};
      return std::ranges::any_of(
          kTold, [&](Field field) { return tests_field(*clause.predicate, field); });
    });
  });
  if (!seen) return kNothing;
  PathGuards& all = guards(path, flows_of(sendable(path, FlowEnd::kInitiator)));
  if (all.initiator.walk().direct[Fate::kUnmodelled].empty()) return kNothing;
  return bdd().both(m, space.class_set_if(Axis::kProtocol, [](const ValueClass& c) {
    return has_ports(tracker_of(static_cast<std::uint8_t>(c.canonical)));
  }));
}

Set Model::Impl::beyond(Path path, Set m) {
  const Set flows = flows_of(m);
  Set result = kNothing;
  const bool helper = std::ranges::any_of(program.rules(), [&](const ProgramRule& rule) {
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    if (effect == nullptr) return false;
    if (const auto* ct = std::get_if<AttachTemplate>(effect)) return !ct->helper.empty();
    // A target of raw that nobody knows may be a helper's.
    return std::holds_alternative<OpaqueTarget>(*effect) &&
           program.chains()[rule.chain].table == TableName::kRaw;
  });
  if (!helper) return result;
  if (translations.some()) return m;  // ... and NAT takes it where it likes
  // An expectation that anyone may have made turns NEW into RELATED (kernel-facts 58).
  PathGuards& both = guards(path, flows);
  for (Guards* end : {&both.initiator, &both.responder}) {
    for (const Fate fate :
         {Fate::kDelivered, Fate::kDroppedConfirmed, Fate::kResetConfirmed, Fate::kUnmodelled}) {
      const Case expected{.again = false,
                          .fate = fate,
                          .sight = {.state = CtState::kRelated},
                          .kind = std::nullopt,
                          .must = false};
      result = bdd().either(result, bdd().both(m, end->flows(expected)));
    }
  }
  return result;
}

void Model::Impl::route(Path path, Triple& answer, std::vector<Set>& may, std::vector<Set>& must) {
  const Set unsure = depends_on_host(space, path),
            own = translations.moves_destination(path) ? kNothing : own_address(space, path);
  answer.unmodelled = bdd().either(answer.unmodelled, bdd().both(answer.may, unsure));
  answer.unmodelled = bdd().minus(answer.unmodelled, own);
  const Set out = bdd().either(unsure, own);
  answer.may = bdd().minus(answer.may, out);
  answer.must = bdd().minus(answer.must, out);
  for (Set& layer : may) layer = bdd().minus(layer, out);
  for (Set& layer : must) layer = bdd().minus(layer, out);
}

Set Model::Impl::own_tuple(Path path) {
  return to_itself(path) ? one_tuple(space, true) : kNothing;
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
  const auto& pairs = space.classes().zones.pairs();
  if (!to_itself(path) || pairs.size() == 1) return kNothing;
  Set own = bdd().both(flows, one_tuple(space, false));
  if (path == Path::kForward) {  // one address is behind one interface
    Set same = kNothing;
    for (std::uint32_t i = 0; i < space.classes().interface.count(); ++i) {
      same = bdd().either(same, bdd().both(space.class_is(Axis::kInitiatorInterface, i),
                                           space.class_is(Axis::kResponderInterface, i)));
    }
    own = bdd().both(own, same);
  }
  if (own.empty()) return own;
  PathGuards& both = guards(path, flows);
  Set result = kNothing, before = kNothing;
  for (std::uint8_t pair = 0; pair < pairs.size(); ++pair) {
    const Set here = bdd().either(both.initiator.flows_in(pair), both.responder.flows_in(pair));
    const bool one_way = pairs[pair].original != pairs[pair].reply;
    result = bdd().either(result, one_way ? here : bdd().both(here, before));
    before = bdd().either(before, here);
  }
  return bdd().both(own, result);
}

Set Model::Impl::with_entry(const Exploration& world) {
  const std::array now{Axis::kConnmark};
  Set result = world.unmodelled;
  for (const Reached& r : world.states) {
    if (r.state.entry != 0) result = bdd().either(result, space.exists(r.flows, now));
  }
  return result;
}

// To conntrack every packet of such a flow after its first is an answer, whether the first arrived
// or not: each is a packet of both ends, and both speak as soon as the first was sent.
Set Model::Impl::delivered_to_itself(Path path, Set m, const Exploration& world) {
  if (!to_itself(path)) return kNothing;
  const Set own = bdd().both(m, bdd().either(one_tuple(space, false), answered_over_lo(path)));
  // On a wire an answer comes by the interface of the request, which the sets do not follow.
  if (path != Path::kLoopback) {
    return own.empty() ? own : bdd().both(own, with_entry(world));
  }
  // The far end's packets have no mark in the sets; here they may.
  if (own.empty() || !space.layout(Axis::kInitialMark).bits.empty()) return own;
  const Set flows = flows_of(own);
  Explorer search = explorer(path, flows_of(m), Script::kTrack, false);
  const Exploration both = search.run(flows, kEverything);
  Delivered delivered(space, search, own);
  Set result = bdd().both(own, bdd().either(both.unmodelled, one_tuple_in_zones(path, flows)));
  for (const Frontier& layer : search.layers()) {
    for (const FlowEnd sender : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
      for (const bool coarse : {false, true}) {
        result = bdd().either(result, delivered.of(layer, coarse, sender));
      }
    }
  }
  return result;
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

DeliverAnswer Model::Impl::deliver(Path path, Set m) {
  DeliverAnswer answer;
  const Set all_flows = flows_of(m), beyond_us = beyond(path, m);
  const Set flows = bdd().minus(all_flows, flows_of(beyond_us));
  for (const bool must : {false, true}) {
    Explorer search = explorer(path, all_flows, Script::kDeliver, must, true);
    const RelatedErrors quoting = related(path, m, must);
    search.allow_related(quoting.by_nat);
    if (!must) answer.related = quoting.by_nat;
    Exploration& world = must ? answer.must : answer.may;
    world = search.run(flows, kEverything);
    Delivered delivered(space, search, m);
    Set all = kNothing, coarse = kNothing;
    for (const Frontier& layer : search.layers()) {
      const Set here = bdd().minus(delivered.of(layer, false), all);
      all = bdd().either(all, here);
      (must ? answer.must_by_depth : answer.by_depth).push_back(here);
      if (!must) coarse = bdd().either(coarse, delivered.of(layer, true));
    }
    (must ? answer.packets.must : answer.packets.may) = all;
    if (!must) {
      const Set parents = bdd().both(m, quoting.unmodelled);
      answer.packets.unmodelled = bdd().either(bdd().both(m, world.unmodelled), beyond_us);
      answer.packets.unmodelled =
          bdd().either(answer.packets.unmodelled, bdd().minus(bdd().either(coarse, parents), all));
    }
  }
  const Set later = bdd().minus(answer.packets.may, answer.by_depth.front());
  const Set found = bdd().either(bdd().both(answer.packets.may, own_tuple(path)),
                                 bdd().both(later, answered_over_lo(path)));
  take_out(found, answer.packets, answer.by_depth, answer.must_by_depth);
  const Set open = bdd().minus(delivered_to_itself(path, m, answer.may), answer.packets.may);
  answer.packets.unmodelled = bdd().either(answer.packets.unmodelled, bdd().either(found, open));
  const Set clash = bdd().minus(clash_on_loopback(path, m), answer.packets.may);
  answer.packets.unmodelled = bdd().either(answer.packets.unmodelled, clash);
  route(path, answer.packets, answer.by_depth, answer.must_by_depth);
  return answer;
}

TrackAnswer Model::Impl::track(Path path, Set m, const std::string& entry_state) {
  TrackAnswer answer;
  const Set all_flows = flows_of(m), beyond_us = flows_of(beyond(path, m));
  const Set flows = bdd().minus(all_flows, beyond_us);
  const std::array now{Axis::kConnmark};
  for (const bool must : {false, true}) {
    Explorer search = explorer(path, all_flows, Script::kTrack, must, true);
    Exploration& world = must ? answer.must : answer.may;
    world = search.run(flows, m);
    Set all = kNothing;
    for (const Frontier& layer : search.layers()) {
      Set here = kNothing;
      for (const auto& [state, set] : layer) {
        if (wanted(state.entry, entry_state)) here = bdd().either(here, space.exists(set, now));
      }
      here = bdd().minus(here, all);
      all = bdd().either(all, here);
      (must ? answer.must_by_depth : answer.by_depth).push_back(here);
    }
    (must ? answer.flows.must : answer.flows.may) = all;
    if (!must) answer.flows.unmodelled = bdd().either(world.unmodelled, beyond_us);
  }
  // Over lo a flow to itself is covered: both ends are free. On a wire they have one interface.
  const Set over_lo = answered_over_lo(path);
  Set own = bdd().both(answer.flows.may, bdd().either(own_tuple(path), over_lo));
  take_out(own, answer.flows, answer.by_depth, answer.must_by_depth);
  if (path != Path::kLoopback && to_itself(path)) {
    const Set maybe = bdd().both(all_flows, bdd().either(one_tuple(space, false), over_lo));
    if (!maybe.empty()) own = bdd().either(own, bdd().both(maybe, with_entry(answer.may)));
  }
  own = bdd().either(own, one_tuple_in_zones(path, all_flows));
  answer.flows.unmodelled =
      bdd().either(answer.flows.unmodelled, bdd().minus(own, answer.flows.may));
  const Set clash = bdd().minus(flows_of(clash_on_loopback(path, m)), answer.flows.may);
  answer.flows.unmodelled = bdd().either(answer.flows.unmodelled, clash);
  route(path, answer.flows, answer.by_depth, answer.must_by_depth);
  return answer;
}

}  // namespace postern
