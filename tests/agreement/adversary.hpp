// An adversary for proofs: random rulesets full of what proofs go wrong on, and the packets of one
// flow that two free (or honest) ends may send, with what the rest of the world may add: ICMP
// errors about the flow, waits, packets whose numbers or checksums are off.
// Used by tests/agreement/adversary_test.cpp.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adversary_odd.hpp"
#include "adversary_sctp.hpp"
#include "engine/engine.hpp"
#include "flow/hooks.hpp"
#include "flow/odd_headers.hpp"
#include "net/no_protocol.hpp"
#include "net/protocol.hpp"
#include "scenario/serialise.hpp"
#include "tests/support/random_rules.hpp"

namespace postern {

using kernel::Dice;

// Rules beside those of RandomRules, by table.
class AdversaryRules {
 public:
  // `zones`: how many rulesets of a hundred have some.
  AdversaryRules(Dice& dice, Family family, unsigned zones)
      : dice_(dice), family_(family), zones_(zones) {}

  std::string text() {
    std::string text = kernel::RandomRules(dice_, family_).text();
    const bool zones = dice_.chance(zones_);
    if (zones) text = with_zones(text, dice_.chance(50));
    if ((!zones || dice_.chance(30)) && text.find("*nat\n") == std::string::npos &&
        dice_.chance(50)) {
      text += "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n";
      for (unsigned n = 1 + dice_.below(3); n > 0; --n) text += extra("nat");
      text += "COMMIT\n";
    }
    std::string result, table;
    std::size_t from = 0;
    while (from < text.size()) {
      const std::size_t end = text.find('\n', from) + 1;
      const std::string line = text.substr(from, end - from);
      from = end;
      if (line[0] == '*') table = line.substr(1, line.size() - 2);
      if (zones && table == "raw") {
        result += line;
        continue;
      }
      if (line.starts_with("COMMIT")) {
        for (unsigned n = dice_.below(3); n > 0; --n) result += extra(table);
      }
      // Sometimes before the rules that were there.
      if (line.starts_with("-A ") && dice_.chance(12)) result += extra(table);
      result += line;
    }
    return result;
  }

  // Little else than a translation where packets of the path pass: what among many rules is rare.
  std::string translated(Path path) {
    const std::string before =
        path == Path::kIn || path == Path::kForward ? "PREROUTING" : "OUTPUT";
    const std::string behind = path == Path::kIn ? "INPUT" : "POSTROUTING";
    const bool both = dice_.chance(40), first = both || dice_.chance(path == Path::kIn ? 30 : 70);
    std::string text = "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n";
    for (unsigned n = dice_.below(3); n > 0; --n) text += extra("filter");
    const bool mapped = dice_.chance(20);
    for (unsigned n = mapped ? 1 + dice_.below(2) : 0; n > 0; --n) text += image_test();
    text +=
        "COMMIT\n*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n"
        ":POSTROUTING ACCEPT\n";
    if (mapped && first) text += netmap(before);
    if (mapped && (!first || both)) text += netmap(behind);
    if (first) text += "-A " + before + match() + translation(before) + "\n";
    if (before == "PREROUTING" && v4() && dice_.chance(15)) {
      text += "-A PREROUTING -j DNAT --to-destination 127.0.0.1\n";
    }
    if (!first || both) text += "-A " + behind + match() + translation(behind) + "\n";
    // What the far end opens.
    const std::string other =
        path == Path::kOut || path == Path::kForward ? "PREROUTING" : "OUTPUT";
    if (dice_.chance(30)) {
      const bool around = dice_.chance(40);
      text +=
          "-A " + other + match() + (around ? around_initiator(path) : translation(other)) + "\n";
    }
    text += "COMMIT\n";
    return dice_.chance(zones_) ? with_zones(text, true) : text;
  }

 private:
  bool v4() const { return family_ == Family::kIpv4; }
  std::string hook(const std::string& table) {
    if (table == "raw") return dice_.of<std::string>({"PREROUTING", "OUTPUT"});
    if (table == "filter" || table == "security") {
      return dice_.of<std::string>({"INPUT", "FORWARD", "OUTPUT"});
    }
    if (table == "nat") {
      return dice_.of<std::string>({"PREROUTING", "INPUT", "OUTPUT", "OUTPUT", "POSTROUTING"});
    }
    return dice_.of<std::string>({"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"});
  }

