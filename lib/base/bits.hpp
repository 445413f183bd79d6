// Wide unsigned integers: every header field fits 128 bits (an IPv6 address is the widest).
#pragma once

#include <cstdint>
#include <string>

namespace postern {

__extension__ typedef unsigned __int128 u128;

// The value with the lowest `width` bits set; 0 <= width <= 128.
constexpr u128 low_bits(unsigned width) { return width >= 128 ? ~u128{0} : (u128{1} << width) - 1; }

// Decimal text of any 128-bit value.
std::string to_decimal(u128 value);

}  // namespace postern
