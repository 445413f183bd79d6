// The adversary's helper rules with and without NAT, and the flows that make helpers announce the
// attacked flow: FTP either way, TFTP, and IRC between its receiver and anybody. Used by
// adversary_test.cpp.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "adversary.hpp"

namespace postern {

// A ruleset in which conversations get through oftener than in most.
inline std::string plain_rules(Dice& dice, Family family) {
  const std::string source = family == Family::kIpv4 ? " -s 192.0.2.9" : " -s 2001:db8:1::9";
  const auto policy = [&] { return dice.of<std::string>({" ACCEPT\n", " ACCEPT\n", " DROP\n"}); };
  std::string text = "*filter\n:INPUT" + policy() + ":FORWARD" + policy() + ":OUTPUT" + policy();
  for (const char* hook : {"INPUT", "FORWARD", "OUTPUT"}) {
    for (const char* state : {"ESTABLISHED", "NEW", "RELATED"}) {
      if (dice.chance(35)) {
        text += "-A " + std::string(hook) + " -m conntrack --ctstate " + state +
                dice.of<std::string>({"", "", source, " -p tcp -m tcp --dport 21"}) +
                dice.of<std::string>({" -j ACCEPT\n", " -j ACCEPT\n", " -j DROP\n"});
      }
    }
  }
  return text + "COMMIT\n";
}

// NAT that masters of announced flows meet often.
inline std::string plain_nat(Dice& dice, Family family) {
  const bool v4 = family == Family::kIpv4;
  const std::string east = v4 ? "192.0.2.1" : "2001:db8:1::1",
                    west = v4 ? "198.51.100.1" : "2001:db8:2::1",
                    server = v4 ? "198.51.100.9" : "2001:db8:2::9";
  std::string text =
      "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n";
  if (dice.chance(70)) {
    text += "-A POSTROUTING" + dice.of<std::string>({"", " -o eth0", " -o eth0", " -p tcp"}) +
            dice.of<std::string>({" -j MASQUERADE", " -j SNAT --to-source " + east,
                                  " -j SNAT --to-source " + west}) +
            "\n";
  }
  if (dice.chance(40)) {
    text += "-A PREROUTING" + dice.of<std::string>({"", " -i eth0"}) +
            dice.of<std::string>({"", " -p tcp -m tcp --dport 21", " -p udp -m udp --dport 69"}) +
            dice.of<std::string>({" -j DNAT --to-destination " + server, " -j REDIRECT"}) + "\n";
  }
  if (dice.chance(20)) text += "-A INPUT -j SNAT --to-source " + server + "\n";
  return text + "COMMIT\n";
}

// A rule for the side of helpers: it puts packets into a zone.
inline std::string zone_beside(Dice& dice, const std::string& hook) {
  return "-A " + hook +
         dice.of<std::string>({"", hook == "OUTPUT" ? " -o eth1" : " -i eth1", " -p tcp", " -p udp",
                               " -m tos --tos 0x10/0x1c", " -p tcp -m tcp --dport 53",
                               " -m statistic --mode random --probability 0.3"}) +
         " -j CT" + dice.of<std::string>({" --zone 1", " --zone-orig 1", " --zone-reply 2"}) + "\n";
}

// The zone that a rule gives with its helper.
inline std::string zone_of_helper(Dice& dice) {
  return dice.of<std::string>({"", " --zone 1", " --zone 1", " --zone 1", " --zone 2",
                               " --zone-orig 1", " --zone-orig 1", " --zone-reply 1",
                               " --zone-reply 2", " --zone mark"});
}

// The ruleset with CT --helper rules in raw, `zones` of a hundred (but not few) beside zones or in
// them, and rules that ask what is EXPECTED.
inline std::string with_helpers(std::string text, Dice& dice, Family family, unsigned zones_often) {
  if (text.find("*raw\n") == std::string::npos) {
    text = "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n" + text;
  }
  const std::size_t raw = text.find("*raw\n");
  const std::size_t end = text.find("COMMIT\n", raw);
  std::size_t first = text.find("-A ", raw);
  if (first == std::string::npos || first > end || dice.chance(30)) first = end;
  std::string rules;
  const bool zones = dice.chance(std::max(40U, zones_often)), common = zones && dice.chance(50);
  for (const char* hook : {"PREROUTING", "OUTPUT"}) {
    if (zones && dice.chance(40)) rules += zone_beside(dice, hook);
    for (unsigned n = 1 + dice.below(2); n > 0; --n) {
      const bool tftp = dice.chance(35), irc = !tftp && family == Family::kIpv4 && dice.chance(35);
      const std::string protocol = tftp ? "udp" : "tcp";
      std::string rule = "-A " + std::string(hook) + " -p " + protocol + " -m " + protocol;
      if (dice.chance(60)) rule += tftp ? " --dport 69" : irc ? " --dport 6667" : " --dport 21";
      if (dice.chance(15)) rule += tftp ? "" : " --syn";
      if (dice.chance(10)) rule += " -m statistic --mode random --probability 0.5";
      if (dice.chance(10)) rule += " -m conntrack --ctstate INVALID";
      rules += rule + " -j CT --helper " +
               (tftp  ? "tftp"
                : irc ? "irc"
                      : "ftp") +
               (zones && dice.chance(70) ? zone_of_helper(dice) : "") + "\n";
    }
    if (zones && dice.chance(60)) rules += zone_beside(dice, hook);
    // Without a zone that all share masters are hardly ever answered.
    if (common) rules += "-A " + std::string(hook) + " -j CT --zone 1\n";
  }
  text.insert(first, rules);
  const std::size_t filter = text.find("*filter\n");
  if (filter == std::string::npos) return text;
  const std::size_t last = text.find("COMMIT\n", filter);
  const std::size_t at = std::min(text.find("-A ", filter), last);
  std::string more;
  for (const char* hook : {"INPUT", "FORWARD", "OUTPUT"}) {
    if (dice.chance(50)) {
      more += "-A " + std::string(hook) + " -m conntrack --ctstate " +
              dice.of<std::string>({"RELATED,ESTABLISHED", "RELATED", "ESTABLISHED"}) +
              dice.of<std::string>({" -j ACCEPT\n", " -j ACCEPT\n", " -j DROP\n"});
    }
    if (dice.chance(25)) {
      more += "-A " + std::string(hook) + " -m conntrack --ctstatus EXPECTED" +
              dice.of<std::string>({" -j ACCEPT\n", " -j DROP\n"});
    }
    if (dice.chance(30)) {
      more += "-A " + std::string(hook) + " -p tcp -m tcp --dport 21 -j ACCEPT\n";
    }
  }
  text.insert(at, more);
  return text;
}

// By which wire packets from that address come; empty: this host's.
inline std::string wire_of(const Address& address) {
  const std::string text = address.text();
  if (text.ends_with(".1") || text.ends_with("::1")) return "";
  if (text.starts_with("192.0.2.") || text.starts_with("2001:db8:1:")) return "eth0";
  return text.starts_with("198.51.100.") || text.starts_with("2001:db8:2:") ? "eth1" : "";
}

class Masters {
 public:
  // One packet of a conversation; an answer goes to where the entry says, and comes from there.
  struct Line {
    Packet packet;
    bool answers = false;
  };
  Masters(Dice& dice, const AttackedFlow& flow) : dice_(dice), flow_(flow) {}

