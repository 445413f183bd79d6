// The printing half of value.hpp: each value as iptables-save 1.8.9 writes it.
// Covered by tests/unit/vocabulary_test.cpp; compared with the real program by
// tests/kernel/vocabulary_test.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "vocabulary/value.hpp"

namespace postern {
namespace {

std::string print_range(const NumberRange& range) {
  if (range.lo == range.hi) return to_decimal(range.lo);
  return to_decimal(range.lo) + ":" + to_decimal(range.hi);
}

std::string print_address_range(const AddressRange& range, bool single_if_equal) {
  if (single_if_equal && range.low == range.high) return range.low.text();
  return range.low.text() + "-" + range.high.text();
}

std::string print_nat(const NatRange& range, bool colon) {
  std::string text;
  if (range.addresses) {
    const bool bracket = range.has_ports && range.addresses->low.family == Family::kIpv6;
    text = print_address_range(*range.addresses, true);
    if (bracket) text = "[" + text + "]";
  }
  if (!range.has_ports) return text;
  if (colon) text += ':';
  text += std::to_string(range.port_low);
  if (range.port_high != range.port_low) text += "-" + std::to_string(range.port_high);
  if (range.base_port != 0) text += "/" + std::to_string(range.base_port);
  return text;
}

template <class T, class PrintOne>
std::string join(const std::vector<T>& parts, char separator, const PrintOne& print_one) {
  std::string text;
  for (const T& part : parts) {
    if (!text.empty()) text += separator;
    text += print_one(part);
  }
  return text;
}

std::string print_host_mask(const Prefix& prefix) {
  const bool full = prefix.mask == low_bits(address_bits(prefix.address.family));
  return full ? prefix.address.text() : prefix.text();
}

std::string print_masked(const MaskedNumber& number) {
  if (number.mask == 0xffffffff) return hex(number.value);
  return hex(number.value) + "/" + hex(number.mask);
}

}  // namespace

std::string hex(std::uint64_t value) { return fmt::format("{:#x}", value); }

std::string quote_word(std::string_view word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  if (!word.empty() && std::ranges::all_of(word, plain)) return std::string(word);
  std::string text = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\' || c == '\'') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string print_value(ValueType type, const Value& value) {
  const auto same = [](const std::string& word) { return word; };
  switch (type) {
    case ValueType::kFlag:
      return "";
    case ValueType::kText:
      return quote_word(std::get<std::string>(value));
    case ValueType::kInterface:
      return std::get<std::string>(value);
    case ValueType::kUnsigned:
    case ValueType::kPort:
    case ValueType::kProtocol:
    case ValueType::kRange:
    case ValueType::kPortRange:
      return print_range(std::get<NumberRange>(value));
    case ValueType::kHex:
      return hex(static_cast<std::uint64_t>(std::get<NumberRange>(value).lo));
    case ValueType::kPortList:
      return join(std::get<std::vector<NumberRange>>(value), ',', print_range);
    case ValueType::kPrefix:
      return std::get<Prefix>(value).text();
    case ValueType::kHostMask:
      return print_host_mask(std::get<Prefix>(value));
    case ValueType::kPrefixList:
      return join(std::get<std::vector<Prefix>>(value), ',',
                  [](const Prefix& p) { return p.text(); });
    case ValueType::kAddress:
      return print_address_range(std::get<AddressRange>(value), true);
    case ValueType::kAddressRange:
      return print_address_range(std::get<AddressRange>(value), false);
    case ValueType::kNatRange:
      return print_nat(std::get<NatRange>(value), true);
    case ValueType::kNatPorts:
      return print_nat(std::get<NatRange>(value), false);
    case ValueType::kMasked:
      return print_masked(std::get<MaskedNumber>(value));
    case ValueType::kFlagsPair: {
      const auto& flags = std::get<MaskedNumber>(value);
      return tcp_flag_names(flags.mask) + " " + tcp_flag_names(flags.value);
    }
    case ValueType::kWordList:
      return join(std::get<std::vector<std::string>>(value), ',', same);
    case ValueType::kTextPair:
      return join(std::get<std::vector<std::string>>(value), ' ', quote_word);
  }
  throw InternalError("print_value: unknown type");
}

}  // namespace postern
