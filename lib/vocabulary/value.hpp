// Typed option values: how the words after an option are read and how they are printed back in
// iptables-save's canonical form. One row of value.cpp's table for each type.
// Covered by tests/unit/vocabulary_test.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "base/bits.hpp"
#include "net/address.hpp"

namespace postern {

enum class ValueType : std::uint8_t {
  kFlag,           // no word
  kText,           // one word, kept as it is
  kUnsigned,       // decimal, hex or octal number, at most 32 bits unless the descriptor checks
  kRange,          // "a", "a:b", ":b", "a:" of 32-bit numbers
  kPort,           // one port, by number or service name
  kPortRange,      // "a", "a:b", ":b", "a:" of ports (a > b is kept: it never matches)
  kPortList,       // comma list of ports and ranges
  kPrefix,         // address with optional mask
  kPrefixList,     // comma list of those: the rule is expanded, one rule each
  kAddress,        // one address
  kAddressRange,   // "a-b" or "a"
  kNatRange,       // "addr[-addr][:port[-port]]", "[v6]:port"
  kMasked,         // "value[/mask]", numbers
  kProtocol,       // number or name
  kInterface,      // interface pattern
  kFlagsPair,      // two words: mask and comp of TCP flags
  kWordList,       // comma list of words (the descriptor checks them)
  kTextPair,       // two words, kept as they are
};

struct NumberRange { u128 lo = 0, hi = 0; auto operator<=>(const NumberRange&) const = default; };
struct MaskedNumber { std::uint64_t value = 0, mask = 0; auto operator<=>(const MaskedNumber&) const = default; };
struct AddressRange { Address low, high; auto operator<=>(const AddressRange&) const = default; };

// A value that was read. kFlag has std::monostate; kFlagsPair a MaskedNumber (value = comp);
// kWordList and kTextPair a vector of words; kPortList a vector of NumberRange.
using Value = std::variant<std::monostate, std::string, NumberRange, std::vector<NumberRange>,
                           Prefix, std::vector<Prefix>, AddressRange, MaskedNumber,
                           std::vector<std::string>>;

}  // namespace postern
