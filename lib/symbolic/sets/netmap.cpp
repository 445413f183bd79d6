#include "symbolic/sets/netmap.hpp"

#include <utility>
#include <vector>

namespace postern {

std::optional<u128> mapped_from(const ProgramRule& rule, const Nat& target, bool destination) {
  if (target.kind != Nat::Kind::kNetmap || !target.network) return std::nullopt;
  const u128 network = target.network->mask;
  const u128 rest = ~network & low_bits(address_bits(target.network->address.family));
  if ((rest & (rest + 1)) != 0) return std::nullopt;
  const Field field = destination ? Field::kDestination : Field::kSource;
  for (const Clause& clause : rule.rule->clauses) {
    const auto* test = std::get_if<Masked>(&clause.predicate->node);
    if (test != nullptr && test->field == field && (test->mask & network) == network) {
      return test->value & network;
    }
  }
  return std::nullopt;
}

void cut_netmaps(const Program& program, FieldCuts& addresses) {
  const unsigned width = address_bits(program.ruleset().family);
  const std::vector<u128> before = addresses.starts;
  for (const ProgramRule& rule : program.rules()) {
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    const Nat* nat = effect == nullptr ? nullptr : std::get_if<Nat>(effect);
    if (nat == nullptr || !nat->network) continue;
    for (const bool destination : {false, true}) {
      const auto from = mapped_from(rule, *nat, destination);
      if (!from) continue;
      const u128 rest = ~nat->network->mask & low_bits(width);
      const u128 first = nat->network->address.value & ~rest;
      addresses.interval(*from, *from + rest);
      for (const u128 start : before) {
        if (first < start && start <= first + rest)
          addresses.starts.push_back(*from + (start - first));
      }
    }
  }
}

}  // namespace postern
