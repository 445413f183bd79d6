#include "vocabulary/build.hpp"

#include <algorithm>

#include "net/protocol.hpp"

namespace postern {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_beginning(std::string_view name, std::string_view word, bool prefix) {
  if (word.empty() || word.size() > name.size()) return false;
  if (!prefix && word.size() != name.size()) return false;
  return std::equal(word.begin(), word.end(), name.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace

MatchMeaning on_transport(std::uint8_t protocol, PredicatePtr tests) {
  const PredicatePtr cut =
      all({equals(Field::kFragmentOffset, 0), negate(equals(Field::kTruncated, 0))});
  return {all({has_transport(protocol), std::move(tests)}),
          all({equals(Field::kProtocol, protocol), cut})};
}

PredicatePtr cut_before(Field field) {
  const HeaderPart least = field == Field::kTcpFlags          ? HeaderPart::kFlags
                           : field == Field::kDestinationPort ? HeaderPart::kPorts
                                                              : HeaderPart::kSourcePort;
  return in_range(Field::kTruncated, static_cast<u128>(least) + 1,
                  low_bits(info(Field::kTruncated).width));
}

namespace {

const NumberRange* single_inverted(const BoundOption* port) {
  if (port == nullptr || !port->inverted) return nullptr;
  const auto& range = std::get<NumberRange>(port->value);
  return range.lo == range.hi && range.lo != 0 ? &range : nullptr;
}

PredicatePtr translated_port(Field field, const BoundOption* port) {
  if (port == nullptr) return constant(true);
  const auto& range = std::get<NumberRange>(port->value);
  if (range == NumberRange{0, 65535}) {
    return port->inverted ? opaque("some versions of iptables-nft leave out an inverted full range")
                          : constant(true);
  }
  return all(
      {negate(cut_before(field)), negate_if(port->inverted, in_range(field, range.lo, range.hi))});
}

}  // namespace

bool tests_a_port(const Arguments& arguments) {
  const auto tests = [&](std::string_view name) {
    const BoundOption* port = arguments.find(name);
    return port != nullptr &&
           (port->inverted || std::get<NumberRange>(port->value) != NumberRange{0, 65535});
  };
  return tests("--sport") || tests("--dport");
}

PredicatePtr translated_ports(std::uint8_t protocol, const Arguments& arguments,
                              std::vector<PredicatePtr> others) {
  const BoundOption* source = arguments.find("--sport");
  const BoundOption* destination = arguments.find("--dport");
  PredicatePtr ports = all({translated_port(Field::kSourcePort, source),
                            translated_port(Field::kDestinationPort, destination)});
  const NumberRange* one = single_inverted(source);
  const NumberRange* other = single_inverted(destination);
  if (one != nullptr && other != nullptr) {
    const PredicatePtr both =
        all({equals(Field::kSourcePort, one->lo), equals(Field::kDestinationPort, other->lo)});
    const PredicatePtr merged =
        all({negate(cut_before(Field::kDestinationPort)), negate(both),
             opaque("some versions of iptables-nft make one comparison of two inverted ports")});
    ports = any({std::move(ports), merged});
  }
  others.insert(others.begin(), equals(Field::kProtocol, protocol));
  others.push_back(std::move(ports));
  return all(std::move(others));
}

PredicatePtr range_test(Field field, const Arguments& arguments, std::string_view option) {
  const BoundOption* bound = arguments.find(option);
  if (bound == nullptr) return constant(true);
  const auto& range = std::get<NumberRange>(bound->value);
  return negate_if(bound->inverted, in_range(field, range.lo, range.hi));
}

PredicatePtr prefix_test(Field field, const Prefix& prefix) {
  return masked(field, prefix.address.value & prefix.mask, prefix.mask);
}

tl::expected<std::uint64_t, Complaint> read_name(std::span<const NamedValue> names,
                                                 std::string_view word, std::string_view what,
                                                 bool prefix) {
  for (const NamedValue& entry : names) {
    if (same_beginning(entry.name, word, prefix)) return entry.value;
  }
  std::string known;
  for (const NamedValue& entry : names) {
    known += (known.empty() ? "one of " : ", ") + std::string(entry.name);
  }
  return complaint("\"" + std::string(word) + "\" is not a " + std::string(what), known);
}

tl::expected<std::uint64_t, Complaint> read_names(std::span<const NamedValue> names,
                                                  std::span<const std::string> words,
                                                  std::string_view what, bool prefix) {
  std::uint64_t bits = 0;
  for (const std::string& word : words) {
    const auto value = read_name(names, word, what, prefix);
    if (!value) return value;
    bits |= *value;
  }
  return bits;
}

std::string print_names(std::span<const NamedValue> names, std::uint64_t bits) {
  std::string text;
  for (const NamedValue& entry : names) {
    if ((bits & entry.value) == 0) continue;
    if (!text.empty()) text += ',';
    text += entry.name;
  }
  return text;
}

void append_option(std::string& text, bool inverted, std::string_view name,
                   std::string_view value) {
  if (!text.empty()) text += ' ';
  if (inverted) text += "! ";
  text += name;
  if (!value.empty()) {
    text += ' ';
    text += value;
  }
}

void append_bound(std::string& text, const Arguments& arguments, std::string_view name) {
  const BoundOption* option = arguments.find(name);
  if (option == nullptr) return;
  append_option(text, option->inverted, name, print_value(option->spec->type, option->value));
}

void append_range(std::string& text, const Arguments& arguments, std::string_view name, u128 top) {
  const BoundOption* option = arguments.find(name);
  if (option == nullptr) return;
  if (!option->inverted && std::get<NumberRange>(option->value) == NumberRange{0, top}) return;
  append_bound(text, arguments, name);
}

namespace {

// The one option that is given (they exclude each other): what follows the prefix, and its number.
struct HopLimit {
  std::string_view kind;
  u128 value;
  bool inverted;
};
HopLimit hop_limit(const Arguments& arguments, std::string_view prefix) {
  const BoundOption& option = arguments.options.front();
  return {option.spec->name.substr(prefix.size()), std::get<NumberRange>(option.value).lo,
          option.inverted};
}

}  // namespace

MatchMeaning hop_limit_test(const Arguments& arguments, std::string_view prefix) {
  const auto [kind, value, inverted] = hop_limit(arguments, prefix);
  if (kind == "-lt") {
    return {value == 0 ? constant(false) : in_range(Field::kTtl, 0, value - 1)};
  }
  if (kind == "-gt") return {in_range(Field::kTtl, value + 1, 255)};
  return {negate_if(inverted, equals(Field::kTtl, value))};
}

Effect hop_limit_change(const Arguments& arguments, std::string_view prefix) {
  const auto [kind, value, inverted] = hop_limit(arguments, prefix);
  const auto number = static_cast<int>(value);
  if (kind == "-inc") return AddField{Field::kTtl, number};
  if (kind == "-dec") return AddField{Field::kTtl, -number};
  return SetField{Field::kTtl, value, 0xff};
}

}  // namespace postern
