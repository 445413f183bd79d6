// What a built-in chain lets in because no rule of its table ended it (check PST201).
#include "base/overloaded.hpp"
#include "symbolic/model_impl.hpp"
#include "symbolic/possible.hpp"

namespace postern {
namespace {

// Listens to the walk of a path and keeps apart what rules of the filter table end and what comes
// to the chain at all. Marks as they are now are left out of the result: what some mark makes a
// rule take counts as taken.
class DefaultListener {
 public:
  DefaultListener(Space& space, const Program& program, const Templates& templates, ChainId entry,
                  Set new_packets)
      : space_(space),
        program_(program),
        templates_(templates),
        entry_(entry),
        new_(new_packets) {
    const ProgramChain& chain = program.chains()[entry];
    accepts_ = chain.chain->policy == Policy::kAccept;
    if (chain.count == 0) return;
    const RuleId last = chain.first + chain.count - 1;
    const Rule& rule = *program.rules()[last].rule;
    const auto* effect = std::get_if<Effect>(&rule.action);
    if (!rule.clauses.empty() || effect == nullptr) return;
    if (std::holds_alternative<Accept>(*effect)) std::tie(accepts_, last_) = std::pair(true, last);
  }

  void hear(RuleId rule, const AtRule& at) {
    Bdd& bdd = space_.bdd();
    const ProgramRule& info = program_.rules()[rule];
    const ProgramChain& chain = program_.chains()[info.chain];
    // A walk begins at a built-in chain and then visits the user chains below it.
    if (chain.chain->builtin()) {
      behind_ = behind_ || (inside_ && info.chain != entry_);
      inside_ = info.chain == entry_;
    }
    if (!behind_ && !unmodelled_ && templates_.of(rule) == 0 && is_unmodelled(info)) {
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
        std::holds_alternative<OpaqueTarget>(*effect)) {
      if (at.among != among_) flush();
      among_ = at.among;
      taken_ = bdd.either(taken_, at.matching);
    }
    if (drops && !bdd.disjoint(at.matching, bdd.both(at.among, new_))) drops_.push_back(rule);
  }

  DefaultAccept result() {
    DefaultAccept result{.drops = drops_};
    result.unmodelled = accepts_ && unmodelled_;
    if (!accepts_) return result;
    flush();
    Bdd& bdd = space_.bdd();
    static constexpr Axis kSeen[] = {Axis::kState, Axis::kDirection, Axis::kFirst, Axis::kSeenReply,
                                     Axis::kAssured, Axis::kExpected};
    result.packets = space_.exists(bdd.both(bdd.minus(came_, ended_), new_), kSeen);
    result.rule = last_;
    return result;
  }

 private:
  // What the walk does not follow, as far as it can change what the chain decides.
  bool is_unmodelled(const ProgramRule& rule) const {
    const auto* effect = std::get_if<Effect>(&rule.rule->action);
    if (effect == nullptr) return false;
    const auto read = [&](Field field) {
      return field != Field::kTos || space_.classes().tos.count() > 1;
    };
    return std::visit(
        Overloaded{[](const Annotate& e) { return e.mss.has_value(); },
                   [&](const SetField& e) { return read(e.field); },
                   [&](const AddField& e) { return read(e.field); },
                   [](const Nat&) { return true; }, [](const AttachTemplate&) { return true; },
                   [](const OpaqueTarget&) { return true; }, [](const auto&) { return false; }},
        *effect);
  }
  // What the rules of a row took, all at once.
  void flush() {
    ended_ = space_.bdd().either(ended_, bare(space_.bdd().both(among_, taken_)));
    taken_ = kNothing;
  }
  Set bare(Set packets) {
    static constexpr Axis kMarks[] = {Axis::kMark, Axis::kConnmark, Axis::kConnmarkBefore};
    return space_.exists(packets, kMarks);
  }

  Space& space_;
  const Program& program_;
  const Templates& templates_;
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
    fresh = bdd().both(bdd().both(fresh, seen),
                       possible_points(*this, path, FlowEnd::kInitiator,
                                       flows_of(sendable(path, FlowEnd::kInitiator)), false));
  }
  DefaultListener listener(space, program, templates, *entry, fresh);
  const RuleObserver observer = [&](const TableContext&, RuleId rule, const AtRule& at) {
    listener.hear(rule, at);
  };
  walk_path(space, chains, program, path, FlowEnd::kInitiator, walk_options(), observer,
            flows_of(beginning));
  return listener.result();
}

}  // namespace postern
