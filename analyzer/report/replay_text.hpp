// What came of a scenario, for people: one paragraph a packet (what was sent, what became of it,
// what rules saw, which rules counted, the host's own answers, the conntrack table afterwards).
// Covered by tests/unit/replay_text_test.cpp and the pages of corpus/stories.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "scenario/scenario.hpp"

namespace postern {

// `document`: what the engine or Linux gave for `scenario` (to_json of a ScenarioReport).
std::string replay_text(const Scenario& scenario, const nlohmann::json& document);

}  // namespace postern
