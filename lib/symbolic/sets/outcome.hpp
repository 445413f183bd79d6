// Where packets can end up in a table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "symbolic/sets/bdd.hpp"

namespace postern {

// kReset: dropped, and answered with a TCP reset. kUnmodelled: met something that postern does not
// model yet (NAT, zones, helpers).
// kBound: taken by a NAT rule of the range that is wanted; kBoundElsewhere: by another one, or one
// that leads away from the flow.
enum class Outcome : std::uint8_t {
  kAccepted,
  kReturned,
  kDropped,
  kReset,
  kUnmodelled,
  kBound,
  kBoundElsewhere,
};
inline constexpr std::size_t kOutcomeCount = 7;

struct Outcomes {
  std::array<Set, kOutcomeCount> sets{};
  Set& operator[](Outcome o) { return sets[static_cast<std::size_t>(o)]; }
  Set operator[](Outcome o) const { return sets[static_cast<std::size_t>(o)]; }
};

}  // namespace postern
