// The witness of an ICMP error that NAT leads on with the opener of the flow that it quotes
// (explore/led_errors.cpp), in two halves: the flow, whose packets say what NAT makes of its opener
// once they have been replayed, and the error, which goes there.
// Covered by tests/unit/related_error_test.cpp.
#pragma once

#include <vector>

#include "scenario/result.hpp"
#include "symbolic/witness/witness.hpp"

namespace postern {

// A flow that NAT binds, and the errors (flow and packet axes) that may go to what it makes of the
// opener.
struct LedParent {
  Path path = Path::kForward;
  Set errors;
  FlowPoint flow;
  Witness witness;
};

// Some flows that errors of the set may quote, one for each way in which NAT may bind them, and a
// few with other openers. May end in BudgetEnded, which is thrown.
std::vector<LedParent> led_parents(Model& model, Path path, Set errors);

struct LedError {
  FlowPoint flow;
  Witness witness;  // the parent's packets and the error
};

// An error about the parent's first packet as it left, to where that came from then. `entry`: the
// parent's. nullopt: no error of the set goes there.
std::optional<LedError> led_error(Model& model, Path path, const LedParent& parent,
                                  const EntryReport& entry);

}  // namespace postern
