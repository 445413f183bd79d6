// What a built-in chain lets in because no rule of its table ended it (check PST201).
#include <algorithm>

#include "symbolic/explore/model_impl.hpp"
#include "symbolic/explore/possible.hpp"

namespace postern {
namespace {

// Has the chain, or one below it, a rule that drops? Else nothing that is not modelled matters.
bool may_drop(const Program& program, ChainId entry) {
  std::vector<bool> reached(program.chains().size(), false);
  reached[entry] = true;
  for (const ChainId id : program.callers_first()) {
    if (!reached[id]) continue;
    const ProgramChain& chain = program.chains()[id];
    for (RuleId r = chain.first; r < chain.first + chain.count; ++r) {
      const auto* effect = std::get_if<Effect>(&program.rules()[r].rule->action);
      if (effect != nullptr &&
          (std::holds_alternative<Drop>(*effect) || std::holds_alternative<Reject>(*effect))) {
        return true;
      }
      if (program.rules()[r].callee) reached[*program.rules()[r].callee] = true;
    }
  }
  return false;
}

// Listens to the walk of a path and keeps apart what rules of the filter table end and what comes
// to the chain at all. Marks as they are now are left out of the result: what some mark makes a
// rule take counts as taken.
class DefaultListener {
 public:
  DefaultListener(Space& space, const ChainWalker& chains, const Program& program, ChainId entry,
                  Set new_packets)
      : space_(space), chains_(chains), program_(program), entry_(entry), new_(new_packets) {
    const ProgramChain& chain = program.chains()[entry];
    accepts_ = chain.chain->policy == Policy::kAccept;
    if (chain.count == 0) return;
    const RuleId last = chain.first + chain.count - 1;
    const Rule& rule = *program.rules()[last].rule;
    const auto* effect = std::get_if<Effect>(&rule.action);
    if (!rule.clauses.empty() || effect == nullptr) return;
    if (std::holds_alternative<Accept>(*effect)) std::tie(accepts_, last_) = std::pair(true, last);
  }

  void hear(const TableContext& context, RuleId rule, const AtRule& at) {
    Bdd& bdd = space_.bdd();
    const ProgramRule& info = program_.rules()[rule];
    const ProgramChain& chain = program_.chains()[info.chain];
    // A walk begins at a built-in chain and then visits the user chains below it.
    if (chain.chain->builtin()) {
      behind_ = behind_ || (inside_ && info.chain != entry_);
      inside_ = info.chain == entry_;
    }
    if (!behind_ && !unmodelled_ && chains_.unmodelled(rule, context)) {
      unmodelled_ = !bdd.disjoint(at.among, at.matching);
    }
    if (!inside_ || last_ == rule) return;
    if (rule == program_.chains()[entry_].first)
      came_ = bdd.either(came_, bare(bdd.both(at.among, at.reaching)));
    const auto* effect = std::get_if<Effect>(&info.rule->action);
    if (effect == nullptr) return;
    const bool drops =
        std::holds_alternative<Drop>(*effect) || std::holds_alternative<Reject>(*effect);
    if (drops || std::holds_alternative<Accept>(*effect) ||
        std::holds_alternative<ToSocket>(*effect) ||
        std::holds_alternative<OpaqueTarget>(*effect)) {
      if (at.among != among_) flush();
      among_ = at.among;
      taken_ = bdd.either(taken_, at.matching);
    }
    if (drops && !bdd.disjoint(at.matching, bdd.both(at.among, new_))) drops_.push_back(rule);
  }

  // Adds what one walk has heard to what others have.
  void add_to(DefaultAccept& all) {
    const DefaultAccept one = result();
    Bdd& bdd = space_.bdd();
    all.packets = bdd.either(all.packets, one.packets);
    all.rule = one.rule;
    all.unmodelled = all.unmodelled || one.unmodelled;
    for (const RuleId drop : one.drops) {
      if (std::ranges::find(all.drops, drop) == all.drops.end()) all.drops.push_back(drop);
    }
  }

 private:
  DefaultAccept result() {
    DefaultAccept result{.drops = drops_};
    result.unmodelled = accepts_ && unmodelled_ && may_drop(program_, entry_);
    if (!accepts_) return result;
    flush();
    Bdd& bdd = space_.bdd();
    static constexpr Axis kSeen[] = {Axis::kState,     Axis::kDirection, Axis::kFirst,
                                     Axis::kSeenReply, Axis::kAssured,   Axis::kExpected,
                                     Axis::kZone};
    result.packets = space_.exists(bdd.both(bdd.minus(came_, ended_), new_), kSeen);
    result.rule = last_;
    return result;
  }

  // What the rules of a row took, all at once.
  void flush() {
    ended_ = space_.bdd().either(ended_, bare(space_.bdd().both(among_, taken_)));
    taken_ = kNothing;
  }
  Set bare(Set packets) {
    static constexpr Axis kMarks[] = {Axis::kMark, Axis::kConnmark, Axis::kConnmarkBefore,
                                      Axis::kTtlNow, Axis::kTosNow};
    return space_.exists(packets, kMarks);
  }

  Space& space_;
  const ChainWalker& chains_;
  const Program& program_;
  ChainId entry_;
  Set new_;
  bool accepts_ = false, inside_ = false;
  bool behind_ = false, unmodelled_ = false;  // has the chain been left? did any packet meet such?
  std::optional<RuleId> last_;
  Set came_ = kNothing, ended_ = kNothing;
  Set among_ = kEverything, taken_ = kNothing;  // not yet in ended_
  std::vector<RuleId> drops_;
};

}  // namespace

// The bindings that a flow's first packet may have before it comes to filter's INPUT or FORWARD;
// the first is none.
std::vector<NatVariant> Model::Impl::before_filter(Path path) const {
  std::vector<NatVariant> result{NatVariant{}};
  if (!follows()) return result;
  for (NatVariant nat : translations.by_rules(path)) {
    if (path != Path::kLoopback) nat.source = 0;  // bound behind the filter
    if (nat.originator == FlowEnd::kInitiator && std::ranges::find(result, nat) == result.end()) {
      result.push_back(nat);
    }
  }
  return result;
}

DefaultAccept Model::Impl::accepted_by_default(Path path, Set beginning) {
  const Hook hook = path == Path::kForward ? Hook::kForward : Hook::kInput;
  const auto entry = program.entry(hook, TableName::kFilter);
  if (!entry) return {};
  const auto in_state = [&](CtState state) {
    return space.class_is(Axis::kState, static_cast<std::uint32_t>(state));
  };
  Set fresh = beginning;
  if (tracking) {
    const Set seen = bdd().either(in_state(CtState::kNew), in_state(CtState::kUntracked));
    const Set possible =
        follows() ? conntrack_domain(space)
                  : possible_points(*this, path, FlowEnd::kInitiator,
                                    flows_of(sendable(path, FlowEnd::kInitiator)), false);
    fresh = bdd().both(bdd().both(fresh, seen), possible);
  }
  DefaultAccept all;
  for (const NatVariant& nat : before_filter(path)) {
    const Set begins = nat.some() ? bdd().both(fresh, space.class_is(Axis::kFirst, 1)) : fresh;
    DefaultListener listener(space, chains, program, *entry, begins);
    const RuleObserver observer = [&](const TableContext& context, RuleId rule, const AtRule& at) {
      listener.hear(context, rule, at);
    };
    WalkOptions how = walk_options();
    how.follow = follows();
    how.nat = nat;
    walk_path(space, chains, program, path, FlowEnd::kInitiator, how, observer,
              flows_of(beginning));
    listener.add_to(all);
  }
  return all;
}

}  // namespace postern