  std::string extra(const std::string& table) {
    const std::string at = hook(table);
    if (table == "nat" && dice_.chance(8)) return netmap(at);
    if (table == "nat" && dice_.chance(25)) return "-A " + at + translation(at) + "\n";
    const std::string first = match(), second = dice_.chance(40) ? match() : "";
    const bool twice = first.find("-p ") != std::string::npos;
    if (table == "nat" && dice_.chance(20)) return to_port(at);
    return "-A " + at + first + (twice ? "" : second) + target(table, at) + "\n";
  }

  std::string match() {
    const std::string icmp = v4() ? " -p icmp -m icmp --icmp-type " : "";
    switch (dice_.below(18)) {
      case 17:
        return dice_.of<std::string>({" -p sctp -m sctp --dport 80", " -p sctp", " -p dccp",
                                      " -p sctp -m sctp --sport 1024:65535", " -p udplite"});
      case 0:
        return " -m conntrack --ctproto " + dice_.of<std::string>({"1", "6", "17", "0"});
      case 1:
        return " -m conntrack ! --ctstate " +
               dice_.of<std::string>({"NEW,ESTABLISHED", "RELATED", "INVALID,UNTRACKED", "NEW"});
      case 2:
        return " -m state --state " + dice_.of<std::string>({"UNTRACKED", "RELATED", "INVALID"});
      case 3:
        return " -m conntrack --ctstatus " +
               dice_.of<std::string>({"ASSURED", "SEEN_REPLY,CONFIRMED", "NONE,SEEN_REPLY"});
      case 4:
        return " -m conntrack --ctstate " +
               dice_.of<std::string>({"RELATED", "RELATED,NEW", "INVALID,ESTABLISHED"});
      case 5:
        return " -m connmark --mark " + dice_.of<std::string>({"0x1/0x1", "0x2/0x2", "0x3", "0"});
      case 6:
        return " -m mark --mark " + dice_.of<std::string>({"0x1/0x1", "0x2/0x2", "0x3", "0"});
      case 7:
        return " -m limit --limit 1/second";
      case 8:
        return " -m statistic --mode random --probability 0.5";
      case 9:
        return " -m recent --name r --rcheck --rsource";
      case 10:
        return " -m tos --tos 0x10/0x1c";
      case 11:
        return v4() ? " -m ttl --ttl-lt " + dice_.of<std::string>({"64", "63", "3", "2", "1"})
                    : " -m hl --hl-lt " + dice_.of<std::string>({"64", "63", "3", "2", "1"});
      case 12:
        return v4() ? icmp + dice_.of<std::string>({"3", "3/3", "11", "8", "0", "any"})
                    : " -p ipv6-icmp -m icmp6 --icmpv6-type " +
                          dice_.of<std::string>({"1", "1/4", "128", "129", "2"});
      case 13:
        return " -m addrtype " + dice_.of<std::string>({"--src-type", "! --dst-type"}) + " LOCAL";
      case 14:
        return " -m conntrack --ctdir " + dice_.of<std::string>({"ORIGINAL", "REPLY"});
      case 15:
        return " -m length --length " + dice_.of<std::string>({"0:60", "61:65535"});
      default:
        return "";
    }
  }

  // The ruleset, its raw table with zones and without rules that write templates' marks.
  std::string with_zones(const std::string& text, bool nat) {
    std::string others, declared, rules, table;
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t end = text.find('\n', from) + 1;
      const std::string line = text.substr(from, end - from);
      from = end;
      if (line[0] == '*') table = line.substr(1, line.size() - 2);
      if ((nat || table != "nat") && table != "raw") others += line;
      if (table != "raw" || line.find("-j CONNMARK") != std::string::npos) continue;
      if (line[0] == ':') declared += line;
      if (line[0] == '-') rules += line;
    }
    if (declared.empty()) declared = ":PREROUTING ACCEPT\n:OUTPUT ACCEPT\n";
    for (unsigned n = 1 + dice_.below(3); n > 0; --n) rules = zone() + rules;
    for (unsigned n = dice_.below(3); n > 0; --n) rules += zone();
    return "*raw\n" + declared + rules + "COMMIT\n" + others;
  }

