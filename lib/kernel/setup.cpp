// Commands for ip, iptables-restore and ipset, and /proc/sys. Nothing of a scenario gets into them
// unchecked (tests/unit/scenario_read_test.cpp). Covered by tests/kernel/harness_test.cpp.
#include "kernel/setup.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include "scenario/bytes.hpp"

namespace postern::kernel {
namespace {

constexpr std::chrono::seconds kAddressPatience{10};

using Setting = std::pair<std::string_view, std::string_view>;

// Of the namespace. A fresh one may inherit the host's IPv4 settings, so those that matter are set.
constexpr std::array<Setting, 14> kDefaults{{
    {"net/ipv4/conf/all/rp_filter", "0"},
    {"net/ipv4/conf/default/rp_filter", "0"},
    {"net/ipv4/conf/all/send_redirects", "0"},
    {"net/ipv4/conf/default/send_redirects", "0"},
    {"net/ipv4/conf/all/route_localnet", "0"},
    {"net/ipv4/conf/default/route_localnet", "0"},
    {"net/ipv4/conf/all/accept_local", "0"},
    {"net/ipv4/icmp_ratelimit", "0"},
    {"net/ipv4/icmp_ratemask", "0"},
    {"net/ipv6/icmp/ratelimit", "0"},
    {"net/ipv6/icmp/ratemask", ""},
    {"net/ipv6/conf/default/accept_ra", "0"},
    {"net/ipv6/conf/default/accept_dad", "0"},
    {"net/ipv6/conf/default/router_solicitations", "0"},
}};

// Words in a saved ruleset that switch tracking on (kernel-facts 1).
constexpr std::array<std::string_view, 18> kTrackingWords{
    "-m conntrack", "-m state",       "-m connmark", "-m connbytes",  "-m connlimit",
    "-m connlabel", "-m helper",      "-m cluster",  "-j CONNMARK",   "-j CONNSECMARK",
    "-j SYNPROXY",  "-j DNAT",        "-j SNAT",     "-j MASQUERADE", "-j REDIRECT",
    "-j NETMAP",    "-j CT --helper", "-j CT --zone"};

const char* restore_program(Family family, Backend backend) {
  if (backend == Backend::kNft) {
    return family == Family::kIpv4 ? "iptables-nft-restore" : "ip6tables-nft-restore";
  }
  return family == Family::kIpv4 ? "iptables-legacy-restore" : "ip6tables-legacy-restore";
}

const char* save_program(Family family, Backend backend) {
  if (backend == Backend::kNft) {
    return family == Family::kIpv4 ? "iptables-nft-save" : "ip6tables-nft-save";
  }
  return family == Family::kIpv4 ? "iptables-legacy-save" : "ip6tables-legacy-save";
}

// Multicast is switched off, or the host would report its IPv6 groups by itself.
std::string interface_commands(const Interface& interface) {
  std::string commands;
  const bool lo = interface.name == "lo";
  commands += fmt::format("link set dev {} mtu {}{}\n", interface.name, interface.mtu,
                          lo ? "" : " multicast off addrgenmode none");
  commands += fmt::format("link set dev {} up\n", interface.name);
  for (const InterfaceAddress& address : interface.addresses) {
    const std::string text = address.address.text();
    if (lo && (text == "127.0.0.1" || text == "::1")) continue;
    commands += fmt::format("addr add {}/{} dev {}{}\n", text, address.length, interface.name,
                            address.address.family == Family::kIpv6 ? " nodad" : "");
  }
  return commands;
}

std::string route_command(const Route& route) {
  std::string command = "route add ";
  if (route.type != "unicast") command += route.type + " ";
  command +=
      route.to.mask == 0 && route.to.address.family == Family::kIpv4 ? "default" : route.to.text();
  if (route.via) command += " via " + route.via->text();
  if (!route.device.empty()) command += " dev " + route.device;
  return command + "\n";
}

// -M (alone, with its value, or behind options that take none) or an abbreviation of --modprobe.
bool is_modprobe_option(std::string_view word) {
  constexpr std::string_view name = "--modprobe", flags = "46bfhnvwxV";
  if (word.starts_with("--")) {
    word = word.substr(0, word.find('='));
    return word.size() >= 4 && name.starts_with(word);
  }
  if (!word.starts_with('-')) return false;
  const std::size_t first = word.find_first_not_of(flags, 1);
  return first != std::string_view::npos && word[first] == 'M';
}

// Does a rule hold the option by which iptables would run any program, as root?
bool names_program(std::string_view ruleset) {
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= ruleset.size(); ++at) {
    const char c = at < ruleset.size() ? ruleset[at] : '\n';
    const bool quote = c == '"' || c == '\'';
    const bool ends = quote || (!quoted && (c == ' ' || c == '\t' || c == '\n'));
    if (!ends) continue;
    if (is_modprobe_option(ruleset.substr(begin, at - begin))) return true;
    if (quote) quoted = !quoted;
    begin = at + 1;
  }
  return false;
}

// Ruleset text that leaves these tables without rules and user chains, policies ACCEPT. A table
// that the text behind it names again gets its real content there.
std::string empty_tables(const RuleTexts& texts) {
  std::string empty;
  for (TableName table : texts.tables) {
    empty += fmt::format("*{}\n", text(table));
    for (const auto& [key, policy] : texts.policies) {
      if (key.first == table && policy != "-")
        empty += fmt::format(":{} ACCEPT [0:0]\n", key.second);
    }
    empty += "COMMIT\n";
  }
  return empty;
}

}  // namespace

