#include "vocabulary/value.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

using Read = tl::expected<Value, Complaint>;
template <class T>
using Part = tl::expected<T, Complaint>;

tl::unexpected<Complaint> complain(std::string message, std::string help) {
  return tl::unexpected(Complaint{std::move(message), std::move(help)});
}

Part<std::uint64_t> read_bounded(std::string_view word, const ValueContext& context) {
  const auto number = read_number(word);
  if (number && *number >= context.min && *number <= context.max) return *number;
  return complain("\"" + std::string(word) + "\" is " + (number ? "out of range" : "not a number"),
                  "a number from " + std::to_string(context.min) + " to " +
                      std::to_string(context.max) + " (decimal, 0x... or 0... octal)");
}

Part<std::uint64_t> read_port(std::string_view word, const ValueContext& context) {
  if (const auto number = read_number(word); number && *number <= 65535) return *number;
  const bool numeric = !word.empty() && word[0] >= '0' && word[0] <= '9';
  const std::string protocol = context.protocol ? protocol_name(*context.protocol) : "";
  if (!numeric) {
    if (const auto port = service_port(word, protocol)) return *port;
  }
  return complain(
      "\"" + std::string(word) + "\" is not a port" + (protocol.empty() ? "" : " of " + protocol),
      "a port is a number from 0 to 65535 or a service name such as \"ssh\"");
}

// "a", "a:b", ":b", "a:" (also ":"): both ends by `end`, missing ones are 0 and `top`.
template <class End>
Part<NumberRange> read_range(std::string_view word, std::uint64_t top, const End& end) {
  const std::size_t colon = word.find(':');
  const std::string_view low = word.substr(0, colon);
  if (colon == std::string_view::npos) {
    return end(low).map([](std::uint64_t n) { return NumberRange{n, n}; });
  }
  const std::string_view high = word.substr(colon + 1);
  NumberRange range{0, top};
  if (!low.empty()) {
    const auto n = end(low);
    if (!n) return tl::unexpected(n.error());
    range.lo = *n;
  }
  if (!high.empty()) {
    const auto n = end(high);
    if (!n) return tl::unexpected(n.error());
    range.hi = *n;
  }
  return range;
}

Part<NumberRange> read_port_range(std::string_view word, const ValueContext& context) {
  return read_range(word, 65535, [&](std::string_view w) { return read_port(w, context); });
}

Read read_port_list(const std::string& word, const ValueContext& context) {
  std::vector<NumberRange> ports;
  for (const std::string& part : split(word, ',')) {
    const auto range = read_port_range(part, context);
    if (!range) return tl::unexpected(range.error());
    ports.push_back(*range);
  }
  return ports;
}

std::string address_example(Family family) {
  return family == Family::kIpv4 ? "192.0.2.1" : "2001:db8::1";
}

std::string family_name(Family family) { return family == Family::kIpv4 ? "IPv4" : "IPv6"; }

Part<Prefix> read_prefix(const std::string& word, const ValueContext& context) {
  if (const auto prefix = Prefix::parse(word, context.family)) return *prefix;
  const std::string example = address_example(context.family);
  return complain("\"" + word + "\" is not an " + family_name(context.family) + " address",
                  "an address with an optional mask, such as " + example + "/" +
                      (context.family == Family::kIpv4 ? "24" : "64") +
                      "; host names are not resolved");
}

// The prefix with the address as it was written. iptables has only a prefix length here: a mask
// with holes counts as none (xtopt_parse_plen; measured: only the very address matches).
Part<Prefix> read_host_mask(const std::string& word, const ValueContext& context) {
  auto prefix = read_prefix(word, context);
  if (!prefix) return prefix;
  const auto host = Prefix::parse(word.substr(0, word.find('/')), context.family);
  prefix->address = host->address;
  if (!prefix->length()) prefix->mask = low_bits(address_bits(context.family));
  return prefix;
}

Read read_prefix_list(const std::string& word, const ValueContext& context) {
  std::vector<Prefix> prefixes;
  for (const std::string& part : split(word, ',')) {
    const auto prefix = read_prefix(part, context);
    if (!prefix) return tl::unexpected(prefix.error());
    prefixes.push_back(*prefix);
  }
  return prefixes;
}

