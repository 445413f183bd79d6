// PST002: `iptables-restore --test` takes the file, loading it fails: rules that the kernel refuses
// where they stand (the vocabulary knows them, the binder warns), and chains that reach themselves.
#include <set>

#include "analyzer/checks/check.hpp"
#include "analyzer/checks/checks.hpp"

namespace postern::check {

namespace {

Finding finding_for(const Diagnostic& refusal, const PlaceIndex& places) {
  Finding finding{.id = "PST002", .severity = Severity::kError};
  finding.place = places.at(refusal.span);
  finding.message = refusal.message;
  finding.help = refusal.help;
  for (const Note& note : refusal.notes) {
    finding.related.push_back({{}, places.at(note.span), note.message});
  }
  return finding;
}

// The kernel looks for loops only from the built-in chains (tried: a loop among chains that nothing
// enters loads on both backends).
std::set<std::pair<const Table*, std::size_t>> entered_chains(const Ruleset& ruleset) {
  std::set<std::pair<const Table*, std::size_t>> entered;
  for (const Table& table : ruleset.tables) {
    std::vector<std::size_t> next;
    for (std::size_t i = 0; i < table.chains.size(); ++i) {
      if (table.chains[i].builtin()) next.push_back(i);
    }
    while (!next.empty()) {
      const std::size_t chain = next.back();
      next.pop_back();
      if (!entered.emplace(&table, chain).second) continue;
      for (const Rule& rule : table.chains[chain].rules) {
        if (const auto* jump = std::get_if<Jump>(&rule.action)) next.push_back(jump->chain);
        if (const auto* go = std::get_if<Goto>(&rule.action)) next.push_back(go->chain);
      }
    }
  }
  return entered;
}

bool is_entered(const Ruleset& ruleset, const Place& place) {
  const Table* table = place.table ? ruleset.find(*place.table) : nullptr;
  const auto chain = table == nullptr ? std::nullopt : table->index(place.chain);
  return chain && entered_chains(ruleset).contains({table, *chain});
}

}  // namespace

void kernel_refuses(LintRun& run) {
  const PlaceIndex places(run.ruleset());
  for (const Diagnostic& warning : run.bound().warnings) {
    if (warning.code == "PST002") run.report(finding_for(warning, places));
  }
  for (const Diagnostic& loop : run.refused()) {
    Finding finding = finding_for(loop, places);
    if (is_entered(run.ruleset(), finding.place)) {
      finding.reasons = {
          "nothing of this ruleset takes effect, so no other question is asked about it"};
      run.report(std::move(finding));
    } else {
      run.leave_open({.id = "PST002",
                      .question = "what does this ruleset do",
                      .why = "chains that nothing enters jump in a circle: the kernel loads them, "
                             "postern cannot run them",
                      .span = loop.span});
    }
  }
}

}  // namespace postern::check
