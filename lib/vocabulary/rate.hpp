// Rates as limit and hashlimit read and print them: "5/sec". A rate is kept as the kernel keeps it,
// as the time between two packets in units of 1/scale seconds.
// Covered by tests/unit/vocabulary_test.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bits.hpp"

namespace postern {

// "30", "30/s", "5/min" ... to a period of 1/scale seconds; nullopt when malformed or so fast that
// the period rounds to 0. A unit may be any beginning of second, minute, hour, day.
std::optional<std::uint64_t> read_rate(std::string_view text, std::uint64_t scale);
// The largest sensible unit, as iptables-save chooses it.
std::string print_rate(std::uint64_t period, std::uint64_t scale);

}  // namespace postern
