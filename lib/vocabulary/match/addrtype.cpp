// `-m addrtype`: what kind of address it is, as routing sees it (xt_addrtype).
//
// IPv4: an address has one type (inet_addr_type: 224/4 is MULTICAST, 0/8 and 255.255.255.255 are
// BROADCAST, the rest is looked up), a list means any of its types. IPv6: UNSPEC, UNICAST and
// MULTICAST follow from the address alone, the others from a route, and a list means all of them.
#include <array>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::uint64_t bit(AddressType type) { return 1u << static_cast<unsigned>(type); }

constexpr std::array<NamedValue, 12> kTypes{{{"UNSPEC", bit(AddressType::kUnspec)},
                                             {"UNICAST", bit(AddressType::kUnicast)},
                                             {"LOCAL", bit(AddressType::kLocal)},
                                             {"BROADCAST", bit(AddressType::kBroadcast)},
                                             {"ANYCAST", bit(AddressType::kAnycast)},
                                             {"MULTICAST", bit(AddressType::kMulticast)},
                                             {"BLACKHOLE", bit(AddressType::kBlackhole)},
                                             {"UNREACHABLE", bit(AddressType::kUnreachable)},
                                             {"PROHIBIT", bit(AddressType::kProhibit)},
                                             {"THROW", bit(AddressType::kThrow)},
                                             {"NAT", bit(AddressType::kNat)},
                                             {"XRESOLVE", bit(AddressType::kXresolve)}}};

using Words = std::vector<std::string>;

// Which address a test looks at.
struct Side {
  std::string_view option;
  Field address, type;
};
constexpr Side kSource{"--src-type", Field::kSource, Field::kSourceType};
constexpr Side kDestination{"--dst-type", Field::kDestination, Field::kDestinationType};

PredicatePtr has_type(const Side& side, AddressType type) {
  return equals(side.type, static_cast<u128>(type));
}

// Types by lookup. With --limit-iface-* an address of this host counts only when it belongs to that
// interface, and is UNICAST otherwise: which one it is is not in the text.
PredicatePtr looked_up(const Side& side, AddressType type, bool limited) {
  const PredicatePtr plain = has_type(side, type);
  if (!limited) return plain;
  const PredicatePtr here = opaque("addrtype: which interface has the address");
  if (type == AddressType::kUnicast) {
    return any(
        {plain,
         all({any({has_type(side, AddressType::kLocal), has_type(side, AddressType::kBroadcast)}),
              here})});
  }
  return all({plain, here});
}

PredicatePtr test4(const Side& side, std::uint64_t bits, bool limited) {
  const PredicatePtr multicast = masked(side.address, 0xe0000000, 0xf0000000);
  const PredicatePtr broadcast = any({equals(side.address, 0), equals(side.address, 0xffffffff)});
  std::vector<PredicatePtr> cases;
  std::vector<PredicatePtr> by_lookup;
  for (const NamedValue& entry : kTypes) {
    if ((bits & entry.value) == 0) continue;
    unsigned number = 0;
    while ((entry.value >> number & 1) == 0) ++number;
    const auto type = static_cast<AddressType>(number);
    if (type == AddressType::kMulticast) cases.push_back(multicast);
    if (type == AddressType::kBroadcast) cases.push_back(broadcast);
    if (type != AddressType::kMulticast) by_lookup.push_back(looked_up(side, type, limited));
  }
  cases.push_back(all({negate(any({multicast, broadcast})), any(std::move(by_lookup))}));
  return any(std::move(cases));
}

