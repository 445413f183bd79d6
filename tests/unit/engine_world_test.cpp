// lib/engine/world and route: what becomes of an arriving packet, where a local one goes,
// addrtype's classes. The expected answers were measured with `ip route` and tests/kernel
// (kernel-facts 13, 63).
#include <gtest/gtest.h>

#include "engine/world.hpp"

namespace postern {
namespace {

using Kind = InputRoute::Kind;

InterfaceAddress cidr(std::string_view text) {
  const auto slash = text.find('/');
  return {*Address::parse(text.substr(0, slash)),
          static_cast<unsigned>(std::stoi(std::string(text.substr(slash + 1))))};
}

Scenario scenario() {
  Scenario s;
  s.interfaces = {
      {"lo", {}, 65536},
      {"eth0", {cidr("192.0.2.1/24"), cidr("192.0.2.77/24"), cidr("2001:db8:1::1/64")}, 1500},
      {"eth1", {cidr("198.51.100.1/24"), cidr("2001:db8:2::1/64")}, 1500}};
  s.forwarding = true;
  const auto route = [&](std::string_view to, Family family, std::string device, std::string type) {
    s.routes.push_back(
        {*Prefix::parse(to, family), std::move(device), std::nullopt, std::move(type)});
  };
  route("203.0.113.0/28", Family::kIpv4, "", "blackhole");
  route("203.0.113.16/28", Family::kIpv4, "", "unreachable");
  route("203.0.113.32/28", Family::kIpv4, "", "prohibit");
  route("203.0.113.64/26", Family::kIpv4, "eth1", "unicast");
  route("2001:db8:9::/48", Family::kIpv6, "eth1", "unicast");
  return s;
}

struct Asked {
  World world;
  explicit Asked(const Scenario& s = scenario()) : world(s) {}

