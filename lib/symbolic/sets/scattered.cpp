#include "symbolic/sets/scattered.hpp"

#include "symbolic/sets/bdd.hpp"

namespace postern {
namespace {

constexpr std::size_t kMostIntervals = 256;

// Sets of values of `width` bits; variable 0 is the most significant bit.
class RawValues {
 public:
  explicit RawValues(unsigned width) : width_(width), bdd_(width, 4'000'000) {}
  Bdd& bdd() { return bdd_; }

  Set at_most(u128 bound) { return compare(bound, false); }
  Set at_least(u128 bound) { return compare(bound, true); }
  Set masked(const ScatteredMask& m) {
    Set result = kEverything;
    for (unsigned i = width_; i-- > 0;) {
      const u128 bit = u128{1} << (width_ - 1 - i);
      if ((m.mask & bit) != 0) result = bdd_.both(bdd_.literal(i, (m.value & bit) != 0), result);
    }
    return result;
  }
  // The intervals of a set in ascending order, at most kMostIntervals; false when there are more.
  bool list(Set s, std::vector<Interval>& out) { return walk(s, 0, 0, out); }

 private:
  Set compare(u128 bound, bool at_least) {
    Set result = kEverything;
    for (unsigned i = width_; i-- > 0;) {
      const bool one = ((bound >> (width_ - 1 - i)) & 1) != 0;
      const Set bit = bdd_.literal(i, one);
      result = one == at_least ? bdd_.both(bit, result)
                               : bdd_.either(bdd_.literal(i, !one), bdd_.both(bit, result));
    }
    return result;
  }
  bool walk(Set s, unsigned depth, u128 prefix, std::vector<Interval>& out) {
    if (s.empty()) return true;
    if (s == kEverything) {
      const u128 lo = depth == 128 ? prefix : prefix << (width_ - depth);
      const u128 hi = lo | low_bits(width_ - depth);
      if (!out.empty() && out.back().hi + 1 == lo) {
        out.back().hi = hi;
        return true;
      }
      if (out.size() >= kMostIntervals) return false;
      out.push_back({lo, hi});
      return true;
    }
    const bool here = bdd_.top(s) == depth;
    const Set low = here ? Set{bdd_.node(s).low} : s, high = here ? Set{bdd_.node(s).high} : s;
    return walk(low, depth + 1, prefix << 1, out) && walk(high, depth + 1, prefix << 1 | 1, out);
  }

  unsigned width_;
  Bdd bdd_;
};

}  // namespace

std::vector<ValueClass> split_by_masks(std::span<const Interval> intervals,
                                       std::span<const ScatteredMask> masks, unsigned width) {
  RawValues raw(width);
  std::vector<Set> parts;
  for (const Interval& in : intervals) {
    parts.push_back(raw.bdd().both(raw.at_least(in.lo), raw.at_most(in.hi)));
  }
  for (const ScatteredMask& m : masks) {
    const Set inside = raw.masked(m);
    std::vector<Set> finer;
    for (const Set part : parts) {
      const Set in = raw.bdd().both(part, inside), out = raw.bdd().minus(part, inside);
      if (!in.empty()) finer.push_back(in);
      if (!out.empty()) finer.push_back(out);
    }
    parts = std::move(finer);
  }
  std::vector<ValueClass> result;
  for (const Set part : parts) {
    ValueClass c;
    c.complete = raw.list(part, c.intervals);
    result.push_back(std::move(c));
  }
  return result;
}

}  // namespace postern
