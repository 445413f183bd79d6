// Covered by tests/unit/lint_notrack_test.cpp.
#include "analyzer/checks/notrack.hpp"

namespace postern {
namespace {

// Flows that reach a state for which `wanted` holds, connmark left out.
template <class Wanted>
Set reaching(Model& model, const Exploration& exploration, const Wanted& wanted) {
  static constexpr Axis kAxes[] = {Axis::kConnmark};
  Set flows = kNothing;
  for (const Reached& reached : exploration.states) {
    if (reached.state.entry == 0 || !wanted(model.entries()[reached.state.entry])) continue;
    flows = model.space().bdd().either(flows, reached.flows);
  }
  return model.space().exists(flows, kAxes);
}

Set flows_of(Space& space, Set packets) { return space.exists(packets, packet_axes()); }

UntrackedFlows classify(Model& model, Set m, const TrackAnswer& answer) {
  Bdd& bdd = model.space().bdd();
  const auto by_responder = [](const EntryInfo& entry) { return entry.by_responder; };
  const auto spoils = [](const EntryInfo& entry) { return !entry.by_responder || entry.seen_reply; };
  const Set flows = flows_of(model.space(), m);
  const Set entry_by_responder = bdd.both(flows, reaching(model, answer.must, by_responder));
  const Set initiator_seen = bdd.either(reaching(model, answer.may, spoils),
                                        flows_of(model.space(), answer.flows.unmodelled));
  return {.one_way = bdd.minus(entry_by_responder, initiator_seen),
          .tracked = bdd.both(flows, answer.flows.may),
          .unmodelled = !answer.flows.unmodelled.empty()};
}

}  // namespace

std::vector<RuleId> notrack_rules(const Program& program) {
  std::vector<RuleId> rules;
  for (RuleId id = 0; id < program.rules().size(); ++id) {
    const auto* effect = std::get_if<Effect>(&program.rules()[id].rule->action);
    if (effect != nullptr && std::holds_alternative<NoTrack>(*effect)) rules.push_back(id);
  }
  return rules;
}

Budgeted<UntrackedFlows> untracked_flows(Model& model, const Program& program, Path path,
                                         RuleId rule) {
  const auto m = model.question(path, way_to(program, rule));
  if (!m) return tl::unexpected(m.error());
  if (m->empty()) return UntrackedFlows{};
  const auto answer = model.track(path, *m);
  if (!answer) return tl::unexpected(answer.error());
  try {
    return classify(model, *m, *answer);
  } catch (const BudgetEnded& ended) {
    return tl::unexpected(ended);
  }
}

}  // namespace postern
