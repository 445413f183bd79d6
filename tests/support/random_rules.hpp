// Random rulesets of what the engine models without NAT: every table and hook, user chains called
// by jump and goto, the common matches, NOTRACK, marks, rejects. Texts that iptables-restore
// accepts.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "net/family.hpp"

namespace postern::kernel {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  unsigned below(unsigned n) { return static_cast<unsigned>(engine_() % n); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class T>
  const T& of(const std::vector<T>& list) {
    return list[below(static_cast<unsigned>(list.size()))];
  }

 private:
  std::mt19937 engine_;
};

// The addresses of the random worlds (see random_traffic.hpp).
inline std::vector<std::string> some_addresses(Family family) {
  if (family == Family::kIpv4) {
    return {"192.0.2.9", "192.0.2.1", "198.51.100.9", "198.51.100.1", "203.0.113.5", "127.0.0.1"};
  }
  return {"2001:db8:1::9", "2001:db8:1::1", "2001:db8:2::9",
          "2001:db8:2::1", "2001:db8:5::5", "::1"};
}
inline std::vector<std::string> some_prefixes(Family family) {
  if (family == Family::kIpv4) {
    return {"192.0.2.0/24", "198.51.100.0/24", "192.0.2.8/29", "0.0.0.9/0.0.0.255", "127.0.0.0/8"};
  }
  return {"2001:db8:1::/64", "2001:db8:2::/64", "2001:db8::/32", "::9/::ffff", "::1/128"};
}

class RandomRules {
 public:
  RandomRules(Dice& dice, Family family) : dice_(dice), family_(family) {}

