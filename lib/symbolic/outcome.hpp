// Where packets can end up in a table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "symbolic/bdd.hpp"

namespace postern {

// kReset: dropped, and answered with a TCP reset. kUnmodelled: met something that postern does not
// model yet (NAT, zones, helpers).
enum class Outcome : std::uint8_t { kAccepted, kReturned, kDropped, kReset, kUnmodelled };
inline constexpr std::size_t kOutcomeCount = 5;

struct Outcomes {
  std::array<Set, kOutcomeCount> sets{};
  Set& operator[](Outcome o) { return sets[static_cast<std::size_t>(o)]; }
  Set operator[](Outcome o) const { return sets[static_cast<std::size_t>(o)]; }
};

}  // namespace postern
