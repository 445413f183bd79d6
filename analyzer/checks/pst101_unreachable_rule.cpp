// PST101: in every state of every flow, earlier rules take every packet that would match. Rules
// that the same earlier rules cover are one finding. A note where nothing is lost: the rule would
// do what the earlier ones do, or it is the backstop at the end of its chain.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/structure.hpp"
#include "symbolic/sets/rewriting.hpp"

namespace postern::check {
namespace {

using Rules = std::vector<RuleId>;

const Rule& rule_of(const Program& program, RuleId rule) { return *program.rules()[rule].rule; }

template <class... Kinds>
bool is_one_of(const Rule& rule) {
  const auto* effect = std::get_if<Effect>(&rule.action);
  return effect != nullptr && (std::holds_alternative<Kinds>(*effect) || ...);
}

std::string message(const Program& program, const Rules& covering, const Rules& covered,
                    const RuleFacts& facts) {
  const std::string subject =
      covered.size() == 1 ? "this rule never matches"
                          : fmt::format("this rule and {} more never match", covered.size() - 1);
  if (facts.wrong_state && !facts.untracked_by.empty()) {
    return fmt::format("{}: {} untracks the packets, so the jumps to its chain do not send them",
                       subject, lines_of(program, facts.untracked_by));
  }
  if (covering.empty()) return subject + ": no packet that would gets here";
  return fmt::format("{}: {} {} every packet that would", subject, lines_of(program, covering),
                     covering.size() == 1 ? "takes" : "together take");
}

std::string_view taking(const Rule& rule) {
  if (is_one_of<Accept>(rule)) return "accepts them";
  if (is_one_of<Drop>(rule)) return "drops them";
  if (is_one_of<Reject>(rule)) return "rejects them";
  if (is_one_of<Return>(rule)) return "returns them";
  if (is_one_of<Nat>(rule)) return "translates them";
  if (std::holds_alternative<Jump>(rule.action) || std::holds_alternative<Goto>(rule.action)) {
    return "its chain takes them";
  }
  return "takes them";
}

// Would each of the rules do with the packets what the rules that take them do?
bool same_end(const Program& program, const Rules& covering, const Rules& covered) {
  const Rule& first = rule_of(program, covered.front());
  if (covering.empty() || !is_one_of<Accept, Drop, Reject, Return, Nat>(first)) return false;
  const auto same = [&](RuleId rule) {
    return rule_of(program, rule).printed_target == first.printed_target &&
           program.chains()[program.rules()[rule].chain].table ==
               program.chains()[program.rules()[covered.front()].chain].table;
  };
  if (is_one_of<Return>(first)) {
    const ChainId chain = program.rules()[covered.front()].chain;
    const auto here = [&](RuleId rule) { return program.rules()[rule].chain == chain; };
    if (!std::ranges::all_of(covering, here)) return false;
  }
  return std::ranges::all_of(covering, same) && std::ranges::all_of(covered, same);
}

// A rule that drops or logs whatever is left, with nothing but such rules behind it in its chain.
bool backstop(const Program& program, RuleId rule) {
  const ProgramChain& chain = program.chains()[program.rules()[rule].chain];
  const auto stops = [&](RuleId r) {
    const Rule& here = rule_of(program, r);
    return is_one_of<Drop, Reject, Annotate>(here) &&
           std::ranges::all_of(here.clauses, [](const Clause& clause) {
             return clause.module != "tcp" && clause.module != "udp" &&
                    !mentions(*clause.predicate, Field::kSource) &&
                    !mentions(*clause.predicate, Field::kDestination);
           });
  };
  for (RuleId r = rule; r < chain.first + chain.count; ++r) {
    if (!stops(r)) return false;
  }
  return true;
}

// Rules before this one in its chain that write a TTL or TOS which it asks for.
Rules rewriting(const Program& program, RuleId rule) {
  const auto asks = [&](Field field) {
    return std::ranges::any_of(rule_of(program, rule).clauses, [&](const Clause& clause) {
      return mentions(*clause.predicate, field);
    });
  };
  Rules result;
  for (RuleId r = program.chains()[program.rules()[rule].chain].first; r < rule; ++r) {
    const auto* effect = std::get_if<Effect>(&rule_of(program, r).action);
    const auto field = effect == nullptr ? std::nullopt : rewritten_field(*effect);
    if (field && asks(*field)) result.push_back(r);
  }
  return result;
}

void advise(Finding& finding, const Program& program, const Rules& covering, const Rules& covered) {
  if (same_end(program, covering, covered)) {
    finding.severity = Severity::kInfo;
    finding.reasons = {"it would do with them what is done there: nothing changes without it"};
    finding.help = covered.size() == 1 ? "delete it" : "delete them";
  } else if (std::ranges::all_of(covered, [&](RuleId r) { return backstop(program, r); })) {
    finding.severity = Severity::kInfo;
    finding.reasons = {"nothing is left over for this backstop at the end of its chain"};
    finding.help = "keep it as a safeguard against later changes, or delete it";
  } else if (covering.empty()) {
    finding.help = "delete it, or correct the rules that lead here";
  } else {
    finding.help = "put it before what takes its packets, or delete it";
  }
}

Finding finding_for(const Program& program, const Rules& covering, const Rules& covered,
                    const RuleFacts& facts) {
  Finding finding{.id = "PST101", .place = place_of(program, covered.front())};
  finding.message = message(program, covering, covered, facts);
  for (const RuleId rule : covering) {
    relate(finding, program, std::span(&rule, 1), taking(rule_of(program, rule)));
  }
  if (facts.wrong_state) {
    relate(finding, program, facts.untracked_by, "untracked here");
    relate(finding, program, facts.jumps, "jumps to its chain");
  }
  if (covering.empty()) {
    for (const RuleId rule : rewriting(program, covered.front())) {
      finding.related.push_back(
          {{}, place_of(program, rule), "it changes what this rule asks for"});
    }
  }
  relate(finding, program, std::span(covered).subspan(1), "never matches either", "PST101");
  advise(finding, program, covering, covered);
  return finding;
}

// iptables-restore flushes a table where it begins: of two in one file the first never applies.
void replaced_tables(LintRun& run) {
  const PlaceIndex places(run.ruleset());
  for (const Diagnostic& warning : run.bound().warnings) {
    if (warning.code != "table-replaced") continue;
    Finding finding{.id = "PST101", .place = places.at(warning.span)};
    finding.place.span = warning.span;
    finding.message = "none of this table's rules ever applies: the same table begins again below";
    for (const Note& note : warning.notes) {
      Place place = places.at(note.span);
      place.span = note.span;
      finding.related.push_back({{}, std::move(place), note.message});
    }
    finding.help = warning.help;
    run.report(std::move(finding));
  }
}

}  // namespace

void unreachable_rule(LintRun& run) {
  replaced_tables(run);
  // Key: the chain, too, when nothing takes the packets (then the callers are the cause).
  std::map<std::pair<Rules, ChainId>, Rules> groups;
  for_each_rule(
      run, "PST101", RuleFate::kTaken, [](const Rule&) { return true; },
      [&](RuleId rule, const RuleFacts& facts) {
        const ChainId chain = facts.taken_by.empty() ? run.program()->rules()[rule].chain : 0;
        groups[{facts.taken_by, chain}].push_back(rule);
      });
  for (const auto& [key, covered] : groups) {
    run.report(
        finding_for(*run.program(), key.first, covered, run.structure()->rules[covered.front()]));
  }
}

}  // namespace postern::check
