// Random rulesets with zones, helpers, NAT and connmarks, and conversations that speak FTP, TFTP
// and IRC: each packet answers what really arrived (the conversation is made while the engine runs
// it), and flows that the engine expects come up often.
#pragma once

#include "net/protocol.hpp"
#include "random_conversation.hpp"

namespace postern::kernel {

class HelperRules {
 public:
  HelperRules(Random& dice, Family family) : dice_(dice), family_(family) {}

  std::string text() {
    std::string out = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n";
    if (dice_.chance(25)) out += "-A PREROUTING -i eth1 -j MARK --set-mark 3\n";
    for (const std::string hook : {"PREROUTING", "OUTPUT"}) {
      if (dice_.chance(40)) out += zone_rule(hook);
      for (const Service& service : services()) {
        if (dice_.chance(85)) out += helper_rule(hook, service);
      }
      if (dice_.chance(40)) out += zone_rule(hook);
    }
    out += "COMMIT\n*mangle\n:PREROUTING ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n";
    if (dice_.chance(50)) {
      out +=
          "-A PREROUTING -p tcp -m tcp --dport 21 -j CONNMARK --set-mark 5\n"
          "-A PREROUTING -j CONNMARK --restore-mark\n"
          "-A FORWARD -m connmark --mark 5\n";
    }
    out += "COMMIT\n";
    if (dice_.chance(65)) out += nat();
    return out + filter();
  }

 private:
  struct Service {
    const char *protocol, *port, *helper;
  };
  bool v4() const { return family_ == Family::kIpv4; }
  std::vector<Service> services() const {
    std::vector<Service> all{{"tcp", "21", "ftp"}, {"udp", "69", "tftp"}};
    if (v4()) all.push_back({"tcp", "6667", "irc"});
    return all;
  }

  std::string zone() {
    return dice_.pick<std::string>({"--zone", "--zone-orig", "--zone-reply"}) + " " +
           dice_.pick<std::string>({"1", "2", "mark"});
  }
  std::string zone_rule(const std::string& hook) {
    const std::string device = hook == "OUTPUT" ? " -o " : " -i ";
    return "-A " + hook + device + dice_.pick<std::string>({"eth0", "eth1", "+"}) +
           dice_.pick<std::string>({"", "", " -p udp", " -p tcp -m tcp --dport 5000:5001"}) +
           " -j CT " + zone() + "\n";
  }
  std::string helper_rule(const std::string& hook, const Service& service) {
    return "-A " + hook + " -p " + service.protocol + " -m " + service.protocol + " --dport " +
           service.port + " -j CT --helper " + service.helper +
           (dice_.chance(10) ? " " + zone() : "") + "\n";
  }

  std::string nat() {
    const std::string outside = v4() ? "198.51.100.7" : "2001:db8:2::7";
    const std::string inside = v4() ? "192.0.2.9" : "2001:db8:1::9";
    std::string out = "*nat\n";
    for (const char* hook : {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"}) {
      out += ":" + std::string(hook) + " ACCEPT [0:0]\n";
    }
    if (dice_.chance(50)) {
      out += "-A PREROUTING -i eth1 -p tcp -m tcp --dport 21 -j DNAT --to-destination " + inside +
             "\n-A PREROUTING -i eth1 -p udp -m udp --dport 69 -j DNAT --to-destination " + inside +
             "\n";
    }
    if (dice_.chance(20)) out += "-A PREROUTING -i eth0 -p tcp -m tcp --dport 21 -j REDIRECT\n";
    if (dice_.chance(20)) out += "-A PREROUTING -p tcp -m tcp --dport 5000 -j REDIRECT\n";
    if (dice_.chance(35)) out += "-A POSTROUTING -o eth1 -j MASQUERADE\n";
    if (dice_.chance(70)) out += "-A POSTROUTING -o eth1 -j SNAT --to-source " + outside + "\n";
    if (dice_.chance(30)) out += "-A POSTROUTING -o eth0 -j MASQUERADE\n";
    return out + "COMMIT\n";
  }

  std::string filter() {
    std::string out = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n";
    for (const std::string hook : {"INPUT", "FORWARD", "OUTPUT"}) {
      for (const char* state : {"NEW", "ESTABLISHED", "RELATED", "INVALID"}) {
        if (dice_.chance(40)) {
          out += "-A " + hook + " -m conntrack --ctstate " + state + target();
        }
      }
      if (dice_.chance(30)) out += "-A " + hook + " -m conntrack --ctstatus EXPECTED" + target();
      if (dice_.chance(30)) out += "-A " + hook + " -m helper --helper ftp" + target();
    }
    return out + "COMMIT\n";
  }
  std::string target() {
    return dice_.chance(90) ? "\n" : dice_.chance(50) ? " -j DROP\n" : " -j REJECT\n";
  }

  Random& dice_;
  Family family_;
};

class HelperTraffic : public RandomConversation {
 public:
  using RandomConversation::RandomConversation;

