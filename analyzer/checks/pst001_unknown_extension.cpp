// PST001: a module, option or target that postern does not know. One finding per unknown thing,
// with all other places where it stands.
#include <map>

#include "analyzer/checks/check.hpp"
#include "analyzer/checks/checks.hpp"

namespace postern::check {

void unknown_extension(LintRun& run) {
  const PlaceIndex places(run.ruleset());
  std::map<std::string, Finding> by_message;
  for (const Diagnostic& warning : run.bound().warnings) {
    if (warning.code != "PST001") continue;
    Place place = places.at(warning.span);
    place.span = warning.span;
    const auto [found, is_new] = by_message.try_emplace(warning.message);
    Finding& finding = found->second;
    if (!is_new) {
      finding.related.push_back({.id = {}, .place = place, .message = "here, too"});
      continue;
    }
    finding.id = "PST001";
    finding.severity = warning.severity;
    finding.place = place;
    finding.message = warning.message;
    finding.reasons = {
        "it is kept as something that may do anything; answers that depend on it are "
        "conditional and name it"};
    finding.help = warning.help;
  }
  for (auto& [message, finding] : by_message) run.report(std::move(finding));
}

}  // namespace postern::check
