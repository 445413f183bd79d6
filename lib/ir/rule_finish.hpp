// Draft -> rules: meanings, canonical text, and the checks on the rule as a whole. One rule for
// each pair of addresses that "-s a,b -d c,d" names. Internal to lib/ir; covered by
// tests/unit/bind_test.cpp.
#pragma once

#include <optional>
#include <vector>

#include "ir/draft.hpp"

namespace postern {

// nullopt: wrong; what is wrong was reported to the context. Spans of the rules are the draft's
// `line`; Jump and Goto are resolved by the context's chains.
std::optional<std::vector<Rule>> finish_rule(const RuleContext& context, const Draft& draft,
                                             Span line);

// The clauses alone, for a question: lists of addresses become "any of them".
std::optional<std::vector<Clause>> finish_clauses(const RuleContext& context, const Draft& draft);

}  // namespace postern