  std::string zone() {
    const bool out = dice_.chance(45);
    std::string rule = out ? "-A OUTPUT" : "-A PREROUTING";
    if (dice_.chance(40)) {
      rule += (out ? " -o " : " -i ") + dice_.of<std::string>({"eth0", "eth1", "eth+", "lo"});
    }
    if (dice_.chance(50)) {
      rule += dice_.of<std::string>(
          {" -p tcp", " -p udp", " -p tcp -m tcp --syn", " -m tos --tos 0x10/0x1c",
           " -m tos --tos 0x08/0x1c", " -m statistic --mode random --probability 0.5",
           " -m conntrack --ctstate NEW", " -m mark --mark 0x1/0x1",
           " -m conntrack --ctstate INVALID", " -m conntrack --ctstatus CONFIRMED"});
    }
    static const std::vector<std::string> kTargets{"CT --zone 1",
                                                   "CT --zone 1",
                                                   "CT --zone 1",
                                                   "CT --zone 2",
                                                   "CT --zone-orig 1",
                                                   "CT --zone-orig 2",
                                                   "CT --zone-reply 1",
                                                   "CT --zone-reply 2",
                                                   "CT --zone 0",
                                                   "CT --ctevents new",
                                                   "CT --zone mark",
                                                   "NOTRACK",
                                                   "DROP",
                                                   "MARK --set-mark 1",
                                                   "CONNMARK --restore-mark"};
    return rule + " -j " + dice_.of(kTargets) + "\n";
  }

  std::string address(bool own, bool bracketed = false) {
    if (v4()) {
      return own ? dice_.of<std::string>({"192.0.2.1", "198.51.100.1"})
                 : dice_.of<std::string>({"198.51.100.9", "198.51.100.77"});
    }
    const std::string a = own ? dice_.of<std::string>({"2001:db8:1::1", "2001:db8:2::1"})
                              : dice_.of<std::string>({"2001:db8:2::9", "2001:db8:2::77"});
    return bracketed ? "[" + a + "]" : a;
  }

  // A range that the initiator of most flows stands in.
  std::string around_initiator(Path path) const {
    const bool local = path == Path::kOut || path == Path::kLoopback;
    const std::string net = v4() ? "192.0.2." : "2001:db8:1::";
    return " -j DNAT --to-destination " + net + (local ? "1" : "8") + "-" + net +
           (local ? "2" : "9");
  }
  const char* lo() const { return v4() ? "127.0.0.1" : "::1"; }
  // NAT targets that the hook takes.
  std::string translation(const std::string& at) {
    const bool before = at == "PREROUTING" || at == "OUTPUT";
    if (!before && dice_.chance(50) && at == "POSTROUTING") return " -j MASQUERADE";
    if (before && dice_.chance(30)) return " -j REDIRECT";
    if (v4() && dice_.chance(10)) return " -j NETMAP --to 198.51.100.64/28";
    if (before && dice_.chance(10)) return " -j DNAT --to-destination " + std::string(lo());
    const bool range = v4() && dice_.chance(15);
    return std::string(before ? " -j DNAT --to-destination " : " -j SNAT --to-source ") +
           (range ? "198.51.100.70-198.51.100.73" : address(dice_.chance(before ? 30 : 70)));
  }
  // One of the world's networks onto another one of them: it is known which address becomes which.
  std::string netmap(const std::string& at) {
    const bool before = at == "PREROUTING" || at == "OUTPUT";
    const auto networks = v4() ? std::pair{"198.51.100.0/28", "192.0.2.0/28"}
                               : std::pair{"2001:db8:2::/64", "2001:db8:1::/64"};
    const bool straight = dice_.chance(before ? 70 : 30);
    return "-A " + at + (before ? " -d " : " -s ") + (straight ? networks.first : networks.second) +
           " -j NETMAP --to " + (straight ? networks.second : networks.first) + "\n";
  }
  // A rule that sees what such an address has become.
  std::string image_test() {
    const std::string hosts[] = {
        v4() ? "192.0.2.9" : "2001:db8:1::9", v4() ? "192.0.2.1" : "2001:db8:1::1",
        v4() ? "198.51.100.9" : "2001:db8:2::9", v4() ? "198.51.100.1" : "2001:db8:2::1"};
    return "-A " + hook("filter") + (dice_.chance(60) ? " -d " : " -s ") +
           hosts[dice_.below(std::size(hosts))] + dice_.of<std::string>({" -j DROP\n", "\n"});
  }
  std::string to_port(const std::string& at) {
    const bool before = at == "PREROUTING" || at == "OUTPUT";
    const std::string protocol = dice_.of<std::string>({"tcp", "udp", "sctp"});
    const std::string head = "-A " + at + " -p " + protocol + " -m " + protocol +
                             dice_.of<std::string>({"", " --dport 80", " --dport 53"});
    if (before && dice_.chance(40)) return head + " -j REDIRECT --to-ports 53\n";
    return head + (before ? " -j DNAT --to-destination " : " -j SNAT --to-source ") +
           address(dice_.chance(30), true) + dice_.of<std::string>({":23", ":80", ":5002-5004"}) +
           "\n";
  }

