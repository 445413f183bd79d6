// `-j CT`: a template for connection tracking, or none at all (xt_CT; kernel-facts 22-24). The
// first CT or NOTRACK rule that a packet meets wins.
#include <algorithm>
#include <iterator>

#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

using Words = std::vector<std::string>;
using Direction = AttachTemplate::Direction;

constexpr NamedValue kEvents[] = {
    {"new", 1},        {"related", 2}, {"destroy", 4}, {"reply", 8},        {"assured", 16},
    {"protoinfo", 32}, {"helper", 64}, {"mark", 128},  {"natseqinfo", 256}, {"secmark", 512}};
constexpr NamedValue kExpectEvents[] = {{"new", 1}};

struct Zone {
  std::string_view option;
  Direction direction;
};
constexpr Zone kZones[] = {{"--zone", Direction::kBoth},
                           {"--zone-orig", Direction::kOriginal},
                           {"--zone-reply", Direction::kReply}};

bool names_a_zone(const BoundOption& option) {
  return std::ranges::find(kZones, option.spec->name, &Zone::option) != std::end(kZones);
}

bool is_zone(const std::string& word) {
  const auto number = read_number(word);
  return word == "mark" || (number && *number <= 65535);
}

// Of --zone, --zone-orig and --zone-reply the last wins.
const BoundOption* zone_option(const Arguments& arguments) {
  const BoundOption* last = nullptr;
  for (const BoundOption& option : arguments.options) {
    if (names_a_zone(option)) last = &option;
  }
  return last;
}

// A --zone beside --zone-orig or --zone-reply keeps their direction.
Direction direction(const Arguments& arguments) {
  Direction result = Direction::kBoth;
  for (const Zone& zone : kZones) {
    if (arguments.has(zone.option)) result = zone.direction;
  }
  return result;
}

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  AttachTemplate result;
  if (const auto* helper = arguments.get<std::string>("--helper")) result.helper = *helper;
  for (const BoundOption& option : arguments.options) {
    if (!names_a_zone(option)) continue;
    const auto& word = std::get<std::string>(option.value);
    if (is_zone(word)) continue;
    return complaint("\"" + word + "\" is not a zone", "a number from 0 to 65535, or mark");
  }
  if (const BoundOption* zone = zone_option(arguments)) {
    const auto& word = std::get<std::string>(zone->value);
    result.zone_from_mark = word == "mark";
    if (!result.zone_from_mark) result.zone = static_cast<std::uint16_t>(*read_number(word));
    result.zone_direction = direction(arguments);
  }
  for (const std::string_view name : {"--ctevents", "--expevents"}) {
    const auto* words = arguments.get<Words>(name);
    if (words == nullptr) continue;
    const auto read = name == "--ctevents"
                          ? read_names(kEvents, *words, "kind of event", false)
                          : read_names(kExpectEvents, *words, "kind of event", false);
    if (!read) return tl::unexpected(read.error());
  }
  if (arguments.has("--notrack")) return Effect{NoTrack{}};
  return Effect{result};
}

std::string print_zone(const Arguments& arguments) {
  const BoundOption* zone = zone_option(arguments);
  if (zone == nullptr) return "";
  const auto& word = std::get<std::string>(zone->value);
  const std::string value = word == "mark" ? word : std::to_string(*read_number(word));
  if (value == "0" && direction(arguments) == Direction::kBoth) return "";
  std::string text;
  for (const Zone& known : kZones) {
    if (known.direction == direction(arguments)) append_option(text, false, known.option, value);
  }
  return text;
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_bound(text, arguments, "--notrack");
  append_bound(text, arguments, "--helper");
  append_bound(text, arguments, "--timeout");
  if (const auto* words = arguments.get<Words>("--ctevents")) {
    append_option(text, false, "--ctevents",
                  print_names(kEvents, *read_names(kEvents, *words, "", false)));
  }
  append_bound(text, arguments, "--expevents");
  const std::string zone = print_zone(arguments);
  if (!zone.empty()) text += (text.empty() ? "" : " ") + zone;
  return text;
}

struct Helper {
  std::string_view name;
  std::uint8_t protocol;
  bool ipv4_only = false;
};
// The helpers that come with Linux, each with the protocol under which it is found (tried one by
// one on 6.18, in both families; sip has both protocols).
constexpr Helper kHelpers[] = {{"ftp", protocol::kTcp},
                               {"irc", protocol::kTcp, true},
                               {"sip", protocol::kTcp},
                               {"sip", protocol::kUdp},
                               {"Q.931", protocol::kTcp},
                               {"pptp", protocol::kTcp, true},
                               {"sane", protocol::kTcp},
                               {"tftp", protocol::kUdp},
                               {"RAS", protocol::kUdp},
                               {"H.245", protocol::kUdp},
                               {"amanda", protocol::kUdp},
                               {"snmp", protocol::kUdp, true},
                               {"snmp_trap", protocol::kUdp, true},
                               {"netbios-ns", protocol::kUdp, true}};

// The helper of a protocol is looked up by the rule's own -p.
std::optional<std::string> refused(const Arguments& arguments, const RulePlace&) {
  const auto* helper = arguments.get<std::string>("--helper");
  if (helper == nullptr) return std::nullopt;
  if (!arguments.protocol || arguments.protocol_inverted) {
    return "--helper needs the helper's protocol by -p";
  }
  bool known = false;
  for (const Helper& one : kHelpers) {
    if (one.name != *helper) continue;
    if (one.ipv4_only && arguments.family == Family::kIpv6) {
      return "helper " + *helper + " is for IPv4 only";
    }
    if (one.protocol == *arguments.protocol) return std::nullopt;
    known = true;
  }
  if (known) return "helper " + *helper + " is for another protocol than the rule's -p";
  return "Linux has no helper " + *helper;
}

}  // namespace

extern const Target ct;
const Target ct{
    .name = "CT",
    .options = {{.name = "--notrack"},
                {.name = "--helper", .type = ValueType::kText},
                {.name = "--timeout", .type = ValueType::kText},
                {.name = "--ctevents", .type = ValueType::kWordList},
                {.name = "--expevents", .type = ValueType::kWordList},
                {.name = "--zone", .type = ValueType::kText},
                {.name = "--zone-orig", .type = ValueType::kText},
                {.name = "--zone-reply", .type = ValueType::kText}},
    .effect = effect,
    .switches_on_tracking = true,
    .print = print,
    .tables = {"raw"},
    .hooks = {"PREROUTING", "OUTPUT"},
    .refused = refused,
};

}  // namespace postern::target
