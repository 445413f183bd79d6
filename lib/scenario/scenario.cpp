// JSON text -> scenarios. Paths (rulesets, ipset) are read here, so that a Scenario is complete.
// Covered by tests/unit/scenario_read_test.cpp.
#include "scenario/scenario.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

#include "scenario/packet_json.hpp"

namespace postern {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxInterfaceName = 15;  // IFNAMSIZ - 1

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf())) return std::nullopt;
  return text.str();
}

// Inline text has a line end or begins as such a file does; anything else is a path.
bool is_inline(std::string_view text) {
  return text.empty() || text.find('\n') != std::string_view::npos || text[0] == '*' ||
         text[0] == '#' || text.starts_with("create ");
}

void read_text(const ObjectReader& object, std::string_view key, const std::string& directory,
               std::optional<std::string>& to, std::string* name) {
  const auto text = object.string(key);
  if (!text) return;
  if (is_inline(*text)) {
    to = *text;
    return;
  }
  const std::string path =
      text->front() == '/' || directory.empty() ? *text : directory + "/" + *text;
  to = read_file(path);
  if (!to) object.complain(key, "cannot read " + path);
  if (name != nullptr) *name = *text;
}

std::optional<InterfaceAddress> interface_address(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  InterfaceAddress result{*address, address_bits(address->family)};
  if (slash != std::string_view::npos) {
    const auto length = json_number(Json(std::string(text.substr(slash + 1))), result.length);
    if (!length) return std::nullopt;
    result.length = static_cast<unsigned>(*length);
  }
  return result;
}

// Stricter than the kernel: names go into commands and paths.
bool is_interface_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxInterfaceName && name != "." && name != ".." &&
         name != "all" && name != "default" && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 ||
                  std::string_view("-_.@+").find(static_cast<char>(c)) != std::string_view::npos;
         });
}

Interface read_interface(JsonContext& context, const std::string& pointer) {
  Interface interface;
  const ObjectReader object(context, pointer);
  if (!object.valid()) return interface;
  object.allow_only({"name", "addresses", "mtu"});
  interface.name = object.string("name").value_or("");
  if (!is_interface_name(interface.name)) {
    context.complain(object.has("name") ? object.at("name") : pointer, "value",
                     "an interface needs a `name` of 1 to 15 letters, digits and -_.@+");
  }
  if (interface.name == "lo") interface.mtu = kLoopbackMtu;
  object.number_into("mtu", interface.mtu);
  for (const std::string& item : object.items("addresses")) {
    const Json& value = context.document.root().at(Json::json_pointer(item));
    const auto address =
        value.is_string() ? interface_address(value.get_ref<const std::string&>()) : std::nullopt;
    if (address) {
      interface.addresses.push_back(*address);
    } else {
      context.complain(item, "value", "an address such as \"192.0.2.1/24\" is needed here");
    }
  }
  return interface;
}

// `lo` always exists, first, with its two addresses before any others.
void complete_loopback(std::vector<Interface>& interfaces) {
  auto lo = std::find_if(interfaces.begin(), interfaces.end(),
                         [](const Interface& interface) { return interface.name == "lo"; });
  if (lo == interfaces.end()) {
    interfaces.insert(interfaces.begin(), Interface{"lo", {}, kLoopbackMtu});
  } else {
    std::rotate(interfaces.begin(), lo, lo + 1);
  }
  std::vector<InterfaceAddress> addresses{*interface_address("127.0.0.1/8"),
                                          *interface_address("::1/128")};
  for (const InterfaceAddress& more : interfaces.front().addresses) {
    const bool known = std::any_of(addresses.begin(), addresses.end(),
                                   [&](const auto& have) { return have.address == more.address; });
    if (!known) addresses.push_back(more);
  }
  interfaces.front().addresses = std::move(addresses);
}

