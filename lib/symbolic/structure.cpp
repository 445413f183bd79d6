// Per-rule facts, and what a rule changes for the entries.
#include "symbolic/model_impl.hpp"

namespace postern {

const Structure& Model::Impl::facts() {
  if (structure) return *structure;
  structure.emplace();
  structure->rules.resize(program.rules().size());
  for (RuleFacts& f : structure->rules) {
    f = {.alone = true, .called = true, .reached = true, .matched = true, .stateless_match = true,
         .state_possible = true, .unmodelled = true, .taken_by = {}};
  }
  return *structure;
}

bool Model::Impl::same_entries_without(RuleId) { return false; }

}  // namespace postern
