// Splits intervals of wide values by masks that are no prefixes, exactly: by way of a BDD over the
// value's own bits. Rare, so plain rather than fast. Covered by tests/unit/classes_test.cpp.
#pragma once

#include <span>
#include <vector>

#include "symbolic/sets/classes.hpp"
#include "symbolic/sets/cuts.hpp"

namespace postern {

// Classes in which every mask test has one value; each lies in one of the intervals. A class with
// very many intervals lists only the first of them (complete = false).
std::vector<ValueClass> split_by_masks(std::span<const Interval> intervals,
                                       std::span<const ScatteredMask> masks, unsigned width);

}  // namespace postern
