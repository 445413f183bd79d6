// PST302: with and without a NOTRACK rule every sequence of packets leaves the same entries. A note
// only where another rule untracks (or drops) all of its packets anyway.
// Covered by tests/cli/lint_golden_test.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/notrack.hpp"

namespace postern::check {
namespace {

struct Consequence {
  bool tracked = false;          // some flow that the rule matches leaves an entry all the same
  std::optional<Answer> answer;  // ... for example this one
};

// A flow whose packets meet the rule and leave an entry all the same, if there is one.
Consequence still_tracked(LintRun& run, RuleId rule) {
  Consequence result;
  Model& model = *run.model();
  for (const Path path : kAllPaths) {
    const auto flows = untracked_flows(model, *run.program(), path, rule);
    if (!flows || flows->tracked.empty()) continue;
    const FlowPoint point = canonical_point(model.space(), path, flows->tracked, false);
    Answer answer = run.ask(words_for(Verb::kTrack, model.space(), path, point), path);
    if (answer.truth != Truth::kYes) continue;
    const bool met = std::ranges::any_of(answer.witness, [&](const WitnessStep& step) {
      return matches_rule(*run.program(), step, rule);
    });
    if (!met) continue;
    result.tracked = true;
    result.answer = std::move(answer);
    return result;
  }
  return result;
}

// The finding about the other direction's rule whose witness shows this rule doing nothing.
Finding* same_cause(LintRun& run, RuleId rule) {
  for (Finding& finding : run.findings()) {
    if (finding.id != "PST301" || !finding.answer) continue;
    if (finding.place.span == run.program()->rules()[rule].rule->span) continue;
    const bool met = std::ranges::any_of(finding.answer->witness, [&](const WitnessStep& step) {
      return matches_rule(*run.program(), step, rule) && !step.entries.empty();
    });
    if (met) return &finding;
  }
  return nullptr;
}

void report(LintRun& run, RuleId rule) {
  const Place place = place_of(*run.program(), rule);
  if (Finding* cause = same_cause(run, rule)) {
    cause->related.push_back(
        {"PST302", place,
         "this rule does not untrack the other direction: its packets have their "
         "entry before they get here"});
    return;
  }
  Consequence consequence = still_tracked(run, rule);
  Finding finding{.id = "PST302", .place = place};
  finding.severity = consequence.tracked ? Severity::kWarning : Severity::kInfo;
  finding.message =
      "with and without this rule every sequence of packets leaves the same conntrack entries";
  if (consequence.tracked) {
    finding.reasons = {
        "its packets have their entry already when they get here: over lo a packet is "
        "tracked in OUTPUT and keeps its entry in PREROUTING"};
    finding.help =
        "untrack where the packet first appears: in OUTPUT what this host sends, over lo too";
  } else if (!run.model()->tracking()) {
    finding.reasons = {"nothing in this ruleset switches connection tracking on"};
  } else {
    finding.reasons = {
        "another rule untracks its packets already, or they leave no entry for other "
        "reasons"};
  }
  finding.answer = std::move(consequence.answer);
  run.report(std::move(finding));
}

void ask_about(LintRun& run, RuleId rule) {
  const auto same = run.model()->same_entries_without(rule);
  if (!same) {
    return run.leave_open({.id = "PST302",
                           .question = "does this rule keep anything out of the conntrack table",
                           .why = std::string(why(same.error())),
                           .span = run.program()->rules()[rule].rule->span});
  }
  run.answered();
  if (*same) report(run, rule);
}

}  // namespace

void notrack_keeps_tracking(LintRun& run) {
  each_notrack_rule(run, "PST302", "which NOTRACK rules change nothing", ask_about);
}

}  // namespace postern::check