  // The packets of one conversation that may announce the flow; empty for other protocols.
  std::vector<Line> conversation() {
    packets_.clear();
    by_responder_ = !flow_.led && dice_.chance(20);  // who sends the announced flow's first packet
    // What NAT leads on goes to the host behind; a local end may have its other address there.
    to_ = end(!by_responder_);
    from_ = end(by_responder_);
    if (flow_.led) to_ = Host{behind(), "eth1"};
    for (Host* host : {&to_, &from_}) {
      if (host->wire.empty() && dice_.chance(25)) host->address = other_own(host->address);
    }
    if (flow_.protocol == protocol::kUdp) tftp();
    if (flow_.protocol == protocol::kTcp && flow_.family == Family::kIpv4 && dice_.chance(35)) {
      irc();
    } else if (flow_.protocol == protocol::kTcp) {
      ftp();
    }
    return std::move(packets_);
  }

 private:
  struct Host {
    Address address;
    std::string wire;  // empty: this host, "lo": over lo
  };
  Host end(bool responder) const {
    return responder ? Host{flow_.responder, flow_.responder_interface}
                     : Host{flow_.initiator, flow_.initiator_interface};
  }
  const Host& to() const { return to_; }
  const Host& from() const { return from_; }
  bool v4() const { return flow_.family == Family::kIpv4; }
  Address behind() const { return *Address::parse(v4() ? "198.51.100.9" : "2001:db8:2::9"); }
  Address other_own(const Address& own) const {
    const Address east = *Address::parse(v4() ? "192.0.2.1" : "2001:db8:1::1");
    return own != east ? east : *Address::parse(v4() ? "198.51.100.1" : "2001:db8:2::1");
  }
  std::uint16_t to_port() const {
    return by_responder_ ? flow_.initiator_port : flow_.responder_port;
  }

