// Covered by tests/unit/replay_test.cpp and tests/cli/replay_test.cpp.
#include "analyzer/replay_document.hpp"

#include <utility>

namespace postern {

tl::expected<ReplayDocument, std::vector<ReplayError>> replay_document(const ScenarioFile& file) {
  ReplayDocument document;
  std::vector<ReplayError> errors;
  nlohmann::json list = nlohmann::json::array();
  for (const Scenario& scenario : file.scenarios) {
    auto one = replay(scenario);
    if (!one) {
      errors.push_back(std::move(one.error()));
      continue;
    }
    nlohmann::json json = to_json(one->report);
    if (!one->unmodelled.empty()) {
      json["error"] = one->unmodelled;
      document.exit_status = 3;
    }
    list.push_back(std::move(json));
  }
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  document.json = file.lone && list.size() == 1 ? std::move(list.front()) : std::move(list);
  return document;
}

}  // namespace postern
