#include "symbolic/explore/structure.hpp"

#include <algorithm>
#include <array>

#include "net/protocol.hpp"
#include "symbolic/explore/possible.hpp"
#include "symbolic/rules/interleaved.hpp"
#include "symbolic/rules/pieces.hpp"
#include "symbolic/rules/routing.hpp"

namespace postern {
namespace {

const Effect* effect_of(const ProgramRule& rule) { return std::get_if<Effect>(&rule.rule->action); }

bool anything_unmodelled(const Program& program, const ChainWalker& chains, bool but_nat) {
  const auto counts = [&](RuleId r) {
    const Effect* effect = effect_of(program.rules()[r]);
    return !but_nat || effect == nullptr || !std::holds_alternative<Nat>(*effect);
  };
  if (std::ranges::any_of(chains.unmodelled_rules(), counts)) return true;
  return program.has_opaque_target();
}

// Is every NAT rule followed? (Binding by binding, for which the question's time is the limit.)
bool follows_nat(const Model::Impl& model) {
  const Translations& nat = model.translations;
  return model.follows() && nat.all_followed() && !nat.follows_masters() &&
         !model.space.classes().zones.some();
}

bool names_states(const ProgramRule& rule) {
  return std::ranges::any_of(rule.rule->clauses, [](const Clause& clause) {
    return mentions(*clause.predicate, Field::kCtState);
  });
}

// Chains that some way of jumps leads to, whoever takes it.
std::vector<bool> entered_chains(const Program& program) {
  std::vector<bool> entered(program.chains().size());
  for (const ChainId id : program.callers_first()) {
    const ProgramChain& chain = program.chains()[id];
    entered[id] = entered[id] || chain.chain->builtin();
    for (RuleId r = chain.first; entered[id] && r < chain.first + chain.count; ++r) {
      if (program.rules()[r].callee) entered[*program.rules()[r].callee] = true;
    }
  }
  return entered;
}

}  // namespace

StructureFinder::StructureFinder(Model::Impl& model)
    : model_(model),
      space_(model.space),
      bdd_(model.bdd()),
      follows_(follows_nat(model)),
      loose_(anything_unmodelled(model.program, model.chains, follows_)),
      facts_(model.program.rules().size()),
      called_(model.program.chains().size()),
      untracks_(std::ranges::any_of(model.program.rules(),
                                    [](const ProgramRule& rule) {
                                      const Effect* effect = effect_of(rule);
                                      return effect != nullptr &&
                                             std::holds_alternative<NoTrack>(*effect);
                                    })),
      raw_asks_(std::ranges::any_of(model.program.rules(), [&](const ProgramRule& rule) {
        return model.program.chains()[rule.chain].table == TableName::kRaw && names_states(rule);
      })) {
  runs_.of.resize(model.program.chains().size());
  errs_ = errs_over_lo();
  segments_ = model.program.sender_of(OpaqueTarget::Sends::kSegments).has_value();
  more_sent_ = segments_ || changes_what_routes(model.program) ||
               model.program.sender_of(OpaqueTarget::Sends::kCopies).has_value();
  saves_marks_ = saves_marks(model.program);
  interleaved_ = model.tracking && reads_what_others_change(model.program);
  cut_over_lo_ = space_.classes().family == Family::kIpv6 || untracks_;
}

Structure StructureFinder::find() {
  walk_all();
  // What routing would not let pass matters only to rules that nothing else matches.
  const std::vector<bool> entered = entered_chains(model_.program);
  bool left = false;
  for (RuleId r = 0; r < facts_.size(); ++r) {
    left = left || (!facts_[r].matched && entered[model_.program.rules()[r].chain]);
  }
  if (left) {
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
  return {facts_, follows_ && !loose_};
}

void StructureFinder::walk_all() {
  const std::size_t before = runs_.all.size();
  points_.clear();
  answered_.clear();
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) walk(path);
  for (std::size_t i = before; i < runs_.all.size(); ++i) {
    find_possible(runs_.all[i]);
    judge(runs_.all[i]);
  }
  if (raw_asks_ || untracks_) where_only_answers_come();
  if (!unrouted_ || follows_) return;
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
    model_.guards_by_flows.erase({path, flows(path), false});  // no question may meet them
  }
}