Outcome<void> set_defaults() {
  for (const auto& [name, value] : kDefaults) {
    if (auto done = write_sysctl(std::string(name), std::string(value)); !done) return done;
  }
  return {};
}

Outcome<void> set_sysctls(const Scenario& scenario) {
  const std::string forwarding = scenario.forwarding ? "1" : "0";
  for (const char* name : {"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"}) {
    if (auto done = write_sysctl(name, forwarding); !done) return done;
  }
  for (const Interface& interface : scenario.interfaces) {
    const std::string base = "net/ipv4/conf/" + interface.name + "/";
    for (const char* name : {"rp_filter", "send_redirects"}) {
      if (auto done = write_sysctl(base + name, "0"); !done) return done;
    }
  }
  for (const auto& [name, value] : scenario.sysctl) {
    if (auto done = write_sysctl(name, value); !done) return done;
  }
  return {};
}

namespace {

// Linux gives an IPv6 address its local route some time after the address itself (a work queue
// does it, addrconf_dad_work): until then packets to it are forwarded or unroutable.
Outcome<void> await_ipv6_addresses(const Scenario& scenario) {
  std::vector<std::string> awaited;  // as /proc/net/ipv6_route begins a line: "address length"
  for (const Interface& interface : scenario.interfaces) {
    for (const InterfaceAddress& one : interface.addresses) {
      if (one.address.family != Family::kIpv6) continue;
      Bytes bytes;
      put_address(bytes, one.address);
      awaited.push_back(to_hex(bytes) + " 80 ");
    }
  }
  const auto end = std::chrono::steady_clock::now() + kAddressPatience;
  while (!awaited.empty()) {
    std::ifstream file("/proc/thread-self/net/ipv6_route");
    const std::string routes{std::istreambuf_iterator<char>(file), {}};
    std::erase_if(awaited, [&](const std::string& line) {
      return routes.starts_with(line) || routes.find("\n" + line) != std::string::npos;
    });
    if (awaited.empty()) break;
    if (std::chrono::steady_clock::now() > end) {
      return tl::unexpected("the IPv6 address " + awaited.front() + "does not come up");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return {};
}

}  // namespace

Outcome<void> configure_interfaces(const Scenario& scenario) {
  std::string commands;
  for (const Interface& interface : scenario.interfaces) commands += interface_commands(interface);
  for (const Route& route : scenario.routes) commands += route_command(route);
  auto done = run_checked({"ip", "-batch", "-"}, commands);
  if (!done) return tl::unexpected(done.error());
  return await_ipv6_addresses(scenario);
}

Outcome<RuleTexts> load_ruleset(Family family, Backend backend, const std::string& ruleset,
                                const RuleTexts& emptied) {
  if (names_program(ruleset)) {
    return tl::unexpected(std::string("the ruleset names a program to load modules (-M); refused"));
  }
  auto loaded = run_checked({restore_program(family, backend)}, empty_tables(emptied) + ruleset);
  if (!loaded) return tl::unexpected(loaded.error());
  auto saved = run_checked({save_program(family, backend)});
  if (!saved) return tl::unexpected(saved.error());
  return read_saved(*saved);
}

Outcome<void> load_ipsets(const std::string& saved) {
  auto done = run_checked({"ipset", "restore"}, saved);
  if (!done) return tl::unexpected(done.error());
  return {};
}

bool defragments_by_itself(const std::string& saved) {
  return saved.find("-j TPROXY") != std::string::npos ||
         saved.find("-m socket") != std::string::npos;
}

bool mentions_tracking(const std::string& saved) {
  for (std::string_view word : kTrackingWords) {
    if (saved.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace postern::kernel
