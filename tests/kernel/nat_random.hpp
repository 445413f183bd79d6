// Random rulesets of NAT rules and conversations that clash: few hosts, few ports, and answers to
// what really left (the conversation is made while the engine runs it), so that both directions,
// errors and retransmissions of translated flows come up often.
#pragma once

#include "random_conversation.hpp"

namespace postern::kernel {

class NatRules {
 public:
  NatRules(Random& dice, Family family) : dice_(dice), family_(family) {}

  std::string text() {
    std::string out;
    if (dice_.chance(15)) {
      out += "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A " +
             dice_.pick<std::string>({"PREROUTING", "OUTPUT"}) + " -p udp -m udp --dport 53 -j " +
             "NOTRACK\nCOMMIT\n";
    }
    out += "*nat\n";
    for (const char* hook : {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"}) {
      out += ":" + std::string(hook) + " ACCEPT [0:0]\n";
    }
    for (const std::string hook : {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"}) {
      for (auto n = dice_.below(hook == "INPUT" ? 2 : 4); n > 0; --n) out += rule(hook) + "\n";
    }
    return out +
           "COMMIT\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT "
           "[0:0]\n" +
           filter() + "COMMIT\n";
  }

 private:
  bool v4() const { return family_ == Family::kIpv4; }
  std::vector<std::string> hosts() const {
    if (v4()) return {"192.0.2.9", "192.0.2.1", "198.51.100.9", "198.51.100.1", "203.0.113.5"};
    return {"2001:db8:1::9", "2001:db8:1::1", "2001:db8:2::9", "2001:db8:2::1", "2001:db8:5::5"};
  }
  std::vector<std::string> networks() const {
    if (v4()) return {"192.0.2.0/24", "198.51.100.0/24", "192.0.2.8/29", "127.0.0.0/8"};
    return {"2001:db8:1::/64", "2001:db8:2::/64", "2001:db8::/32", "::1/128"};
  }
  std::string rule(const std::string& hook) {
    const bool input = hook == "PREROUTING" || hook == "INPUT";
    std::string out = "-A " + hook;
    if (dice_.chance(40)) {
      out += (input ? " -i " : " -o ") + dice_.pick<std::string>({"eth0", "eth1", "lo"});
    }
    if (dice_.chance(20)) out += " -s " + dice_.pick(networks());
    if (dice_.chance(15)) out += " -d " + dice_.pick(hosts());
    const std::string protocol =
        dice_.chance(50) ? ""
                         : dice_.pick<std::string>({"tcp", "udp", v4() ? "icmp" : "ipv6-icmp"});
    if (!protocol.empty()) out += " -p " + protocol;
    const bool ports = protocol == "tcp" || protocol == "udp";
    if (ports && dice_.chance(40)) {
      out += " -m " + protocol + " --dport " + dice_.pick<std::string>({"53", "80", "5000:5001"});
    }
    const bool source = hook == "POSTROUTING" || hook == "INPUT";
    return out + (source ? source_target(hook, ports) : destination_target(ports));
  }

  std::string flags(bool persistent = true) {
    std::string out;
    if (dice_.chance(10)) out += " --random";
    if (persistent && dice_.chance(15)) out += " --persistent";
    return out;
  }

  std::string address() {
    const std::vector<std::string> k4{"198.51.100.7", "198.51.100.1",
                                      "192.0.2.1",    "192.0.2.9",
                                      "203.0.113.5",  "198.51.100.20-198.51.100.23"};
    const std::vector<std::string> k6{"2001:db8:2::7", "2001:db8:2::1",
                                      "2001:db8:1::1", "2001:db8:1::9",
                                      "2001:db8:5::5", "2001:db8:2::20-2001:db8:2::1:3"};
    return dice_.pick(v4() ? k4 : k6);
  }
  std::string range(bool ports) {
    const std::string host = address();
    if (!ports || dice_.chance(50)) return host;
    const std::string port = dice_.pick<std::string>({"80", "53-54", "4000-4003", "1024-65535"});
    return (v4() ? host : "[" + host + "]") + ":" + port;
  }

  std::string source_target(const std::string& hook, bool ports) {
    if (dice_.chance(10)) return " -j ACCEPT";
    if (dice_.chance(8))
      return std::string(" -j NETMAP --to ") + (v4() ? "172.16.5.0/24" : "2001:db8:77::/64");
    if (hook == "POSTROUTING" && dice_.chance(40)) {
      return " -j MASQUERADE" +
             std::string(ports && dice_.chance(30) ? " --to-ports 3000-3003" : "") + flags(false);
    }
    return " -j SNAT --to-source " + range(ports) + flags();
  }
  std::string destination_target(bool ports) {
    if (dice_.chance(10)) return " -j ACCEPT";
    if (dice_.chance(8))
      return std::string(" -j NETMAP --to ") + (v4() ? "198.51.100.0/24" : "2001:db8:2::/64");
    if (dice_.chance(30)) {
      return " -j REDIRECT" + std::string(ports && dice_.chance(50) ? " --to-ports 80-81" : "");
    }
    return " -j DNAT --to-destination " + range(ports) + flags();
  }

  std::string filter() {
    std::string out;
    for (const std::string hook : {"INPUT", "FORWARD", "OUTPUT"}) {
      for (auto n = dice_.below(3); n > 0; --n) {
        out += "-A " + hook + " " +
               dice_.pick<std::string>(
                   {"-m conntrack --ctstate SNAT", "-m conntrack --ctstate DNAT",
                    "-m conntrack ! --ctstate SNAT", "-m conntrack --ctstate NEW --ctdir ORIGINAL",
                    "-m conntrack --ctstate RELATED", "-d " + dice_.pick(hosts()),
                    "-m conntrack --ctrepldst " + dice_.pick(hosts()),
                    "-m conntrack --ctorigdst " + dice_.pick(hosts()),
                    "-m conntrack --ctorigdstport 53", "-p udp -m udp --dport 80"}) +
               (dice_.chance(70)   ? ""
                : dice_.chance(50) ? " -j DROP"
                                   : " -j REJECT") +
               "\n";
      }
    }
    return out;
  }

  Random& dice_;
  Family family_;
};

class NatTraffic : public RandomConversation {
 public:
  using RandomConversation::RandomConversation;

  // The next packet, which the engine has already run.
  Packet next() {
    Packet packet = dice_.chance(50) || seen_.empty() ? fresh()
                    : dice_.chance(25)                ? error()
                                                      : answer();
    if (dice_.chance(2)) packet.bad_checksum = true;
    if (dice_.chance(3)) packet.ttl = 1;
    run(packet);
    return packet;
  }

 private:
  Address address(const std::vector<std::string>& list) {
    return *Address::parse(dice_.pick(list));
  }
  Address client() {
    return v4() ? address({"192.0.2.9", "192.0.2.10", "192.0.2.11"})
                : address({"2001:db8:1::9", "2001:db8:1::10", "2001:db8:1::11"});
  }
  Address server() {
    return v4() ? address({"198.51.100.9", "198.51.100.20", "203.0.113.5"})
                : address({"2001:db8:2::9", "2001:db8:2::20", "2001:db8:5::5"});
  }
  Address own() {
    return v4() ? address({"192.0.2.1", "198.51.100.1", "127.0.0.1"})
                : address({"2001:db8:1::1", "2001:db8:2::1", "::1"});
  }
  Packet fresh() {
    Packet p;
    switch (dice_.below(6)) {
      case 0:
        p.in = "eth1";
        p.source = server();
        p.destination = dice_.chance(50) ? own() : client();
        break;
      case 1:
        p.source = own();
        p.destination = server();
        break;
      case 2:
        p.source = p.destination = own();
        if (dice_.chance(50)) p.destination = own();
        break;
      default:
        p.in = "eth0";
        p.source = client();
        p.destination = dice_.chance(20) ? own() : server();
    }
    p.protocol =
        static_cast<std::uint8_t>(dice_.pick<int>({6, 6, 17, 17, 17, v4() ? 1 : 58, 47, 253}));
    p.source_port = port({5000, 5000, 5001, 80, 700});
    p.destination_port = port({53, 80, 5000});
    if (p.protocol == 6) {
      p.flags = static_cast<std::uint8_t>(dice_.pick<int>({2, 2, 2, 0x10, 0x12, 0x04}));
      p.seq = static_cast<std::uint32_t>(1000 * (1 + dice_.below(3)));
      p.ack = (p.flags & 0x10) != 0 ? 500 : 0;
    }
    if (p.protocol == 1) p.type = static_cast<std::uint8_t>(dice_.pick<int>({8, 8, 8, 13, 0}));
    if (p.protocol == 58) p.type = static_cast<std::uint8_t>(dice_.pick<int>({128, 128, 129, 139}));
    p.icmp_id = port({1, 1, 2});
    if (p.protocol == 47 || p.protocol == 253) p.payload.assign(8, 0x33);
    return p;
  }

  // What the other end says to something that reached it, or the same end once more.
  Packet answer() {
    const Seen& about = dice_.pick(seen_);
    Packet p = back(about);
    p.icmp_id = about.packet.icmp_id;
    if (p.protocol == 1 || p.protocol == 58) {
      p.type = about.packet.type == 8 ? 0 : about.packet.type == 128 ? 129 : about.packet.type;
    }
    if (p.protocol == 6) {
      const std::uint8_t flags = about.packet.flags;
      p.flags =
          flags == 2 ? 0x12 : static_cast<std::uint8_t>(dice_.pick<int>({0x10, 0x10, 0x11, 0x14}));
      p.ack = about.packet.seq + ((flags & 3) != 0 ? 1 : 0);
      p.seq = (flags & 0x10) != 0 ? about.packet.ack : 500;
    }
    if (p.protocol == 47 || p.protocol == 253) p.payload.assign(8, 0x33);
    return p;
  }

  Packet error() {
    const Seen& about = dice_.pick(seen_);
    Packet p;
    p.protocol = v4() ? 1 : 58;
    p.type =
        static_cast<std::uint8_t>(v4() ? dice_.pick<int>({3, 3, 11, 5}) : dice_.pick<int>({1, 3}));
    p.code = p.type == 3 && v4() ? 3 : 0;
    p.destination = about.packet.source;
    p.source = dice_.chance(60) ? about.packet.destination : server();
    p.in = about.device;
    Packet inner = about.packet;
    inner.in.clear();
    inner.mark = 0;
    inner.fragment_size = 0;
    if (inner.inner) return fresh();  // no errors about errors
    p.inner = std::make_shared<const Packet>(std::move(inner));
    return p;
  }
};

inline Scenario random_nat_scenario(std::uint64_t seed) {
  return random_conversation<NatRules, NatTraffic>(seed, 65, 25);
}

}  // namespace postern::kernel
