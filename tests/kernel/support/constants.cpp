// One router, with the documentation addresses of both families (RFC 5737, RFC 3849).
#include "tests/kernel/support/constants.hpp"

namespace postern::kernel {
namespace {

InterfaceAddress cidr(const char* text, unsigned length) { return {*Address::parse(text), length}; }

std::vector<Interface> router_interfaces() {
  return {{"lo", {cidr("127.0.0.1", 8), cidr("::1", 128)}, 65536},
          {"eth0", {cidr("192.0.2.1", 24), cidr("2001:db8:1::1", 64)}, 1500},
          {"eth1", {cidr("198.51.100.1", 24), cidr("2001:db8:2::1", 64)}, 1500}};
}

std::vector<Route> router_routes() {
  return {{*Prefix::parse("0.0.0.0/0", Family::kIpv4), "eth1", std::nullopt, "unicast"},
          {*Prefix::parse("::/0", Family::kIpv6), "eth1", std::nullopt, "unicast"},
          {*Prefix::parse("203.0.113.128/25", Family::kIpv4), "", std::nullopt, "unreachable"},
          {*Prefix::parse("2001:db8:8::/48", Family::kIpv6), "", std::nullopt, "unreachable"}};
}

}  // namespace

Constants router_constants(Family family, Random& random) {
  Constants made;
  made.family = family;
  made.interfaces = router_interfaces();
  made.routes = router_routes();
  if (family == Family::kIpv4) {
    made.hosts = {{"192.0.2.9", "eth0"},   {"192.0.2.10", "eth0"}, {"198.51.100.9", "eth1"},
                  {"203.0.113.5", "eth1"}, {"192.0.2.1", ""},      {"198.51.100.1", ""},
                  {"127.0.0.1", ""}};
    made.prefixes = {"192.0.2.0/24",      "198.51.100.0/24", "192.0.2.8/29",
                     "0.0.0.9/0.0.0.255", "127.0.0.0/8",     "0.0.0.0/0"};
  } else {
    made.hosts = {{"2001:db8:1::9", "eth0"},
                  {"2001:db8:1::a", "eth0"},
                  {"2001:db8:2::9", "eth1"},
                  {"2001:db8:5::5", "eth1"},
                  {"2001:db8:1::1", ""},
                  {"2001:db8:2::1", ""},
                  {"::1", ""}};
    made.prefixes = {"2001:db8:1::/64", "2001:db8:2::/64", "2001:db8::/32",
                     "::9/::ffff",      "::1/128",         "::/0"};
  }
  const std::vector<std::uint16_t> all{22, 53, 80, 443, 1023, 1024, 5000, 5001, 33333, 65535};
  for (int i = 0; i < 4; ++i) made.ports.push_back(random.pick(all));
  return made;
}

}  // namespace postern::kernel
