// The words of one rule -> who owns which option, as iptables' own loop over getopt_long decides
// it: built-in options first, then the most recently loaded extension that has the option, then the
// match of the rule's protocol, which is loaded when one of its options is met. Words after
// something unknown stay with it. Covered by tests/unit/bind_test.cpp.
#pragma once

#include <optional>
#include <span>

#include "ir/draft.hpp"

namespace postern {

// nullopt: wrong; what is wrong was reported to the context.
std::optional<Draft> read_rule_words(const RuleContext& context, std::span<const ast::Word> words);

}  // namespace postern
