// Does a rule change which entries any sequence leaves (PST302)? Compares, in every state that a
// flow can have, where each packet leads with the rule and without it. Only flows that the rule can
// match count. Covered by tests/unit/structure_test.cpp.
#include "symbolic/explore/model_impl.hpp"

namespace postern {
namespace {

using Targets = std::map<std::uint16_t, Set>;

// Where the packets of `flows` lead from a state: packets by the entry afterwards.
Targets targets(Space& space, Explorer& explorer, const FlowState& state, Set flows) {
  Targets result;
  const bool connmarks = !space.layout(Axis::kConnmark).variables.empty();
  for (const Edge& edge : explorer.edges(state)) {
    if (edge.to.entry == state.entry && !connmarks) continue;
    Set& place = result[edge.to.entry];
    place = space.bdd().either(place, explorer.packets(flows, edge, kEverything));
  }
  std::erase_if(result, [](const auto& item) { return item.second.empty(); });
  return result;
}

}  // namespace

bool Model::Impl::same_entries_without(RuleId rule) {
  if (!tracking) return true;
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
    Set touched = kNothing;
    const RuleObserver observer = [&](const TableContext&, RuleId r, const AtRule& at) {
      if (r == rule) touched = bdd().either(touched, bdd().both(at.among, at.matching));
    };
    for (const FlowEnd sender : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
      walk_path(space, chains, program, path, sender, walk_options(), observer);
    }
    std::vector<unsigned> others;
    const Set flow_cube = space.cube(flow_axes());
    for (const unsigned v : bdd().support(touched)) {
      if (bdd().exists(bdd().literal(v), flow_cube) != kEverything) others.push_back(v);
    }
    const Set flows = bdd().both(bdd().exists(touched, bdd().cube(others)),
                                 flows_of(sendable(path, FlowEnd::kInitiator)));
    if (flows.empty()) continue;
    const auto guards_now = [&](FlowEnd sender) {
      const PathWalk walk =
          walk_path(space, chains, program, path, sender, walk_options(), {}, flows);
      return Guards(space, walk, sender, chains.has_coins());
    };
    Guards one = guards_now(FlowEnd::kInitiator), two = guards_now(FlowEnd::kResponder);
    chains.set_disabled(rule, true);
    std::optional<Guards> other_one, other_two;
    try {
      other_one.emplace(guards_now(FlowEnd::kInitiator));
      other_two.emplace(guards_now(FlowEnd::kResponder));
    } catch (const BudgetEnded&) {
      chains.set_disabled(rule, false);
      throw;
    }
    chains.set_disabled(rule, false);
    Explorer with(space, automaton, one, two, path, tracking, Script::kTrack, false);
    Explorer without(space, automaton, *other_one, *other_two, path, tracking, Script::kTrack,
                     false);
    if (space.classes().expects) {  // any of them: with the rule or without it
      ExpectedFlows any = announcements.of_anything();
      any.marked = true;
      with.expect(any);
      without.expect(any);
    }
    const Exploration world = with.run(flows, kEverything);
    if (!world.unmodelled.empty()) return false;
    for (const Reached& r : world.states) {
      const FlowState begun{r.state.entry, true};
      if (targets(space, with, begun, r.flows) != targets(space, without, begun, r.flows))
        return false;
    }
  }
  return true;
}

}  // namespace postern
