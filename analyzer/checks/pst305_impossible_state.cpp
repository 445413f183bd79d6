// PST305: none of the connection states that a rule names can occur where it stands. Rules that
// name the same states for the same reason are one finding.
#include <fmt/format.h>

#include <map>

#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/structure.hpp"

namespace postern::check {
namespace {

// The conditions that name states, as written in canonical form.
std::string states(const Rule& rule) {
  std::string text;
  for (const Clause& clause : rule.clauses) {
    if (!mentions(*clause.predicate, Field::kCtState)) continue;
    text += fmt::format("{}`{}`", text.empty() ? "" : " and ", clause.printed);
  }
  return text;
}

struct Group {
  std::vector<RuleId> rules;
  const RuleFacts* facts = nullptr;
};

Finding finding_for(const Program& program, const std::string& named, const Group& group) {
  Finding finding{.id = "PST305", .place = place_of(program, group.rules.front())};
  finding.message = fmt::format("no packet here can be in a state of {}", named);
  if (group.rules.size() > 1) {
    finding.message += fmt::format(", nor for {} more", group.rules.size() - 1);
  }
  if (group.facts->untracked_by.empty()) {
    finding.reasons = {"packets that meet its other conditions get here, but in other states only"};
    finding.help = "name the states that these packets can have, or delete the rule";
  } else {
    finding.reasons = {
        fmt::format("{} untracks them before conntrack sees them: here they are "
                    "UNTRACKED",
                    lines_of(program, group.facts->untracked_by))};
    finding.help = "accept them by --ctstate UNTRACKED, or without a state, or track them";
    relate(finding, program, group.facts->untracked_by, "untracked here");
  }
  relate(finding, program, std::span(group.rules).subspan(1), "nor here", "PST305");
  return finding;
}

}  // namespace

void impossible_state(LintRun& run) {
  const Program& program = *run.program();
  std::map<std::pair<std::vector<RuleId>, std::string>, Group> groups;
  for_each_rule(run, "PST305", RuleFate::kImpossibleState, names_state,
                [&](RuleId rule, const RuleFacts& facts) {
                  Group& group = groups[{facts.untracked_by, states(*program.rules()[rule].rule)}];
                  group.rules.push_back(rule);
                  group.facts = &facts;
                });
  for (const auto& [key, group] : groups) run.report(finding_for(program, key.second, group));
}

}  // namespace postern::check
