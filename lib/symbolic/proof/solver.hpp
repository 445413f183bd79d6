// Z3 behind a thin wrapper: the only file that sees it is solver.cpp.
//
// Terms are small numbers that stay valid as long as the solver; they are kept alive on purpose (an
// unnamed deep formula whose parts are not referenced was measured to be 10 x slower). Constructors
// fold constants, so that a chain specialised by what is known costs Z3 nothing.
// The context is opened by the first term that is not a constant (10 ms and 25 MB): a run that
// never needs Z3 never pays for it. Z3's exceptions stop here: an exception inside a check is
// kUnknown, anywhere else an InternalError. Deterministic: fixed seed, and limits by Z3's own
// resource count. Covered by tests/unit/solver_test.cpp.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bits.hpp"

namespace postern {

// A Boolean or a bit-vector of its solver. Equal ids are equal terms.
struct Term {
  std::uint32_t id = 0;
  auto operator<=>(const Term&) const = default;
};

enum class CheckResult : std::uint8_t { kSatisfiable, kUnsatisfiable, kUnknown };

class Solver {
 public:
  Solver();
  ~Solver();
  Solver(Solver&&) noexcept;

  static constexpr Term kFalse{0}, kTrue{1};
  static Term boolean(bool value) { return value ? kTrue : kFalse; }
  Term number(u128 value, unsigned width);

  // Free unknowns; every call makes a new one, whatever its name.
  Term fresh_boolean(std::string_view name);
  Term fresh_bits(std::string_view name, unsigned width);
  // A new Boolean that is defined to equal `definition` (constants and names are returned as is).
  Term named(Term definition, std::string_view name);

  Term negate(Term a);
  Term all(std::span<const Term> terms);
  Term any(std::span<const Term> terms);
  Term both(Term a, Term b);
  Term either(Term a, Term b);
  Term implies(Term a, Term b) { return either(negate(a), b); }
  Term choose(Term condition, Term yes, Term no);  // Booleans or bit-vectors of one width
  Term equal(Term a, Term b);
  // lo <= a <= hi, unsigned; constants of a's width.
  Term in_range(Term a, u128 lo, u128 hi);
  Term bit_and(Term a, Term b);
  Term bit_xor(Term a, Term b);
  Term decrement(Term a);  // modulo its width

  bool is_constant(Term t) const;
  // REQUIRES: is_constant.
  u128 constant_value(Term t) const;
  unsigned width(Term t) const;  // 0 for a Boolean

  // From now on `fact` holds in every check.
  void require(Term fact);
  // Is there a solution in which every assumption holds? Gives up after `limit` milliseconds.
  CheckResult check(std::span<const Term> assumptions, std::chrono::milliseconds limit);
  // The value in the last solution. REQUIRES: the last check was kSatisfiable.
  u128 value(Term t);

  // For reports: terms made, checks run, whether Z3 was opened at all.
  std::size_t terms() const;
  std::size_t checks() const;
  bool opened() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postern