void read_interfaces(const ObjectReader& object, Scenario& scenario) {
  if (!object.has("interfaces")) {
    scenario.interfaces.push_back({"eth0", {*interface_address("192.0.2.1/24")}, 1500});
  }
  for (const std::string& item : object.items("interfaces")) {
    Interface interface = read_interface(object.context(), item);
    const bool twice =
        std::any_of(scenario.interfaces.begin(), scenario.interfaces.end(),
                    [&](const Interface& other) { return other.name == interface.name; });
    if (twice)
      object.context().complain(item, "value", "`" + interface.name + "` stands here twice");
    scenario.interfaces.push_back(std::move(interface));
  }
  complete_loopback(scenario.interfaces);
}

template <class T>
T choice(const ObjectReader& object, std::string_view key, T fallback,
         std::initializer_list<std::pair<std::string_view, T>> words) {
  const auto text = object.string(key);
  if (!text) return fallback;
  std::string known;
  for (const auto& [word, value] : words) {
    if (word == *text) return value;
    known += (known.empty() ? "\"" : ", \"") + std::string(word) + "\"";
  }
  object.complain(key, "`" + *text + "` is not known here", "one of " + known);
  return fallback;
}

std::optional<Prefix> route_prefix(const std::string& text, Family family) {
  if (text == "default") return Prefix{{family, 0}, 0};
  return Prefix::parse(text, family);
}

void read_route(JsonContext& context, const std::string& pointer, Scenario& scenario) {
  const ObjectReader object(context, pointer);
  if (!object.valid()) return;
  object.allow_only({"to", "dev", "via", "type", "family"});
  Route route;
  const std::string to = object.string("to").value_or("default");
  const auto family = object.number("family", 6);
  route.via = object.address("via");
  const bool v6 = family ? *family == 6
                         : to.find(':') != std::string::npos ||
                               (route.via && route.via->family == Family::kIpv6);
  const auto prefix = route_prefix(to, v6 ? Family::kIpv6 : Family::kIpv4);
  if (prefix) {
    route.to = *prefix;
  } else {
    object.complain("to", "a prefix or \"default\" is needed here");
  }
  route.device = object.string("dev").value_or("");
  route.type = choice<std::string>(object, "type", "unicast",
                                   {{"unicast", "unicast"},
                                    {"blackhole", "blackhole"},
                                    {"unreachable", "unreachable"},
                                    {"prohibit", "prohibit"},
                                    {"throw", "throw"},
                                    {"local", "local"},
                                    {"broadcast", "broadcast"}});
  const bool known =
      std::any_of(scenario.interfaces.begin(), scenario.interfaces.end(),
                  [&](const Interface& interface) { return interface.name == route.device; });
  if (!route.device.empty() && !known) {
    object.complain("dev", "`" + route.device + "` is not one of the interfaces");
  }
  if (route.type == "unicast" && route.device.empty() && !route.via) {
    context.complain(pointer, "missing-key", "a route needs `dev`, `via` or a `type`");
  }
  scenario.routes.push_back(std::move(route));
}

std::map<std::string, std::string> read_sysctl(const ObjectReader& object, std::string_view key) {
  std::map<std::string, std::string> values;
  if (!object.has(key)) return values;
  const ObjectReader settings(object.context(), object.at(key));
  if (!settings.valid()) return values;
  for (const auto& item : object.find(key)->items()) {
    std::string name = item.key();
    if (name.find('/') == std::string::npos) std::replace(name.begin(), name.end(), '.', '/');
    const Json& value = item.value();
    if (value.is_string()) {
      values[name] = value.get<std::string>();
    } else if (value.is_boolean()) {
      values[name] = value.get<bool>() ? "1" : "0";
    } else if (value.is_number_integer()) {
      values[name] = value.dump();
    } else {
      settings.complain(item.key(), "a number or a text is needed here");
    }
    if (!name.starts_with("net/") || name.find("..") != std::string::npos) {
      settings.complain(item.key(), "a name below /proc/sys/net is needed here",
                        "such as \"net/netfilter/nf_conntrack_tcp_loose\"");
    }
  }
  return values;
}

