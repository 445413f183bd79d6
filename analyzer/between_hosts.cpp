// Covered by tests/unit/lint_segment_test.cpp, query_addresses_test.cpp.
#include "analyzer/between_hosts.hpp"

#include <algorithm>
#include <utility>

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
    const auto value = address.single();
    if (!value) continue;
    const Set itself = space.bdd().both(space.values(Axis::kInitiator, *value, *value),
                                        space.values(Axis::kResponder, *value, *value));
    flows = space.bdd().minus(flows, itself);
  }
  return flows;
}

// What lies between the addresses that rules name: the largest class, and all that are larger than
// the networks that one names (IPv4's /8, IPv6's /16).
Set unnamed(Space& space, Axis end) {
  const auto size = [](const ValueClass& addresses) {
    u128 sum = 0;
    for (const Interval& interval : addresses.intervals) sum += interval.hi - interval.lo;
    return sum;
  };
  const auto& classes = space.layout(end).classes->classes;
  const u128 most = size(*std::ranges::max_element(classes, {}, size));
  const u128 named = u128{1} << (space.classes().family == Family::kIpv4 ? 24 : 112);
  return space.class_set_if(
      end, [&](const ValueClass& addresses) { return size(addresses) >= std::min(most, named); });
}

}  // namespace

Set between_hosts(Space& space, Path path, Set flows, bool moved) {
  flows = space.bdd().minus(flows, depends_on_host(space, path, moved));
  flows = space.bdd().minus(flows, odd_flows(space, path));
  if (path != Path::kLoopback) flows = of_two_ends(space, flows);
  return from_one_host(space, to_one_host(space, flows));
}

Set of_this_host(Space& space, Set flows) {
  const bool v4 = space.classes().family == Family::kIpv4;
  for (const auto& [end, type] : {std::pair{Axis::kInitiator, Axis::kInitiatorType},
                                  std::pair{Axis::kResponder, Axis::kResponderType}}) {
    Set own = v4 ? space.values(end, 0x7f000000, 0x7fffffff) : space.values(end, 1, 1);
    if (space.classes().address_type.count() > 1) {
      constexpr auto kLocal = static_cast<u128>(AddressType::kLocal);
      const Set local = space.values(type, kLocal, kLocal);
      own = space.bdd().either(own, space.bdd().both(unnamed(space, end), local));
    }
    flows = space.bdd().both(flows, own);
  }
  return flows;
}

}  // namespace postern
