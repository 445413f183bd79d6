// The two address families. Everything else is parameterised by this value: IPv6 is never a copy.
#pragma once

#include <cstdint>

namespace postern {

enum class Family : std::uint8_t { kIpv4 = 4, kIpv6 = 6 };

// Bytes of the longest packet: in 16 bits IPv4 counts all of it (RFC 791), IPv6 what follows its
// header of 40 (RFC 8200).
constexpr std::uint32_t longest_packet(Family family) {
  return family == Family::kIpv4 ? 65535 : 65575;
}

constexpr unsigned address_bits(Family family) { return family == Family::kIpv4 ? 32 : 128; }

}  // namespace postern