  std::string target(const std::string& table, const std::string& at) {
    if (table == "raw" && dice_.chance(70)) {
      return dice_.of<std::string>({" -j NOTRACK", " -j RETURN", " -j DROP", " -j ACCEPT"});
    }
    if (table == "nat") {
      if (dice_.chance(65)) return translation(at);
      return dice_.chance(70) ? " -j ACCEPT" : " -j RETURN";
    }
    if (table == "filter" && dice_.chance(15)) return " -j REJECT";
    switch (dice_.below(table == "mangle" ? 14 : 8)) {
      case 0:
      case 1:
        return " -j ACCEPT";
      case 2:
        return " -j DROP";
      case 3:
        return " -j RETURN";
      case 4:
        return " -j CONNMARK --set-xmark " + dice_.of<std::string>({"0x1/0x1", "0x3/0x3", "0/0x1"});
      case 5:
        return " -j MARK --set-xmark " + dice_.of<std::string>({"0x1/0x1", "0x2/0x3", "0x0/0x0"});
      case 6:
        return " -j CONNMARK --save-mark --nfmask 0x1 --ctmask 0x1";
      case 7:
        return " -j CONNMARK --restore-mark --nfmask 0x2 --ctmask 0x2";
      case 8:
      case 9:
        return v4() ? " -j TTL " + dice_.of<std::string>({"--ttl-set 64", "--ttl-inc 5"})
                    : " -j HL " + dice_.of<std::string>({"--hl-set 64", "--hl-inc 5"});
      case 10:
        return " -j TOS --set-tos 0x10/0x3f";
      case 11:
        return " -j DSCP --set-dscp 0x04";
      default:
        return at == "FORWARD" ? " -j ACCEPT" : "";
    }
  }

  Dice& dice_;
  Family family_;
  unsigned zones_;
};

// One flow of one path in the world of random_world().
struct AttackedFlow {
  Path path;
  Family family;
  std::uint8_t protocol;
  Address initiator, responder;
  std::uint16_t initiator_port = 0, responder_port = 0;
  std::uint8_t icmp_type = 0, icmp_code = 0;             // the initiator's
  std::string initiator_interface, responder_interface;  // empty: the local end
  // Only NAT in OUTPUT brings its packets onto the path: its responder never speaks as it is named.
  bool led = false;  // ... or a helper's announcement
  bool led_here() const {
    return led || (path == Path::kOut && responder_interface == "lo") ||
           (path == Path::kLoopback && responder_interface != "lo");
  }
};