// The flows of a walk. Of what routing would not let pass, only those are new that it keeps from
// one of the two ends, unless a rule looks at marks: then a local end may set them; or OUTPUT may
// see another device than the one that packets leave by (rerouting.hpp), or a target sends packets,
// or lo carries pieces of them.
Set StructureFinder::flows(Path path) {
  const Set routed = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  if (!unrouted_) return routed;
  const Set all = model_.flows_of(unrouted(space_, path, FlowEnd::kInitiator, model_.tracking));
  if (path == Path::kLoopback && cut_over_lo_) return all;
  const bool marks = space_.classes().marks_are_read;
  if (path != Path::kForward && (marks || more_sent_)) return all;
  const Set answered = model_.flows_of(model_.sendable(path, FlowEnd::kResponder));
  return bdd_.minus(all, bdd_.both(routed, answered));
}

Set StructureFinder::sent(Path path, FlowEnd sender) {
  const Set packets =
      unrouted_ ? unrouted(space_, path, sender, model_.tracking) : model_.sendable(path, sender);
  return loose_ ? model_.chains.any_header(packets) : packets;
}

void StructureFinder::walk(Path path, WalkOptions how, bool errors) {
  const RuleObserver observer = [&](const TableContext& context, RuleId rule, const AtRule& here) {
    note(context, path, rule, here);
    runs_.all.back().errors = errors;
  };
  // NAT leads errors to paths that no flow takes from one end to the other.
  const Set only = errors ? kEverything : flows(path);
  for (const FlowEnd sender : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
    walk_path(space_, model_.chains, model_.program, path, sender, how, observer, only);
  }
}

void StructureFinder::walk(Path path) {
  WalkOptions options = model_.walk_options();
  options.loose = loose_;
  options.unrouted = unrouted_;
  options.interleaved = interleaved_;
  const Set all = flows(path);
  if (follows_ && !loose_ && !all.empty()) {
    WalkOptions errors = options;
    errors.loose = errors.errors = true;
    walk(path, errors, true);
    options.follow = options.loose_nat = true;
    walk(path, options, false);
    for (const NatVariant& nat : model_.translations.variants(path)) {
      options.nat = nat;
      walk(path, options, false);
    }
    return;
  }
  const RuleObserver observer = [&](const TableContext& context, RuleId rule, const AtRule& here) {
    note(context, path, rule, here);
  };
  if (all.empty()) return;
  const auto one = [&](FlowEnd sender) {
    const PathWalk walk =
        walk_path(space_, model_.chains, model_.program, path, sender, options, observer, all);
    return Guards(space_, walk, sender, model_.chains.has_coins());
  };
  Guards initiator = one(FlowEnd::kInitiator), responder = one(FlowEnd::kResponder);
  if (loose_ || interleaved_) return;
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
  const auto [it, fresh] =
      points_.try_emplace({run.path, sender, run.errors}, std::array<Set, 3>{});
  if (fresh) {
    // Under NAT any state may come about, and where the walk does not say what comes to OUTPUT.
    const bool more = unrouted_ && more_sent_ && run.path != Path::kForward;
    const bool open = loose_ || follows_ || more;
    const bool walked = follows_ && !loose_;  // then the walks themselves say what is sent
    const Set packets = bdd_.both(walked ? space_.domain() : sent(run.path, sender),
                                  open ? kEverything : flows(run.path));
    const Set domain = model_.tracking ? conntrack_domain(space_) : kEverything;
    Set states = possible_points(model_, run.path, sender, flows(run.path), open);
    if (run.errors) states = bdd_.both(states, of_others(run.path, sender));
    it->second = {packets, bdd_.both(packets, domain), bdd_.both(packets, states)};
  }
  const bool before = run.context.binding.before_lookup;
  run.universe = it->second[before ? 0 : 1];
  run.possible = it->second[before ? 0 : 2];
  // Pieces over lo (passage.cpp).
  if (!unrouted_ || !cut_over_lo_ || run.path != Path::kLoopback) return;
  if (!run.context.binding.sees_input) return;
  run.universe = bdd_.either(run.universe, cut_up(space_, run.universe));
  run.possible = bdd_.either(run.possible, cut_up(space_, run.possible));
}