  std::string text() {
    tracking_ = dice_.chance(85);
    std::string out;
    if (dice_.chance(60)) out += table("raw", {"PREROUTING", "OUTPUT"});
    if (dice_.chance(40)) {
      out += table("mangle", {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"});
    }
    if (dice_.chance(30)) out += table("nat", {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"});
    if (dice_.chance(15)) out += table("security", {"INPUT", "FORWARD", "OUTPUT"});
    return out + table("filter", {"INPUT", "FORWARD", "OUTPUT"});
  }

 private:
  std::string number(unsigned n) { return std::to_string(n); }
  std::string port() {
    return dice_.of<std::string>({"22", "53", "80", "1024:65535", "0:1023", "5000:5001"});
  }
  std::string bang(unsigned percent = 20) { return dice_.chance(percent) ? "! " : ""; }

  std::string table(const std::string& name, const std::vector<std::string>& hooks) {
    const unsigned users = dice_.below(3);
    std::string out = "*" + name + "\n";
    for (const std::string& hook : hooks) {
      const bool drop = name == "filter" ? dice_.chance(35) : dice_.chance(2);
      out += ":" + hook + (drop ? " DROP" : " ACCEPT") + " [0:0]\n";
    }
    for (unsigned u = 0; u < users; ++u) out += ":u" + number(u) + " - [0:0]\n";
    for (const std::string& hook : hooks) {
      for (unsigned n = dice_.below(name == "filter" ? 6 : 3); n > 0; --n) {
        out += "-A " + hook + matches(hook, name) + target(name, hook, 0, users) + "\n";
      }
    }
    for (unsigned u = 0; u < users; ++u) {
      for (unsigned n = 1 + dice_.below(3); n > 0; --n) {
        out += "-A u" + number(u) + matches("", name) + target(name, "", u + 1, users) + "\n";
      }
    }
    return out + "COMMIT\n";
  }

  std::string icmp() { return family_ == Family::kIpv4 ? "icmp" : "ipv6-icmp"; }

  // At most one -p with the protocol's own match, then some that need none.
  std::string matches(const std::string& hook, const std::string& table_name) {
    std::string out;
    const bool input = hook != "OUTPUT" && hook != "POSTROUTING" && !hook.empty();
    const bool output = hook != "PREROUTING" && hook != "INPUT" && !hook.empty();
    if (input && dice_.chance(25)) out += " " + bang() + "-i " + device();
    if (output && dice_.chance(25)) out += " " + bang() + "-o " + device();
    if (dice_.chance(20)) out += " " + bang() + "-s " + dice_.of(some_prefixes(family_));
    if (dice_.chance(20)) out += " " + bang() + "-d " + dice_.of(some_addresses(family_));
    if (dice_.chance(60)) out += protocol();
    if (tracking_ && dice_.chance(table_name == "raw" ? 10 : 40)) out += state();
    if (dice_.chance(15)) out += other();
    return out;
  }

  std::string device() { return dice_.of<std::string>({"eth0", "eth1", "lo", "eth+"}); }

  std::string protocol() {
    switch (dice_.below(8)) {
      case 0:
      case 1:
        return " -p tcp -m tcp " + bang() + "--dport " + port();
      case 2:
        return " -p tcp -m tcp " + bang() + "--sport " + port();
      case 3:
        return " -p tcp -m tcp " + bang() + "--tcp-flags " +
               dice_.of<std::string>({"FIN,SYN,RST,ACK SYN", "ACK ACK", "SYN,RST RST", "ALL NONE"});
      case 4:
        return " -p udp -m udp " + bang() + "--dport " + port();
      case 5:
        return " -p udp -m multiport " + bang() +
               dice_.of<std::string>({"--sports", "--dports", "--ports"}) + " 22,53,5000:5001";
      case 6: {
        if (dice_.chance(40)) return " -p " + icmp();
        if (family_ == Family::kIpv4) {
          return " -p icmp -m icmp " + bang() + "--icmp-type " +
                 dice_.of<std::string>({"8", "0", "3", "3/3", "11"});
        }
        return " -p ipv6-icmp -m icmp6 " + bang() + "--icmpv6-type " +
               dice_.of<std::string>({"128", "129", "1", "1/4", "135"});
      }
      default:
        return " " + bang() + "-p " +
               dice_.of<std::string>({"tcp", "udp", icmp(), "47", "132", "253"});
    }
  }

  std::string state() {
    switch (dice_.below(8)) {
      case 0:
        return " -m conntrack " + bang() + "--ctstatus " +
               dice_.of<std::string>({"ASSURED", "SEEN_REPLY", "CONFIRMED", "NONE", "EXPECTED"});
      case 1:
        return " -m conntrack --ctdir " + dice_.of<std::string>({"ORIGINAL", "REPLY"});
      case 2:
        return " -m conntrack " + bang() +
               dice_.of<std::string>(
                   {"--ctorigsrc ", "--ctorigdst ", "--ctreplsrc ", "--ctrepldst "}) +
               dice_.of(some_addresses(family_));
      case 3:
        return " -m conntrack " + bang() + "--ctproto " + dice_.of<std::string>({"6", "17"});
      case 4:
        return " -m conntrack " + bang() + "--ctorigdstport " + dice_.of<std::string>({"22", "53"});
      case 5:
        return " -m connmark " + bang() + "--mark " +
               dice_.of<std::string>({"0x1", "0x0", "0x1/0x1"});
      case 6:
        return " -m state --state " +
               dice_.of<std::string>({"NEW", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED"});
      default:
        return " -m conntrack " + bang() + "--ctstate " +
               dice_.of<std::string>({"NEW", "RELATED,ESTABLISHED", "ESTABLISHED", "RELATED",
                                      "INVALID", "UNTRACKED", "INVALID,NEW", "NEW,UNTRACKED"});
    }
  }

  std::string other() {
    switch (dice_.below(6)) {
      case 0:
        return " -m mark " + bang() + "--mark " + dice_.of<std::string>({"0x1", "0x0", "0x2/0x2"});
      case 1:
        return " -m length " + bang() + "--length " +
               dice_.of<std::string>({"0:40", "41:60", "28", "48:65535"});
      case 2:
        return family_ == Family::kIpv4
                   ? " -m ttl --ttl-" + dice_.of<std::string>({"eq 64", "lt 64", "gt 1"})
                   : " -m hl --hl-" + dice_.of<std::string>({"eq 64", "lt 64", "gt 1"});
      case 3:
        return " -m addrtype " + bang() + dice_.of<std::string>({"--src-type", "--dst-type"}) +
               " LOCAL";
      case 4:
        return " -m comment --comment \"a remark\"";
      default:
        return family_ == Family::kIpv4
                   ? " -m iprange " + bang() + "--src-range 192.0.2.5-192.0.2.20"
                   : " -m iprange " + bang() + "--src-range 2001:db8:1::5-2001:db8:1::20";
    }
  }

  // `from`: user chains below this number may not be called (no loops).
  std::string target(const std::string& name, const std::string& hook, unsigned from,
                     unsigned users) {
    if (from < users && dice_.chance(30)) {
      return std::string(dice_.chance(30) ? " -g u" : " -j u") +
             number(from + dice_.below(users - from));
    }
    if (dice_.chance(8)) return "";
    if (dice_.chance(8)) return " -j RETURN";
    if (name == "raw")
      return dice_.chance(80)   ? " -j NOTRACK"
             : dice_.chance(50) ? " -j CT --notrack"
                                : " -j ACCEPT";
    if (name == "nat") return dice_.chance(60) ? " -j ACCEPT" : "";
    if (dice_.chance(name == "mangle" ? 60 : 6)) {
      if (!tracking_ || dice_.chance(50))
        return " -j MARK --set-xmark " + dice_.of<std::string>({"0x1/0xffffffff", "0x2/0x2"});
      return " -j CONNMARK " +
             dice_.of<std::string>({"--set-xmark 0x1/0xffffffff",
                                    "--save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
                                    "--restore-mark --nfmask 0xffffffff --ctmask 0xffffffff"});
    }
    if (name == "filter" && dice_.chance(30)) return reject(hook);
    return dice_.chance(70) ? " -j ACCEPT" : " -j DROP";
  }

  std::string reject(const std::string&) {
    if (family_ == Family::kIpv4) {
      return " -j REJECT --reject-with " +
             dice_.of<std::string>(
                 {"icmp-port-unreachable", "icmp-net-unreachable", "icmp-admin-prohibited"});
    }
    return " -j REJECT --reject-with " +
           dice_.of<std::string>(
               {"icmp6-port-unreachable", "icmp6-adm-prohibited", "icmp6-no-route"});
  }

  Dice& dice_;
  Family family_;
  bool tracking_ = true;
};

}  // namespace postern::kernel