PredicatePtr test6(const Side& side, std::uint64_t bits, bool limited) {
  const PredicatePtr multicast = masked(side.address, u128{0xff} << 120, u128{0xff} << 120);
  const PredicatePtr unspecified = equals(side.address, 0);
  const PredicatePtr mapped =
      in_range(side.address, u128{0xffff} << 32, u128{0xffff} << 32 | 0xffffffff);
  std::vector<PredicatePtr> tests;
  if ((bits & bit(AddressType::kMulticast)) != 0) tests.push_back(multicast);
  if ((bits & bit(AddressType::kUnicast)) != 0) {
    tests.push_back(negate(any({multicast, unspecified, mapped})));
  }
  if ((bits & bit(AddressType::kUnspec)) != 0) tests.push_back(unspecified);
  std::vector<PredicatePtr> by_route;
  for (const auto type : {AddressType::kLocal, AddressType::kAnycast, AddressType::kUnreachable}) {
    if ((bits & bit(type)) != 0) by_route.push_back(looked_up(side, type, limited));
  }
  if (!by_route.empty()) tests.push_back(any(std::move(by_route)));
  return all(std::move(tests));
}

tl::expected<PredicatePtr, Complaint> test(const Side& side, const Arguments& arguments) {
  const auto* words = arguments.get<Words>(side.option);
  if (words == nullptr) return constant(true);
  const auto bits = read_names(kTypes, *words, "type of address", false);
  if (!bits) return tl::unexpected(bits.error());
  const bool limited = arguments.has("--limit-iface-in") || arguments.has("--limit-iface-out");
  const PredicatePtr found =
      arguments.family == Family::kIpv4 ? test4(side, *bits, limited) : test6(side, *bits, limited);
  return negate_if(arguments.inverted(side.option), found);
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  if (!arguments.has("--src-type") && !arguments.has("--dst-type")) {
    return complaint("-m addrtype without a type", "add --src-type or --dst-type");
  }
  const auto source = test(kSource, arguments);
  if (!source) return tl::unexpected(source.error());
  const auto destination = test(kDestination, arguments);
  if (!destination) return tl::unexpected(destination.error());
  return MatchMeaning{all({*source, *destination})};
}

std::string print(const Arguments& arguments) {
  std::string text;
  for (const std::string_view name : {"--src-type", "--dst-type"}) {
    if (const auto* words = arguments.get<Words>(name)) {
      append_option(text, arguments.inverted(name), name,
                    print_names(kTypes, *read_names(kTypes, *words, "", false)));
    }
  }
  append_bound(text, arguments, "--limit-iface-in");
  append_bound(text, arguments, "--limit-iface-out");
  return text;
}

std::optional<std::string> refused(const Arguments& arguments, const RulePlace& place) {
  const auto reaches = [&](std::string_view a, std::string_view b) {
    for (const std::string_view hook : place.hooks) {
      if (hook == a || hook == b) return true;
    }
    return false;
  };
  if (arguments.has("--limit-iface-out") && reaches("PREROUTING", "INPUT")) {
    return "--limit-iface-out is not allowed in PREROUTING and INPUT";
  }
  if (arguments.has("--limit-iface-in") && reaches("POSTROUTING", "OUTPUT")) {
    return "--limit-iface-in is not allowed in POSTROUTING and OUTPUT";
  }
  if (arguments.family == Family::kIpv4) return std::nullopt;
  for (const std::string_view name : {"--src-type", "--dst-type"}) {
    const auto* words = arguments.get<Words>(name);
    if (words == nullptr) continue;
    const std::uint64_t bits = *read_names(kTypes, *words, "", false);
    if (bits >= bit(AddressType::kProhibit) || (bits & bit(AddressType::kBroadcast)) != 0 ||
        (bits & bit(AddressType::kBlackhole)) != 0) {
      return "IPv6 knows only UNSPEC, UNICAST, LOCAL, ANYCAST, MULTICAST and UNREACHABLE";
    }
  }
  return std::nullopt;
}

}  // namespace

extern const Match addrtype;
const Match addrtype{
    .name = "addrtype",
    .options = {{.name = "--src-type", .type = ValueType::kWordList, .invertible = true},
                {.name = "--dst-type", .type = ValueType::kWordList, .invertible = true},
                {.name = "--limit-iface-in", .excludes = "interface"},
                {.name = "--limit-iface-out", .excludes = "interface"}},
    .meaning = meaning,
    .print = print,
    .refused = refused,
};

}  // namespace postern::match
