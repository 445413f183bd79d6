// Where a "never" of the packet sets hangs on NAT. Where a ruleset translates, a rule may test just
// that (--ctstate DNAT, --ctorigdst, --ctreplsrc), also of an entry that a packet of another flow
// carries (an ICMP error); nothing is proved about it then, nor about what such rules leave over.
// Rules of the nat table meet first packets only: where NAT is followed, all is known of those.
// Covered by tests/unit/lint_translation_test.cpp.
#pragma once

#include <vector>

#include "analyzer/checks/check.hpp"

namespace postern {

class Translation {
 public:
  explicit Translation(const Program& program, bool follows_nat = false);

  // Is it left open by NAT that this rule, which the sets never match, matches after all?
  bool may_match(RuleId rule, const RuleFacts& facts) const;

 private:
  // Do its conditions test what a target of this ruleset writes into an entry?
  bool tests(const Clause& clause) const;
  bool tests(RuleId rule) const;

  const Program& program_;
  bool first_only_ = false;                    // rules of the nat table are known
  bool source_ = false, destination_ = false;  // what some rule translates
  std::vector<bool> rules_, chains_;           // that test it; a chain with all that it calls
  bool anywhere_ = false;
};

}  // namespace postern
