#include "symbolic/sets/generalise.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace postern {
namespace {

constexpr std::array kOrder{
    Axis::kResponderPort, Axis::kInitiatorPort, Axis::kResponder, Axis::kInitiator,
    Axis::kProtocol,      Axis::kIcmpType,      Axis::kIcmpCode,  Axis::kTcpFlags,
    Axis::kLength,        Axis::kTtl,           Axis::kTos,
};

Set classes_set(Space& space, Axis axis, std::span<const std::uint32_t> numbers) {
  Set set = kNothing;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t j = i;
    while (j + 1 < numbers.size() && numbers[j + 1] == numbers[j] + 1) ++j;
    set = space.bdd().either(set, space.class_range(axis, numbers[i], numbers[j]));
    i = j + 1;
  }
  return set;
}

}  // namespace

std::span<const Axis> widening_order() { return kOrder; }

ClassBox widen(Space& space, Set yes, const std::map<Axis, std::uint32_t>& point) {
  ClassBox box;
  // What is not widened stands at the point.
  for (const auto& [axis, number] : point) {
    if (std::ranges::find(kOrder, axis) != kOrder.end()) {
      box[axis] = {number};
    } else {
      yes = space.bdd().both(yes, space.class_is(axis, number));
      const std::array gone{axis};
      yes = space.exists(yes, gone);
    }
  }
  Set bad = space.bdd().minus(space.domain(), yes);
  for (const Axis axis : kOrder) {
    const auto own = box.find(axis);
    if (own == box.end()) continue;
    // Classes of this axis for which some combination of the others is not a "yes".
    Set refuting = bad;
    for (const auto& [other, numbers] : box) {
      if (other == axis) continue;
      const std::array gone{other};
      refuting = space.exists(space.bdd().both(refuting, classes_set(space, other, numbers)), gone);
    }
    std::vector<std::uint32_t> kept;
    for (std::uint32_t c = 0; c < space.layout(axis).classes->count(); ++c) {
      if (space.bdd().disjoint(refuting, space.class_is(axis, c))) kept.push_back(c);
    }
    POSTERN_CHECK(std::ranges::binary_search(kept, own->second.front()),
                  "the witness itself is a yes");
    own->second = std::move(kept);
  }
  return box;
}

Set box_set(Space& space, const ClassBox& box) {
  Set set = kEverything;
  for (const auto& [axis, numbers] : box) {
    set = space.bdd().both(set, classes_set(space, axis, numbers));
  }
  return set;
}

std::vector<Interval> values_of(const FieldClasses& classes,
                                std::span<const std::uint32_t> numbers) {
  std::vector<Interval> all;
  for (const std::uint32_t n : numbers) {
    const auto& intervals = classes.classes[n].intervals;
    all.insert(all.end(), intervals.begin(), intervals.end());
  }
  std::ranges::sort(all, {}, &Interval::lo);
  std::vector<Interval> merged;
  for (const Interval& i : all) {
    if (!merged.empty() && (merged.back().hi == ~u128{0} || i.lo <= merged.back().hi + 1)) {
      merged.back().hi = std::max(merged.back().hi, i.hi);
    } else {
      merged.push_back(i);
    }
  }
  return merged;
}

}  // namespace postern
