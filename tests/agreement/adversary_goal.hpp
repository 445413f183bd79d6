// What the adversary asks: where its packets may arrive (--to-destination, --to-port), where they
// do, and whole questions about its flows. Used by tests/agreement/adversary_test.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "adversary.hpp"
#include "meaning/predicate.hpp"
#include "scenario/result.hpp"
#include "tests/support/random_rules.hpp"

namespace postern {

// Where a packet may be asked to arrive.
struct Goal {
  Address destination;
  std::optional<std::uint16_t> port;
  PredicatePtr predicate() const {
    std::vector<PredicatePtr> parts{equals(Field::kDestination, destination.value)};
    if (port) parts.push_back(equals(Field::kDestinationPort, *port));
    return all(std::move(parts));
  }
};

// The packet as it arrived, or left.
inline const Packet* arrived(const PacketReport& report) {
  if (report.delivered.size() == 1) return &report.delivered.front();
  return report.delivered.empty() && report.out.size() == 1 ? &report.out.front().first : nullptr;
}

// Are both from one end to one other?
inline bool same_ends(const Packet& a, const Packet& b) {
  const auto ends = [](const Packet& p) {
    const bool ports = has_ports(tracker_of(p.protocol));
    return std::tuple(p.source, p.destination, ports ? p.source_port : 0,
                      ports ? p.destination_port : 0);
  };
  return ends(a) == ends(b);
}

// Does the flow's entry lead the initiator's packets there?
inline bool leads(const EntryReport& entry, const AttackedFlow& flow, const Goal& goal) {
  const TupleReport& t = entry.original;
  const bool ports = has_ports(tracker_of(flow.protocol));  // what GRE shows there are none
  const bool by_initiator = t.source == flow.initiator && t.destination == flow.responder &&
                            (!ports || t.source_port == flow.initiator_port);
  const TupleReport& from = by_initiator ? entry.reply : entry.original;
  return from.source == goal.destination &&
         (!goal.port || (ports && from.source_port == goal.port));
}

// Often where a rule of the ruleset leads to.
inline Goal random_goal(kernel::Dice& dice, Family family, const std::string& rules) {
  const std::string address =
      family == Family::kIpv4
          ? dice.of<std::string>({"192.0.2.1", "198.51.100.1", "198.51.100.9", "198.51.100.77",
                                  "198.51.100.72", "127.0.0.1", "192.0.2.9"})
          : dice.of<std::string>({"2001:db8:1::1", "2001:db8:2::1", "2001:db8:2::9",
                                  "2001:db8:2::77", "::1", "2001:db8:1::9"});
  Goal goal{*Address::parse(address), std::nullopt};
  static constexpr std::string_view kLed = "--to-destination ";
  std::vector<Address> led;
  for (std::size_t at = rules.find(kLed); at != std::string::npos; at = rules.find(kLed, at + 1)) {
    const std::size_t from = at + kLed.size();
    const std::string word = rules.substr(from, rules.find_first_of(" \n", from) - from);
    if (const auto to = Address::parse(word)) led.push_back(*to);
  }
  if (!led.empty() && dice.chance(70)) goal.destination = dice.of(led);
  if (dice.chance(40)) goal.port = dice.of<std::uint16_t>({23, 53, 80, 5002});
  return goal;
}

// A question about the flow that leaves some of it open.
inline std::string question_about(Dice& dice, const AttackedFlow& f, const Goal& goal) {
  std::string q = dice.of<std::string>({"deliver", "connect", "track"});
  const bool track = q == "track";
  if (dice.chance(30)) {
    q += " --to-destination " + (dice.chance(50) ? f.responder : goal.destination).text();
  }
  if (dice.chance(15)) q += dice.of<std::string>({" --find sport", " --every sport"});
  q += " -p " + std::to_string(f.protocol);
  if (f.protocol == protocol::kTcp || f.protocol == protocol::kUdp ||
      f.protocol == protocol::kSctp) {
    q += f.protocol == protocol::kTcp   ? " -m tcp"
         : f.protocol == protocol::kUdp ? " -m udp"
                                        : " -m sctp";
    if (dice.chance(50)) q += " --sport " + std::to_string(f.initiator_port);
    if (dice.chance(70)) q += " --dport " + std::to_string(f.responder_port);
    if (f.protocol == protocol::kTcp && dice.chance(20)) q += " --syn";
  }
  if (dice.chance(30)) q += " -s " + f.initiator.text();
  if (dice.chance(30)) q += " -d " + f.responder.text();
  if (track && f.protocol == protocol::kTcp && dice.chance(40)) {
    q += " --entry-state " + dice.of<std::string>({"ESTABLISHED", "SYN_SENT", "SYN_RECV"});
  }
  if (track && f.protocol == protocol::kSctp && dice.chance(60)) {
    q += " --entry-state " +
         dice.of<std::string>({"CLOSED", "COOKIE_WAIT", "ESTABLISHED", "SHUTDOWN_RECD"});
  }
  return q + " --path " + std::string(text(f.path));
}

}  // namespace postern