inline AttackedFlow random_flow(Dice& dice, Family family, Path path,
                                Backend backend = Backend::kLegacy) {
  const bool v4 = family == Family::kIpv4;
  const auto at = [&](const char* four, const char* six) {
    return *Address::parse(v4 ? four : six);
  };
  const Address east = at("192.0.2.9", "2001:db8:1::9"), west = at("198.51.100.9", "2001:db8:2::9"),
                own = at("192.0.2.1", "2001:db8:1::1"), other = at("198.51.100.1", "2001:db8:2::1"),
                lo = at("127.0.0.1", "::1");
  AttackedFlow f{path, family, 0, east, own, 0, 0, 0, 0, "", ""};
  switch (path) {
    case Path::kIn:
      f.initiator_interface = "eth0";
      if (dice.chance(30)) f.responder = other;
      break;
    case Path::kOut:
      f.initiator = dice.chance(70) ? own : other;
      f.responder = east;
      f.responder_interface = "eth0";
      if (dice.chance(20)) {
        f.responder = f.initiator == own ? other : own;
        f.responder_interface = "lo";
      }
      break;
    case Path::kForward:
      f.responder = west;
      f.initiator_interface = "eth0";
      f.responder_interface = "eth1";
      break;
    case Path::kLoopback:
      f.initiator = f.responder = dice.chance(60) ? lo : own;
      if (dice.chance(20)) f.initiator = other;
      f.initiator_interface = f.responder_interface = "lo";
      if (dice.chance(30)) {
        f.initiator = own;
        f.responder = dice.chance(50) ? east : west;
        f.responder_interface = f.responder == east ? "eth0" : "eth1";
      }
      break;
  }
  const std::uint8_t icmp = v4 ? protocol::kIcmp : protocol::kIcmpv6;
  f.protocol =
      dice.of<std::uint8_t>({6, 6, 6, 6, 17, 17, 17, icmp, icmp, 47, 253, 136, 132, 132, 33});
  if (!v4 && f.protocol == 253 && dice.chance(50)) f.protocol = kNoNextHeader;
  if (f.protocol == kNoNextHeader && backend == Backend::kNft && dice.chance(70)) {
    f.protocol = dice.chance(60) ? kNoProtocol6 : std::uint8_t{protocol::kAh};
  }
  if (!v4 && path == Path::kForward && dice.chance(15)) f.protocol = icmp;
  f.initiator_port = dice.of<std::uint16_t>({22, 5000, 5001, 1023, 40000});
  f.responder_port = dice.of<std::uint16_t>({23, 53, 80, 1024, 5002});
  if (f.protocol == icmp) {
    f.icmp_type = v4 ? dice.of<std::uint8_t>({8, 8, 8, 0, 13, 10, 3, 11})
                     : dice.of<std::uint8_t>({128, 128, 129, 139, 1, 135, 133, 143});
  }
  return f;
}

// For flows that a helper may announce under NAT: from a wire to an address of this host, and on.
inline void lead(Dice& dice, AttackedFlow& f) {
  if (f.path != Path::kForward || (f.protocol != protocol::kTcp && f.protocol != protocol::kUdp)) {
    return;
  }
  const bool v4 = f.family == Family::kIpv4;
  f.responder = *Address::parse(dice.chance(60) ? (v4 ? "192.0.2.1" : "2001:db8:1::1")
                                                : (v4 ? "198.51.100.1" : "2001:db8:2::1"));
  f.led = true;
}

// IPv6 that ends within its extension headers, for iptables-nft: an authentication header, or (0)
// any other.
inline bool nameless(const AttackedFlow& f) {
  return f.family == Family::kIpv6 && (f.protocol == kNoProtocol6 || f.protocol == protocol::kAh);
}

inline void end_within(Packet& p) {
  constexpr std::uint8_t kOptions = 60;
  if (p.protocol == kNoProtocol6) p.protocol = kOptions;
  p.raw_l4 = p.payload;
  (*p.raw_l4)[0] = kOptions;
  (*p.raw_l4)[1] = 255;  // longer than what is there
  p.payload.clear();
}

class Attacker {
 public:
  Attacker(Dice& dice, const AttackedFlow& flow) : dice_(dice), flow_(flow) {}