Part<Address> read_address(const std::string& word, const ValueContext& context) {
  if (const auto address = Address::parse(word, context.family)) return *address;
  return complain(
      "\"" + word + "\" is not an " + family_name(context.family) + " address",
      "an address such as " + address_example(context.family) + "; host names are not resolved");
}

Part<AddressRange> read_address_range(const std::string& word, const ValueContext& context) {
  const std::size_t dash = word.find('-');
  const auto low = read_address(word.substr(0, dash), context);
  if (!low) return tl::unexpected(low.error());
  if (dash == std::string::npos) return AddressRange{*low, *low};
  const auto high = read_address(word.substr(dash + 1), context);
  if (!high) return tl::unexpected(high.error());
  return AddressRange{*low, *high};
}

// "port[-port[/base]]" of a NAT target.
Part<NatRange> read_nat_ports(const std::string& word, const ValueContext& context,
                              NatRange range) {
  const std::size_t slash = word.find('/');
  const std::string ports = word.substr(0, slash);
  // A service name may hold dashes; only numbers form a range.
  const bool numeric = !ports.empty() && ports[0] >= '0' && ports[0] <= '9';
  const std::size_t dash = numeric ? ports.find('-') : std::string::npos;
  const auto low = read_port(ports.substr(0, dash), context);
  if (!low) return tl::unexpected(low.error());
  const auto high = dash == std::string::npos ? low : read_port(ports.substr(dash + 1), context);
  if (dash != std::string::npos && !read_number(ports.substr(dash + 1))) {
    return complain("\"" + ports + "\" is not a port range", "two numbers, such as 1024-2047");
  }
  if (!high) return tl::unexpected(high.error());
  if (*high < *low) {
    return complain("the port range \"" + ports + "\" runs backwards", "the lower port first");
  }
  range.has_ports = true;
  range.port_low = static_cast<std::uint16_t>(*low);
  range.port_high = static_cast<std::uint16_t>(*high);
  if (slash != std::string::npos) {
    const auto base = read_port(word.substr(slash + 1), context);
    if (!base) return tl::unexpected(base.error());
    if (*base == 0) return complain("the base port is 0", "a port from 1 to 65535");
    range.base_port = static_cast<std::uint16_t>(*base);
  }
  return range;
}

Part<NatRange> read_nat_range(const std::string& word, const ValueContext& context) {
  std::string addresses = word;
  std::optional<std::string> ports;
  // ":80" is a port, "::1" an address.
  const bool port_alone = word.starts_with(':') && word.find(':', 1) == std::string::npos;
  if (context.family == Family::kIpv4 || port_alone) {
    const std::size_t colon = word.find(':');
    addresses = word.substr(0, colon);
    if (colon != std::string::npos) ports = word.substr(colon + 1);
  } else if (word.starts_with('[')) {
    const std::size_t close = word.find(']');
    if (close == std::string::npos) {
      return complain("\"" + word + "\" lacks a closing bracket", "[2001:db8::1]:80");
    }
    addresses = word.substr(1, close - 1);
    const std::string rest = word.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') {
      return complain("\"" + rest + "\" after the address", "[2001:db8::1]:80");
    }
    if (!rest.empty()) ports = rest.substr(1);
    // "[a]-[b]:port": the second bracket belongs to the range.
  }
  NatRange range;
  if (!addresses.empty()) {
    const auto read = read_address_range(addresses, context);
    if (!read) return tl::unexpected(read.error());
    range.addresses = *read;
  } else if (!ports) {
    return complain("an address or a port is missing", address_example(context.family));
  }
  return ports ? read_nat_ports(*ports, context, range) : range;
}

Part<MaskedNumber> read_masked(const std::string& word, const ValueContext& context) {
  const std::size_t slash = word.find('/');
  const auto value = read_bounded(word.substr(0, slash), context);
  if (!value) return tl::unexpected(value.error());
  if (slash == std::string::npos) return MaskedNumber{*value, context.max};
  const auto mask = read_bounded(word.substr(slash + 1), context);
  if (!mask) return tl::unexpected(mask.error());
  return MaskedNumber{*value, *mask};
}

constexpr std::array<std::string_view, 6> kFlagNames{"FIN", "SYN", "RST", "PSH", "ACK", "URG"};

