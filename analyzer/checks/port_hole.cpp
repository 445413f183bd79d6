// Covered by tests/unit/lint_hole_test.cpp.
#include "analyzer/checks/port_hole.hpp"

#include <algorithm>

namespace postern {
namespace {

constexpr Axis kSport = Axis::kInitiatorPort, kDport = Axis::kResponderPort;

u128 ports_from(const ValueClass& ports, u128 from) {
  u128 count = 0;
  for (const Interval& interval : ports.intervals) {
    const u128 low = std::max(interval.lo, from);
    if (low <= interval.hi) count += interval.hi - low + 1;
  }
  return count;
}

// The class that holds the most source ports from 1024 on; the first of them when several do.
std::uint32_t arbitrary_class(const FieldClasses& ports) {
  std::uint32_t best = 0;
  for (std::uint32_t i = 1; i < ports.count(); ++i) {
    if (ports_from(ports.classes[i], 1024) > ports_from(ports.classes[best], 1024)) best = i;
  }
  return best;
}

class HoleFinder {
 public:
  HoleFinder(Space& space, Path path, Set open, Set arbitrary_open)
      : space_(space),
        path_(path),
        bdd_(space.bdd()),
        open_(open),
        holes_(bdd_.minus(open, arbitrary_open)) {}

  std::vector<HoleFlow> find() {
    std::vector<std::uint32_t> sports = space_.classes_in(holes_, kSport);
    std::vector<HoleFlow> found;
    while (!sports.empty()) {
      const std::uint32_t sport = sports.front();
      const auto flow = best_flow(sport);
      if (!flow) {
        sports.erase(sports.begin());
        continue;
      }
      found.push_back(describe(*flow, sports));
    }
    return found;
  }

 private:
  Set at(Set set, Axis axis, std::uint32_t number) {
    return bdd_.both(set, space_.class_is(axis, number));
  }
  Set without(Set set, Axis axis) { return space_.exists(set, {&axis, 1}); }

  // Between which ends are at least two destination ports in `row`? (No destination port in the
  // result.)
  Set at_least_two(Set row) {
    Set once = kNothing, twice = kNothing;
    for (const std::uint32_t dport : space_.classes_in(row, kDport)) {
      const Set here = without(at(row, kDport, dport), kDport);
      const bool several = ports_from(space_.classes().port.classes[dport], 0) > 1;
      twice = bdd_.either(twice, several ? here : bdd_.both(once, here));
      once = bdd_.either(once, here);
    }
    return twice;
  }

  // A flow through the hole of this source port, between the two ends for whom it opens the largest
  // class of destination ports; nullopt when it opens no more than one port between any two ends.
  std::optional<FlowPoint> best_flow(std::uint32_t sport) {
    const Set row = at(holes_, kSport, sport);
    const Set wide = bdd_.both(row, at_least_two(row));
    if (wide.empty()) return std::nullopt;
    std::uint32_t best = 0;
    u128 most = 0;
    for (const std::uint32_t dport : space_.classes_in(wide, kDport)) {
      const u128 count = ports_from(space_.classes().port.classes[dport], 0);
      if (count > most) std::tie(best, most) = std::pair(dport, count);
    }
    const Set ends = without(at(wide, kDport, best), kDport);
    return canonical_point(space_, path_, bdd_.both(wide, ends), false);
  }

  // The destination ports in `set` for one source port, everything else as in `ends`.
  Set row_between(Set set, Set ends, std::uint32_t sport) {
    return without(at(bdd_.both(set, ends), kSport, sport), kSport);
  }

  IntervalList ports_of(Set set, Axis axis) {
    IntervalList list;
    for (const Interval& interval : space_.intervals(set, axis)) {
      list.emplace_back(interval.lo, interval.hi);
    }
    return list;
  }

  // Takes from `sports` all that open the same ports between the same two ends.
  HoleFlow describe(const FlowPoint& flow, std::vector<std::uint32_t>& sports) {
    FlowPoint fixed = flow;
    fixed.erase(kSport);
    fixed.erase(kDport);
    const Set ends = point_set(space_, fixed);
    const Set opens = row_between(open_, ends, flow.at(kSport).number);
    const Set only_thus = row_between(holes_, ends, flow.at(kSport).number);
    Set same = kNothing;
    std::erase_if(sports, [&](std::uint32_t sport) {
      if (row_between(open_, ends, sport) != opens) return false;
      if (row_between(holes_, ends, sport) != only_thus) return false;
      same = bdd_.either(same, space_.class_is(kSport, sport));
      return true;
    });
    return {flow, {ports_of(same, kSport), ports_of(opens, kDport), ports_of(only_thus, kDport)}};
  }

  Space& space_;
  Path path_;
  Bdd& bdd_;
  Set open_, holes_;
};

HoleSearch search(Space& space, Path path, const Triple& flows) {
  HoleSearch result;
  Bdd& bdd = space.bdd();
  const std::uint32_t arbitrary = arbitrary_class(space.classes().port);
  result.arbitrary_port = space.classes().port.classes[arbitrary].canonical;
  const Axis sport = kSport;
  const auto open_to_arbitrary = [&](Set set) {
    return space.exists(bdd.both(set, space.class_is(kSport, arbitrary)), {&sport, 1});
  };
  const Set possible = bdd.either(flows.may, flows.unmodelled);
  const Set maybe_open = open_to_arbitrary(possible), surely_open = open_to_arbitrary(flows.must);
  result.holes = HoleFinder(space, path, flows.must, maybe_open).find();
  if (!result.holes.empty()) return result;
  result.conditional = HoleFinder(space, path, flows.may, maybe_open).find();
  if (!result.conditional.empty()) return result;
  result.unmodelled =
      !flows.unmodelled.empty() && !HoleFinder(space, path, possible, surely_open).find().empty();
  result.undecided =
      !result.unmodelled && !HoleFinder(space, path, flows.may, surely_open).find().empty();
  return result;
}

}  // namespace

Budgeted<HoleSearch> search_port_holes(Model& model, Path path, std::uint8_t protocol) {
  const auto m = model.question(path, protocol_is(protocol));
  if (!m) return tl::unexpected(m.error());
  const auto answer = model.connect(path, *m);
  if (!answer) return tl::unexpected(answer.error());
  try {
    return search(model.space(), path, answer->flows);
  } catch (const BudgetEnded& ended) {
    return tl::unexpected(ended);
  }
}

}  // namespace postern
