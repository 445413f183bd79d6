// PST101: in every state of every flow, earlier rules take every packet that would match. Rules
// that the same earlier rules cover are one finding.
#include <fmt/format.h>

#include <map>

#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/structure.hpp"

namespace postern::check {
namespace {

std::string where(const Place& place) {
  return fmt::format("{} rule {}", place.chain, place.number);
}

std::string message(std::size_t covering, std::size_t covered) {
  const std::string subject = covered == 1
                                  ? "this rule never matches"
                                  : fmt::format("this rule and {} more never match", covered - 1);
  if (covering == 0) return subject + ": no packet that can match gets to its chain";
  if (covering == 1) return subject + ": an earlier rule takes every packet that would";
  return fmt::format("{}: {} earlier rules together take every packet that would", subject,
                     covering);
}

Finding finding_for(const Program& program, const std::vector<RuleId>& covering,
                    const std::vector<RuleId>& covered) {
  Finding finding{.id = "PST101", .place = place_of(program, covered.front())};
  finding.message = message(covering.size(), covered.size());
  for (const RuleId rule : covering) {
    Place place = place_of(program, rule);
    std::string text = "taken here: " + where(place);
    finding.related.push_back({{}, std::move(place), std::move(text)});
  }
  for (std::size_t i = 1; i < covered.size(); ++i) {
    Place place = place_of(program, covered[i]);
    std::string text = "never matches either: " + where(place);
    finding.related.push_back({"PST101", std::move(place), std::move(text)});
  }
  finding.help =
      "put the more specific rule first; a rule that is no deliberate backstop can be deleted";
  return finding;
}

}  // namespace

void unreachable_rule(LintRun& run) {
  // Key: the chain, too, when nothing takes the packets (then the callers are the cause).
  std::map<std::pair<std::vector<RuleId>, ChainId>, std::vector<RuleId>> groups;
  for_each_rule(
      run, "PST101", RuleFate::kTaken, [](const Rule&) { return true; },
      [&](RuleId rule, const RuleFacts& facts) {
        const ChainId chain = facts.taken_by.empty() ? run.program()->rules()[rule].chain : 0;
        groups[{facts.taken_by, chain}].push_back(rule);
      });
  for (const auto& [key, covered] : groups) {
    run.report(finding_for(*run.program(), key.first, covered));
  }
}

}  // namespace postern::check
