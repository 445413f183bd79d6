// Which rules the packets of honest conversations come to: those that begin one are NEW, all others
// ESTABLISHED, where the ruleset tracks everything. Where it may not, and where something is not
// followed, they come to every rule. Covered by tests/unit/lint_hole_test.cpp.
#include <algorithm>

#include "symbolic/explore/model_impl.hpp"

namespace postern {
namespace {

// May a packet of such a ruleset be untracked, or be led where nobody follows?
bool may_lose_its_entry(const Program& program, const ChainWalker& chains) {
  const auto strange = [](const ProgramRule& rule) {
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    return effect != nullptr && (std::holds_alternative<NoTrack>(*effect) ||
                                 std::holds_alternative<AttachTemplate>(*effect) ||
                                 std::holds_alternative<OpaqueTarget>(*effect));
  };
  const auto other_than_nat = [&](RuleId rule) {
    const Effect* effect = std::get_if<Effect>(&program.rules()[rule].rule->action);
    return effect == nullptr || !std::holds_alternative<Nat>(*effect);
  };
  return std::ranges::any_of(program.rules(), strange) ||
         std::ranges::any_of(chains.unmodelled_rules(), other_than_nat);
}

}  // namespace

Conversed Model::Impl::conversed(Path path, Set flows) {
  const std::size_t count = program.rules().size();
  if (!tracking || may_lose_its_entry(program, chains) ||
      (translations.some() && !translations.all_followed())) {
    return {std::vector(count, kEverything), std::vector(count, kEverything)};
  }
  Conversed result{std::vector(count, kNothing), std::vector(count, kNothing)};
  std::vector<Axis> others;
  for (std::size_t i = 0; i < kAxisCount; ++i) {
    if (static_cast<Axis>(i) != Axis::kInitiatorPort) others.push_back(static_cast<Axis>(i));
  }
  const auto state = [&](CtState s, std::uint32_t direction) {
    return bdd().both(space.class_is(Axis::kState, static_cast<std::uint32_t>(s)),
                      space.class_is(Axis::kDirection, direction));
  };
  const Set asks = bdd().either(state(CtState::kNew, 0), state(CtState::kEstablished, 0));
  const Set answers = state(CtState::kEstablished, 1);
  std::vector<NatVariant> bindings{NatVariant{}};
  if (follows()) {
    for (const NatVariant& nat : translations.by_rules(path)) {
      if (nat.originator == FlowEnd::kInitiator) bindings.push_back(nat);
    }
  }
  for (const NatVariant& nat : bindings) {
    WalkOptions how = walk_options();
    how.follow = follows();
    how.nat = nat;
    const auto walk = [&](FlowEnd sender, Set seen, std::vector<Set>& came) {
      const RuleObserver observer = [&](const TableContext&, RuleId rule, const AtRule& at) {
        const Set here = bdd().both(bdd().both(at.among, seen), at.reaching);
        came[rule] = bdd().either(came[rule], space.exists(here, others));
      };
      walk_path(space, chains, program, path, sender, how, observer, flows);
    };
    walk(FlowEnd::kInitiator, asks, result.asking);
    walk(FlowEnd::kResponder, answers, result.answering);
  }
  return result;
}

}  // namespace postern