// RELATED packets that carry another flow's entry.
Set StructureFinder::of_others(Path path, FlowEnd sender) {
  const Path own = sender == FlowEnd::kInitiator ? path : reverse(path);
  const bool local = own == Path::kOut || own == Path::kLoopback;
  const Set related = space_.class_is(Axis::kState, static_cast<std::uint32_t>(CtState::kRelated));
  return bdd_.both(bdd_.both(related, space_.class_is(Axis::kFirst, 0)),
                   model_.carriers(sender, local));
}

// The host's own answers carry their entry into raw OUTPUT already, and over lo into PREROUTING
// (kernel-facts 19, 43): NOTRACK there is void to them, and rules that name states see theirs, so
// that they come further than the walk says. About what was UNTRACKED (or INVALID) they are
// INVALID, and a reset may find another flow's entry. Those of REJECT that are RELATED to a flow
// still to be bound ask nat (kernel-facts 47).
bool StructureFinder::host_reply_matches(RuleId rule, const ChainRun& run) {
  const Binding& binding = run.context.binding;
  const bool back = binding.sees_input;
  if (!model_.tracking || (back && run.path != Path::kLoopback)) return false;
  const auto in = [&](CtState state) {
    return space_.class_is(Axis::kState, static_cast<std::uint32_t>(state));
  };
  const auto meets = [&](const Binding& seen, Set carried) {
    return !bdd_.disjoint(model_.chains.condition(rule, seen).may, carried);
  };
  const Set errors = model_.carriers(binding.sender, false);
  const Set resets = bdd_.minus(model_.carriers(binding.sender, true), errors);
  if (model_.program.chains()[run.chain].table == TableName::kNat) {
    const Set first = bdd_.both(in(CtState::kRelated), resets);
    return meets(binding, left_over(rule, binding, first));
  }
  Set carried = in(CtState::kRelated);
  if (untracks_) {
    carried = bdd_.either(carried, in(CtState::kInvalid));
    carried = bdd_.either(carried, bdd_.both(in(CtState::kEstablished), resets));
  }
  // (Neighbour discovery is UNTRACKED of itself.)
  const bool v6 = space_.classes().family == Family::kIpv6;
  if (v6 && binding.before_lookup) {
    carried = bdd_.either(carried, bdd_.both(in(CtState::kInvalid), errors));
  }
  if (back) carried = bdd_.both(carried, errs_ ? bdd_.either(errors, resets) : resets);
  // SYNPROXY's segments have any.
  if (segments_) {
    const Set tcp = space_.protocol_is(protocol::kTcp);
    carried = bdd_.either(carried, tcp);
  }
  if (!binding.before_lookup) {
    return (untracks_ || raw_asks_ || segments_) && meets(binding, carried);
  }
  if (!names_states(model_.program.rules()[rule]) && !raw_asks_) return false;
  Binding attached = binding;
  attached.before_lookup = false;
  return meets(attached, carried);
}

// What the rules before this one in its chain surely leave of these packets.
Set StructureFinder::left_over(RuleId rule, const Binding& binding, Set packets) {
  const ProgramRule& here = model_.program.rules()[rule];
  for (RuleId r = model_.program.chains()[here.chain].first; r < rule; ++r) {
    const Effect* effect = effect_of(model_.program.rules()[r]);
    const bool ends =
        effect != nullptr &&
        (std::holds_alternative<Accept>(*effect) || std::holds_alternative<Drop>(*effect) ||
         std::holds_alternative<Return>(*effect) || std::holds_alternative<Nat>(*effect));
    if (ends) packets = bdd_.minus(packets, model_.chains.condition(r, binding).must);
  }
  return packets;
}