  InputRoute input(std::string_view from, std::string_view to, std::string_view in = "eth0",
                   std::uint8_t ttl = 64) const {
    Packet p;
    p.source = *Address::parse(from);
    p.destination = *Address::parse(to);
    p.ttl = ttl;
    return world.route_input(view_of(p), *world.device(in));
  }
  bool takes(std::string_view from, std::string_view to) const {
    Packet p;
    p.source = *Address::parse(from);
    p.destination = *Address::parse(to);
    return world.takes(view_of(p), *world.device("eth0"));
  }
  Kind kind(std::string_view from, std::string_view to, std::string_view in = "eth0") const {
    return input(from, to, in).kind;
  }
  std::string out(std::string_view to, std::string_view bound = "") const {
    const OutputRoute r =
        world.route_output(*Address::parse(to), bound.empty() ? kNoDevice : *world.device(bound));
    return r.found ? world.names()[r.out] + (r.source ? " " + r.source->text() : "") : "none";
  }
};

TEST(EngineWorld, OwnAddressesAreLocalOnAnyDevice) {
  const Asked a;
  EXPECT_EQ(a.kind("192.0.2.9", "192.0.2.1"), Kind::kLocal);
  EXPECT_EQ(a.kind("192.0.2.9", "198.51.100.1"), Kind::kLocal);
  EXPECT_EQ(a.kind("2001:db8:1::9", "2001:db8:2::1"), Kind::kLocal);
  EXPECT_TRUE(a.input("192.0.2.9", "192.0.2.1").unicast);
}

TEST(EngineWorld, BroadcastsAndJoinedGroupsAreDelivered) {
  const Asked a;
  for (const char* to : {"192.0.2.255", "198.51.100.255", "255.255.255.255", "224.0.0.1"}) {
    EXPECT_EQ(a.kind("192.0.2.9", to), Kind::kLocal) << to;
    EXPECT_FALSE(a.input("192.0.2.9", to).unicast) << to;
  }
  EXPECT_EQ(a.kind("0.0.0.0", "255.255.255.255"), Kind::kLocal);  // DHCP
  EXPECT_EQ(a.kind("192.0.2.9", "224.0.0.251"), Kind::kRefused);
  EXPECT_EQ(a.kind("192.0.2.9", "192.0.2.0"), Kind::kForward);  // no longer a broadcast
  EXPECT_EQ(a.kind("2001:db8:1::9", "ff02::1"), Kind::kLocal);
  EXPECT_EQ(a.kind("2001:db8:1::9", "ff02::1:ff00:1"), Kind::kRefused);
  EXPECT_EQ(a.kind("2001:db8:1::9", "ff02::fb"), Kind::kRefused);
}

TEST(EngineWorld, WhatIsSentToSeveralComesBackToTheHost) {
  const Asked a;
  for (const char* to : {"192.0.2.255", "255.255.255.255", "224.0.0.1"}) {
    const OutputRoute route = a.world.route_output(*Address::parse(to), *a.world.device("eth0"));
    EXPECT_TRUE(route.found && route.copied_here && !route.unicast) << to;
  }
  const OutputRoute one = a.world.route_output(*Address::parse("192.0.2.9"), kNoDevice);
  EXPECT_TRUE(one.found && one.unicast && !one.copied_here);
}

TEST(EngineWorld, MartiansDie) {
  const Asked a;
  for (const char* from :
       {"127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.51.100.1"}) {
    EXPECT_EQ(a.kind(from, "192.0.2.77"), Kind::kRefused) << from;
    EXPECT_FALSE(a.input(from, "192.0.2.77").error) << from;
  }
  EXPECT_EQ(a.kind("192.0.2.9", "127.0.0.1"), Kind::kRefused);
  EXPECT_EQ(a.kind("192.0.2.9", "0.0.0.5"), Kind::kRefused);
  EXPECT_FALSE(a.takes("2001:db8:1::9", "::1"));
  EXPECT_FALSE(a.takes("::1", "2001:db8:1::1"));
  EXPECT_FALSE(a.takes("ff02::1", "2001:db8:1::1"));
  EXPECT_EQ(a.kind("2001:db8:1::1", "2001:db8:1::1"), Kind::kLocal);  // IPv6 does not mind
}

TEST(EngineWorld, AddressesThatNatMapsTo) {
  const Asked a;
  const DeviceId eth0 = *a.world.device("eth0"), lo = a.world.loopback();
  const auto masquerade = [&](const char* to, DeviceId by) {
    return a.world.masquerade_address(*Address::parse(to), by)->text();
  };
  EXPECT_EQ(a.world.primary_address(eth0, Family::kIpv4)->text(), "192.0.2.1");
  EXPECT_EQ(masquerade("203.0.113.64", eth0), "192.0.2.1");
  EXPECT_EQ(masquerade("127.0.0.1", lo), "192.0.2.1");     // 127.0.0.1 is for nobody else's eyes
  EXPECT_EQ(masquerade("198.51.100.1", lo), "192.0.2.1");  // nor is the nearest address asked for
  EXPECT_EQ(masquerade("2001:db8:1::9", eth0), "2001:db8:1::1");
  EXPECT_EQ(masquerade("2001:db8:2::1", lo), "2001:db8:2::1");  // itself, whichever device has it
  EXPECT_EQ(masquerade("::1", lo), "::1");
  EXPECT_FALSE(a.world.primary_address(kNoDevice, Family::kIpv4));
}

// To a group or a link-local address IPv6 speaks by an address of the link, if it has one.
TEST(EngineWorld, SourcesOfOneLink) {
  Scenario scenario;
  scenario.interfaces = {{"lo", {}, 65536},
                         {"eth0", {{*Address::parse("192.0.2.1"), 24}}, 1500},
                         {"eth1", {{*Address::parse("2001:db8:2::1"), 64}}, 1500}};
  const World world(scenario);
  for (const char* to : {"ff05::9", "fe80::9"}) {
    const Address address = *Address::parse(to);
    EXPECT_FALSE(world.source_for(address, *world.device("eth0"))) << to;
    EXPECT_EQ(world.source_for(address, *world.device("eth1"))->text(), "2001:db8:2::1") << to;
  }
  EXPECT_EQ(world.source_for(*Address::parse("2001:db8:7::9"), *world.device("eth0"))->text(),
            "2001:db8:2::1");
}

// IPv6 (RFC 6724): the destination itself, then the device that it leaves by, then the longest
// common prefix. (As `ip -6 route get` answers on 6.18.)
TEST(EngineWorld, TheDeviceCountsMoreThanThePrefix) {
  Scenario scenario;
  scenario.interfaces = {{"lo", {}, 65536},
                         {"eth0", {cidr("2001:db8:1::1/64"), cidr("2001:db8:2::1/64")}, 1500},
                         {"eth1", {cidr("2001:db8:7::1/96")}, 1500}};
  const World world(scenario);
  const auto source = [&](const char* to) {
    return world.source_for(*Address::parse(to), *world.device("eth0"))->text();
  };
  EXPECT_EQ(source("2001:db8:1::9"), "2001:db8:1::1");
  EXPECT_EQ(source("2001:db8:2::9"), "2001:db8:2::1");
  EXPECT_EQ(source("2001:db8:7::9"), "2001:db8:2::1");
  EXPECT_EQ(source("2001:db8:7::1"), "2001:db8:7::1");
  // ::1 speaks to nobody else, whatever leads over lo (measured on 6.18).
  for (const char* to : {"4000::9", "fd00::9"}) {
    EXPECT_EQ(world.source_for(*Address::parse(to), world.loopback())->text().substr(0, 8),
              "2001:db8")
        << to;
  }
}

// Groups of the scopes 0 and 1 never come by a wire (ip6_rcv_core).
TEST(EngineWorld, GroupsOfNoOrOfInterfaceScopeAreNotTaken) {
  const Asked a;
  EXPECT_FALSE(a.takes("2001:db8:1::9", "ff00::1"));
  EXPECT_FALSE(a.takes("2001:db8:1::9", "ff01::1"));
  EXPECT_TRUE(a.takes("2001:db8:1::9", "ff02::1"));
  EXPECT_TRUE(a.takes("2001:db8:1::9", "ff05::1"));
  EXPECT_FALSE(a.takes("ff02::1", "2001:db8:1::1"));
}

TEST(EngineWorld, ForwardingAndRefusals) {
  const Asked a;
  EXPECT_EQ(a.kind("192.0.2.9", "203.0.113.70"), Kind::kForward);
  EXPECT_EQ(a.world.names()[a.input("192.0.2.9", "203.0.113.70").out], "eth1");
  EXPECT_FALSE(a.input("192.0.2.9", "203.0.113.1").error);
  EXPECT_EQ(a.input("192.0.2.9", "203.0.113.17").error->code, 1);
  EXPECT_EQ(a.input("192.0.2.9", "203.0.113.33").error->code, 13);
  EXPECT_EQ(a.input("192.0.2.9", "10.0.0.1").error->code, 0);
  EXPECT_EQ(a.input("2001:db8:1::9", "2001:db8:7::1").error->type, 1);
  EXPECT_EQ(a.input("fe80::9", "2001:db8:9::1").error->code, 2);
  EXPECT_FALSE(a.input("::", "2001:db8:9::1").error);
  Scenario off = scenario();
  off.forwarding = false;
  const Asked b(off);
  EXPECT_EQ(b.kind("192.0.2.9", "203.0.113.70"), Kind::kRefused);
  EXPECT_FALSE(b.input("192.0.2.9", "10.0.0.1").error);
  EXPECT_TRUE(b.input("2001:db8:1::9", "2001:db8:7::1").error);  // IPv6 answers all the same
  EXPECT_EQ(b.kind("2001:db8:1::9", "2001:db8:9::1"), Kind::kRefused);
}

TEST(EngineWorld, ReversePathFilter) {
  Scenario s = scenario();
  s.sysctl["net/ipv4/conf/eth0/rp_filter"] = "1";
  const Asked strict(s);
  EXPECT_EQ(strict.kind("192.0.2.9", "192.0.2.1"), Kind::kLocal);
  EXPECT_EQ(strict.kind("203.0.113.70", "192.0.2.1"), Kind::kRefused);
  EXPECT_EQ(strict.kind("203.0.113.70", "192.0.2.1", "eth1"), Kind::kLocal);
  s.sysctl["net/ipv4/conf/eth0/rp_filter"] = "2";
  const Asked loose(s);
  EXPECT_EQ(loose.kind("203.0.113.70", "192.0.2.1"), Kind::kLocal);
  EXPECT_EQ(loose.kind("10.0.0.1", "192.0.2.1"), Kind::kRefused);
}

TEST(EngineWorld, LocalPacketsFindTheirDevice) {
  const Asked a;
  EXPECT_EQ(a.out("127.8.8.8"), "lo 127.0.0.1");
  EXPECT_EQ(a.out("192.0.2.77"), "lo 192.0.2.1");
  EXPECT_EQ(a.out("192.0.2.9"), "eth0 192.0.2.1");
  EXPECT_EQ(a.out("203.0.113.70"), "eth1 198.51.100.1");
  EXPECT_EQ(a.out("203.0.113.1"), "none");
  EXPECT_EQ(a.out("10.0.0.1"), "none");
  EXPECT_EQ(a.out("10.0.0.1", "eth1"), "eth1 198.51.100.1");
  EXPECT_EQ(a.out("2001:db8:9::1"), "eth1 2001:db8:2::1");
  EXPECT_EQ(a.out("::1"), "lo ::1");
}

TEST(EngineWorld, AddressTypes) {
  const Asked a;
  const auto type = [&](std::string_view text) {
    return a.world.address_type(*Address::parse(text));
  };
  EXPECT_EQ(type("192.0.2.1"), AddressType::kLocal);
  EXPECT_EQ(type("127.1.2.3"), AddressType::kLocal);
  EXPECT_EQ(type("192.0.2.255"), AddressType::kBroadcast);
  EXPECT_EQ(type("0.0.0.0"), AddressType::kBroadcast);
  EXPECT_EQ(type("224.0.0.9"), AddressType::kMulticast);
  EXPECT_EQ(type("203.0.113.1"), AddressType::kUnicast);  // blackholed all the same
  EXPECT_EQ(type("2001:db8:1::1"), AddressType::kLocal);
  EXPECT_EQ(type("2001:db8:7::1"), AddressType::kUnreachable);
  EXPECT_EQ(type("::"), AddressType::kUnspec);
}

}  // namespace
}  // namespace postern
