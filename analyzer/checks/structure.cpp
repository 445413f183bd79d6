// Covered by tests/unit/lint_structure_test.cpp.
#include "analyzer/checks/structure.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"

namespace postern {

bool names_state(const Rule& rule) {
  return std::ranges::any_of(rule.clauses, [](const Clause& clause) {
    return mentions(*clause.predicate, Field::kCtState);
  });
}

RuleFate fate_of(const Rule& rule, const RuleFacts& facts) {
  if (facts.matched) return RuleFate::kLive;
  // Not called, or never matched: proved only where all that stands before it is modelled. What the
  // rule's own conditions exclude needs nothing before it.
  const bool blames_state = names_state(rule) && facts.stateless_match && !facts.state_possible;
  if (!facts.alone && !blames_state) return RuleFate::kImpossible;
  if (facts.unmodelled) return RuleFate::kUnmodelled;
  if (!facts.called) return RuleFate::kNotCalled;
  return blames_state ? RuleFate::kImpossibleState : RuleFate::kTaken;
}

void for_each_rule(LintRun& run, std::string_view id, RuleFate fate,
                   const std::function<bool(const Rule&)>& relevant,
                   const std::function<void(RuleId, const RuleFacts&)>& visit) {
  const auto rules = run.program()->rules();
  const Structure* structure = run.structure();
  std::uint64_t asked = 0, unmodelled = 0;
  for (RuleId id_of_rule = 0; id_of_rule < rules.size(); ++id_of_rule) {
    const Rule& rule = *rules[id_of_rule].rule;
    if (!relevant(rule)) continue;
    ++asked;
    if (structure == nullptr) continue;
    const RuleFacts& facts = structure->rules[id_of_rule];
    const RuleFate found = fate_of(rule, facts);
    if (found == RuleFate::kUnmodelled) ++unmodelled;
    if (found == fate) visit(id_of_rule, facts);
  }
  if (asked == 0) return;
  if (structure == nullptr) {
    run.leave_open({.id = std::string(id),
                    .question = fmt::format("which of {} rules can match", asked),
                    .why = std::string(kBudgetEnded)},
                   asked);
    return;
  }
  run.answered(asked - unmodelled);
  if (unmodelled > 0) {
    run.leave_unmodelled(id, fmt::format("whether {} of {} rules can match", unmodelled, asked),
                         unmodelled);
  }
}

}  // namespace postern