  // The next packet, which the engine has already run.
  Packet next() {
    Packet packet = !expected_.empty() && dice_.chance(35) ? child()
                    : seen_.empty() || dice_.chance(12)    ? fresh()
                                                           : answer();
    if (dice_.chance(1)) packet.bad_checksum = true;
    PacketReport report = run(packet);
    engine_.observe(report);
    expected_ = report.expect;
    return packet;
  }

 private:
  Address address(std::string_view four, std::string_view six) const {
    return *Address::parse(v4() ? four : six);
  }
  Address client() {
    return dice_.chance(80) ? address("192.0.2.9", "2001:db8:1::9")
                            : address("192.0.2.10", "2001:db8:1::10");
  }
  Address server() {
    return dice_.chance(80) ? address("198.51.100.9", "2001:db8:2::9")
                            : address("203.0.113.5", "2001:db8:5::5");
  }
  Address own() {
    return dice_.chance(50) ? address("192.0.2.1", "2001:db8:1::1")
                            : address("198.51.100.1", "2001:db8:2::1");
  }
  // The wire behind which an address lives; empty: it is this host's.
  std::string device_of(const Address& address) const {
    const auto in = [&](std::string_view net) {
      return Prefix::parse(net, family_)->contains(address);
    };
    if (address == this->address("192.0.2.1", "2001:db8:1::1") ||
        address == this->address("198.51.100.1", "2001:db8:2::1")) {
      return "";
    }
    return in(v4() ? "192.0.2.0/24" : "2001:db8:1::/64") ? "eth0" : "eth1";
  }
  void open(Packet& p) {
    p.flags = tcp_flag::kSyn;
    p.seq = static_cast<std::uint32_t>(1000 * (1 + dice_.below(3)));
  }

  Packet fresh() {
    Packet p;
    p.source = dice_.chance(80) ? client() : dice_.chance(50) ? server() : own();
    p.destination = device_of(p.source) == "eth1" ? dice_.chance(70) ? own() : client()
                    : dice_.chance(85) ? server()
                                                  : own();
    p.in = device_of(p.source);
    p.source_port = port({5000, 5001, 5002, 21});
    p.protocol = dice_.chance(70) ? protocol::kTcp : protocol::kUdp;
    if (p.protocol == protocol::kTcp) {
      p.destination_port = port({21, 21, 21, 6667, 5000});
      open(p);
    } else {
      p.destination_port = port({69, 69, 53});
      p.payload = tftp();
    }
    return p;
  }

  Packet child() {
    const ExpectationReport& expected = dice_.pick(expected_);
    Packet p;
    p.protocol = expected.protocol;
    p.source = expected.tuple.source.value == 0 ? server() : expected.tuple.source;
    p.destination = expected.tuple.destination;
    p.source_port = port({20, 20, 3333});
    p.destination_port = *expected.tuple.destination_port;
    p.in = device_of(p.source);
    if (p.protocol == protocol::kTcp) open(p);
    return p;
  }

