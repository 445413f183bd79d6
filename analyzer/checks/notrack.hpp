// What the NOTRACK checks (PST301, PST302, PST309) share: which rules untrack, and for which flows.
// Covered by tests/unit/lint_notrack_test.cpp.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/checks/flows.hpp"

namespace postern {

// The paths on which flows begin, all of them: an untracked answer may belong to a flow of our own.
inline constexpr Path kAllPaths[] = {Path::kIn, Path::kForward, Path::kLoopback, Path::kOut};

// Rules with NOTRACK or CT --notrack, in the order of the text.
std::vector<RuleId> notrack_rules(const Program& program);

// What can become of the flows whose initiator's packets the rule may match, on one path.
struct UntrackedFlows {
  // The initiator's packets never make an entry and never answer one, but the responder's do.
  Set one_way;
  // Some sequence of the two leaves an entry.
  Set tracked;
  // There may be more flows of the first kind: behind something that is not modelled, or for some
  // values of what the text does not decide.
  bool unmodelled = false, undecided = false;
};

Budgeted<UntrackedFlows> untracked_flows(Model& model, const Program& program, Path path,
                                         RuleId rule);

// Asks about each NOTRACK rule that some packet matches (one that nothing matches has its finding:
// PST101, 103 or 305). Without a model or structure `question` of the check `id` is left open.
void each_notrack_rule(LintRun& run, std::string_view id, std::string question,
                       const std::function<void(LintRun&, RuleId)>& ask);

}  // namespace postern