  Packet packet(bool reply) {
    Packet p = address_to(reply, reply);
    p.protocol = flow_.protocol;
    p.source_port = reply ? flow_.responder_port : flow_.initiator_port;
    p.destination_port = reply ? flow_.initiator_port : flow_.responder_port;
    p.ttl = dice_.of<std::uint8_t>({64, 64, 64, 64, 62, 3, 255, 1, 1, 0});
    p.tos = dice_.of<std::uint8_t>({0, 0, 0, 0x10, 0x08});
    p.payload.assign(dice_.chance(20) ? 40 : 8, 0x61);
    if (dice_.chance(3)) p.bad_checksum = true;
    if (flow_.protocol == protocol::kUdplite && dice_.chance(40)) p.bad_checksum = true;
    if (flow_.protocol == protocol::kTcp) segment(p, reply);
    if (flow_.protocol == protocol::kGre && dice_.chance(50)) tunnel(p);
    if (flow_.protocol == protocol::kUdplite && dice_.chance(15)) uncover(p);
    if (flow_.protocol == protocol::kSctp) sctp_.speak(dice_, p, reply);
    if (flow_.protocol == protocol::kIcmp || flow_.protocol == protocol::kIcmpv6) message(p, reply);
    if (nameless(flow_)) end_within(p);
    if (!reply) said_.push_back(p);
    if (reply) answered_.push_back(p);
    const bool report = icmp_class(flow_.family, p.type) == IcmpClass::kUntracked;
    if (p.protocol == protocol::kIcmpv6 && report && dice_.chance(40)) p.bad_checksum = true;
    if (!nameless(flow_)) spoil(dice_, p);
    return p;
  }

  // An ICMP error about something that was said; from the end that it was said to, or from a
  // stranger behind that end's wire.
  std::optional<Packet> error() {
    const bool about_reply = !answered_.empty() && dice_.chance(50);
    const auto& list = about_reply ? answered_ : said_;
    if (list.empty()) return std::nullopt;
    const Packet& about = dice_.of(list);
    const bool v4 = flow_.family == Family::kIpv4;
    Packet p = address_to(!about_reply, !about_reply);
    p.protocol = v4 ? protocol::kIcmp : protocol::kIcmpv6;
    p.type = v4 ? dice_.of<std::uint8_t>({3, 11}) : dice_.of<std::uint8_t>({1, 2});
    p.code = v4 && p.type == 3 ? 3 : 0;
    p.tos = dice_.of<std::uint8_t>({0, 0, 0x10, 0x08});  // rules give zones by it
    Packet inner = about;
    inner.in.clear();
    p.inner = std::make_shared<const Packet>(std::move(inner));
    if (!v4 && about_reply && flow_.path == Path::kIn && dice_.chance(60)) redirect(p);
    return p;
  }

  // The honest conversation of `connect`; empty for other protocols' k-th packet.
  std::optional<Packet> honest(unsigned k) {
    using namespace tcp_flag;
    const bool tcp = flow_.protocol == protocol::kTcp;
    // Nobody honest begins with an answer.
    const bool icmp = flow_.protocol == protocol::kIcmp || flow_.protocol == protocol::kIcmpv6;
    if (icmp && (flow_.icmp_type == 0 || flow_.icmp_type == 129)) return std::nullopt;
    if (nameless(flow_) || k >= conversation_length(flow_.protocol)) return std::nullopt;
    const bool reply = replies(flow_.protocol, k);
    Packet p = address_to(reply, reply);
    p.protocol = flow_.protocol;
    p.source_port = reply ? flow_.responder_port : flow_.initiator_port;
    p.destination_port = reply ? flow_.initiator_port : flow_.responder_port;
    p.payload.assign(tcp && k < 3 ? 0 : 8, 0x61);
    if (tcp) {
      static constexpr std::uint8_t kFlags[] = {kSyn, kSyn | kAck, kAck, kAck | kPsh, kAck | kPsh};
      static constexpr std::uint32_t kSeq[] = {1000, 5000, 1001, 1001, 5001};
      static constexpr std::uint32_t kAcks[] = {0, 1001, 5001, 5001, 1009};
      p.flags = kFlags[k];
      p.seq = kSeq[k];
      p.ack = kAcks[k];
    }
    if (flow_.protocol == protocol::kSctp) sctp_.honest(p, k);
    if (flow_.protocol == protocol::kIcmp || flow_.protocol == protocol::kIcmpv6)
      message(p, k == 1);
    return p;
  }

