#include "net/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "text/number.hpp"

namespace postern {
namespace {

// A number that is at most `max`.
std::optional<unsigned> number(std::string_view text, unsigned max) {
  const auto value = read_number(text);
  if (!value || *value > max) return std::nullopt;
  return static_cast<unsigned>(*value);
}

// Dotted IPv4 as iptables reads it; with fewer than four octets the rest is 0 ("10.1" = 10.1.0.0).
std::optional<u128> short_ipv4(std::string_view text, bool complete) {
  u128 value = 0;
  unsigned octets = 0;
  for (std::size_t begin = 0; begin <= text.size() && octets < 4; ++octets) {
    const std::size_t dot = std::min(text.find('.', begin), text.size());
    const auto octet = number(text.substr(begin, dot - begin), 255);
    if (!octet) return std::nullopt;
    value = value << 8 | *octet;
    begin = dot + 1;
    if (dot == text.size()) {
      if (complete && octets != 3) return std::nullopt;
      return value << (8 * (3 - octets));
    }
  }
  return std::nullopt;  // a fifth octet, or a trailing dot
}

u128 from_bytes(const std::uint8_t* bytes, std::size_t count) {
  u128 value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

u128 mask_of_length(unsigned length, unsigned bits) {
  return low_bits(bits) & ~low_bits(bits - length);
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text, Family family) {
  std::array<std::uint8_t, 16> bytes{};
  const int kind = family == Family::kIpv4 ? AF_INET : AF_INET6;
  if (inet_pton(kind, std::string(text).c_str(), bytes.data()) != 1) return std::nullopt;
  return Address{family, from_bytes(bytes.data(), address_bits(family) / 8)};
}

std::optional<Address> Address::parse(std::string_view text) {
  if (auto v4 = parse(text, Family::kIpv4)) return v4;
  return parse(text, Family::kIpv6);
}

std::string Address::text() const {
  const unsigned size = address_bits(family) / 8;
  std::array<std::uint8_t, 16> bytes{};
  for (unsigned i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
  }
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(family == Family::kIpv4 ? AF_INET : AF_INET6, bytes.data(), buffer.data(),
            buffer.size());
  return buffer.data();
}

std::optional<Prefix> Prefix::parse(std::string_view text, Family family) {
  const std::size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const unsigned bits = address_bits(family);
  std::optional<u128> value;
  if (family == Family::kIpv4) {
    value = short_ipv4(host, false);
  } else if (const auto address = Address::parse(host, family)) {
    value = address->value;
  }
  if (!value) return std::nullopt;
  u128 mask = low_bits(bits);
  if (slash != std::string_view::npos) {
    const std::string_view word = text.substr(slash + 1);
    if (const auto length = number(word, bits)) {
      mask = mask_of_length(*length, bits);
    } else if (const auto dotted =
                   family == Family::kIpv4 ? short_ipv4(word, true) : std::nullopt) {
      mask = *dotted;
    } else if (const auto wide = Address::parse(word, family)) {
      mask = wide->value;
    } else {
      return std::nullopt;
    }
  }
  return Prefix{{family, *value & mask}, mask};
}

std::optional<unsigned> Prefix::length() const {
  const unsigned bits = address_bits(address.family);
  for (unsigned length = 0; length <= bits; ++length) {
    if (mask == mask_of_length(length, bits)) return length;
  }
  return std::nullopt;
}

std::string Prefix::text() const {
  const auto bits = length();
  return address.text() + "/" +
         (bits ? std::to_string(*bits) : Address{address.family, mask}.text());
}

}  // namespace postern
