// Does a rule change which entries any sequence leaves (PST302)? Compares, in every state that a
// flow can have, where each packet leads with the rule and without it. Only flows that the rule can
// match count. A socket may set any mark (SO_MARK): behind the lookup that is a coin in both walks,
// but where a coin decides before it whether a packet is tracked, nothing is called the same.
// Covered by tests/unit/structure_test.cpp.
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

bool names_mark(const Rule& rule) {
  return std::ranges::any_of(
      rule.clauses, [](const Clause& clause) { return mentions(*clause.predicate, Field::kMark); });
}

}  // namespace

// Packets before the lookup of which the text does not tell whether they match the rule, where
// that decides anything.
Set Model::Impl::undecided(RuleId rule, const Binding& binding) {
  const Rule& here = *program.rules()[rule].rule;
  const auto* effect = std::get_if<Effect>(&here.action);
  const bool idle = effect != nullptr && std::holds_alternative<Annotate>(*effect);
  if (!binding.before_lookup || idle) return kNothing;
  const MayMust condition = chains.condition(rule, binding);
  if (binding.any_mark && names_mark(here)) return condition.may;
  return bdd().minus(condition.may, condition.must);
}

bool Model::Impl::same_entries_without(RuleId rule) {
  if (!tracking) return true;
  WalkOptions how = walk_options();
  how.any_mark = true;
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
    Set touched = kNothing, open = kNothing;
    const RuleObserver observer = [&](const TableContext& context, RuleId r, const AtRule& at) {
      if (r == rule) touched = bdd().either(touched, bdd().both(at.among, at.matching));
      const Set coin = bdd().both(at.reaching, undecided(r, context.binding));
      if (!coin.empty()) open = bdd().either(open, bdd().both(at.among, coin));
    };
    for (const FlowEnd sender : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
      walk_path(space, chains, program, path, sender, how, observer);
    }
    std::vector<unsigned> others;
    const Set flow_cube = space.cube(flow_axes());
    for (const unsigned v : bdd().support(touched)) {
      if (bdd().exists(bdd().literal(v), flow_cube) != kEverything) others.push_back(v);
    }
    Set flows = bdd().both(bdd().exists(touched, bdd().cube(others)),
                           flows_of(sendable(path, FlowEnd::kInitiator)));
    if (flows.empty()) continue;
    const Set sharing = sharers(path, flows);
    flows = bdd().either(flows, sharing);
    if (!bdd().disjoint(open, flows)) return false;
    const auto guards_now = [&](FlowEnd sender) {
      const PathWalk walk = walk_path(space, chains, program, path, sender, how, {}, flows);
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
    with.share_entries(sharing);
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
