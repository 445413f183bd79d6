#include "symbolic/nat_cuts.hpp"

#include <algorithm>

#include "symbolic/translation.hpp"

namespace postern {

std::vector<PredicatePtr> with_nat_cuts(const Program& program,
                                        std::span<const PredicatePtr> questions) {
  constexpr std::size_t kMost = 24;
  std::vector<const Nat*> targets;
  for (const ProgramRule& rule : program.rules()) {
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    const Nat* nat = effect == nullptr ? nullptr : std::get_if<Nat>(effect);
    if (nat != nullptr && changes_destination(*nat, Hook::kPrerouting)) targets.push_back(nat);
  }
  std::vector<PredicatePtr> result(questions.begin(), questions.end());
  if (targets.size() > kMost) return result;
  for (const Nat* nat : targets) {
    if (nat->low) {
      result.push_back(in_range(Field::kDestination, nat->low->value, nat->high->value));
    }
    if (nat->port_low != 0 || nat->port_high != 0) {
      const auto [low, high] = std::minmax(nat->port_low, nat->port_high);
      result.push_back(in_range(Field::kDestinationPort, low, high));
    }
  }
  return result;
}

}  // namespace postern
