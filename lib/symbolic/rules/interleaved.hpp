// Packets are not atomic: conntrack's state of a packet stays with it, but the connmark and the
// status are the entry's, and between two hooks of one packet others of its flow may change them
// (a card hands packets over in batches, which pass PREROUTING together: ip_list_rcv; over lo
// another processor sends meanwhile).
//
// Idea: in a walk with WalkOptions::interleaved a rule reads, at each place, any connmark that some
// packet may leave, and SEEN_REPLY and ASSURED where the lookup has not found them yet. Over: most
// of it happens in no run. Covered by tests/unit/interleaved_test.cpp.
#pragma once

#include <cstdint>

#include "flow/program.hpp"
#include "symbolic/sets/relation.hpp"

namespace postern {

// Does some rule read what another packet may change behind the lookup?
bool reads_what_others_change(const Program& program);

// The connmarks (Axis::kConnmark) that entries may have.
Set connmarks_of_entries(Space& space, const Program& program);

}  // namespace postern
