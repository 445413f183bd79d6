// Targets by the half of the tuple that a chain may change. Covered by campaign_test.cpp.
#include "tests/kernel/support/nat_rules.hpp"

namespace postern::kernel {

using Words = std::vector<std::string>;

// One that stands in the scenario (so flows meet, clash and turn back where they came from), or one
// that is nobody's.
std::string NatSource::address() {
  if (random_.chance(65)) return random_.pick(constants_.hosts).address;
  const Words other4{"198.51.100.7", "192.0.2.77", "198.51.100.20-198.51.100.23"};
  const Words other6{"2001:db8:2::7", "2001:db8:1::77", "2001:db8:2::20-2001:db8:2::1:3"};
  return random_.pick(v4() ? other4 : other6);
}

std::string NatSource::place(bool ports) {
  const std::string host = address();
  if (!ports || random_.chance(50)) return host;
  const std::string own = std::to_string(random_.pick(constants_.ports));
  const std::string port = random_.pick(Words{own, own, "53-54", "4000-4003", "1024-65535"});
  return (v4() ? host : "[" + host + "]") + ":" + port;
}

std::string NatSource::flags(bool persistent) {
  std::string text;
  if (random_.chance(8)) text += " --random";
  if (persistent && random_.chance(10)) text += " --persistent";
  return text;
}

std::string NatSource::source_target(const std::string& chain, bool ports) {
  if (random_.chance(8)) {
    return std::string(" -j NETMAP --to ") + (v4() ? "172.16.5.0/24" : "2001:db8:77::/64");
  }
  if (chain == "POSTROUTING" && random_.chance(45)) {
    const bool ranged = ports && random_.chance(30);
    return std::string(" -j MASQUERADE") + (ranged ? " --to-ports 3000-3003" : "") + flags(false);
  }
  return " -j SNAT --to-source " + place(ports) + flags(true);
}

std::string NatSource::destination_target(bool ports) {
  if (random_.chance(8)) {
    return std::string(" -j NETMAP --to ") + (v4() ? "198.51.100.0/24" : "2001:db8:2::/64");
  }
  if (random_.chance(30)) {
    const std::string port = std::to_string(random_.pick(constants_.ports));
    return std::string(" -j REDIRECT") + (ports && random_.chance(50) ? " --to-ports " + port : "");
  }
  return " -j DNAT --to-destination " + place(ports) + flags(true);
}

std::string NatSource::rule(const std::string& chain) {
  const bool source = chain == "POSTROUTING" || chain == "INPUT";
  std::string text;
  if (random_.chance(35)) {
    const bool leaving = chain == "POSTROUTING" || chain == "OUTPUT";
    text += (leaving ? " -o " : " -i ") + random_.pick(constants_.interfaces).name;
  }
  if (random_.chance(15)) text += " -s " + random_.pick(constants_.prefixes);
  if (random_.chance(15)) text += " -d " + random_.pick(constants_.hosts).address;
  const std::string protocol =
      random_.chance(45) ? ""
                         : random_.pick(Words{"tcp", "tcp", "udp", v4() ? "icmp" : "ipv6-icmp"});
  if (!protocol.empty()) text += " -p " + protocol;
  const bool ports = protocol == "tcp" || protocol == "udp";
  if (ports && random_.chance(30)) {
    text += " -m " + protocol + " --dport " + std::to_string(random_.pick(constants_.ports));
  }
  return text + (source ? source_target(chain, ports) : destination_target(ports));
}

}  // namespace postern::kernel
