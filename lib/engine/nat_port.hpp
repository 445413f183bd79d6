// Which port (or ICMP id) a flow gets when its own is taken or not allowed: the kernel begins at a
// random place of the range and takes the next that is free; the place is the Chooser's.
// Covered by tests/unit/nat_port_test.cpp.
#pragma once

#include <functional>

#include "engine/chooser.hpp"
#include "engine/conntrack_tuple.hpp"
#include "engine/nat_range.hpp"

namespace postern {

// Is the tuple in use? `left`: how many more will be tried; a scarce range may evict dead flows.
using TupleIsTaken = std::function<bool(const CtTuple& tuple, unsigned left)>;

// The part of the tuple that NAT of this half may change, or null: there is none.
std::uint16_t* nat_key(CtTuple& tuple, Manip manip);
// Is that part within the range's ports? True for protocols without one.
bool key_in_range(const CtTuple& tuple, Manip manip, const NatRange::Ports& ports);

// Changes the tuple's port so that it is free, if it can; else the last one tried stays, and the
// flow will not be confirmed (nf_nat_l4proto_unique_tuple; kernel-facts 51). `place` names the rule
// to the chooser.
void choose_port(CtTuple& tuple, Manip manip, const NatRange& range, const TupleIsTaken& taken,
                 Chooser& chooser, const std::string& place);

}  // namespace postern
