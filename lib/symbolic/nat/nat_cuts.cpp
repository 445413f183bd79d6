#include "symbolic/nat/nat_cuts.hpp"

#include <algorithm>
#include <set>

#include "symbolic/entries/templates.hpp"
#include "symbolic/nat/translation.hpp"

namespace postern {
namespace {

// Addresses and ports, low to high.
class Ranges {
 public:
  void add(Field field, u128 low, u128 high) { all_.emplace(field, low, high); }
  void add_address(const Nat& nat) {
    if (nat.low) add(Field::kDestination, nat.low->value, nat.high->value);
  }
  void add_ends(const Nat& nat) {
    add_address(nat);
    if (nat.port_low == 0 && nat.port_high == 0) return;
    const auto [low, high] = std::minmax(nat.port_low, nat.port_high);
    add(Field::kDestinationPort, low, high);
  }
  std::size_t size() const { return all_.size(); }
  void append_to(std::vector<PredicatePtr>& list) const {
    for (const auto& [field, low, high] : all_) list.push_back(in_range(field, low, high));
  }

 private:
  std::set<std::tuple<Field, u128, u128>> all_;
};

}  // namespace

std::vector<PredicatePtr> with_nat_cuts(const Program& program,
                                        std::span<const PredicatePtr> questions) {
  Ranges led, named;
  for (const ProgramRule& rule : program.rules()) {
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    const Nat* nat = effect == nullptr ? nullptr : std::get_if<Nat>(effect);
    if (nat == nullptr) continue;
    named.add_address(*nat);
    if (changes_destination(*nat, Hook::kPrerouting)) led.add_ends(*nat);
  }
  std::vector<PredicatePtr> result(questions.begin(), questions.end());
  if (led.size() <= kMostRanges) led.append_to(result);
  if (Templates(program).help()) named.append_to(result);
  return result;
}

}  // namespace postern
