// Predicates as sets. No set is ever permuted: a Binding says which axis is meant.
//
// Invariants: results are exact but for opaques, where `may` and `must` enclose every coin; what a
// rule reads of a RELATED packet's entry (its tuple, not this flow's) counts as opaque. A test of
// the link-layer address is exact together with the rest of its rule (mac_codes.hpp).
// Sources: kernel-facts 10, 12, 19-21. Covered by tests/unit/walk_test.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "meaning/predicate.hpp"
#include "symbolic/rules/ends.hpp"
#include "symbolic/sets/mac_codes.hpp"

namespace postern {

class Reader {
 public:
  // `translations` must outlive the reader; null: no packet is under NAT.
  explicit Reader(Space& space, const Translations* translations = nullptr)
      : space_(space), cards_(space), ends_(space, translations), translations_(translations) {}

  // Remembers the result by the predicate's address: for rules, which outlive the reader.
  MayMust read(const PredicatePtr& predicate, const Binding& binding);
  // Which connmarks entries may have, for Binding::interleaved.
  void know_connmarks(Set connmarks) { connmarks_ = connmarks; }
  // Has no predicate been read of which it is open where it holds?
  bool exact() const { return exact_; }
  MayMust read_once(const Predicate& predicate, const Binding& b) { return visit(predicate, b); }

  // The axes of the two ends of a packet.
  static Axis source(const Binding& b);
  static Axis destination(const Binding& b);

 private:
  struct Key {
    const Predicate* predicate;
    std::uint64_t binding;
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
  MayMust of_mark(Axis axis, const Binding& b, Set marks);
  MayMust interface(const InterfaceIs& test, const Binding& b);
  MayMust perhaps_shown(const InterfaceIs& test, Binding b, const MayMust& unseen);
  MayMust field(Field field, const Binding& b, const FieldTest& test);
  MayMust of_packet(Part part, bool of_source, const Binding& b, const FieldTest& test);
  MayMust of_entry(Part part, bool opener, Shown shown, const Binding& b, const FieldTest& test);
  // Marks: bits that nobody follows are 0.
  Set mark_masked(Axis axis, std::uint32_t value, std::uint32_t mask);
  Set mark_bound(Axis axis, std::uint32_t bound, bool at_least);
  using StatusTest = std::function<bool(u128)>;
  MayMust status(const Binding& b, const StatusTest& holds);
  MayMust plain_status(const Binding& b, const StatusTest& holds);
  MayMust status_under_nat(const Binding& b, std::uint16_t nat, const StatusTest& holds);
  MayMust card(FlowEnd sender, const FieldTest& test);
  Set state_is(CtState state, const Binding& b);
  Set foreign();
  // A test of the entry's tuple: `original` where the packet runs in the entry's original
  // direction, `reply` where it runs against it.
  MayMust by_direction(MayMust original, MayMust reply);
  MayMust tuple_port(MayMust of_ports, bool zero);

  Space& space_;
  MacReader cards_;
  Ends ends_;
  const Translations* translations_;
  std::unordered_map<Key, MayMust, KeyHash> known_;
  bool exact_ = true;
  Set connmarks_ = kEverything;
};

}  // namespace postern
