// Covered by tests/unit/lint_notrack_test.cpp.
#include "analyzer/checks/notrack.hpp"

#include "symbolic/rules/routing.hpp"

namespace postern {
namespace {

// Flows that reach a state for which `wanted` holds, connmark left out.
template <class Wanted>
Set reaching(Model& model, const Exploration& exploration, const Wanted& wanted) {
  static constexpr Axis kAxes[] = {Axis::kConnmark};
  Set flows = kNothing;
  for (const Reached& reached : exploration.states) {
    if (!any_entry(model.entries(), reached.state.entry, wanted)) continue;
    flows = model.space().bdd().either(flows, reached.flows);
  }
  return model.space().exists(flows, kAxes);
}

Set flows_of(Space& space, Set packets) { return space.exists(packets, packet_axes()); }

UntrackedFlows classify(Model& model, Set m, const TrackAnswer& answer) {
  Bdd& bdd = model.space().bdd();
  const auto by_responder = [](const EntryInfo& entry) { return entry.by_responder; };
  const auto spoils = [](const EntryInfo& entry) {
    return !entry.by_responder || entry.seen_reply;
  };
  const Set flows = flows_of(model.space(), m);
  const Set unmodelled = bdd.both(flows, flows_of(model.space(), answer.flows.unmodelled));
  const auto one_way = [&](Set by_responder_reached, Set spoilt) {
    return bdd.minus(bdd.both(flows, by_responder_reached), spoilt);
  };
  UntrackedFlows result;
  result.one_way = one_way(reaching(model, answer.must, by_responder),
                           bdd.either(reaching(model, answer.may, spoils), unmodelled));
  result.tracked = bdd.both(flows, answer.flows.may);
  const Set possible = one_way(bdd.either(reaching(model, answer.may, by_responder), unmodelled),
                               reaching(model, answer.must, spoils));
  const Set open = bdd.minus(possible, result.one_way);
  result.unmodelled = !bdd.disjoint(open, unmodelled);
  result.undecided = !result.unmodelled && !open.empty();
  return result;
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
  const auto asked = model.question(path, way_to(program, rule));
  if (!asked) return tl::unexpected(asked.error());
  try {
    Space& space = model.space();
    const Set odd = space.bdd().either(typed_by_routes(space), odd_flows(space, path));
    const Set m = space.bdd().minus(*asked, odd);
    if (m.empty()) return UntrackedFlows{};
    const auto answer = model.track(path, m);
    if (!answer) return tl::unexpected(answer.error());
    return classify(model, m, *answer);
  } catch (const BudgetEnded& ended) {
    return tl::unexpected(ended);
  }
}

void each_notrack_rule(LintRun& run, std::string_view id, std::string question,
                       const std::function<void(LintRun&, RuleId)>& ask) {
  const std::vector<RuleId> rules = notrack_rules(*run.program());
  if (rules.empty()) return;
  if (run.model() == nullptr || run.structure() == nullptr) {
    return run.leave_open({.id = std::string(id),
                           .question = std::move(question),
                           .why = std::string(why(run.ended()))},
                          rules.size());
  }
  for (const RuleId rule : rules) {
    if (run.structure()->rules[rule].matched) ask(run, rule);
  }
}

}  // namespace postern
