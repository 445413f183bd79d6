// The few addresses, ports and devices that a scenario is about. Rules and packets are drawn from
// the same ones, so that they meet; with too many, nothing would ever match.
#pragma once

#include <string>
#include <vector>

#include "net/family.hpp"
#include "scenario/scenario.hpp"
#include "tests/kernel/support/random.hpp"

namespace postern::kernel {

struct Constants {
  Family family = Family::kIpv4;
  std::vector<Interface> interfaces;  // lo first
  std::vector<Route> routes;
  struct Host {
    std::string address;
    std::string device;  // where it lives; empty: the router itself
  };
  std::vector<Host> hosts;            // outsiders and the router's own addresses, loopback last
  std::vector<std::string> prefixes;  // networks around them
  std::vector<std::uint16_t> ports;
};

// The router of the random worlds: eth0 and eth1 with a network each, and a default route.
Constants router_constants(Family family, Random& random);

}  // namespace postern::kernel
