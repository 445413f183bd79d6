// Drawing from descriptors: try options until they bind. Covered by campaign_test.cpp.
#include "tests/kernel/support/rule_source.hpp"

#include <algorithm>
#include <array>

#include "net/protocol.hpp"
#include "tests/kernel/support/left_out.hpp"
#include "vocabulary/registry.hpp"

namespace postern::kernel {
namespace {

constexpr int kTries = 6;  // until options are found that go together

bool of_family(const std::vector<Family>& families, Family family) {
  return std::find(families.begin(), families.end(), family) != families.end();
}
bool of_protocol(const std::vector<std::uint8_t>& protocols, const Arguments& rule) {
  if (protocols.empty()) return true;
  return rule.protocol && !rule.protocol_inverted &&
         std::find(protocols.begin(), protocols.end(), *rule.protocol) != protocols.end();
}

}  // namespace

RuleSource::Protocol RuleSource::protocol() {
  const bool v4 = constants_.family == Family::kIpv4;
  struct Choice {
    unsigned weight;
    const char* text;
    std::uint8_t number;
  };
  const std::array<Choice, 9> choices{{{33, "tcp", 6},
                                       {20, "udp", 17},
                                       {14, v4 ? "icmp" : "ipv6-icmp", std::uint8_t(v4 ? 1 : 58)},
                                       {7, "sctp", 132},
                                       {2, "udplite", 136},
                                       {6, "dccp", 33},
                                       {2, "gre", 47},
                                       {6, "esp", 50},
                                       {6, "ah", 51}}};
  std::uint64_t drawn = random_.below(100);
  for (const Choice& choice : choices) {
    if (drawn < choice.weight) {
      const bool inverted = random_.chance(6);
      return {(inverted ? " ! -p " : " -p ") + std::string(choice.text), choice.number, inverted};
    }
    drawn -= choice.weight;
  }
  return {};
}

std::string RuleSource::address() {
  return constants_.hosts[random_.below(constants_.hosts.size())].address;
}
std::string RuleSource::network() { return random_.pick(constants_.prefixes); }

std::string RuleSource::port_range() {
  if (random_.chance(55)) return port();
  if (random_.chance(30)) return random_.chance(50) ? "1024:" : ":1023";
  const auto a = random_.pick(constants_.ports), b = random_.pick(constants_.ports);
  return std::to_string(std::min(a, b)) + ":" + std::to_string(std::max(a, b));
}

std::string RuleSource::number(const OptionSpec& spec) {
  const std::vector<std::uint64_t> near{0,  1,  2,  3,  6,   17,  20,  28,   40,
                                        48, 60, 63, 64, 100, 128, 255, 1023, 1500};
  for (int i = 0; i < kTries; ++i) {
    const std::uint64_t drawn = random_.pick(near);
    if (drawn >= spec.min && drawn <= spec.max) return std::to_string(drawn);
  }
  return std::to_string(spec.min);
}

std::optional<RuleSource::Words> RuleSource::from_table(std::string_view extension,
                                                        const OptionSpec& spec) {
  const auto& known = Phrasebook::get().words(extension, spec.name);
  if (known.empty()) return std::nullopt;
  return known[random_.below(known.size())];
}

// Some of the words that the table lists, in any number.
RuleSource::Words RuleSource::list_words(std::string_view extension, const OptionSpec& spec) {
  std::set<std::string> all;
  for (const Words& words : Phrasebook::get().words(extension, spec.name)) {
    for (const std::string& list : words) {
      for (std::string& word : split(list, ',')) all.insert(std::move(word));
    }
  }
  if (all.empty()) return {};
  std::vector<std::string> left(all.begin(), all.end());
  std::string text;
  for (std::uint64_t count = 1 + random_.below(3); count > 0 && !left.empty(); --count) {
    const auto at = random_.below(left.size());
    text += (text.empty() ? "" : ",") + left[at];
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return {text};
}

RuleSource::Words RuleSource::value_words(std::string_view extension, const OptionSpec& spec) {
  const auto hex_of = [&](std::uint64_t bound) { return hex(random_.below(bound)); };
  switch (spec.type) {
    case ValueType::kFlag:
      return {};
    case ValueType::kWordList:
      return list_words(extension, spec);
    case ValueType::kText:
    case ValueType::kTextPair:
      return from_table(extension, spec).value_or(Words{});
    case ValueType::kUnsigned:
    case ValueType::kHex:
      return {number(spec)};
    case ValueType::kRange:
      // Of a security parameter index only the full range is modelled.
      if (spec.max == 0xffffffff && random_.chance(50)) return {"0:4294967295"};
      return {random_.chance(40) ? number(spec) : number(spec) + ":" + number(spec)};
    case ValueType::kPort:
      return {port()};
    case ValueType::kPortRange:
      return {port_range()};
    case ValueType::kPortList:
      return {port() + "," + port_range() + (random_.chance(50) ? "," + port() : "")};
    case ValueType::kPrefix:
    case ValueType::kHostMask:
    case ValueType::kPrefixList:
      return {random_.chance(60) ? address() : network()};
    case ValueType::kAddress:
      return {address()};
    case ValueType::kAddressRange:
      return {random_.chance(30) ? address() : address() + "-" + address()};
    case ValueType::kNatRange:
      if (constants_.family == Family::kIpv6) return {address()};
      return {address() + (random_.chance(40) ? ":" + port() : "")};
    case ValueType::kNatPorts:
      return {port()};
    case ValueType::kMasked:
      return {random_.chance(60) ? hex_of(4) : hex_of(8) + "/" + hex_of(8)};
    case ValueType::kProtocol:
      return {random_.pick(Words{"6", "17", "1", "58", "47"})};
    case ValueType::kInterface:  // or any other short word: the table knows
      return from_table(extension, spec).value_or(Words{random_.pick(constants_.interfaces).name});
    case ValueType::kFlagsPair: {
      const Words sets{"FIN,SYN,RST,ACK", "SYN", "ACK", "RST", "SYN,ACK", "FIN", "ALL", "PSH,ACK"};
      return {random_.pick(sets), random_.chance(80) ? random_.pick(sets) : "NONE"};
    }
  }
  return {};
}

// Options that the descriptor may take together, bound; nullopt when a value was refused.
std::optional<std::vector<BoundOption>> RuleSource::options(std::string_view extension,
                                                            std::span<const OptionSpec> specs,
                                                            const Arguments& rule) {
  std::vector<const OptionSpec*> chosen;
  std::set<std::string_view> groups;
  std::vector<std::size_t> order(specs.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random_.below(i)]);
  }
  // A required group stands on its first member; any of the group will do.
  std::set<std::string_view> required_groups;
  for (const OptionSpec& spec : specs) {
    if (spec.required && !spec.excludes.empty()) required_groups.insert(spec.excludes);
  }
  for (const std::size_t i : order) {
    const OptionSpec& spec = specs[i];
    const bool grouped = !spec.excludes.empty();
    if (grouped && groups.contains(spec.excludes)) continue;
    const bool needed = grouped ? required_groups.contains(spec.excludes) : spec.required;
    if (!needed && !random_.chance(specs.size() > 4 ? 12 : 40)) continue;
    if (grouped) groups.insert(spec.excludes);
    chosen.push_back(&spec);
  }
  if (chosen.empty() && !specs.empty()) chosen.push_back(&specs[order[0]]);
  std::vector<BoundOption> bound;
  for (const OptionSpec* spec : chosen) {
    Words words = value_words(extension, *spec);
    if (random_.chance(15)) words = from_table(extension, *spec).value_or(words);
    // Text of which the table has no example that loads names something that is not there.
    if (words.size() != word_count(spec->type)) return std::nullopt;
    auto option = read_option(*spec, spec->invertible && random_.chance(25), words, rule);
    if (!option) return std::nullopt;
    bound.push_back(std::move(*option));
  }
  return bound;
}

