// What conntrack can say of a packet at all: the points (flow, packet, state, direction, status)
// that come about in some state of some flow, both ends free, for any length of sequence. Per-rule
// structure asks whether a rule's packets are among them. Covered by tests/unit/structure_test.cpp.
#pragma once

#include "symbolic/explore/model_impl.hpp"

namespace postern {

// For `sender`'s packets of these flows on a path. `loose`: something is not modelled, so every
// state that goes together counts as possible.
Set possible_points(Model::Impl& model, Path path, FlowEnd sender, Set flows, bool loose);

}  // namespace postern
