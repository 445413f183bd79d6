// Flows that share one conntrack entry: of a protocol whose ports are in no key (DCCP has no
// tracker of its own since Linux 6.16), all that differ in their ports alone.
//
// Idea: the fixpoint is by flow, ports included, so that an entry never serves another port. Where
// some rule tells such ports apart, a second search takes each state that one flow gets to for all
// of them (Explorer::share_entries()): what is let through there alone is `unknown`, as no witness
// has packets of two flows. Where no rule does, all of them have one fate already.
// Covered by tests/unit/dccp_test.cpp.
#include <algorithm>

#include "symbolic/explore/model_impl.hpp"

namespace postern {
namespace {

constexpr std::array kNow{Axis::kConnmark};
constexpr std::array kOwn{Axis::kInitiatorPort, Axis::kResponderPort, Axis::kInitialMark};

bool tests_ports(const Clause& clause) {
  return mentions(*clause.predicate, Field::kSourcePort) ||
         mentions(*clause.predicate, Field::kDestinationPort);
}

}  // namespace

Set Model::Impl::entries_without_ports() {
  if (without_ports) return *without_ports;
  static_assert(!has_ports(tracker_of(protocol::kDccp)));
  const Set dccp = space.may_be(Axis::kProtocol, protocol::kDccp);
  const auto may_be_dccp = [&](const Clause& clause) {
    return !mentions(*clause.predicate, Field::kProtocol) ||
           !bdd().disjoint(reader.read(clause.predicate, Binding{}).may, dccp);
  };
  const bool told_apart = std::ranges::any_of(program.rules(), [&](const ProgramRule& rule) {
    const auto& clauses = rule.rule->clauses;
    return std::ranges::any_of(clauses, tests_ports) && std::ranges::all_of(clauses, may_be_dccp);
  });
  without_ports = tracking && told_apart ? dccp : Set{kNothing};
  return *without_ports;
}

Set Model::Impl::sharers(Path path, Set flows) {
  const Set some = bdd().both(flows, entries_without_ports());
  if (some.empty()) return some;
  return bdd().both(space.exists(some, kOwn), flows_of(sendable(path, FlowEnd::kInitiator)));
}

Exploration Model::Impl::shared_world(Path path, Set flows, Script script) {
  if (flows.empty()) return {{}, kNothing, 0};
  Explorer search = explorer(path, flows, script, false, true);
  search.share_entries(flows);
  return search.run(flows, kEverything);
}

Set Model::Impl::connected_by_sharers(Path path, Set m, const Arrival& asked) {
  const Set there = flows_of(delivered_by_sharers(path, m, asked, Script::kTrack));
  const Set flows = sharers(path, there);
  if (flows.empty()) return flows;
  Explorer search = explorer(path, flows, Script::kTrack, false, true);
  search.share_entries(flows);
  const Exploration world = search.run(flows, kEverything);
  Set answered = world.unmodelled;
  for (const Reached& r : world.states) {
    for (const Edge& edge : search.edges(r.state)) {
      if (edge.sender != FlowEnd::kResponder) continue;
      if (edge.what.fate != Fate::kDelivered && !edge.unmodelled()) continue;
      answered = bdd().either(answered, space.exists(search.image(r.flows, edge), kNow));
    }
  }
  return bdd().both(there, answered);
}

Set Model::Impl::tracked_by_sharers(Path path, Set m, const std::string& entry_state,
                                    const Arrival& asked) {
  const Set own = flows_of(m), flows = sharers(path, own);
  if (flows.empty()) return flows;
  Explorer search = explorer(path, flows, Script::kTrack, false, true);
  search.share_entries(flows);
  const Exploration world = search.run(flows, bdd().either(m, bdd().minus(flows, own)));
  Set result = bdd().both(world.unmodelled, may_arrive(path, asked));
  for (const Reached& r : world.states) {
    if (!wanted(r.state.entry, entry_state)) continue;
    const Set there = asked.under(r.state.nat).may;
    result = bdd().either(result, bdd().both(space.exists(r.flows, kNow), there));
  }
  return bdd().both(result, own);
}

Set Model::Impl::parents_by_sharers(Path path, Set all, const Exploration& world) {
  const Exploration shared = shared_world(path, sharers(path, all), Script::kDeliver);
  Set result = shared.unmodelled;
  for (const Reached& r : shared.states) {
    if (r.state.entry == 0) continue;
    const auto known = std::ranges::find(world.states, r.state, &Reached::state);
    const Set more = known == world.states.end() ? r.flows : bdd().minus(r.flows, known->flows);
    result = bdd().either(result, space.exists(more, kNow));
  }
  return result;
}

}  // namespace postern
