// PST103: the rule's own conditions, or they and the only ways that lead to it, exclude each other.
// Rules of a chain that fail for the same reason are one finding.
#include <fmt/format.h>

#include <map>

#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/structure.hpp"

namespace postern::check {
namespace {

// "`-s 10.0.0.0/8` and `-i lo`"
std::string quoted(const Rule& rule, const std::vector<std::size_t>& clauses) {
  std::string text;
  for (std::size_t i = 0; i < clauses.size(); ++i) {
    const std::string_view join = i == 0 ? "" : i + 1 == clauses.size() ? " and " : ", ";
    text += fmt::format("{}`{}`", join, rule.clauses[clauses[i]].printed);
  }
  return text;
}

std::string reason(const Rule& rule, const RuleFacts& facts) {
  if (facts.at_odds.empty()) {
    return "its conditions and those of the jumps to its chain exclude each other";
  }
  if (facts.at_odds.size() == 1) {
    return quoted(rule, facts.at_odds) + " holds for no packet at the hooks that lead here";
  }
  return quoted(rule, facts.at_odds) + " never hold together at the hooks that lead here";
}

}  // namespace

void impossible_match(LintRun& run) {
  const Program& program = *run.program();
  std::map<std::pair<ChainId, std::string>, std::vector<RuleId>> groups;
  for_each_rule(
      run, "PST103", RuleFate::kImpossible, [](const Rule&) { return true; },
      [&](RuleId rule, const RuleFacts& facts) {
        const ProgramRule& here = program.rules()[rule];
        groups[{here.chain, reason(*here.rule, facts)}].push_back(rule);
      });
  for (const auto& [key, rules] : groups) {
    Finding finding{.id = "PST103", .place = place_of(program, rules.front())};
    finding.message = rules.size() == 1 ? "no packet can match this rule"
                                        : fmt::format("no packet can match this rule and {} more",
                                                      rules.size() - 1);
    finding.reasons = {key.second};
    relate(finding, program, run.structure()->rules[rules.front()].jumps, "jumps to its chain");
    relate(finding, program, std::span(rules).subspan(1), "nor this one", "PST103");
    finding.help = "correct the condition that was meant otherwise, or delete the rule";
    run.report(std::move(finding));
  }
}

}  // namespace postern::check
