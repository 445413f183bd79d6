// The witness of an ICMP error that quotes another flow (its parent): the parent's packets come
// first, so that its entry stands when the error arrives. Covered by
// tests/unit/related_error_test.cpp.
#pragma once

#include <memory>
#include <vector>

#include "symbolic/witness/witness.hpp"

namespace postern {

// The packets of the steps of `flow`; before an error about another flow those of that flow. May
// end in BudgetEnded, which is thrown.
Witness with_parent(Model& model, Path path, const FlowPoint& flow,
                    const std::vector<FlowStep>& steps, bool must);

// What the error quotes: the flow's first packet (`opened`: the error goes to its sender) or the
// answer to that, as it arrives where that one was sent. REQUIRES: the flow has a packet.
std::shared_ptr<const Packet> quoted_packet(const Witness& parent, bool opened);

// `error` behind the packets of its parent, in a world for both.
Witness behind_parent(const Witness& parent, Witness error);

}  // namespace postern
