// Flows that a helper may have announced (kernel-facts 58), and the flow that makes it do so.
// Covered by tests/unit/expected_flows_test.cpp.
#pragma once

#include "flow/hooks.hpp"
#include "symbolic/abstract_entry.hpp"
#include "symbolic/bdd.hpp"
#include "symbolic/templates.hpp"

namespace postern {

// Flows (flow axes) whose first packet may fulfil an expectation, by who sends it. `marked`: the
// master of such a flow may have any connmark, which the flow inherits; else 0.
struct ExpectedFlows {
  Set by_initiator = kNothing, by_responder = kNothing;
  bool marked = false;

  Set by(FlowEnd sender) const {
    return sender == FlowEnd::kInitiator ? by_initiator : by_responder;
  }
  bool empty() const { return by_initiator.empty() && by_responder.empty(); }
};

// An honest conversation, of some of `flows`, in which a helper reads what `speaker` says last.
// `opener` sends the first packet; both ends are named as on `path`.
struct Master {
  Helper helper = Helper::kNone;
  Path path = Path::kIn;
  FlowEnd opener = FlowEnd::kInitiator, speaker = FlowEnd::kInitiator;
  Set flows = kNothing;
};

}  // namespace postern
