// What a match means: a closed little language over the fields of one packet (net/field.hpp).
//
// A vocabulary descriptor builds a Predicate; the engine and the symbolic side each read it with
// one small exhaustive visit, and know nothing of any match by name. Nodes are immutable and
// shared.
//
// Invariants: a predicate is total (defined for every packet). "A match on an absent header fails,
// even inverted" is therefore written out: all({has_tcp(), negate(port...)}). An Opaque has any
// value at each evaluation, in both polarities. Covered by tests/unit/vocabulary_test.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/bits.hpp"
#include "net/address.hpp"
#include "net/field.hpp"
#include "net/interface.hpp"

namespace postern {

struct Predicate;
using PredicatePtr = std::shared_ptr<const Predicate>;

struct Const {
  bool value;
};
// lo <= field <= hi, both ends included; lo > hi is false.
struct InRange {
  Field field;
  u128 lo, hi;
};
// (field & mask) == value.
struct Masked {
  Field field;
  u128 value, mask;
};
// The input (or output) interface's name matches the pattern.
struct InterfaceIs {
  bool output;
  InterfacePattern pattern;
};
// The TCP header has an option of this kind.
struct TcpOption {
  std::uint8_t kind;
};
// Not decidable from the text: any value at each evaluation. `why` is shown to users ("limit",
// "module foo is unknown"). An unknown match may also drop the packet (hotdrop). `of_packet`: but
// the same value at each evaluation of `why` for one packet (who sends it).
struct Opaque {
  std::string why;
  bool may_drop;
  bool of_packet;
};
struct Not {
  PredicatePtr operand;
};
struct All {
  std::vector<PredicatePtr> operands;
};
struct Any {
  std::vector<PredicatePtr> operands;
};

struct Predicate {
  std::variant<Const, InRange, Masked, InterfaceIs, TcpOption, Opaque, Not, All, Any> node;
};

// Constructors. They fold constants, so that a Const never stands below another node.
PredicatePtr constant(bool value);
PredicatePtr in_range(Field field, u128 lo, u128 hi);
PredicatePtr equals(Field field, u128 value);
PredicatePtr masked(Field field, u128 value, u128 mask);
PredicatePtr interface_is(bool output, InterfacePattern pattern);
PredicatePtr tcp_option(std::uint8_t kind);
PredicatePtr opaque(std::string why, bool may_drop = false);
PredicatePtr opaque_of_packet(std::string why);
PredicatePtr negate(PredicatePtr operand);
PredicatePtr all(std::vector<PredicatePtr> operands);
PredicatePtr any(std::vector<PredicatePtr> operands);
PredicatePtr negate_if(bool inverted, PredicatePtr operand);

// The packet is of this protocol and its transport header can be read: first fragment or whole, and
// not cut short.
PredicatePtr has_transport(std::uint8_t protocol);
// A conntrack entry is attached: NEW, ESTABLISHED or RELATED (INVALID and UNTRACKED carry none).
PredicatePtr has_entry();

// Does some node below test the field: a range of it, or under a mask that has one of `bits`?
bool mentions(const Predicate& predicate, Field field, u128 bits = ~u128{0});
bool has_opaque(const Predicate& predicate);

}  // namespace postern
