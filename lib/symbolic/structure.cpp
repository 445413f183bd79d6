#include "symbolic/structure.hpp"

#include <algorithm>

#include "symbolic/possible.hpp"

namespace postern {
namespace {

bool anything_unmodelled(const Program& program, const ChainWalker& chains) {
  if (!chains.unmodelled_rules().empty()) return true;
  return std::ranges::any_of(program.rules(), [](const ProgramRule& rule) {
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    return effect != nullptr && std::holds_alternative<OpaqueTarget>(*effect);
  });
}

}  // namespace

StructureFinder::StructureFinder(Model::Impl& model)
    : model_(model),
      space_(model.space),
      bdd_(model.bdd()),
      loose_(anything_unmodelled(model.program, model.chains)),
      facts_(model.program.rules().size()),
      called_(model.program.chains().size()),
      runs_of_(model.program.chains().size()) {
  for (RuleFacts& f : facts_) f.state_possible = false;
}

Structure StructureFinder::find() {
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) walk(path);
  for (Run& run : runs_) {
    find_possible(run);
    judge(run);
  }
  never_called();
  for (RuleId r = 0; r < facts_.size(); ++r) {
    RuleFacts& f = facts_[r];
    if (f.alone && f.called && !f.matched) takers(r, f);
  }
  return {facts_};
}

void StructureFinder::walk(Path path) {
  WalkOptions options = model_.walk_options();
  options.loose = loose_;
  const RuleObserver observer = [&](const TableContext& context, RuleId rule, Set reaching,
                                    Set matching) {
    note(context, path, rule, reaching, matching);
  };
  const Set flows = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  const auto one = [&](FlowEnd sender) {
    return Guards(
        space_,
        walk_path(space_, model_.chains, model_.program, path, sender, options, observer, flows),
        sender, model_.chains.has_coins());
  };
  Guards initiator = one(FlowEnd::kInitiator), responder = one(FlowEnd::kResponder);
  if (loose_) return;
  // The same walks serve the questions about all flows.
  auto& place = model_.guards_by_flows[{path, flows}];
  if (place == nullptr) {
    place = std::make_unique<PathGuards>(PathGuards{std::move(initiator), std::move(responder)});
  }
}

void StructureFinder::note(const TableContext& context, Path path, RuleId rule, Set reaching,
                           Set matching) {
  const ProgramRule& here = model_.program.rules()[rule];
  if (rule == model_.program.chains()[here.chain].first) {
    runs_of_[here.chain].push_back(runs_.size());
    Run run;
    run.context = context;
    run.chain = here.chain;
    run.path = path;
    runs_.push_back(std::move(run));
  }
  runs_.back().reaching.push_back(reaching);
  runs_.back().matching.push_back(matching);
}

void StructureFinder::find_possible(Run& run) {
  const FlowEnd sender = run.context.binding.sender;
  const auto [it, fresh] = points_.try_emplace({run.path, sender}, std::array<Set, 3>{});
  if (fresh) {
    const Set sent = loose_ ? model_.chains.any_header(model_.sendable(run.path, sender))
                            : model_.sendable(run.path, sender);
    const Set domain = model_.tracking ? conntrack_domain(space_) : kEverything;
    it->second = {sent, bdd_.both(sent, domain),
                  bdd_.both(sent, possible_points(model_, run.path, sender, loose_))};
  }
  const bool before = run.context.binding.before_lookup;
  run.universe = it->second[before ? 0 : 1];
  run.possible = it->second[before ? 0 : 2];
}

Set StructureFinder::stateless_condition(RuleId rule, const Binding& binding) {
  Set result = kEverything;
  for (const Clause& clause : model_.program.rules()[rule].rule->clauses) {
    if (mentions(*clause.predicate, Field::kCtState)) continue;
    result = bdd_.both(result, model_.reader.read(clause.predicate, binding).may);
  }
  return result;
}

