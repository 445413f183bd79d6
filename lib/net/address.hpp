// IP addresses and prefixes as host-order integers, 32 or 128 bits wide by family.
// Covered by tests/unit/net_test.cpp.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/bits.hpp"
#include "net/family.hpp"

namespace postern {

// An address; `value` is in host order, in the low address_bits(family) bits.
struct Address {
  Family family = Family::kIpv4;
  u128 value = 0;
  auto operator<=>(const Address&) const = default;

  // Numeric text only ("192.0.2.1", "2001:db8::1"): never resolves names. nullopt when malformed.
  static std::optional<Address> parse(std::string_view text);
  static std::optional<Address> parse(std::string_view text, Family family);
  // inet_ntop's text.
  std::string text() const;
};

// value/mask; the mask may be non-contiguous (iptables allows it). `value` is already masked.
struct Prefix {
  Address address;
  u128 mask = 0;
  auto operator<=>(const Prefix&) const = default;

  // "192.0.2.0/24", "192.0.2.0/255.255.255.0", "192.0.2.1", "2001:db8::/32", "::/ffff::".
  // iptables' own shorthand with missing octets ("10/8", "10.1/16") is accepted for IPv4.
  static std::optional<Prefix> parse(std::string_view text, Family family);
  // Prefix length when the mask is contiguous.
  std::optional<unsigned> length() const;
  bool contains(const Address& other) const {
    return other.family == address.family && (other.value & mask) == address.value;
  }
  // Canonical iptables-save text: always with "/length", or "/dotted mask" when non-contiguous.
  std::string text() const;
};

}  // namespace postern
