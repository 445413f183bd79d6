// The two ends of a flow as rules see them: the address, port or address type of the packet, or
// what NAT has made of it.
//
// Idea: a binding names a range (translation.hpp). Where a rule reads an end that it has replaced,
// the test is decided on the range, `may` and `must` apart where the range leaves it open; where
// the range says for each old address what it becomes (NETMAP), on that. Ports that are not in
// conntrack's key (DCCP's) stay as they are. Sources: kernel-facts 8, 49-54. Covered by
// tests/unit/translation_test.cpp, tests/unit/netmap_sets_test.cpp and tests/unit/dccp_test.cpp.
#pragma once

#include <cstdint>
#include <functional>

#include "meaning/predicate.hpp"
#include "symbolic/rules/binding.hpp"

namespace postern {

// A test of one numeric field: by value, and as a range where it is one.
struct FieldTest {
  std::function<bool(u128)> holds;
  const InRange* range = nullptr;
};

// A test on an axis that has what is tested.
Set on_axis(Space& space, Axis axis, const FieldTest& test);

// What an address is that stands for a whole subnet of this host's (IPv6: for its routers).
AddressType subnets_type(Family family);

enum class Part : std::uint8_t { kAddress, kPort, kType };
enum class Shown : std::uint8_t { kOriginal, kTranslated };

class Ends {
 public:
  // As Reader's.
  Ends(Space& space, const Translations* translations)
      : space_(space), translations_(translations) {}

  MayMust read(Part part, FlowEnd end, Shown shown, const Binding& b, const FieldTest& test);
  // Which of its two faces an end of the packet shows where the binding stands.
  static Shown shown(bool of_source, const Binding& b);
  // Flows whose end is surely changed by a binding to the range.
  Set surely_other(FlowEnd end, const EndRange& range);
  Set surely_other_address(FlowEnd end, const EndRange& range);
  // Flows whose initiator is surely not what a binding to the range leads the responder's packets
  // to. `remote`: the initiator is not on this host.
  Set surely_turned(const EndRange& range, bool remote);
  // ... whose end is the only one of the range: a binding changes nothing.
  Set surely_same(FlowEnd end, const EndRange& range);

 private:
  Set with_ports();
  MayMust bound(Part part, FlowEnd end, Shown shown, const Binding& b, const FieldTest& test);
  Set outside(Axis axis, u128 low, u128 high);
  MayMust mapped(const EndRange& range, Axis axis, const FieldTest& test);
  MayMust replaced(Part part, const EndRange& range, Axis kept, bool here, const FieldTest& test);

  Space& space_;
  const Translations* translations_;
};

}  // namespace postern
