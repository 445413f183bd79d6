// The two address families. Everything else is parameterised by this value: IPv6 is never a copy.
#pragma once

#include <cstdint>

namespace postern {

enum class Family : std::uint8_t { kIpv4 = 4, kIpv6 = 6 };

constexpr unsigned address_bits(Family family) { return family == Family::kIpv4 ? 32 : 128; }

}  // namespace postern
