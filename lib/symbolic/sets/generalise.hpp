// From one witness to the box of all that behave alike: a product of class sets around one point,
// every point of which lies in the set of "yes" (proved by set algebra, none sampled).
// The order in which fields are widened is published in docs/generalise.md.
// Covered by tests/unit/generalise_test.cpp.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "symbolic/sets/space.hpp"

namespace postern {

// Axis -> its classes, ascending. Axes that are not named are at the point.
using ClassBox = std::map<Axis, std::vector<std::uint32_t>>;

// Fields in the order in which they are widened: flow axes, then the packet's own.
std::span<const Axis> widening_order();

// The greatest box that can be had by widening `point` one axis at a time, in widening_order(),
// inside `yes`. Only axes that `point` names are widened; bits, interfaces and address types stay.
// `yes` must contain the point. Every combination of the box's classes is in `yes`.
ClassBox widen(Space& space, Set yes, const std::map<Axis, std::uint32_t>& point);

// The set of all points of the box.
Set box_set(Space& space, const ClassBox& box);

// Values of a list of classes, merged and ascending; what is too scattered to list is left out.
std::vector<Interval> values_of(const FieldClasses& classes,
                                std::span<const std::uint32_t> numbers);

}  // namespace postern