// Does this host send ICMP errors over lo to which raw does something else than to others? About
// what NOTRACK untracks it sends none of its own accord if that is TCP (IPv6: but about packets
// with its own source off a wire that have no hop left); where rules of raw ask for states, any is
// another.
bool StructureFinder::errs_over_lo() {
  if (raw_asks_ || space_.classes().family == Family::kIpv6) return true;
  const Set tcp = space_.protocol_is(protocol::kTcp);
  for (RuleId r = 0; r < facts_.size(); ++r) {
    const Effect* effect = effect_of(model_.program.rules()[r]);
    if (effect == nullptr) continue;
    const auto* reject = std::get_if<Reject>(effect);
    if (reject != nullptr && !reject->tcp_reset) return true;
    Binding before;
    before.before_lookup = true;
    if (std::holds_alternative<NoTrack>(*effect) &&
        !bdd_.subset(model_.chains.condition(r, before).may, tcp)) {
      return true;
    }
  }
  return false;
}

// Where a socket may have set any mark (Binding::any_mark): does all else of the rule hold? That
// saves the walk that follows such marks.
bool StructureFinder::socket_mark_matches(RuleId rule, const ChainRun& run, const AtRule& at,
                                          Set possible) {
  const bool local = run.path == Path::kLoopback || !run.context.binding.sees_input;
  const bool saved = saves_marks_ && run.path != Path::kForward;
  const auto& clauses = model_.program.rules()[rule].rule->clauses;
  const auto names_mark = [&](const Clause& clause) {
    return ((local || saved) && mentions(*clause.predicate, Field::kMark)) ||
           (saved && mentions(*clause.predicate, Field::kCtMark));
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
  if (bdd_.both(bdd_.both(top.among, run.possible), top.reaching).empty()) return answered(run);
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
    const bool answers = host_reply_matches(r, run);
    if (answers) answered_below(r, run);
    f.matched =
        f.matched || answers || (model_.tracking && model_.chains.asks_a_template(r, binding));
    f.alone = f.alone || f.matched ||
              !bdd_.disjoint(model_.chains.condition(r, binding).may, run.universe);
  }
}

// The rules that answers of this host come to, as far as their own conditions tell, in this chain
// and those that they call: to where nothing else comes no walk does.
void StructureFinder::answered(const ChainRun& run) {
  if (!answered_.insert({run.chain, run.path, run.context.binding}).second) return;
  const ProgramChain& chain = model_.program.chains()[run.chain];
  for (RuleId r = chain.first; r < chain.first + chain.count; ++r) {
    if (!host_reply_matches(r, run)) continue;
    RuleFacts& f = facts_[r];
    called_[run.chain] = f.called = f.reached = f.matched = f.alone = true;
    answered_below(r, run);
  }
}

void StructureFinder::answered_below(RuleId jump, const ChainRun& run) {
  const auto callee = model_.program.rules()[jump].callee;
  if (!callee) return;
  ChainRun below;
  below.context = run.context;
  below.path = run.path;
  below.chain = *callee;
  answered(below);
}

// Where raw lets nothing else through.
void StructureFinder::where_only_answers_come() {
  constexpr std::array kHooks{Hook::kOutput, Hook::kPostrouting, Hook::kPrerouting, Hook::kInput};
  for (ChainId c = 0; c < called_.size(); ++c) {
    const ProgramChain& chain = model_.program.chains()[c];
    const auto hook = std::ranges::find(kHooks, chain.chain->name, [](Hook h) { return text(h); });
    if (!chain.chain->builtin() || hook == kHooks.end()) continue;
    for (const Path path : {Path::kOut, Path::kLoopback}) {
      const auto here = [&](std::size_t i) { return runs_.all[i].path == path; };
      if (std::ranges::any_of(runs_.of[c], here)) continue;
      ChainRun run;
      run.context.binding = Binding::at(*hook, path, FlowEnd::kInitiator);
      run.context.binding.before_lookup = chain.table == TableName::kRaw;
      run.chain = c;
      run.path = path;
      answered(run);
    }
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
