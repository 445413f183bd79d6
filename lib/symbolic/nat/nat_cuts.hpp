// What the ranges of NAT tell apart: an end that stands in one of DNAT's is led to itself, any
// other away (Ends::surely_turned), and what a helper announces under NAT goes to an address that a
// rule names (following.cpp). Both are classes of their own.
// Covered by tests/unit/query_arrival_test.cpp and tests/unit/expected_nat_test.cpp.
#pragma once

#include <span>
#include <vector>

#include "flow/program.hpp"

namespace postern {

// The questions, and tests of each end that a NAT rule names. Where DNAT names more than are
// followed, its own are left out: each class has its price.
std::vector<PredicatePtr> with_nat_cuts(const Program& program,
                                        std::span<const PredicatePtr> questions);

}  // namespace postern
