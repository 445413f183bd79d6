// PST104: user chains that no rule jumps to. One finding for a file.
#include <fmt/format.h>

#include <set>

#include "analyzer/checks/check.hpp"
#include "analyzer/checks/checks.hpp"

namespace postern::check {
namespace {

std::set<std::size_t> referenced(const Table& table) {
  std::set<std::size_t> chains;
  for (const Chain& chain : table.chains) {
    for (const Rule& rule : chain.rules) {
      if (const auto* jump = std::get_if<Jump>(&rule.action)) chains.insert(jump->chain);
      if (const auto* go = std::get_if<Goto>(&rule.action)) chains.insert(go->chain);
    }
  }
  return chains;
}

std::vector<Place> unreferenced(const Ruleset& ruleset) {
  std::vector<Place> places;
  for (const Table& table : ruleset.tables) {
    const std::set<std::size_t> known = referenced(table);
    for (std::size_t i = 0; i < table.chains.size(); ++i) {
      const Chain& chain = table.chains[i];
      if (chain.builtin() || known.contains(i)) continue;
      places.push_back(place_of(ruleset, table, chain));
    }
  }
  return places;
}

std::string nobody_jumps_to(const Place& place) {
  return fmt::format("no rule jumps to chain {} of table {}", place.chain, text(*place.table));
}

}  // namespace

void unreferenced_chain(LintRun& run) {
  const std::vector<Place> places = unreferenced(run.ruleset());
  run.answered();
  if (places.empty()) return;
  Finding finding{.id = "PST104", .severity = Severity::kInfo, .place = places.front()};
  finding.message = nobody_jumps_to(places.front());
  if (places.size() > 1) finding.message += fmt::format(" and {} more", places.size() - 1);
  finding.help = "add the jump that was meant, or delete the chain";
  for (std::size_t i = 1; i < places.size(); ++i) {
    finding.related.push_back({{}, places[i], nobody_jumps_to(places[i])});
  }
  run.report(std::move(finding));
}

}  // namespace postern::check
