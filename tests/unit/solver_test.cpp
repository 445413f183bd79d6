// The Z3 wrapper: constants never open Z3, answers are three-valued, models are read back whole.
#include "symbolic/proof/solver.hpp"

#include <gtest/gtest.h>

#include <array>

namespace postern {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kPlenty{10'000};

TEST(Solver, ConstantsAreFoldedWithoutOpeningZ3) {
  Solver s;
  const Term five = s.number(5, 16);
  EXPECT_EQ(s.in_range(five, 0, 7), Solver::kTrue);
  EXPECT_EQ(s.in_range(five, 6, 5), Solver::kFalse);
  EXPECT_EQ(s.constant_value(s.bit_xor(five, s.number(1, 16))), 4U);
  EXPECT_EQ(s.constant_value(s.bit_and(five, s.number(4, 16))), 4U);
  EXPECT_EQ(s.both(Solver::kTrue, Solver::kFalse), Solver::kFalse);
  EXPECT_EQ(s.choose(Solver::kTrue, five, s.number(1, 16)), five);
  const std::array impossible{Solver::kFalse};
  EXPECT_EQ(s.check(impossible, kPlenty), CheckResult::kUnsatisfiable);
  EXPECT_FALSE(s.opened());
}

TEST(Solver, RangesOfWideBitVectorsAreExact) {
  Solver s;
  const Term address = s.fresh_bits("src", 128);
  const u128 low = low_bits(128) - 3;
  const std::array inside{s.in_range(address, low, low + 1)};
  ASSERT_EQ(s.check(inside, kPlenty), CheckResult::kSatisfiable);
  const u128 found = s.value(address);
  EXPECT_TRUE(found == low || found == low + 1);
  const std::array outside{s.in_range(address, low, low + 1), s.in_range(address, 0, low - 1)};
  EXPECT_EQ(s.check(outside, kPlenty), CheckResult::kUnsatisfiable);
}

TEST(Solver, AssumptionsDoNotStay) {
  Solver s;
  const Term a = s.fresh_boolean("a");
  const Term name = s.named(s.both(a, s.fresh_boolean("b")), "both");
  const std::array first{name, s.negate(a)};
  EXPECT_EQ(s.check(first, kPlenty), CheckResult::kUnsatisfiable);
  const std::array second{s.negate(a)};
  EXPECT_EQ(s.check(second, kPlenty), CheckResult::kSatisfiable);
  s.require(a);
  EXPECT_EQ(s.check(second, kPlenty), CheckResult::kUnsatisfiable);
}

TEST(Solver, EqualTermsAreOneTerm) {
  Solver s;
  const Term port = s.fresh_bits("port", 16);
  EXPECT_EQ(s.in_range(port, 1, 9), s.in_range(port, 1, 9));
  EXPECT_EQ(s.negate(s.negate(s.in_range(port, 0, 9))), s.in_range(port, 0, 9));
  EXPECT_EQ(s.equal(port, port), Solver::kTrue);
}

TEST(Solver, GivesUpInTimeAndSaysSo) {
  Solver s;
  // Pigeons: 12 of them with 11 holes; resolution proofs are exponential.
  constexpr int kPigeons = 12;
  std::vector<std::vector<Term>> at(kPigeons);
  for (auto& row : at) {
    for (int h = 0; h < kPigeons - 1; ++h) row.push_back(s.fresh_boolean("p"));
    s.require(s.any(row));
  }
  for (int h = 0; h < kPigeons - 1; ++h) {
    for (int i = 0; i < kPigeons; ++i) {
      for (int j = 0; j < i; ++j) s.require(s.negate(s.both(at[i][h], at[j][h])));
    }
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(s.check({}, milliseconds{50}), CheckResult::kUnknown);
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds{5'000});
}

}  // namespace
}  // namespace postern
