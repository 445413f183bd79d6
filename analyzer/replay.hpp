// Runs scenarios through the engine: rulesets bound and compiled, world built, packets and steps in
// order, reports in the format of scenario-format.md.
// Covered by tests/unit/replay_test.cpp and, against the kernel, tests/kernel/.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "engine/chooser.hpp"
#include "flow/program.hpp"
#include "scenario/result.hpp"
#include "scenario/scenario.hpp"
#include "text/diagnostic.hpp"

namespace postern {

struct Replayed {
  ScenarioReport report;
  std::vector<Choice> choices;  // every decision that the text left open, as it was made
  // Not empty: the engine stopped here because it does not model this ("unmodelled: NAT"); the
  // report holds the packets before it. Such a replay proves nothing.
  std::string unmodelled;
};

// Why a scenario could not be run at all. Diagnostics refer to `source` (a ruleset of the scenario)
// when there are any; otherwise `message` says it.
struct ReplayError {
  std::string message;
  Diagnostics diagnostics;
  std::shared_ptr<const SourceFile> source;
};

// Binds and compiles the scenario's rulesets, then runs it.
tl::expected<Replayed, ReplayError> replay(const Scenario& scenario);

// Runs a scenario whose rulesets are compiled already (the texts in `scenario` are not read). A
// null program is a family without ruleset.
tl::expected<Replayed, ReplayError> replay(const Scenario& scenario, const Program* v4,
                                           const Program* v6);

}  // namespace postern
