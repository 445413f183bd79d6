// Covered by tests/unit/lint_structure_test.cpp.
#include "analyzer/checks/structure.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/checks/translation.hpp"
#include "base/check.hpp"

namespace postern {

bool names_state(const Rule& rule) {
  return std::ranges::any_of(rule.clauses, [](const Clause& clause) {
    return mentions(*clause.predicate, Field::kCtState);
  });
}

RuleFate fate_of(const Rule& rule, const RuleFacts& facts) {
  if (facts.matched) return RuleFate::kLive;
  // Not called, or never matched: proved only where all that stands before it is modelled. What the
  // rule's own conditions exclude needs nothing before it.
  if (!facts.alone) return RuleFate::kImpossible;
  if (facts.unmodelled) return RuleFate::kUnmodelled;
  if (!facts.called) return RuleFate::kNotCalled;
  if (facts.excluded) return RuleFate::kImpossible;
  return facts.wrong_state && names_state(rule) ? RuleFate::kImpossibleState : RuleFate::kTaken;
}

std::uint32_t line_of(const Program& program, RuleId rule) {
  return program.ruleset().source->position(program.rules()[rule].rule->span.begin).line;
}

std::string lines_of(const Program& program, std::span<const RuleId> rules) {
  constexpr std::size_t kMost = 4;
  std::vector<std::uint32_t> lines;
  for (const RuleId rule : rules) lines.push_back(line_of(program, rule));
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  std::string text = lines.size() == 1 ? "line" : "lines";
  const std::size_t shown = lines.size() > kMost + 1 ? kMost : lines.size();
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == shown && shown == lines.size();
    text += fmt::format("{} {}", i == 0 ? "" : last ? " and" : ",", lines[i]);
  }
  if (shown < lines.size()) text += fmt::format(" and {} more", lines.size() - shown);
  return text;
}

std::string where(const Place& place) {
  return place.number == 0 ? place.chain : fmt::format("{} rule {}", place.chain, place.number);
}

void relate(Finding& finding, const Program& program, std::span<const RuleId> rules,
            std::string_view what, std::string_view id) {
  for (const RuleId rule : rules) {
    Place place = place_of(program, rule);
    std::string text = fmt::format("{}: {}", what, where(place));
    finding.related.push_back({std::string(id), std::move(place), std::move(text)});
  }
}

void for_each_rule(LintRun& run, std::string_view id, RuleFate fate,
                   const std::function<bool(const Rule&)>& relevant,
                   const std::function<void(RuleId, const RuleFacts&)>& visit) {
  const auto rules = run.program()->rules();
  const Structure* structure = run.structure();
  const Translation translation(*run.program(), structure != nullptr && structure->follows_nat);
  std::uint64_t asked = 0, unmodelled = 0;
  for (RuleId id_of_rule = 0; id_of_rule < rules.size(); ++id_of_rule) {
    const Rule& rule = *rules[id_of_rule].rule;
    if (!relevant(rule)) continue;
    ++asked;
    if (structure == nullptr) continue;
    const RuleFacts& facts = structure->rules[id_of_rule];
    RuleFate found = fate_of(rule, facts);
    if (found != RuleFate::kLive && found != RuleFate::kNotCalled &&
        translation.may_match(id_of_rule, facts)) {
      found = RuleFate::kUnmodelled;
    }
    if (found == RuleFate::kUnmodelled) ++unmodelled;
    if (found == fate) visit(id_of_rule, facts);
  }
  if (asked == 0) return;
  if (structure == nullptr) {
    run.leave_open({.id = std::string(id),
                    .question = fmt::format("which of {} rules can match", asked),
                    .why = std::string(why(run.ended()))},
                   asked);
    return;
  }
  run.answered(asked - unmodelled);
  if (unmodelled > 0) {
    run.leave_unmodelled(id, fmt::format("whether {} of {} rules can match", unmodelled, asked),
                         unmodelled);
  }
}

}  // namespace postern
