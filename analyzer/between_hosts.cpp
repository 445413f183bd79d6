// Covered by tests/unit/lint_segment_test.cpp, query_addresses_test.cpp.
#include "analyzer/between_hosts.hpp"

#include "symbolic/rules/routing.hpp"

namespace postern {
namespace {

Set to_one_host(Space& space, Set flows) {
  const auto without = [&](Axis axis, u128 low, u128 high) {
    flows = space.bdd().minus(flows, space.values(axis, low, high));
  };
  if (space.classes().family == Family::kIpv4) {
    without(Axis::kResponder, 0xe0000000, 0xefffffff);
    without(Axis::kResponder, 0xffffffff, 0xffffffff);
  } else {
    without(Axis::kResponder, 0, 0);  // (Linux forwards what is sent there)
    without(Axis::kResponder, u128{0xff} << 120, ~u128{0});
  }
  return flows;
}

Set from_one_host(Space& space, Set flows) {
  const auto without = [&](u128 low, u128 high) {
    flows = space.bdd().minus(flows, space.values(Axis::kInitiator, low, high));
  };
  if (space.classes().family == Family::kIpv4) {
    without(0, 0);
    without(0xe0000000, 0xefffffff);
    without(0xffffffff, 0xffffffff);
  } else {
    without(0, 0);
    without(u128{0xff} << 120, ~u128{0});
  }
  return flows;
}

// Without those whose ends can only be one: both in the class that one address is.
Set of_two_ends(Space& space, Set flows) {
  for (const ValueClass& address : space.layout(Axis::kResponder).classes->classes) {
    const u128 value = address.canonical;
    const bool single = address.complete && address.intervals.size() == 1 &&
                        address.intervals[0].lo == address.intervals[0].hi;
    if (!single) continue;
    const Set itself = space.bdd().both(space.values(Axis::kInitiator, value, value),
                                        space.values(Axis::kResponder, value, value));
    flows = space.bdd().minus(flows, itself);
  }
  return flows;
}

}  // namespace

Set between_hosts(Space& space, Path path, Set flows, bool moved) {
  flows = space.bdd().minus(flows, depends_on_host(space, path, moved));
  flows = space.bdd().minus(flows, odd_flows(space, path));
  if (path != Path::kLoopback) flows = of_two_ends(space, flows);
  return from_one_host(space, to_one_host(space, flows));
}

}  // namespace postern
