#include "symbolic/structure.hpp"

#include <algorithm>

#include "symbolic/possible.hpp"
#include "symbolic/routing.hpp"

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
      called_(model.program.chains().size()) {
  runs_.of.resize(model.program.chains().size());
}

Structure StructureFinder::find() {
  walk_all();
  // What routing would not let pass matters only to rules that nothing else matches.
  if (std::ranges::any_of(facts_, [](const RuleFacts& f) { return !f.matched; })) {
    unrouted_ = true;
    walk_all();
  }
  never_called();
  Unmatched why(model_, runs_);
  for (RuleId r = 0; r < facts_.size(); ++r) {
    RuleFacts& f = facts_[r];
    if (f.alone && f.called && !f.matched) why.explain(r, f);
    if (!f.alone) at_odds(r);
  }
  return {facts_};
}

void StructureFinder::walk_all() {
  const std::size_t before = runs_.all.size();
  points_.clear();
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) walk(path);
  for (std::size_t i = before; i < runs_.all.size(); ++i) {
    find_possible(runs_.all[i]);
    judge(runs_.all[i]);
  }
  if (!unrouted_) return;
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
    model_.guards_by_flows.erase({path, flows(path), false});  // no question may meet them
  }
}

// The flows of a walk. Of what routing would not let pass, only those are new that it keeps from
// one of the two ends, unless a rule looks at marks: then a local end may set them.
Set StructureFinder::flows(Path path) {
  const Set routed = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  if (!unrouted_) return routed;
  const Set all = model_.flows_of(unrouted(space_, path, FlowEnd::kInitiator, model_.tracking));
  if (path != Path::kForward && !space_.layout(Axis::kMark).bits.empty()) return all;
  const Set answered = model_.flows_of(model_.sendable(path, FlowEnd::kResponder));
  return bdd_.minus(all, bdd_.both(routed, answered));
}

Set StructureFinder::sent(Path path, FlowEnd sender) {
  const Set packets =
      unrouted_ ? unrouted(space_, path, sender, model_.tracking) : model_.sendable(path, sender);
  return loose_ ? model_.chains.any_header(packets) : packets;
}

void StructureFinder::walk(Path path) {
  WalkOptions options = model_.walk_options();
  options.loose = loose_;
  options.unrouted = unrouted_;
  const RuleObserver observer = [&](const TableContext& context, RuleId rule, const AtRule& here) {
    note(context, path, rule, here);
  };
  const Set all = flows(path);
  if (all.empty()) return;
  const auto one = [&](FlowEnd sender) {
    const PathWalk walk =
        walk_path(space_, model_.chains, model_.program, path, sender, options, observer, all);
    return Guards(space_, walk, sender, model_.chains.has_coins());
  };
  Guards initiator = one(FlowEnd::kInitiator), responder = one(FlowEnd::kResponder);
  if (loose_) return;
  // The same walks serve the questions about all flows.
  auto& place = model_.guards_by_flows[{path, all, false}];
  if (place == nullptr || unrouted_) {
    place = std::make_unique<PathGuards>(PathGuards{std::move(initiator), std::move(responder)});
  }
}

void StructureFinder::note(const TableContext& context, Path path, RuleId rule, const AtRule& at) {
  const ProgramRule& here = model_.program.rules()[rule];
  if (rule == model_.program.chains()[here.chain].first) {
    runs_.of[here.chain].push_back(runs_.all.size());
    ChainRun run;
    run.context = context;
    run.chain = here.chain;
    run.path = path;
    run.unrouted = unrouted_;
    runs_.all.push_back(std::move(run));
  }
  runs_.all.back().rules.push_back(at);
}

