// PST103: the rule's own conditions, or they and the only hooks that reach it, exclude each other.
#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/structure.hpp"

namespace postern::check {

void impossible_match(LintRun& run) {
  for_each_rule(
      run, "PST103", RuleFate::kImpossible, [](const Rule&) { return true; },
      [&](RuleId rule, const RuleFacts&) {
        Finding finding{.id = "PST103", .place = place_of(*run.program(), rule)};
        finding.message = "no packet can match this rule";
        finding.reasons = {
            "its conditions exclude each other, or what a packet can be at the hooks that "
            "lead here; earlier rules have no part in it"};
        finding.help = "correct the condition that was meant otherwise, or delete the rule";
        run.report(std::move(finding));
      });
}

}  // namespace postern::check