std::optional<std::string> RuleSource::try_match(const Match& match, const RulePlace& place,
                                                 const Arguments& rule) {
  const auto bound = options(match.name, match.options, rule);
  if (!bound) return std::nullopt;
  Arguments arguments = rule;
  arguments.options = *bound;
  const auto meaning = bind_match(match, arguments);
  if (!meaning || has_opaque(*meaning->predicate) || has_opaque(*meaning->hotdrop)) {
    return std::nullopt;
  }
  if (kernel_refuses(match, arguments, place)) return std::nullopt;
  return " " + print_match(match, arguments);
}

std::string RuleSource::match(const RulePlace& place, const Protocol& protocol) {
  const Arguments rule{.family = constants_.family,
                       .protocol = protocol.number,
                       .protocol_inverted = protocol.inverted};
  const bool state = tracking_ && random_.chance(place.table == "raw" ? 10 : 40);
  std::vector<const Match*> candidates;
  for (const Match* match : all_matches()) {
    if (!of_family(match->families, constants_.family) || !of_protocol(match->protocols, rule)) {
      continue;
    }
    if (left_out(*match, constants_.family)) continue;
    if (match->switches_on_tracking && !tracking_) continue;
    if (state && !match->switches_on_tracking) continue;
    candidates.push_back(match);
    // Most of what is drawn for these is refused, or left open by the text.
    if (match->name == "statistic" || match->name == "recent") candidates.push_back(match);
  }
  // Matches on the rule's own protocol are few among many: they get every other draw, and more
  // where few packets are of that protocol.
  const auto number = protocol.number.value_or(protocol::kTcp);
  const bool rare = number == protocol::kSctp || number == protocol::kDccp ||
                    number == protocol::kAh || number == protocol::kEsp;
  std::vector<const Match*> own;
  for (const Match* match : candidates) {
    if (!match->protocols.empty() || match->name == "multiport") own.push_back(match);
  }
  for (int i = 0; i < 4 * kTries; ++i) {
    const bool narrow = !own.empty() && random_.chance(rare ? 80 : 50);
    const Match& drawn = *random_.pick(narrow ? own : candidates);
    if (auto text = try_match(drawn, place, rule)) return *text;
  }
  return {};
}

