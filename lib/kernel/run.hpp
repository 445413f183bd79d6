// Whole scenarios on the real kernel: the same document that `postern replay` prints, from Linux.
// Covered by tests/kernel/scenario_test.cpp.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "kernel/system.hpp"
#include "scenario/scenario.hpp"

namespace postern::kernel {

// Can scenarios run here? The error says why not (no permission to make a network namespace, no TUN
// devices, no nf_tables, a program is missing).
Outcome<void> available();

// Runs every scenario of a file, each in a world of its own: one document, or a list of them.
Outcome<nlohmann::json> run(const ScenarioFile& file);
// Runs a scenario in a world of its own. The error is a sentence (scenario refused, tool missing).
Outcome<nlohmann::json> run(const Scenario& scenario);

}  // namespace postern::kernel
