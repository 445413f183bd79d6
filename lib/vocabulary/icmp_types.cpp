#include "vocabulary/icmp_types.hpp"

#include <array>
#include <span>

#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern {
namespace {

struct Name {
  std::string_view name;
  std::uint8_t type;
  int code = -1;  // -1: any
};

constexpr Name kIcmp[] = {
    {"any", 255},
    {"echo-reply", 0},
    {"pong", 0},
    {"destination-unreachable", 3},
    {"network-unreachable", 3, 0},
    {"host-unreachable", 3, 1},
    {"protocol-unreachable", 3, 2},
    {"port-unreachable", 3, 3},
    {"fragmentation-needed", 3, 4},
    {"source-route-failed", 3, 5},
    {"network-unknown", 3, 6},
    {"host-unknown", 3, 7},
    {"network-prohibited", 3, 9},
    {"host-prohibited", 3, 10},
    {"TOS-network-unreachable", 3, 11},
    {"TOS-host-unreachable", 3, 12},
    {"communication-prohibited", 3, 13},
    {"host-precedence-violation", 3, 14},
    {"precedence-cutoff", 3, 15},
    {"source-quench", 4},
    {"redirect", 5},
    {"network-redirect", 5, 0},
    {"host-redirect", 5, 1},
    {"TOS-network-redirect", 5, 2},
    {"TOS-host-redirect", 5, 3},
    {"echo-request", 8},
    {"ping", 8},
    {"router-advertisement", 9},
    {"router-solicitation", 10},
    {"time-exceeded", 11},
    {"ttl-exceeded", 11},
    {"ttl-zero-during-transit", 11, 0},
    {"ttl-zero-during-reassembly", 11, 1},
    {"parameter-problem", 12},
    {"ip-header-bad", 12, 0},
    {"required-option-missing", 12, 1},
    {"timestamp-request", 13},
    {"timestamp-reply", 14},
    {"address-mask-request", 17},
    {"address-mask-reply", 18},
};

constexpr Name kIcmpv6[] = {
    {"destination-unreachable", 1},
    {"no-route", 1, 0},
    {"communication-prohibited", 1, 1},
    {"beyond-scope", 1, 2},
    {"address-unreachable", 1, 3},
    {"port-unreachable", 1, 4},
    {"failed-policy", 1, 5},
    {"reject-route", 1, 6},
    {"packet-too-big", 2},
    {"time-exceeded", 3},
    {"ttl-exceeded", 3},
    {"ttl-zero-during-transit", 3, 0},
    {"ttl-zero-during-reassembly", 3, 1},
    {"parameter-problem", 4},
    {"bad-header", 4, 0},
    {"unknown-header-type", 4, 1},
    {"unknown-option", 4, 2},
    {"echo-request", 128},
    {"ping", 128},
    {"echo-reply", 129},
    {"pong", 129},
    {"router-solicitation", 133},
    {"router-advertisement", 134},
    {"neighbour-solicitation", 135},
    {"neighbor-solicitation", 135},
    {"neighbour-advertisement", 136},
    {"neighbor-advertisement", 136},
    {"redirect", 137},
};

std::span<const Name> names(Family family) {
  if (family == Family::kIpv4) return kIcmp;
  return kIcmpv6;
}

IcmpTest test_of(const Name& name) {
  if (name.code < 0) return {name.type, 0, 255};
  const auto code = static_cast<std::uint8_t>(name.code);
  return {name.type, code, code};
}

tl::expected<IcmpTest, Complaint> by_number(std::string_view text, std::string_view help) {
  const std::size_t slash = text.find('/');
  const auto type = read_number(text.substr(0, slash));
  const auto code = slash == std::string_view::npos ? std::optional<std::uint64_t>(0)
                                                    : read_number(text.substr(slash + 1));
  if (!type || *type > 255 || !code || *code > 255) {
    return complaint("\"" + std::string(text) + "\" is not an ICMP type", std::string(help));
  }
  const auto low = static_cast<std::uint8_t>(*code);
  const std::uint8_t high = slash == std::string_view::npos ? std::uint8_t{255} : low;
  return IcmpTest{static_cast<std::uint8_t>(*type), low, high};
}

}  // namespace

tl::expected<IcmpTest, Complaint> read_icmp_type(std::string_view text, Family family) {
  const Name* found = nullptr;
  for (const Name& name : names(family)) {
    const NamedValue entry{name.name, 1};
    if (!read_name(std::span(&entry, 1), text, "", true)) continue;
    if (found != nullptr) {
      return complaint("\"" + std::string(text) + "\" may mean " + std::string(found->name) +
                           " or " + std::string(name.name),
                       "write the whole name");
    }
    found = &name;
  }
  if (found != nullptr) return test_of(*found);
  return by_number(text, family == Family::kIpv4
                             ? "type[/code] as numbers, or a name such as echo-request"
                             : "type[/code] as numbers, or a name such as packet-too-big");
}

std::string print_icmp_type(const IcmpTest& test, Family family) {
  if (is_any_icmp(test, family)) return "any";
  std::string text = std::to_string(test.type);
  if (test.code_low == test.code_high) text += "/" + std::to_string(test.code_low);
  return text;
}

tl::expected<MatchMeaning, Complaint> icmp_meaning(const Arguments& arguments,
                                                   std::string_view option) {
  const Family family = arguments.family;
  const auto test = read_icmp_type(*arguments.get<std::string>(option), family);
  if (!test) return tl::unexpected(test.error());
  const PredicatePtr same =
      is_any_icmp(*test, family)
          ? constant(true)
          : all({equals(Field::kIcmpType, test->type),
                 in_range(Field::kIcmpCode, test->code_low, test->code_high)});
  const std::uint8_t number = family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6;
  return on_transport(number, negate_if(arguments.inverted(option), same));
}

std::string icmp_print(const Arguments& arguments, std::string_view option) {
  const auto test = read_icmp_type(*arguments.get<std::string>(option), arguments.family);
  std::string text;
  append_option(text, arguments.inverted(option), option, print_icmp_type(*test, arguments.family));
  return text;
}

}  // namespace postern
