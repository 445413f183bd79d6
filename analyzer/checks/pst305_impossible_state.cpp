// PST305: none of the connection states that a rule names can occur where it stands.
#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/structure.hpp"

namespace postern::check {

void impossible_state(LintRun& run) {
  for_each_rule(
      run, "PST305", RuleFate::kImpossibleState, names_state, [&](RuleId rule, const RuleFacts&) {
        Finding finding{.id = "PST305", .place = place_of(*run.program(), rule)};
        finding.message = "no packet here can be in a connection state that this rule names";
        finding.reasons = {
            "its other conditions hold for some packets, but none of them, in any state of "
            "its flow, has one of these states"};
        finding.help = "name the states that these packets can have, or delete the rule";
        run.report(std::move(finding));
      });
}

}  // namespace postern::check
