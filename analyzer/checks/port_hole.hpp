// Source port holes as sets (PST202): which source ports open which destination ports that are
// closed to an arbitrary source port from 1024 on.
//
// "Arbitrary" is made exact thus: the largest group of source ports in 1024-65535 that no rule
// tells apart. What the text does not decide has the same value for both ports that are compared:
// a rate limit in front of an accept makes no hole of all other ports. So a rule that blocks a few
// source ports makes no hole of all the others, and a rule that accepts one port does. Everything
// else (addresses, interfaces) stays the same in the comparison. Covered by
// tests/unit/lint_hole_test.cpp.
#pragma once

#include <vector>

#include "analyzer/checks/flows.hpp"

namespace postern {

// One hole: a flow through it, and the ports of all flows between the same two ends.
struct HoleFlow {
  FlowPoint flow;
  PortHole ports;
};

struct HoleSearch {
  std::vector<HoleFlow> holes;        // for every value of what the text does not decide
  std::vector<HoleFlow> conditional;  // for some; only when there is none for every value
  // The conditional ones are open for every value; it is the others that some value lets in, too.
  bool others_undecided = false;
  // An arbitrary source port cannot be told open or closed, so neither can holes.
  bool undecided = false;
  bool unmodelled = false;  // there may be holes through NAT, zones or helpers
  u128 arbitrary_port = 0;  // one of the largest group
};

Budgeted<HoleSearch> search_port_holes(Model& model, const Program& program, Path path,
                                       std::uint8_t protocol);

}  // namespace postern
