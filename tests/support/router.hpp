// The world of random conversations: a router between two networks, with a default route.
#pragma once

#include "scenario/scenario.hpp"

namespace postern::kernel {

inline Scenario router_between_networks() {
  const auto cidr = [](std::string_view text, unsigned length) {
    return InterfaceAddress{*Address::parse(text), length};
  };
  Scenario world;
  world.interfaces = {{"lo", {}, 65536},
                      {"eth0", {cidr("192.0.2.1", 24), cidr("2001:db8:1::1", 64)}, 1500},
                      {"eth1", {cidr("198.51.100.1", 24), cidr("2001:db8:2::1", 64)}, 1500}};
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const char* all = family == Family::kIpv4 ? "0.0.0.0/0" : "::/0";
    world.routes.push_back({*Prefix::parse(all, family), "eth1", std::nullopt, "unicast"});
  }
  world.forwarding = true;
  return world;
}

}  // namespace postern::kernel
