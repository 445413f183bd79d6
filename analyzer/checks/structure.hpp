// What the per-rule checks (PST101, PST103, PST305) have in common: which of them a rule belongs
// to. The three exclude each other, so that one root cause is one finding. Covered by
// tests/unit/lint_structure_test.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analyzer/checks/check.hpp"

namespace postern {

enum class RuleFate : std::uint8_t {
  kLive,             // some packet matches it
  kImpossibleState,  // PST305
  kImpossible,       // PST103
  kTaken,            // PST101
  kNotCalled,        // its chain is never entered: the finding is at the jump (or PST104)
  kUnmodelled,       // not known: something before it is not modelled
};

// Does the rule name connection states?
bool names_state(const Rule& rule);

RuleFate fate_of(const Rule& rule, const RuleFacts& facts);

// "line 7", "lines 7, 9 and 12", "lines 7, 9, 12, 15 and 3 more".
std::string lines_of(const Program& program, std::span<const RuleId> rules);
std::uint32_t line_of(const Program& program, RuleId rule);
std::string where(const Place& place);  // "INPUT rule 3"
// Adds these rules to what the finding speaks of: "WHAT: INPUT rule 3".
void relate(Finding& finding, const Program& program, std::span<const RuleId> rules,
            std::string_view what, std::string_view id = {});

// Calls `visit` for every rule of this fate, in the order of the text, and counts one question per
// rule for check `id`. `relevant` says which rules the check asks about.
void for_each_rule(LintRun& run, std::string_view id, RuleFate fate,
                   const std::function<bool(const Rule&)>& relevant,
                   const std::function<void(RuleId, const RuleFacts&)>& visit);

}  // namespace postern
