// Checksums and hex. Covered by tests/unit/scenario_bytes_test.cpp.
#include "scenario/bytes.hpp"

#include <array>

namespace postern {

void put_address(Bytes& to, const Address& address) {
  for (unsigned bits = address_bits(address.family); bits > 0; bits -= 8) {
    put8(to, static_cast<std::uint8_t>(address.value >> (bits - 8)));
  }
}

Address get_address(ByteView from, std::size_t at, Family family) {
  Address address{family, 0};
  for (unsigned i = 0; i < address_bits(family) / 8; ++i) {
    address.value = (address.value << 8) | from[at + i];
  }
  return address;
}

std::string to_hex(ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The table of the reflected Castagnoli polynomial.
constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
    table[i] = crc;
  }
  return table;
}

}  // namespace

std::optional<Bytes> from_hex(std::string_view text) {
  Bytes bytes;
  int high = -1;
  for (char c : text) {
    if (c == ' ' || c == ':' || c == '\n') {
      if (high >= 0) return std::nullopt;
      continue;
    }
    const int value = digit_value(c);
    if (value < 0) return std::nullopt;
    if (high < 0) {
      high = value;
    } else {
      put8(bytes, static_cast<std::uint32_t>(high * 16 + value));
      high = -1;
    }
  }
  if (high >= 0) return std::nullopt;
  return bytes;
}

std::uint16_t internet_checksum(ByteView bytes, std::uint32_t sum) {
  std::uint64_t total = sum;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    total += static_cast<std::uint64_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  }
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return static_cast<std::uint16_t>(~total);
}

std::uint32_t pseudo_header_sum(const Address& source, const Address& destination,
                                std::uint8_t protocol, std::uint32_t length) {
  std::uint32_t sum = protocol + (length >> 16) + (length & 0xffff);
  for (const Address* address : {&source, &destination}) {
    for (u128 rest = address->value; rest != 0; rest >>= 16) {
      sum += static_cast<std::uint32_t>(rest & 0xffff);
    }
  }
  return sum;
}

std::uint32_t sctp_checksum(ByteView bytes) {
  static constexpr std::array<std::uint32_t, 256> table = crc_table();
  std::uint32_t crc = 0xffffffff;
  for (std::uint8_t byte : bytes) crc = (crc >> 8) ^ table[(crc ^ byte) & 0xff];
  crc = ~crc;
  return (crc << 24) | ((crc & 0xff00) << 8) | ((crc >> 8) & 0xff00) | (crc >> 24);
}

}  // namespace postern