// The host's own answers carry their entry into raw OUTPUT already (kernel-facts 19, 43); a rule
// there that names states is taken to see them.
bool StructureFinder::host_reply_matches(RuleId rule, const Binding& binding) {
  if (!binding.before_lookup || binding.sees_input || !model_.tracking) return false;
  const auto& clauses = model_.program.rules()[rule].rule->clauses;
  if (std::ranges::none_of(clauses, [](const Clause& clause) {
        return mentions(*clause.predicate, Field::kCtState);
      })) {
    return false;
  }
  Binding attached = binding;
  attached.before_lookup = false;
  const Set related = space_.class_is(Axis::kState, static_cast<std::uint32_t>(CtState::kRelated));
  return !bdd_.disjoint(model_.chains.condition(rule, attached).may, related);
}

// What comes to each rule of a chain in this run, and what its conditions allow there whatever
// earlier rules took.
void StructureFinder::judge(const Run& run) {
  const ProgramChain& chain = model_.program.chains()[run.chain];
  const Set arriving = bdd_.both(run.reaching.front(), run.possible);
  if (arriving.empty()) return;
  called_[run.chain] = true;
  for (RuleId r = chain.first; r < chain.first + chain.count; ++r) {
    RuleFacts& f = facts_[r];
    f.called = true;
    const std::size_t k = r - chain.first;
    if (k < run.reaching.size()) {
      f.reached = f.reached || !bdd_.disjoint(run.reaching[k], run.possible);
      f.matched = f.matched || !bdd_.disjoint(run.matching[k], run.possible);
    }
    const Binding& binding = run.context.binding;
    f.matched = f.matched || host_reply_matches(r, binding);
    if (f.matched) {
      f.alone = f.stateless_match = f.state_possible = true;
      continue;
    }
    const Set condition = model_.chains.condition(r, binding).may;
    f.alone = f.alone || !bdd_.disjoint(condition, run.universe);
    f.stateless_match =
        f.stateless_match || !bdd_.disjoint(stateless_condition(r, binding), arriving);
    f.state_possible = f.state_possible || !bdd_.disjoint(condition, arriving);
  }
}

// Chains that nothing enters: only what a rule's own conditions say.
void StructureFinder::never_called() {
  for (RuleId r = 0; r < facts_.size(); ++r) {
    if (facts_[r].called) continue;
    const Binding anywhere;
    facts_[r].alone = !bdd_.disjoint(model_.chains.condition(r, anywhere).may, space_.domain());
    facts_[r].stateless_match = facts_[r].alone;
    facts_[r].state_possible = true;
  }
}

// The earlier rules of its chain between which the packets of a rule disappear.
void StructureFinder::takers(RuleId rule, RuleFacts& facts) {
  const ProgramChain& chain = model_.program.chains()[model_.program.rules()[rule].chain];
  std::vector<bool> takes(chain.count, false);
  for (const std::size_t i : runs_of_[model_.program.rules()[rule].chain]) {
    const Run& run = runs_[i];
    Set wanted = bdd_.both(model_.chains.condition(rule, run.context.binding).may, run.possible);
    wanted = bdd_.both(wanted, run.reaching.front());
    const std::array changing{Axis::kMark, Axis::kConnmark, Axis::kUntracked};
    const Set now = space_.cube(changing);
    wanted = bdd_.exists(wanted, now);
    for (std::uint32_t k = 0; chain.first + k < rule && !wanted.empty(); ++k) {
      const Set next = k + 1 < run.reaching.size()
                           ? bdd_.both_exists(wanted, run.reaching[k + 1], now)
                           : kNothing;
      if (next != wanted) takes[k] = true;
      wanted = next;
    }
  }
  for (std::uint32_t k = 0; k < chain.count; ++k) {
    if (takes[k]) facts.taken_by.push_back(chain.first + k);
  }
}

const Structure& Model::Impl::facts() {
  if (!structure) structure = StructureFinder(*this).find();
  return *structure;
}

}  // namespace postern