  Packet packet(const Host& a, std::uint16_t sport, const Host& b, std::uint16_t dport) {
    Packet p;
    p.source = a.address;
    p.destination = b.address;
    if (a.wire != "lo") p.in = a.wire;
    p.protocol = flow_.protocol;
    p.source_port = sport;
    p.destination_port = dport;
    p.ttl = 64;
    return p;
  }

  void tftp() {
    Packet p = packet(to(), to_port(), from(), dice_.of<std::uint16_t>({69, 69, 53}));
    p.payload = {0, static_cast<std::uint8_t>(1 + dice_.below(2)), 'f', 0, 'o', 0};
    packets_.push_back({p, false});
  }

  // A handshake and two lines of `speaker`'s.
  void talk(const Host& client, const Host& server, std::uint16_t port, bool by_client,
            const std::string& one, const std::string& two) {
    using namespace tcp_flag;
    const auto own = static_cast<std::uint16_t>(33000 + dice_.below(1000));
    std::uint32_t seq[2] = {1000, 5000};
    const auto say = [&](bool server_says, int flags, const std::string& words) {
      Packet p =
          server_says ? packet(server, port, client, own) : packet(client, own, server, port);
      p.flags = static_cast<std::uint8_t>(flags);
      std::uint32_t& mine = seq[server_says ? 1 : 0];
      p.seq = mine;
      p.ack = (flags & kAck) != 0 ? seq[server_says ? 0 : 1] : 0;
      p.payload.assign(words.begin(), words.end());
      mine += static_cast<std::uint32_t>(words.size()) + ((flags & kSyn) != 0 ? 1U : 0U);
      if (!dice_.chance(3)) packets_.push_back({p, server_says});
    };
    say(false, kSyn, "");
    say(true, kSyn | kAck, "");
    say(false, kAck, "");
    say(!by_client, kAck | kPsh, one);
    say(!by_client, kAck | kPsh, two);
  }

  void ftp() {
    const bool by_client = dice_.chance(50);
    const std::string port = std::to_string(to_port());
    const Host client = by_client ? to() : from(), server = by_client ? from() : to();
    const std::string words = by_client ? "EPRT |" + std::string(v4() ? "1" : "2") + "|" +
                                              client.address.text() + "|" + port + "|\r\n"
                                        : "229 (|||" + port + "|)\r\n";
    talk(client, server, dice_.of<std::uint16_t>({21, 21, 21, 80}), by_client, "x\r\n", words);
  }

  void irc() {
    Host other = from();
    if (dice_.chance(40) && flow_.path != Path::kLoopback) {
      const bool here = dice_.chance(50) && !to().wire.empty();
      other = here ? Host{*Address::parse("192.0.2.1"), ""}
                   : Host{*Address::parse("198.51.100.77"), "eth1"};
    }
    const std::string words = "PRIVMSG bob :\001DCC SEND file " +
                              std::to_string(static_cast<std::uint32_t>(to().address.value)) + " " +
                              std::to_string(to_port()) + " 99\001\r\n";
    talk(to(), other, dice_.of<std::uint16_t>({6667, 6667, 80}), true, "NICK a\r\n", words);
  }

  Dice& dice_;
  const AttackedFlow& flow_;
  bool by_responder_ = false;
  Host to_, from_;
  std::vector<Line> packets_;
};

}  // namespace postern
