// Big-endian reading and writing of byte buffers, and hex text; shared by the serialiser, the
// parser and everything that looks into captured packets. Covered by
// tests/unit/scenario_bytes_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.hpp"

namespace postern {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline void put8(Bytes& to, std::uint32_t value) { to.push_back(static_cast<std::uint8_t>(value)); }
inline void put16(Bytes& to, std::uint32_t value) {
  put8(to, value >> 8);
  put8(to, value);
}
inline void put32(Bytes& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value);
}
void put_address(Bytes& to, const Address& address);
inline void put(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

// REQUIRES: at + width <= from.size().
inline std::uint16_t get16(ByteView from, std::size_t at) {
  return static_cast<std::uint16_t>((from[at] << 8) | from[at + 1]);
}
inline std::uint32_t get32(ByteView from, std::size_t at) {
  return (static_cast<std::uint32_t>(get16(from, at)) << 16) | get16(from, at + 2);
}
Address get_address(ByteView from, std::size_t at, Family family);

// "00ff": lower-case, two digits a byte.
std::string to_hex(ByteView bytes);
// Accepts blanks, colons and either case between whole bytes; nullopt when malformed.
std::optional<Bytes> from_hex(std::string_view text);

// The Internet checksum (RFC 1071) of `bytes`, continuing `sum`; the value to store, host order.
std::uint16_t internet_checksum(ByteView bytes, std::uint32_t sum = 0);
// The unfolded sum of a pseudo header (RFC 793, RFC 8200 8.1).
std::uint32_t pseudo_header_sum(const Address& source, const Address& destination,
                                std::uint8_t protocol, std::uint32_t length);
// CRC-32C as SCTP stores it (RFC 9260 appendix A), as the 32-bit big-endian field value.
std::uint32_t sctp_checksum(ByteView bytes);

}  // namespace postern
