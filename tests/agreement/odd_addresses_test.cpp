// Which addresses set out at all: every pair of odd addresses, from a wire and from the host,
// through the engine (which agrees with Linux) and as a question. What the engine delivers, no
// answer denies.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../unit/query_fixture.hpp"
#include "engine/engine.hpp"
#include "engine/world.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

const std::vector<std::string> kOdd4{
    "0.0.0.0",     "0.0.0.5",        "0.255.255.255",   "10.0.0.1",    "127.0.0.1",
    "127.1.2.3",   "192.0.2.1",      "192.0.2.9",       "192.0.2.255", "198.51.100.7",
    "224.0.0.1",   "224.0.0.5",      "239.255.255.250", "240.0.0.1",   "255.255.255.254",
    "169.254.1.1", "255.255.255.255"};
const std::vector<std::string> kOdd6{
    "::",          "::1",         "::2",        "::ffff:192.0.2.9", "64:ff9b::1",
    "2001:db8::1", "2001:db8::9", "2001:db8::", "fc00::1",          "fe80::1",
    "fe80::9",     "febf::1",     "fec0::1",    "ff01::1",          "ff02::1",
    "ff02::2",     "ff05::1",     "ff0e::1",    "ffff::1"};

struct Sender {
  bool local;
  const char* device;
};
constexpr Sender kSenders[] = {
    {false, "eth0"}, {true, ""}, {true, "lo"}, {true, "eth0"}, {true, "eth1"}};

struct Host {
  const char* what;
  std::vector<std::string> own4, own6;  // besides 127.0.0.1 and ::1
  bool forwarding;
};
const std::vector<Host> kHosts{
    {"a host", {"192.0.2.1/24"}, {"2001:db8::1/64", "fe80::1/64"}, false},
    {"a router", {"192.0.2.1/24"}, {"2001:db8::1/64", "fe80::1/64"}, true},
    {"odd addresses",
     {"10.0.0.1/32", "0.0.0.5/32", "240.0.0.1/32", "169.254.1.1/16"},
     {"::2/128", "fc00::1/64", "febf::1/64", "fec0::1/64"},
     true},
};

Scenario world_of(const Host& host, Family family) {
  Scenario s;
  const auto own = [&](const std::string& text) {
    const std::size_t slash = text.find('/');
    return InterfaceAddress{*Address::parse(text.substr(0, slash)),
                            static_cast<unsigned>(std::stoul(text.substr(slash + 1)))};
  };
  const bool v4 = family == Family::kIpv4;
  s.interfaces = {
      {"lo", {own(v4 ? "127.0.0.1/8" : "::1/128")}, 65536}, {"eth0", {}, 1500}, {"eth1", {}, 1500}};
  for (const std::string& text : v4 ? host.own4 : host.own6) {
    s.interfaces[1].addresses.push_back(own(text));
  }
  s.routes.push_back({{*Address::parse(v4 ? "0.0.0.0" : "::"), 0}, "eth1", std::nullopt});
  s.forwarding = host.forwarding;
  return s;
}

class OddAddresses : public testing::TestWithParam<std::tuple<Family, bool>> {
 protected:
  Family family() const { return std::get<0>(GetParam()); }
  bool v4() const { return family() == Family::kIpv4; }

  // Off a wire, or from a socket that is bound to the device, or to none.
  Packet datagram(const std::string& from, const std::string& to, const Sender& sender) const {
    Packet p;
    (sender.local ? p.out_interface : p.in) = sender.device;
    p.protocol = protocol::kUdp;
    p.source = *Address::parse(from);
    p.destination = *Address::parse(to);
    p.source_port = 1000;
    p.destination_port = 2000;
    return p;
  }
  // false: not modelled (a multicast that comes back to its sender).
  std::pair<PacketReport, bool> run(const Host& host, const Packet& packet) const {
    ListChooser chooser;
    const Program* program = &rules_->program();
    Engine engine(world_of(host, family()), v4() ? program : nullptr, v4() ? nullptr : program,
                  chooser);
    try {
      return {engine.inject(packet), true};
    } catch (const Unmodelled&) {
      return {{}, false};
    }
  }
  static bool keeps_source(const PacketReport& report, const Packet& packet) {
    const auto same = [&](const Packet& left) { return left.source == packet.source; };
    return std::ranges::all_of(report.delivered, same) &&
           std::ranges::all_of(report.out, [&](const auto& one) { return same(one.first); });
  }
  // One question per way and pair, whatever host it was seen on.
  void expect_possible(const std::string& way, const std::string& from, const std::string& to,
                       const char* host) {
    const std::string words =
        "deliver " + way + " -p udp --sport 1000 --dport 2000 -s " + from + " -d " + to;
    if (!asked_.insert(words).second) return;
    const Answer answer = ask_one(*rules_, words);
    EXPECT_NE(answer.truth, Truth::kNo) << host << ": " << to_text(answer);
  }

  std::optional<LoadedRuleset> rules_;
  std::set<std::string> asked_;
};

TEST_P(OddAddresses, WhatSetsOutIsNotDenied) {
  const bool tracking = std::get<1>(GetParam());
  const std::string rule = tracking ? "-A INPUT -m conntrack --ctstate NEW -j ACCEPT\n" : "";
  rules_.emplace("odd.rules",
                 "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n" + rule + "COMMIT\n",
                 family());
  const auto& odd = v4() ? kOdd4 : kOdd6;
  std::map<Verdict, unsigned> seen;
  for (const Host& host : kHosts) {
    for (const std::string& from : odd) {
      for (const std::string& to : odd) {
        for (const Sender& sender : kSenders) {
          // (Tracking takes time, and is the same to all of them.)
          if (tracking && sender.local && *sender.device != '\0') continue;
          const Packet packet = datagram(from, to, sender);
          const auto [report, modelled] = run(host, packet);
          // (From 0.0.0.0 the host sends as from an address of its own.)
          if (!modelled || !keeps_source(report, packet)) continue;
          ++seen[report.verdict];
          if (report.verdict == Verdict::kDropped) continue;
          const std::string out = report.out.empty() ? "" : report.out.front().second;
          const std::string way = report.verdict == Verdict::kForwarded ? "-i eth0 -o " + out
                                  : report.verdict == Verdict::kSent    ? "-o " + out
                                  : sender.local                        ? "-i lo"
                                                                        : "-i eth0 --path in";
          expect_possible(way, from, to, host.what);
        }
      }
    }
  }
  for (const auto verdict :
       {Verdict::kDelivered, Verdict::kForwarded, Verdict::kSent, Verdict::kDropped}) {
    EXPECT_GT(seen[verdict], 20U) << text(verdict);
  }
}

INSTANTIATE_TEST_SUITE_P(Families, OddAddresses,
                         testing::Combine(testing::Values(Family::kIpv4, Family::kIpv6),
                                          testing::Bool()),
                         [](const auto& row) {
                           return std::string(std::get<0>(row.param) == Family::kIpv4 ? "Ipv4"
                                                                                      : "Ipv6") +
                                  (std::get<1>(row.param) ? "Tracked" : "Untracked");
                         });

}  // namespace
}  // namespace postern
