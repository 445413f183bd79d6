// Collects, for every field, where the predicates of a ruleset tell values apart. Used by
// classes.cpp only. Covered by tests/unit/classes_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flow/program.hpp"
#include "meaning/predicate.hpp"
#include "symbolic/sets/classes.hpp"

namespace postern {

// (field & mask) == value with a mask that is no prefix: no interval.
struct ScatteredMask {
  u128 value = 0, mask = 0;
  auto operator<=>(const ScatteredMask&) const = default;
};

struct FieldCuts {
  std::vector<u128> starts;  // first values of intervals; unsorted, may repeat
  std::vector<ScatteredMask> scattered;
  // Remembers that [lo, hi] is told apart from the rest.
  void interval(u128 lo, u128 hi) {
    starts.push_back(lo);
    if (hi != ~u128{0}) starts.push_back(hi + 1);
  }
  bool tested() const { return !starts.empty() || !scattered.empty(); }
};

class CutCollector {
 public:
  explicit CutCollector(Family family) : family_(family) {}
  void add(const Predicate& predicate);
  FieldCuts& of(Field field) { return fields_[static_cast<std::size_t>(field)]; }

  std::set<InterfacePattern> interfaces;
  std::set<std::uint8_t> tcp_options;
  std::uint32_t mark_bits = 0, connmark_bits = 0;  // that some predicate tests

 private:
  void masked(const Masked& test);
  Family family_;
  std::array<FieldCuts, kFieldCount> fields_;
};

// The field whose classes `field` shares: kSource for every address, kSourcePort for every port,
// kProtocol for both protocols, kSourceType for both address types.
Field class_field(Field field);
// Width in bits of a field's values in this family.
unsigned width_of(Field field, Family family);

// Which mark bits must be followed: those that some rule tests, directly or by way of the connmark,
// and that may be other than 0. `initial` are the bits that a question lets a local packet set out
// with.
struct MarkBits {
  std::uint32_t mark = 0, connmark = 0;
  bool read = false;  // something hangs on the mark that a packet sets out with
};
MarkBits followed_marks(const Program& program, std::uint32_t tested_mark,
                        std::uint32_t tested_connmark, std::uint32_t initial);

}  // namespace postern