 private:
  Packet address_to(bool reply, bool from_responder) {
    Packet p;
    p.source = reply ? flow_.responder : flow_.initiator;
    p.destination = reply ? flow_.initiator : flow_.responder;
    const std::string& wire =
        from_responder ? flow_.responder_interface : flow_.initiator_interface;
    if (flow_.path == Path::kLoopback) return p;
    p.in = wire == "lo" ? "eth0" : wire;  // led there by NAT
    return p;
  }

  // GRE of another version; of PPTP's with a call or without PPP.
  void tunnel(Packet& p) {
    const bool ppp = dice_.chance(50);
    p.raw_l4 = {0x20,
                dice_.of<std::uint8_t>({1, 1, 1, 2}),
                static_cast<std::uint8_t>(ppp ? 0x88 : 8),
                static_cast<std::uint8_t>(ppp ? 0x0b : 0),
                0,
                0,
                0,
                dice_.of<std::uint8_t>({0, 5})};
    p.raw_l4->resize(4 + p.payload.size());
    p.payload.clear();
  }
  // UDP-Lite whose checksum covers what it must not.
  void uncover(Packet& p) {
    p.bad_checksum = false;
    Bytes l4 = to_bytes(p);
    l4.erase(l4.begin(), l4.begin() + (flow_.family == Family::kIpv4 ? 20 : 40));
    l4[4] = 0;
    l4[5] = 1;
    p.raw_l4 = std::move(l4);
    p.payload.clear();
  }
  // A router's word about what the error quotes.
  static void redirect(Packet& error) {
    const Bytes quoted = to_bytes(*error.inner);
    error.inner.reset();
    error.type = kIcmpv6Redirect;
    error.code = 0;
    error.ttl = 255;
    error.source = *Address::parse("fe80::19");
    put_address(error.payload, error.source);
    put_address(error.payload, error.source);
    put(error.payload, Bytes{kRedirectedHeader, 9, 0, 0, 0, 0, 0, 0});
    error.payload.insert(error.payload.end(), quoted.begin(), quoted.end());
  }

  void segment(Packet& p, bool reply) {
    using namespace tcp_flag;
    static const std::vector<int> kFlags{
        kSyn, kSyn,        kSyn | kAck, kAck,        kAck | kPsh,        kFin | kAck,
        kRst, kRst | kAck, 0,           kFin | kSyn, kSyn | kEce | kCwr, kFin};
    p.flags = static_cast<std::uint8_t>(dice_.of(kFlags));
    std::uint32_t& mine = seq_[reply ? 1 : 0];
    p.payload.assign((p.flags & kPsh) != 0 ? 8 : 0, 0x61);
    p.seq = mine;
    p.ack = (p.flags & kAck) != 0 ? seq_[reply ? 0 : 1] : 0;
    if (dice_.chance(8)) p.seq += dice_.below(200000) - 100000;
    if (dice_.chance(5)) p.ack += 1;
    if (dice_.chance(15)) p.seq -= 1;
    if ((p.flags & (kSyn | kFin)) != 0) ++mine;
    mine += static_cast<std::uint32_t>(p.payload.size());
  }

  static std::uint8_t partner(std::uint8_t type) {
    switch (type) {
      case 8:
        return 0;
      case 0:
        return 8;
      case 13:
        return 14;
      case 128:
        return 129;
      case 129:
        return 128;
      case 139:
        return 140;
      default:
        return type;
    }
  }
  void message(Packet& p, bool reply) {
    p.type = reply ? partner(flow_.icmp_type) : flow_.icmp_type;
    p.code = flow_.icmp_code;
    p.icmp_id = 7;
    p.icmp_seq = 1;
  }

  Dice& dice_;
  const AttackedFlow& flow_;
  std::uint32_t seq_[2] = {1000, 5000};
  SctpSpeaker sctp_;
  std::vector<Packet> said_, answered_;
};

}  // namespace postern