bool RuleSource::can_run(const Effect& effect) const {
  if (std::holds_alternative<OpaqueTarget>(effect)) return false;
  if (std::holds_alternative<ToSocket>(effect)) return false;
  if (std::holds_alternative<Nat>(effect)) return abilities_.nat;
  if (const auto* made = std::get_if<AttachTemplate>(&effect)) {
    if (made->zone != 0 || made->zone_from_mark) return abilities_.zones;
    if (!made->helper.empty()) return abilities_.helpers;
  }
  return true;
}

std::optional<std::string> RuleSource::try_target(const Target& target, const RulePlace& place,
                                                  const Arguments& rule) {
  const auto bound = options(target.name, target.options, rule);
  if (!bound) return std::nullopt;
  Arguments arguments = rule;
  arguments.options = *bound;
  const auto effect = bind_target(target, arguments);
  if (!effect || !can_run(*effect)) return std::nullopt;
  if (kernel_refuses(target, arguments, place)) return std::nullopt;
  // The legacy kernel wants to see that the rule takes SYNs only.
  const char* before = target.name == "TCPMSS" ? " -m tcp --tcp-flags SYN,RST SYN " : " ";
  return before + print_target(target, arguments);
}

std::string RuleSource::target(const RulePlace& place, const Protocol& protocol) {
  const Arguments rule{.family = constants_.family,
                       .protocol = protocol.number,
                       .protocol_inverted = protocol.inverted};
  const bool filters = place.table == "filter" || place.table == "security";
  if (random_.chance(filters ? 70 : place.table == "raw" ? 15 : 8)) {
    const auto drawn = random_.below(100);
    if (drawn < 55) return " -j ACCEPT";
    if (drawn < 85 && place.table != "nat") return " -j DROP";
    return " -j RETURN";
  }
  std::vector<const Target*> candidates;
  for (const Target* target : all_targets()) {
    if (!of_family(target->families, constants_.family) || !of_protocol(target->protocols, rule)) {
      continue;
    }
    if (left_out(*target, constants_.family)) continue;
    if (target->switches_on_tracking && !tracking_) continue;
    candidates.push_back(target);
    // It is for SYNs alone: few packets meet it.
    for (int i = 0; target->name == "TCPMSS" && i < 3; ++i) candidates.push_back(target);
  }
  // Targets that belong to this table alone are what the table is for.
  std::vector<const Target*> own;
  for (const Target* target : candidates) {
    if (!target->tables.empty()) own.push_back(target);
  }
  for (int i = 0; i < 4 * kTries; ++i) {
    const bool narrow = !own.empty() && random_.chance(60);
    const Target& drawn = *random_.pick(narrow ? own : candidates);
    // The text parses, but iptables takes no DROP in nat; elsewhere it would leave little to see.
    if (drawn.name == "DROP" && (place.table == "nat" || random_.chance(90))) continue;
    if (auto text = try_target(drawn, place, rule)) return *text;
  }
  return "";
}

std::string RuleSource::builtin_options(const RulePlace& place, bool builtin_chain) {
  const auto device = [&]() -> std::string {
    if (random_.chance(10)) return "eth+";
    return random_.pick(constants_.interfaces).name;
  };
  const auto at = [&](std::string_view hook) {
    return std::find(place.hooks.begin(), place.hooks.end(), hook) != place.hooks.end();
  };
  const bool may_in = !builtin_chain || (!at("OUTPUT") && !at("POSTROUTING"));
  const bool may_out = !builtin_chain || (!at("INPUT") && !at("PREROUTING"));
  std::string text;
  if (random_.chance(18)) {
    text += bang(20) + " -s " + (random_.chance(60) ? address() : network());
  }
  if (random_.chance(18)) {
    text += bang(20) + " -d " + (random_.chance(60) ? address() : network());
  }
  if (may_in && random_.chance(18)) text += bang(20) + " -i " + device();
  if (may_out && random_.chance(18)) text += bang(20) + " -o " + device();
  if (constants_.family == Family::kIpv4 && random_.chance(2)) text += bang(50) + " -f";
  return text;
}

}  // namespace postern::kernel