Step read_step(JsonContext& context, const std::string& pointer) {
  const ObjectReader object(context, pointer);
  if (object.has("wait_ms")) {
    object.allow_only({"wait_ms"});
    return WaitStep{static_cast<std::uint32_t>(object.number("wait_ms", 3'600'000).value_or(0))};
  }
  if (object.has("flush")) {
    object.allow_only({"flush"});
    const auto what = object.string("flush");
    if (what && *what != "conntrack" && *what != "expect") {
      object.complain("flush", "\"conntrack\" or \"expect\" is needed here");
    }
    return FlushStep{what == "expect"};
  }
  if (object.has("sysctl")) {
    object.allow_only({"sysctl"});
    return SysctlStep{read_sysctl(object, "sysctl")};
  }
  return read_packet(object);
}

void check_devices(const ObjectReader& object, const Scenario& scenario) {
  const auto pointers = object.items("packets");
  for (std::size_t i = 0; i < pointers.size() && i < scenario.steps.size(); ++i) {
    const auto* packet = std::get_if<Packet>(&scenario.steps[i]);
    if (packet == nullptr || packet->in.empty()) continue;
    const bool known =
        std::any_of(scenario.interfaces.begin(), scenario.interfaces.end(),
                    [&](const Interface& interface) { return interface.name == packet->in; });
    if (!known) {
      object.context().complain(pointers[i] + "/in", "value",
                                "`" + packet->in + "` is not one of the interfaces");
    }
  }
}

Scenario read_scenario(JsonContext& context, const std::string& pointer,
                       const std::string& directory) {
  Scenario scenario;
  const ObjectReader object(context, pointer);
  if (!object.valid()) return scenario;
  object.allow_only({"ruleset", "ruleset6", "backend", "interfaces", "routes", "forwarding",
                     "sysctl", "conntrack", "deliver", "observe", "trace", "ipset", "choices",
                     "packets", "name"});
  read_text(object, "ruleset", directory, scenario.ruleset, &scenario.ruleset_name);
  read_text(object, "ruleset6", directory, scenario.ruleset6, &scenario.ruleset6_name);
  read_text(object, "ipset", directory, scenario.ipset, nullptr);
  scenario.backend = choice(object, "backend", Backend::kLegacy,
                            {{"legacy", Backend::kLegacy}, {"nft", Backend::kNft}});
  scenario.tracking = choice(
      object, "conntrack", TrackingMode::kAuto,
      {{"auto", TrackingMode::kAuto}, {"on", TrackingMode::kOn}, {"off", TrackingMode::kOff}});
  scenario.observe =
      choice(object, "observe", Observe::kEach,
             {{"each", Observe::kEach}, {"end", Observe::kEnd}, {"none", Observe::kNone}});
  choice(object, "deliver", 0, {{"sink", 0}});
  read_interfaces(object, scenario);
  for (const std::string& item : object.items("routes")) read_route(context, item, scenario);
  object.boolean_into("forwarding", scenario.forwarding);
  object.boolean_into("trace", scenario.trace);
  scenario.sysctl = read_sysctl(object, "sysctl");
  for (const std::string& item : object.items("choices")) {
    const auto number = json_number(context.document.root().at(Json::json_pointer(item)), ~0ull);
    if (!number) context.complain(item, "value", "a number is needed here");
    scenario.choices.push_back(number.value_or(0));
  }
  for (const std::string& item : object.items("packets")) {
    scenario.steps.push_back(read_step(context, item));
  }
  check_devices(object, scenario);
  return scenario;
}

}  // namespace

Result<ScenarioFile> read_scenarios(const SourceFile& source, const std::string& directory) {
  const auto document = JsonDocument::parse(source);
  if (!document) return tl::unexpected(document.error());
  JsonContext context{*document, {}};
  ScenarioFile file;
  const Json& root = document->root();
  file.lone = !(root.is_object() && root.contains("scenarios"));
  if (file.lone) {
    file.scenarios.push_back(read_scenario(context, "", directory));
  } else {
    const ObjectReader object(context, "");
    object.allow_only({"scenarios"});
    for (const std::string& item : object.items("scenarios")) {
      file.scenarios.push_back(read_scenario(context, item, directory));
    }
  }
  if (!context.errors.empty()) {
    std::stable_sort(context.errors.begin(), context.errors.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return a.span < b.span; });
    return tl::unexpected(std::move(context.errors));
  }
  return file;
}

}  // namespace postern
