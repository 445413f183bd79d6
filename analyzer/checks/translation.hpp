// Where a "never" of the packet sets hangs on NAT. The sets walk entries that nobody has
// translated; where a ruleset translates, a rule may test just that (--ctstate DNAT, --ctorigdst,
// --ctreplsrc), and nothing is proved about it, nor about what such rules leave over.
// Covered by tests/unit/lint_translation_test.cpp.
#pragma once

#include <vector>

#include "analyzer/checks/check.hpp"

namespace postern {

class Translation {
 public:
  explicit Translation(const Program& program);

  // Is it left open by NAT that this rule, which the sets never match, matches after all?
  bool may_match(RuleId rule, const RuleFacts& facts) const;

 private:
  // Do its conditions test what a target of this ruleset writes into an entry?
  bool tests(const Clause& clause) const;
  bool tests(RuleId rule) const;

  const Program& program_;
  bool source_ = false, destination_ = false;  // what some rule translates
  std::vector<bool> rules_, chains_;           // that test it; a chain with all that it calls
  bool anywhere_ = false;
};

}  // namespace postern
