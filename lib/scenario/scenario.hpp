// A scenario: a small world (interfaces, routes, rulesets, sysctls) and what happens in it, in
// order. The JSON is described in scenario-format.md; read() reports every error with its place in
// the JSON text. Covered by tests/unit/scenario_read_test.cpp.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "flow/hooks.hpp"
#include "net/address.hpp"
#include "scenario/packet.hpp"
#include "text/diagnostic.hpp"

namespace postern {

// An address with its prefix length, as on an interface.
struct InterfaceAddress {
  Address address;
  unsigned length = 32;
};
inline constexpr std::uint32_t kLoopbackMtu = 65536;  // bytes
struct Interface {
  std::string name;
  std::vector<InterfaceAddress> addresses;
  std::uint32_t mtu = 1500;
};
struct Route {
  Prefix to;           // a zero mask is "default"
  std::string device;  // empty for blackhole and the like
  std::optional<Address> via;
  std::string type = "unicast";
};

struct WaitStep {
  std::uint32_t milliseconds = 0;
};
struct FlushStep {
  bool expectations = false;
};  // else conntrack
struct SysctlStep {
  std::map<std::string, std::string> values;
};
using Step = std::variant<Packet, WaitStep, FlushStep, SysctlStep>;

enum class TrackingMode : std::uint8_t { kAuto, kOn, kOff };
enum class Observe : std::uint8_t { kEach, kEnd, kNone };

struct Scenario {
  std::optional<std::string> ruleset, ruleset6;  // text; paths are already read
  std::string ruleset_name = "ruleset", ruleset6_name = "ruleset6";
  Backend backend = Backend::kLegacy;
  std::vector<Interface> interfaces;  // `lo` always present, with its addresses
  std::vector<Route> routes;
  bool forwarding = false;
  std::map<std::string, std::string> sysctl;  // keys with '/'
  TrackingMode tracking = TrackingMode::kAuto;
  Observe observe = Observe::kEach;
  bool trace = false;
  std::optional<std::string> ipset;    // `ipset save` text
  std::vector<std::uint64_t> choices;  // chance, in order (scenario-format.md)
  std::vector<Step> steps;
};

// Reads one scenario or {"scenarios": [...]}. Relative paths are taken from `directory`.
// `lone` tells whether the text was a single scenario.
struct ScenarioFile {
  std::vector<Scenario> scenarios;
  bool lone = true;
};
Result<ScenarioFile> read_scenarios(const SourceFile& source, const std::string& directory);

// The JSON text of a scenario (for --scenario). read_scenarios(write(x)) == x.
std::string write_scenario(const Scenario& scenario);

}  // namespace postern
