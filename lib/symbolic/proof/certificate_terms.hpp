// Sets of the packet-set engine as formulas over real field values: one term for each axis, and a
// translation of any set that names each BDD node once. This is where class numbers become
// intervals. Covered by tests/unit/certificate_test.cpp.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "symbolic/proof/encode.hpp"
#include "symbolic/proof/solver.hpp"
#include "symbolic/sets/space.hpp"

namespace postern {

// A class whose values are too scattered to be listed cannot be turned into a formula.
struct NotListable {};

// Flow, packet and connmark coordinates of one packet as terms. kConnmarkBefore: what another
// flow's entry is marked with, where the packet carries that.
class AxisTerms {
 public:
  // Coordinates that are the same in all of `points` become constants.
  AxisTerms(Space& space, Solver& solver, Encoder& encoder, Set points);
  // Another packet of the same flow: the flow's terms as in `first`, fresh ones for the packet's
  // own axes, and the connmark that the entry has by then.
  AxisTerms(const AxisTerms& first, Set points, const std::vector<Term>& connmark_bits);

  // A class axis: its value (interfaces: the class number). Width: the field's.
  Term value(Axis axis) const { return values_.at(axis); }
  // A bit axis: one Boolean for each of layout(axis).bits, and all of them as a 32-bit number.
  const std::vector<Term>& bits(Axis axis) const { return bits_.at(axis); }
  Term number(Axis axis) const { return numbers_.at(axis); }

 private:
  void add_class_axis(Axis axis, Set points);
  void add_bit_axis(Axis axis);
  Term bits_as_number(Axis axis, const std::vector<Term>& bits);

  Space& space_;
  Solver& solver_;
  Encoder& encoder_;
  std::map<Axis, Term> values_, numbers_;
  std::map<Axis, std::vector<Term>> bits_;
};

// Translates sets over those axes. The connmark bits may be given as other terms (after a packet).
class SetTranslator {
 public:
  SetTranslator(Space& space, Solver& solver, const AxisTerms& axes);

  // Coordinates that are no flow's, packet's or connmark's are quantified away (sets carry the
  // domain of all of them). Throws NotListable.
  Term term(Set set);
  // With other values of the followed connmark bits.
  Term term_after(Set set, const std::vector<Term>& connmark_bits);

 private:
  using Memo = std::unordered_map<std::uint32_t, Term>;
  Term term(Set set, const std::vector<Term>& connmark_bits, Memo& memo);
  // BDD variable as a condition.
  Term variable(unsigned number, const std::vector<Term>& connmark_bits);
  Term class_bit(Axis axis, unsigned position);
  std::vector<Term> card_bit(Axis axis, const std::vector<std::uint32_t>& codes);
  Set project(Set set);

  Space& space_;
  Solver& solver_;
  const AxisTerms& axes_;
  Memo before_;
  std::map<std::vector<std::uint32_t>, Memo> after_;
  std::map<std::pair<Axis, unsigned>, Term> class_bits_;
};

// Do the classes of every axis cover the field's whole range without overlap? What the translation
// rests on. Empty: yes; else the axis that does not.
std::string broken_partition(const Space& space);

}  // namespace postern
