// The witness of an announced flow needs another flow before it: its master, whose payload a helper
// reads. Written as an honest conversation whose last packets say what the helper looks for.
// Covered by tests/unit/expected_flows_test.cpp.
#pragma once

#include <optional>
#include <string>

#include "symbolic/explore/model.hpp"
#include "symbolic/witness/witness.hpp"

namespace postern {

// Puts the master's packets before the one that fulfils the expectation, where the witness of
// `flow` (on `path`) has such a packet, and what they need into its world. Sets the witness's
// obstacle when no master can be written down. May end in BudgetEnded, which is thrown.
void add_master(Model& model, Path path, const FlowPoint& flow, bool must, Witness& witness);

}  // namespace postern
