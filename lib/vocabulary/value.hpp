// Typed option values: how the words after an option are read and how they are printed back in
// iptables-save's canonical form. One row of value.cpp's table for each type.
// Covered by tests/unit/vocabulary_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "base/bits.hpp"
#include "net/address.hpp"
#include "net/family.hpp"
#include "text/number.hpp"

namespace postern {

enum class ValueType : std::uint8_t {
  kFlag,          // no word
  kText,          // one word, kept as it is; printed quoted where iptables-save does
  kUnsigned,      // decimal, hex (0x) or octal (0) number; prints decimal
  kHex,           // the same; prints 0x...
  kRange,         // "a", "a:b", ":b", "a:" of numbers
  kPort,          // one port, by number or service name
  kPortRange,     // "a", "a:b", ":b", "a:" of ports (a > b is kept: it never matches)
  kPortList,      // comma list of ports and ranges
  kPrefix,        // address with optional mask
  kHostMask,      // as kPrefix, but host bits outside the mask stay; a full mask is not printed
  kPrefixList,    // comma list of those: the rule is expanded, one rule each
  kAddress,       // one address
  kAddressRange,  // "a-b" or "a"
  kNatRange,      // "addr[-addr][:port[-port[/base]]]", "[v6]:port", ":port"
  kNatPorts,      // "port[-port]": a NatRange without addresses
  kMasked,        // "value[/mask]", numbers; prints hex, the mask unless it is all ones
  kProtocol,      // number or name; prints the number
  kInterface,     // interface pattern
  kFlagsPair,     // two words: mask and comp of TCP flags
  kWordList,      // comma list of words (the descriptor checks them)
  kTextPair,      // two words, kept as they are
};

// How many words follow an option of this type: 0, 1 or 2.
unsigned word_count(ValueType type);

struct NumberRange {
  u128 lo = 0, hi = 0;
  auto operator<=>(const NumberRange&) const = default;
};
struct MaskedNumber {
  std::uint64_t value = 0, mask = 0;
  auto operator<=>(const MaskedNumber&) const = default;
};
struct AddressRange {
  Address low, high;
  auto operator<=>(const AddressRange&) const = default;
};

// What a NAT target maps to. Ports 0-0 with has_ports false: keep. `base_port` 0: none given.
struct NatRange {
  std::optional<AddressRange> addresses;
  bool has_ports = false;
  std::uint16_t port_low = 0, port_high = 0, base_port = 0;
  auto operator<=>(const NatRange&) const = default;
};

// A value that was read. kFlag has std::monostate; kText and kInterface a string; kUnsigned, kHex,
// kPort, kProtocol (lo == hi), kRange and kPortRange a NumberRange; kPortList a vector of those;
// kPrefix and kHostMask a Prefix; kPrefixList a vector of those; kAddress (low == high) and
// kAddressRange an AddressRange; kNatRange and kNatPorts a NatRange; kMasked and kFlagsPair a
// MaskedNumber (flags: value = comp); kWordList and kTextPair a vector of words.
using Value = std::variant<std::monostate, std::string, NumberRange, std::vector<NumberRange>,
                           Prefix, std::vector<Prefix>, AddressRange, NatRange, MaskedNumber,
                           std::vector<std::string>>;

// Why a word, an option or a combination of options is wrong: one sentence, and what would be right
// (may be empty). Whoever knows the place makes a Diagnostic of it.
struct Complaint {
  std::string message;
  std::string help;
};

// What reading depends on besides the words: the family decides what an address is, the rule's
// protocol which service a name means, the bounds what number is in range.
struct ValueContext {
  Family family = Family::kIpv4;
  std::optional<std::uint8_t> protocol = std::nullopt;
  std::uint64_t min = 0, max = 0xffffffff;
};

// Reads the words of one value; `words.size()` must be word_count(type).
tl::expected<Value, Complaint> read_value(ValueType type, std::span<const std::string> words,
                                          const ValueContext& context);

// The words of a value as iptables-save prints them; empty for kFlag. `value` must be of the
// alternative that read_value gives for this type.
std::string print_value(ValueType type, const Value& value);

// A word as iptables-save writes text: bare when it holds only letters, digits, '_' and '-', else
// in double quotes with \ before \, " and '.
std::string quote_word(std::string_view word);

// "0x1f", as %x prints it.
std::string hex(std::uint64_t value);
// The parts between separators; an empty text gives one empty part.
std::vector<std::string> split(std::string_view text, char separator);
// Names of TCP flags in iptables-save's order: "FIN,SYN", "NONE".
std::string tcp_flag_names(std::uint64_t flags);

}  // namespace postern
