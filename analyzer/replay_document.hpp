// The document that `postern replay` prints, in the format of scenario-format.md.
// Covered by tests/unit/replay_test.cpp and tests/cli/replay_test.cpp.
#pragma once

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>
#include <vector>

#include "analyzer/replay.hpp"

namespace postern {

// What `postern replay` prints and returns: the report of a lone scenario, a list of reports
// otherwise. A scenario that met something unmodelled has "error" beside what came before it (exit
// status 3). Errors: every ruleset error of every scenario (exit status 2).
struct ReplayDocument {
  nlohmann::json json;
  int exit_status = 0;
};
tl::expected<ReplayDocument, std::vector<ReplayError>> replay_document(const ScenarioFile& file);

}  // namespace postern
