// What DNAT's ranges tell apart: an end that stands in one of them is led to itself, any other away
// (Ends::surely_turned), so that both are classes of their own.
// Covered by tests/unit/query_arrival_test.cpp.
#pragma once

#include <span>
#include <vector>

#include "flow/program.hpp"

namespace postern {

// The questions, and tests of each destination that a NAT rule names. With more rules than are
// followed, the questions alone: each class has its price.
std::vector<PredicatePtr> with_nat_cuts(const Program& program,
                                        std::span<const PredicatePtr> questions);

}  // namespace postern
