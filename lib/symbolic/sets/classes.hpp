// Equivalence classes of field values: two values of a class are told apart by no predicate of the
// rules and of the question, by no kind of packet that conntrack distinguishes, and by no routing
// rule.
//
// Idea: collect cut points from every InRange and contiguous Masked predicate; both ends of a flow
// share theirs. Narrow fields (8 bits) and non-contiguous masks are split further by signature
// (which of the predicates hold), exactly. Invariants: classes partition the field's whole range;
// without scattered masks, class numbers ascend with the values and every class is one interval.
// Covered by tests/unit/classes_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bits.hpp"
#include "flow/program.hpp"
#include "meaning/predicate.hpp"
#include "net/family.hpp"
#include "net/field.hpp"
#include "symbolic/entries/zones.hpp"

namespace postern {

struct Interval {
  u128 lo = 0, hi = 0;
  bool operator==(const Interval&) const = default;
};

struct ValueClass {
  std::vector<Interval> intervals;  // ascending; for interfaces {number, number}
  bool complete = true;             // false: too scattered to list; intervals are only some of it
  u128 canonical = 0;               // the value that a witness takes
  std::uint32_t preference = 0;     // smaller is preferred

  // Is the value in a listed interval?
  bool holds(u128 value) const;
  // May a value of [lo, hi] be in it?
  bool may_meet(u128 lo, u128 hi) const;
  // Its value, where it has just one.
  std::optional<u128> single() const;
};

// The classes of one kind of value (addresses, ports, ...), in order.
struct FieldClasses {
  std::vector<ValueClass> classes;
  bool ordered = true;  // every class is one interval, ascending
  std::uint32_t count() const { return static_cast<std::uint32_t>(classes.size()); }
  // Class of a value; nullopt when it is in no listed interval.
  std::optional<std::uint32_t> of(u128 value) const;
};

// What the codes of a packet's link-layer source address mean (mac_codes.hpp): code 0 is any card
// but those that are told apart at the packet's source address; then come the cards that are told
// apart at every address, then those of its group. Numbers are classes of Classes::mac.
struct MacCodes {
  struct Group {
    std::vector<std::uint32_t> apart;
    std::vector<bool> addresses;  // by address class
  };
  std::vector<std::uint32_t> everywhere;
  std::vector<Group> groups;  // every address class is in one
  FieldClasses codes;         // class i is code i
};

// Everything that Space needs to lay out its axes.
struct Classes {
  Family family = Family::kIpv4;
  Backend backend = Backend::kLegacy;  // that runs the ruleset
  FieldClasses address, port, protocol, icmp_type, icmp_code, tcp_flags, length, ttl, tos, has_mac,
      mac, fragment_offset, truncated, address_type, state, untracked, zone;
  Zones zones;  // what the numbers of `zone` mean
  MacCodes mac_codes;
  // Interfaces: class i has the name interface_names[i]; 0 is the empty name (no interface), 1 is
  // lo.
  FieldClasses interface;
  std::vector<std::string> interface_names;
  std::vector<bool> interface_is_example;  // the name stands for others that no rule names
  std::vector<std::uint8_t> mark_bits, connmark_bits;  // that some rule depends on, ascending
  std::vector<std::uint8_t> initial_mark_bits;         // that the question names
  bool marks_are_read = false;            // some rule hangs on the mark that a packet sets out with
  std::vector<std::uint8_t> tcp_options;  // kinds that some rule tests
  bool defragments = false;               // rules put fragments together, tracked or not
  bool expects = false;                   // a rule may give a helper: flows may be EXPECTED
  bool follows_ttl = false, follows_tos = false;  // rules write it, and something reads it
};

inline constexpr std::uint32_t kNoInterface = 0, kLoopbackInterface = 1;

// The classes that the rules and the questions need.
Classes compress(const Program& program, std::span<const PredicatePtr> questions);

// The ICMP type of the answer to a query of type `type`, and the other way round; other types are
// their own partner.
std::uint8_t icmp_partner(Family family, std::uint8_t type);

}  // namespace postern
