// From sets to packets: the canonical flow of a set, and the packets of its steps as headers.
//
// Canonical means: the same on every run, the first of a published list of preferred values that
// the set allows (docs/generalise.md), else the smallest. Preferred are documentation addresses
// (RFC 5737, RFC 3849), 127.0.0.1 on loopback, source port 40000, destination port 80, plain SYNs,
// TTL 64, no payload. The world around the packets (interfaces, addresses, routes) is made so that
// the engine, and Linux, take the path that was meant. TCP's numbers are made so that conntrack
// sees what the step says (Condition). Covered by tests/unit/query_test.cpp.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flow/hooks.hpp"
#include "scenario/scenario.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

// One point of the flow axes: class numbers, and the values that were chosen in them.
struct FlowPoint {
  std::map<Axis, std::uint32_t> classes;  // class axes
  std::map<Axis, u128> values;            // class axes but interfaces; bit axes: the bits
  std::string initiator_interface, responder_interface;  // empty: local end
  Family family = Family::kIpv4;

  u128 value(Axis axis) const;
};

// The canonical flow of `flows` on `path`. REQUIRES: not empty.
FlowPoint choose_flow(Space& space, Set flows, Path path);
// Exactly the flows of that point's classes.
Set flow_set(Space& space, const FlowPoint& point);

// The first of `preferred` that lies in the class, else its smallest value that is at least
// `least`, else its smallest.
u128 choose_value(const ValueClass& of, const std::vector<u128>& preferred, u128 least = 0);
// The same, another than `taken`; `taken`, where the class has no other.
u128 other_value(const ValueClass& of, const std::vector<u128>& preferred, u128 taken, u128 least);

struct WitnessPacket {
  Packet packet;
  Path path = Path::kIn;
  FlowStep step;                          // what is expected of it
  std::map<Axis, std::uint32_t> classes;  // of the packet's own class axes
  std::vector<std::uint8_t> options;      // TCP options that it carries
  std::optional<std::uint32_t> wait_ms;   // before it
  bool of_master = false;                 // of the flow that makes a helper announce this one
  bool quoted = false;                    // of the flow that an ICMP error behind it quotes
};

struct Witness {
  std::vector<WitnessPacket> packets;
  std::optional<Address> translated_to = {};  // where NAT sends the initiator's packets
  // Whose first address NAT gives to them (REDIRECT, then `redirects`) or to their sender.
  std::optional<std::string> giving_device = {};
  bool redirects = false;
  std::optional<Address> given = {};    // that address, where rules ask for a certain one
  Scenario world;                       // interfaces, routes, forwarding; no rulesets, no steps
  std::optional<std::string> obstacle;  // why these packets cannot be written down
};

// The packets of the steps. `flow` is the point that all steps share; `entries` are
// Model::entries(); `quoted`: the packet that errors about another flow quote.
Witness build_witness(Space& space, std::span<const EntryInfo> entries, Path path,
                      const FlowPoint& flow, const std::vector<FlowStep>& steps,
                      const Translations* translations = nullptr,
                      const std::shared_ptr<const Packet>& quoted = nullptr);

}  // namespace postern
