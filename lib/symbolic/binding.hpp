// Predicates as sets: which axis a rule means by "source" depends on who sends the packet, and what
// it can see depends on where it stands. A Binding says both; no set is ever permuted.
//
// Invariants: results are exact but for opaques, where `may` and `must` enclose every coin; what a
// rule reads of a RELATED packet's entry (its tuple, not this flow's) counts as opaque. A test of
// the link-layer address is exact together with the rest of its rule (mac_codes.hpp).
// Sources: kernel-facts 10, 12, 19-21. Covered by tests/unit/walk_test.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "flow/hooks.hpp"
#include "meaning/predicate.hpp"
#include "symbolic/abstract_entry.hpp"
#include "symbolic/mac_codes.hpp"
#include "symbolic/space.hpp"
#include "symbolic/translation.hpp"

namespace postern {

// What a predicate may be and must be.
struct MayMust {
  Set may = kNothing, must = kNothing;
};

// Where and for whom a predicate is read.
struct Binding {
  FlowEnd sender = FlowEnd::kInitiator;
  bool sees_input = true, sees_output = true;  // else the empty name
  bool ttl_decremented = false;                // behind the routing of a forwarded packet
  // Before the lookup: the state is INVALID, or UNTRACKED once marked so (kernel-facts 19).
  bool before_lookup = false;
  bool confirmed = false;  // on lo, behind POSTROUTING: every entry is CONFIRMED
  // A question's packet, before any hook: both interfaces are seen, and a mark is the one that the
  // packet sets out with.
  bool question = false;
  // The binding of the packet's entry; before the NAT stage of the packet's first hook (kNat) the
  // ends are as on the wire. `to_host`: what the destination became is an address of this host.
  NatVariant nat = {};
  bool before_nat = false, to_host = false;
  bool behind_source = false;  // behind the NAT of sources: security of INPUT, with iptables-nft
  auto operator<=>(const Binding&) const = default;

  static Binding at(Hook hook, Path path, FlowEnd sender);
};

class Reader {
 public:
  // `translations` must outlive the reader; null: no packet is under NAT.
  explicit Reader(Space& space, const Translations* translations = nullptr)
      : space_(space), cards_(space), translations_(translations) {}

  // Remembers the result by the predicate's address: for rules, which outlive the reader.
  MayMust read(const PredicatePtr& predicate, const Binding& binding);
  MayMust read_once(const Predicate& predicate, const Binding& b) { return visit(predicate, b); }

  // The axes of the two ends of a packet.
  static Axis source(const Binding& b);
  static Axis destination(const Binding& b);

 private:
  struct Key {
    const Predicate* predicate;
    std::uint32_t binding;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& k) const {
      return std::hash<const void*>{}(k.predicate) * 131 + k.binding;
    }
  };
  MayMust visit(const Predicate& predicate, const Binding& b);
  MayMust range(const InRange& test, const Binding& b);
  MayMust masked(const Masked& test, const Binding& b);
  Set interface(const InterfaceIs& test, const Binding& b);
  // A test of one numeric field, as a range or as a function of a class's value.
  template <class Test>
  MayMust field(Field field, const Binding& b, const Test& test, const InRange* as_range);
  template <class Test>
  Set on_axis(Axis axis, const Test& test, const InRange* as_range);
  // Marks: bits that nobody follows are 0.
  Set mark_masked(Axis axis, std::uint32_t value, std::uint32_t mask);
  Set mark_bound(Axis axis, std::uint32_t bound, bool at_least);
  MayMust status(const Binding& b, const std::function<bool(u128)>& test);
  // An address, port or address type as rules see it: of one end, or of what NAT made of it.
  enum class Part : std::uint8_t { kAddress, kPort, kType };
  enum class Shown : std::uint8_t { kOriginal, kTranslated };
  template <class Test>
  MayMust end(Part part, FlowEnd end, Shown shown, const Binding& b, const Test& test,
              const InRange* as_range);
  template <class Test>
  MayMust replaced(Part part, const EndRange& range, Axis kept, bool here, const Test& test);
  Shown shown(bool of_source, const Binding& b) const;
  // Flows whose end is surely changed by a binding to the range.
  Set surely_other(FlowEnd end, const EndRange& range);

  template <class Test>
  MayMust card(FlowEnd sender, const Test& test);
  Set state_is(CtState state, const Binding& b);
  // A test of the entry's tuple: `original` where the packet runs in the entry's original
  // direction, `reply` where it runs against it.
  MayMust by_direction(MayMust original, MayMust reply);
  Set foreign();
  MayMust tuple_port(MayMust of_ports, bool zero);

  Space& space_;
  MacReader cards_;
  const Translations* translations_;
  std::unordered_map<Key, MayMust, KeyHash> known_;
};

}  // namespace postern