Part<std::uint64_t> read_tcp_flags(const std::string& word) {
  std::uint64_t flags = 0;
  for (std::string part : split(word, ',')) {
    std::ranges::transform(part, part.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    const auto known = std::ranges::find(kFlagNames, part);
    if (known != kFlagNames.end()) {
      flags |= std::uint64_t{1} << (known - kFlagNames.begin());
    } else if (part == "ALL") {
      flags |= 0x3f;
    } else if (part != "NONE") {
      return complain("\"" + part + "\" is not a TCP flag",
                      "a comma list of FIN SYN RST PSH ACK URG, or ALL or NONE");
    }
  }
  return flags;
}

Part<MaskedNumber> read_flags_pair(std::span<const std::string> words) {
  const auto mask = read_tcp_flags(words[0]);
  if (!mask) return tl::unexpected(mask.error());
  const auto comp = read_tcp_flags(words[1]);
  if (!comp) return tl::unexpected(comp.error());
  return MaskedNumber{*comp, *mask};
}

Part<NumberRange> read_protocol(const std::string& word) {
  if (const auto number = protocol_number(word)) return NumberRange{*number, *number};
  return complain("\"" + word + "\" is not a protocol",
                  "a number from 0 to 255 or a name such as tcp, udp, icmp, gre, all");
}

Part<std::string> read_interface(const std::string& word) {
  if (!word.empty() && word.size() <= 15) return word;
  return complain("\"" + word + "\" is not an interface name",
                  "1 to 15 characters, with a + at the end for \"begins with\"");
}

Part<NumberRange> single(const Part<std::uint64_t>& number) {
  return number.map([](std::uint64_t n) { return NumberRange{n, n}; });
}

}  // namespace

unsigned word_count(ValueType type) {
  if (type == ValueType::kFlag) return 0;
  return type == ValueType::kFlagsPair || type == ValueType::kTextPair ? 2 : 1;
}

Read read_value(ValueType type, std::span<const std::string> words, const ValueContext& context) {
  POSTERN_CHECK(words.size() == word_count(type), "read_value got the wrong number of words");
  const auto bounded = [&](std::string_view word) { return read_bounded(word, context); };
  switch (type) {
    case ValueType::kFlag:
      return std::monostate{};
    case ValueType::kText:
      return words[0];
    case ValueType::kUnsigned:
    case ValueType::kHex:
      return single(read_bounded(words[0], context));
    case ValueType::kRange:
      return read_range(words[0], context.max, bounded);
    case ValueType::kPort:
      return single(read_port(words[0], context));
    case ValueType::kPortRange:
      return read_port_range(words[0], context);
    case ValueType::kPortList:
      return read_port_list(words[0], context);
    case ValueType::kPrefix:
      return read_prefix(words[0], context);
    case ValueType::kHostMask:
      return read_host_mask(words[0], context);
    case ValueType::kPrefixList:
      return read_prefix_list(words[0], context);
    case ValueType::kAddress:
      return read_address(words[0], context).map([](Address a) { return AddressRange{a, a}; });
    case ValueType::kAddressRange:
      return read_address_range(words[0], context);
    case ValueType::kNatRange:
      return read_nat_range(words[0], context);
    case ValueType::kNatPorts:
      return read_nat_ports(words[0], context, NatRange{});
    case ValueType::kMasked:
      return read_masked(words[0], context);
    case ValueType::kProtocol:
      return read_protocol(words[0]);
    case ValueType::kInterface:
      return read_interface(words[0]);
    case ValueType::kFlagsPair:
      return read_flags_pair(words);
    case ValueType::kWordList:
      return split(words[0], ',');
    case ValueType::kTextPair:
      return std::vector<std::string>(words.begin(), words.end());
  }
  throw InternalError("read_value: unknown type");
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find(separator, begin)) != std::string_view::npos;) {
    parts.emplace_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  parts.emplace_back(text.substr(begin));
  return parts;
}

std::string tcp_flag_names(std::uint64_t flags) {
  std::string names;
  for (std::size_t i = 0; i < kFlagNames.size(); ++i) {
    if ((flags >> i & 1) == 0) continue;
    if (!names.empty()) names += ',';
    names += kFlagNames[i];
  }
  return names.empty() ? "NONE" : names;
}

}  // namespace postern
