// The BDD package against truth tables: every operation on random functions of six variables.
#include "symbolic/sets/bdd.hpp"

#include <gtest/gtest.h>

#include <bitset>
#include <random>

namespace postern {
namespace {

constexpr unsigned kVariables = 6;
constexpr std::size_t kPoints = 1u << kVariables;
using Table = std::bitset<kPoints>;

bool bit(std::size_t point, unsigned variable) { return ((point >> variable) & 1) != 0; }

std::vector<bool> as_point(std::size_t point) {
  std::vector<bool> result;
  for (unsigned v = 0; v < kVariables; ++v) result.push_back(bit(point, v));
  return result;
}

// A random function, built in both representations.
std::pair<Set, Table> random_function(Bdd& bdd, std::mt19937& random) {
  Set set = kNothing;
  Table table;
  for (unsigned term = 0; term < 4; ++term) {
    Set cube = kEverything;
    Table points;
    points.set();
    for (unsigned v = 0; v < kVariables; ++v) {
      const auto way = random() % 3;
      if (way == 2) continue;
      cube = bdd.both(cube, bdd.literal(v, way == 1));
      for (std::size_t p = 0; p < kPoints; ++p) {
        if (bit(p, v) != (way == 1)) points.reset(p);
      }
    }
    set = bdd.either(set, cube);
    table |= points;
  }
  return {set, table};
}

Table read(const Bdd& bdd, Set s) {
  Table table;
  for (std::size_t p = 0; p < kPoints; ++p) table[p] = bdd.contains(s, as_point(p));
  return table;
}

Table exists(const Table& t, unsigned variable) {
  Table result;
  for (std::size_t p = 0; p < kPoints; ++p) {
    result[p] = t[p] || t[p ^ (std::size_t{1} << variable)];
  }
  return result;
}

TEST(Bdd, AgreesWithTruthTables) {
  std::mt19937 random(20240607);
  for (unsigned round = 0; round < 300; ++round) {
    Bdd bdd(kVariables, 100000);
    const auto [a, ta] = random_function(bdd, random);
    const auto [b, tb] = random_function(bdd, random);
    const auto [c, tc] = random_function(bdd, random);
    EXPECT_EQ(read(bdd, a), ta);
    EXPECT_EQ(read(bdd, bdd.both(a, b)), ta & tb);
    EXPECT_EQ(read(bdd, bdd.either(a, b)), ta | tb);
    EXPECT_EQ(read(bdd, bdd.minus(a, b)), ta & ~tb);
    EXPECT_EQ(read(bdd, bdd.complement(a)), ~ta);
    EXPECT_EQ(read(bdd, bdd.same(a, b)), ~(ta ^ tb));
    EXPECT_EQ(read(bdd, bdd.choose(a, b, c)), (ta & tb) | (~ta & tc));
    EXPECT_EQ(bdd.disjoint(a, b), (ta & tb).none());
    EXPECT_EQ(bdd.subset(a, b), (ta & ~tb).none());
    const std::array<unsigned, 2> some{1, 4};
    const Set cube = bdd.cube(some);
    EXPECT_EQ(read(bdd, bdd.exists(a, cube)), exists(exists(ta, 1), 4));
    EXPECT_EQ(read(bdd, bdd.forall(a, cube)), ~exists(exists(~ta, 1), 4));
    EXPECT_EQ(read(bdd, bdd.both_exists(a, b, cube)), exists(exists(ta & tb, 1), 4));
  }
}

TEST(Bdd, EqualFunctionsHaveEqualIds) {
  Bdd bdd(4, 1000);
  const Set x = bdd.literal(0), y = bdd.literal(2);
  EXPECT_EQ(bdd.either(x, y), bdd.complement(bdd.both(bdd.complement(x), bdd.complement(y))));
  EXPECT_EQ(bdd.minus(x, x), kNothing);
}

TEST(Bdd, RestrictsByLiterals) {
  std::mt19937 random(7);
  for (unsigned round = 0; round < 100; ++round) {
    Bdd bdd(kVariables, 100000);
    const auto [a, ta] = random_function(bdd, random);
    const Set literals = bdd.both(bdd.literal(1), bdd.literal(3, false));
    Table expected;
    for (std::size_t p = 0; p < kPoints; ++p) expected[p] = ta[(p | 2u) & ~std::size_t{8}];
    EXPECT_EQ(read(bdd, bdd.restrict(a, literals)), expected);
  }
}

TEST(Bdd, RenamesInOrder) {
  Bdd bdd(6, 1000);
  const Set before = bdd.both(bdd.literal(0), bdd.literal(2, false));
  const Set after = bdd.both(bdd.literal(1), bdd.literal(3, false));
  EXPECT_EQ(bdd.rename(before, {1, 1, 3, 3, 5, 5}), after);
}

TEST(Bdd, NodeLimitIsReported) {
  Bdd bdd(20, 40);
  Set s = kEverything;
  EXPECT_THROW(
      for (unsigned v = 0; v < 10;
           ++v) { s = bdd.both(s, bdd.same(bdd.literal(v), bdd.literal(19 - v))); },
      BudgetEnded);
}

TEST(Bdd, LeastPointIsTheFirstInOrder) {
  Bdd bdd(3, 100);
  const Set s = bdd.both(bdd.literal(0), bdd.either(bdd.literal(1, false), bdd.literal(2)));
  EXPECT_EQ(bdd.least(s), (std::vector<std::uint8_t>{1, 0, 2}));
}

}  // namespace
}  // namespace postern
