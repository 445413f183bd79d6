// PST301: one direction of a flow is untracked and the other creates an entry. That entry can never
// be replied (PST309), which stands under `related`. One finding per NOTRACK rule.
// Covered by tests/cli/lint_golden_test.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/notrack.hpp"

namespace postern::check {
namespace {

// The witness shows it: a packet that the rule untracked, and an entry that another packet left.
bool shows_one_way(const Program& program, const Answer& answer, RuleId rule) {
  const bool untracked = std::ranges::any_of(answer.witness, [&](const WitnessStep& step) {
    return matches_rule(program, step, rule) &&
           std::ranges::any_of(step.ctstate,
                               [](const auto& at) { return at.second == CtState::kUntracked; });
  });
  return untracked && !answer.witness.back().entries.empty();
}

void report(LintRun& run, RuleId rule, Answer answer) {
  const Place place = place_of(*run.program(), rule);
  Finding finding{.id = "PST301", .place = place};
  finding.message =
      "this rule untracks one direction of a flow only; the other leaves a conntrack entry";
  finding.reasons = {
      "a flow is spared the table only when the packets of both directions are untracked, "
      "each where it first appears: PREROUTING from a wire, OUTPUT from this host"};
  finding.help =
      "untrack the answers, too (the mirrored rule in the other hook), or neither direction";
  finding.related.push_back(
      {"PST309", place,
       "the packets that this rule untracks can never reply to that entry: it stays half-open"});
  finding.answer = std::move(answer);
  run.report(std::move(finding));
}

// True when there is nothing more to ask about this rule.
bool ask(LintRun& run, Path path, RuleId rule, std::string& open) {
  Model& model = *run.model();
  const auto flows = untracked_flows(model, *run.program(), path, rule);
  if (!flows) {
    open = why(flows.error());
    return false;
  }
  if (flows->one_way.empty()) {
    if (flows->unmodelled) open = "unmodelled";
    if (flows->undecided)
      open =
          "it depends on what the text does not decide (chance, time, sets, the values that NAT "
          "takes)";
    return false;
  }
  const FlowPoint point = canonical_point(model.space(), path, flows->one_way, false);
  Answer answer = run.ask(words_for(Verb::kTrack, model.space(), path, point), path);
  if (answer.truth == Truth::kYes && shows_one_way(*run.program(), answer, rule)) {
    report(run, rule, std::move(answer));
    return true;
  }
  // The flow may have been untracked by another rule before it got here: that rule has the finding.
  if (answer.truth != Truth::kYes) {
    open = answer.reasons.empty() ? "the witness was not confirmed" : answer.reasons.front();
  }
  return false;
}

void ask_about(LintRun& run, RuleId rule) {
  const std::string question = fmt::format(
      "does the rule in line {} untrack one direction only",
      run.ruleset().source->position(run.program()->rules()[rule].rule->span.begin).line);
  std::string open;
  for (const Path path : kAllPaths) {
    if (ask(run, path, rule, open)) return run.answered();
  }
  if (open.empty()) return run.answered();
  if (open == "unmodelled") return run.leave_unmodelled("PST301", question);
  run.leave_open({.id = "PST301",
                  .question = question,
                  .why = open,
                  .span = run.program()->rules()[rule].rule->span});
}

}  // namespace

void one_way_notrack(LintRun& run) {
  each_notrack_rule(run, "PST301", "which NOTRACK rules untrack one direction only", ask_about);
}

}  // namespace postern::check