void StructureFinder::find_possible(ChainRun& run) {
  const FlowEnd sender = run.context.binding.sender;
  const auto [it, fresh] = points_.try_emplace({run.path, sender}, std::array<Set, 3>{});
  if (fresh) {
    const Set packets = bdd_.both(sent(run.path, sender), loose_ ? kEverything : flows(run.path));
    const Set domain = model_.tracking ? conntrack_domain(space_) : kEverything;
    const Set states = possible_points(model_, run.path, sender, flows(run.path), loose_);
    it->second = {packets, bdd_.both(packets, domain), bdd_.both(packets, states)};
  }
  const bool before = run.context.binding.before_lookup;
  run.universe = it->second[before ? 0 : 1];
  run.possible = it->second[before ? 0 : 2];
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

// A socket may set any mark (SO_MARK), also one that no rule writes and that the walk takes for 0.
bool StructureFinder::socket_mark_matches(RuleId rule, const ChainRun& run, const AtRule& at,
                                          Set possible) {
  if (run.path != Path::kLoopback && run.context.binding.sees_input) return false;
  const auto& clauses = model_.program.rules()[rule].rule->clauses;
  const auto names_mark = [](const Clause& clause) {
    return mentions(*clause.predicate, Field::kMark);
  };
  if (std::ranges::none_of(clauses, names_mark)) return false;
  Set rest = bdd_.both(at.reaching, possible);
  for (const Clause& clause : clauses) {
    if (names_mark(clause)) continue;
    rest = bdd_.both(rest, model_.reader.read(clause.predicate, run.context.binding).may);
  }
  return !rest.empty();
}

// What comes to each rule of a chain in this run, and what its conditions allow there whatever
// earlier rules took.
void StructureFinder::judge(const ChainRun& run) {
  const ProgramChain& chain = model_.program.chains()[run.chain];
  const AtRule& top = run.rules.front();
  if (bdd_.both(bdd_.both(top.among, run.possible), top.reaching).empty()) return;
  called_[run.chain] = true;
  for (RuleId r = chain.first; r < chain.first + chain.count; ++r) {
    RuleFacts& f = facts_[r];
    f.called = true;
    const std::size_t k = r - chain.first;
    if (k < run.rules.size()) {
      const AtRule& at = run.rules[k];
      const Set possible = bdd_.both(at.among, run.possible);
      f.reached = f.reached || !bdd_.disjoint(at.reaching, possible);
      f.matched = f.matched || !bdd_.disjoint(at.matching, possible) ||
                  socket_mark_matches(r, run, at, possible);
    }
    const Binding& binding = run.context.binding;
    f.matched = f.matched || host_reply_matches(r, binding);
    f.alone = f.alone || f.matched ||
              !bdd_.disjoint(model_.chains.condition(r, binding).may, run.universe);
  }
}

// Chains that nothing enters: only what a rule's own conditions say.
void StructureFinder::never_called() {
  for (RuleId r = 0; r < facts_.size(); ++r) {
    if (facts_[r].called) continue;
    const Binding anywhere;
    facts_[r].alone = !bdd_.disjoint(model_.chains.condition(r, anywhere).may, space_.domain());
  }
}

bool StructureFinder::can_hold(RuleId rule, const std::vector<std::size_t>& clauses) {
  const Rule& here = *model_.program.rules()[rule].rule;
  const auto holds = [&](const Binding& binding, Set universe) {
    for (const std::size_t clause : clauses) {
      universe =
          bdd_.both(universe, model_.reader.read(here.clauses[clause].predicate, binding).may);
    }
    return !universe.empty();
  };
  const auto& runs = runs_.of[model_.program.rules()[rule].chain];
  if (runs.empty()) return holds(Binding{}, space_.domain());
  return std::ranges::any_of(runs, [&](std::size_t run) {
    return holds(runs_.all[run].context.binding, runs_.all[run].universe);
  });
}

// Which one or two clauses cannot hold; all where it takes more.
void StructureFinder::at_odds(RuleId rule) {
  RuleFacts& facts = facts_[rule];
  const std::size_t count = model_.program.rules()[rule].rule->clauses.size();
  for (std::size_t a = 0; a < count; ++a) {
    if (!can_hold(rule, {a})) {
      facts.at_odds = {a};
      return;
    }
  }
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = a + 1; b < count; ++b) {
      if (can_hold(rule, {a, b})) continue;
      facts.at_odds = {a, b};
      return;
    }
  }
  for (std::size_t a = 0; a < count; ++a) facts.at_odds.push_back(a);
}

const Structure& Model::Impl::facts() {
  if (!structure) structure = StructureFinder(*this).find();
  return *structure;
}

}  // namespace postern