  Bytes tftp() { return {0, static_cast<std::uint8_t>(dice_.pick<int>({1, 1, 2, 3})), 'a', 0}; }

  // What the other end says to something that reached it.
  Packet answer() {
    const bool last = dice_.chance(75);
    const Seen& about = last ? seen_.back() : dice_.pick(seen_);
    if (about.packet.protocol != protocol::kTcp && about.packet.protocol != protocol::kUdp) {
      return fresh();
    }
    Packet p = back(about);
    if (p.protocol == protocol::kUdp) {
      if (p.source_port == 69 && dice_.chance(50)) p.source_port = 3333;
      if (dice_.chance(50)) p.payload = tftp();
      return p;
    }
    const std::uint8_t flags = about.packet.flags;
    const auto length = static_cast<std::uint32_t>(about.packet.payload.size());
    const bool opens = (flags & (tcp_flag::kSyn | tcp_flag::kAck)) == tcp_flag::kSyn;
    p.ack = about.packet.seq + length + ((flags & (tcp_flag::kSyn | tcp_flag::kFin)) != 0 ? 1 : 0);
    p.seq = (flags & tcp_flag::kAck) != 0 ? about.packet.ack : 7000;
    p.flags = opens ? tcp_flag::kSyn | tcp_flag::kAck
                    : static_cast<std::uint8_t>(dice_.chance(94)   ? tcp_flag::kAck
                                                : dice_.chance(50) ? tcp_flag::kAck | tcp_flag::kFin
                                                                   : tcp_flag::kRst);
    if (!opens && dice_.chance(85)) say(p);
    return p;
  }

  void say(Packet& p) {
    std::string words;
    if (p.destination_port == 21 || (p.source_port != 21 && dice_.chance(20)))
      words = ftp_client(p);
    if (p.source_port == 21) words = ftp_server(p);
    if (p.destination_port == 6667) words = irc(p);
    p.payload.assign(words.begin(), words.end());
  }

  // The speaker's own address, seldom somebody else's.
  Address named(const Packet& p) { return dice_.chance(90) ? p.source : server(); }
  std::string six(const Packet& p) {
    const Address address = named(p);
    std::string words;
    for (int shift = 24; shift >= 0; shift -= 8) {
      words += std::to_string(static_cast<unsigned>(address.value >> shift) & 0xff) + ",";
    }
    return words + dice_.pick<std::string>({"19,136", "19,137", "0,80"});
  }
  std::string some_port() { return dice_.pick<std::string>({"5000", "5001", "00080"}); }

  std::string ftp_client(const Packet& p) {
    switch (dice_.below(8)) {
      case 0:
        return "USER a\r\n";
      case 1:
        return "EPRT |" + std::string(v4() ? "1|" : "2|") + named(p).text() + "|" + some_port() +
               "|\r\n";
      case 2:
        return dice_.pick<std::string>({"PO", "x", "QUIT\r\nPORT 1,2", "PORT 1,2\r\n"});
      case 3:
        return "QUIT\r\n";
      default:
        return "PORT " + six(p) + "\r\n";
    }
  }
  std::string ftp_server(const Packet& p) {
    switch (dice_.below(6)) {
      case 0:
        return "227 at (" + six(p) + ")\r\n";
      case 1:
        return "229 at (|||" + some_port() + "|)\r\n";
      case 2:
        return dice_.pick<std::string>({"2", "229 x\r\n", "hm"});
      default:
        return "200 ok\r\n";
    }
  }
  std::string irc(const Packet& p) {
    return "PRIVMSG bob :\001DCC " + dice_.pick<std::string>({"SEND f ", "CHAT chat ", "NONE x "}) +
           std::to_string(static_cast<std::uint32_t>(named(p).value)) + " " + some_port() +
           " 99\001\r\n";
  }

  std::vector<ExpectationReport> expected_;
};

inline Scenario random_helper_scenario(std::uint64_t seed) {
  return random_conversation<HelperRules, HelperTraffic>(seed, 75, 40);
}

}  // namespace postern::kernel
