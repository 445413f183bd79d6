// Random conversations through the router of random_rules.hpp: a few flows between outsiders, the
// host and itself, whose ends mostly speak sensibly and sometimes do not; ICMP errors about what
// was said; protocols without tracker; fragments; packets that routing kills.
#pragma once

#include "tests/support/random_rules.hpp"
#include "tests/support/router.hpp"

namespace postern::kernel {

inline Scenario random_world(Dice& dice) {
  Scenario world = router_between_networks();
  world.routes.push_back(
      {*Prefix::parse("203.0.113.128/25", Family::kIpv4), "", std::nullopt, "unreachable"});
  world.routes.push_back(
      {*Prefix::parse("2001:db8:8::/48", Family::kIpv6), "", std::nullopt, "unreachable"});
  world.forwarding = dice.chance(80);
  world.backend = dice.chance(50) ? Backend::kNft : Backend::kLegacy;
  if (dice.chance(15)) world.sysctl["net/netfilter/nf_conntrack_tcp_loose"] = "0";
  if (dice.chance(15)) world.sysctl["net/netfilter/nf_conntrack_tcp_be_liberal"] = "1";
  return world;
}

class RandomTraffic {
 public:
  RandomTraffic(Dice& dice, Family family) : dice_(dice), family_(family) {
    for (int i = 0; i < 4; ++i) flows_.push_back(random_flow());
  }

  Packet next() {
    if (dice_.chance(5)) return odd();
    Flow& flow = flows_[dice_.below(static_cast<unsigned>(flows_.size()))];
    if (dice_.chance(8) && !said_.empty()) return error();
    Packet packet = from(flow, dice_.chance(45) ? 1 : 0);
    if (dice_.chance(4)) packet.bad_checksum = true;
    if (dice_.chance(4)) packet.ttl = static_cast<std::uint8_t>(dice_.below(3));
    if (dice_.chance(4) && packet.protocol != 6 && !packet.local()) fragment(packet);
    said_.push_back(packet);
    return packet;
  }

 private:
  struct End {
    std::string address;
    std::uint16_t port;
    std::uint32_t seq;
  };
  struct Flow {
    std::uint8_t protocol;
    End end[2];
    unsigned said = 0;
    std::uint16_t id = 1;
  };

  bool v4() const { return family_ == Family::kIpv4; }
  std::string address(int which) {
    static const std::vector<std::string> k4{"192.0.2.9", "198.51.100.9", "203.0.113.5",
                                             "192.0.2.1", "198.51.100.1", "127.0.0.1"};
    static const std::vector<std::string> k6{"2001:db8:1::9", "2001:db8:2::9", "2001:db8:5::5",
                                             "2001:db8:1::1", "2001:db8:2::1", "::1"};
    return (v4() ? k4 : k6)[static_cast<std::size_t>(which)];
  }

  Flow random_flow() {
    static const std::vector<std::uint8_t> k4{6, 6, 6, 17, 17, 1, 1, 47, 253};
    static const std::vector<std::uint8_t> k6{6, 6, 6, 17, 17, 58, 58, 47, 253};
    // outsider to host, outsider to outsider, host to outsider, host to itself
    static const std::vector<std::pair<int, int>> kEnds{{0, 3}, {0, 1}, {1, 0}, {0, 2}, {3, 0},
                                                        {4, 2}, {5, 5}, {3, 3}, {0, 4}};
    const auto [a, b] = dice_.of(kEnds);
    Flow flow;
    flow.protocol = dice_.of(v4() ? k4 : k6);
    flow.end[0] = {address(a), static_cast<std::uint16_t>(dice_.of<int>({5000, 5001, 22})),
                   1000 * (1 + dice_.below(9))};
    flow.end[1] = {address(b), static_cast<std::uint16_t>(dice_.of<int>({22, 53, 80})),
                   100000 * (1 + dice_.below(9))};
    flow.id = static_cast<std::uint16_t>(1 + dice_.below(3));
    return flow;
  }

  // Where a packet with this source comes from.
  void place(Packet& packet, const std::string& source) {
    for (const int own : {3, 4, 5}) {
      if (source == address(own)) return;  // local
    }
    packet.in = source == address(0) ? "eth0" : "eth1";
    if (dice_.chance(4)) packet.in = packet.in == "eth0" ? "eth1" : "eth0";
  }

  Packet from(Flow& flow, int side) {
    Packet p;
    const End& me = flow.end[side];
    const End& peer = flow.end[1 - side];
    p.source = *Address::parse(me.address);
    p.destination = *Address::parse(peer.address);
    place(p, me.address);
    p.protocol = flow.protocol;
    p.source_port = me.port;
    p.destination_port = peer.port;
    p.payload.assign(dice_.below(3) == 0 ? dice_.below(40) : 0, 0x61);
    if (p.protocol == 6) tcp(flow, side, p);
    if (p.protocol == 1 || p.protocol == 58) icmp(flow, side, p);
    if (p.protocol == 253) p.payload.assign(8, 0x33);
    ++flow.said;
    return p;
  }

  void tcp(Flow& flow, int side, Packet& p) {
    static const std::vector<int> kWild{0x02, 0x12, 0x10, 0x18, 0x11, 0x04,
                                        0x14, 0x01, 0x00, 0x29, 0x06, 0x42};
    p.payload.clear();
    if (dice_.chance(20)) {
      p.flags = static_cast<std::uint8_t>(dice_.of(kWild));
    } else if (flow.said == 0) {
      p.flags = 0x02;
    } else if (flow.said == 1) {
      p.flags = side == 1 ? 0x12 : 0x02;
    } else {
      p.flags = static_cast<std::uint8_t>(dice_.of<int>({0x10, 0x10, 0x10, 0x18, 0x11, 0x14}));
      if (p.flags == 0x18) p.payload.assign(1 + dice_.below(30), 0x61);
    }
    End& me = flow.end[side];
    p.seq = me.seq;
    p.ack = (p.flags & 0x10) != 0 ? flow.end[1 - side].seq : 0;
    if (dice_.chance(6)) p.seq += dice_.below(200000) - 100000;
    if (dice_.chance(3)) p.ack += 1;
    p.window = static_cast<std::uint16_t>(dice_.chance(80) ? 65535 : dice_.below(3000));
    if ((p.flags & 0x03) != 0) me.seq += 1;
    me.seq += static_cast<std::uint32_t>(p.payload.size());
  }

  void icmp(Flow& flow, int side, Packet& p) {
    const bool reply = side == 1;
    if (v4()) {
      p.type = reply ? 0 : 8;
      if (dice_.chance(8)) p.type = static_cast<std::uint8_t>(dice_.of<int>({13, 14, 10, 42, 17}));
    } else {
      p.type = reply ? 129 : 128;
      if (dice_.chance(8))
        p.type = static_cast<std::uint8_t>(dice_.of<int>({135, 133, 139, 140, 144, 137}));
    }
    p.icmp_id = flow.id;
    p.icmp_seq = static_cast<std::uint16_t>(flow.said);
  }

  // An error about something that was said, sent back to who said it (or to someone else).
  Packet error() {
    const Packet about = dice_.of(said_);
    Packet p;
    p.protocol = v4() ? 1 : 58;
    const auto kinds =
        v4() ? std::vector<std::pair<int, int>>{{3, 1}, {3, 3}, {11, 0}, {4, 0}, {5, 1}}
             : std::vector<std::pair<int, int>>{{1, 4}, {3, 0}, {2, 0}, {4, 1}};
    const auto [type, code] = dice_.of(kinds);
    p.type = static_cast<std::uint8_t>(type);
    p.code = static_cast<std::uint8_t>(code);
    p.destination = dice_.chance(90) ? about.source : *Address::parse(address(2));
    const std::string source =
        dice_.chance(60) ? about.destination.text() : address(static_cast<int>(dice_.below(5)));
    p.source = *Address::parse(source);
    place(p, source);
    Packet inner = about;
    inner.in.clear();
    inner.fragment_size = 0;
    p.inner = std::make_shared<const Packet>(std::move(inner));
    return p;
  }

  void fragment(Packet& packet) {
    packet.payload.assign(60 + dice_.below(60), 0x61);
    packet.fragment_size = static_cast<std::uint16_t>(dice_.chance(50) ? 24 : 48);
    packet.ip_id = static_cast<std::uint16_t>(++fragments_);
  }

  Packet odd() {
    Packet p;
    p.protocol = 17;
    p.source_port = 5000;
    p.destination_port = 53;
    p.in = "eth0";
    const auto pair =
        v4() ? dice_.of<std::pair<const char*, const char*>>({{"127.0.0.1", "192.0.2.1"},
                                                              {"192.0.2.9", "127.0.0.1"},
                                                              {"192.0.2.9", "192.0.2.255"},
                                                              {"198.51.100.1", "192.0.2.1"},
                                                              {"192.0.2.9", "203.0.113.200"},
                                                              {"192.0.2.9", "224.0.0.9"},
                                                              {"0.0.0.0", "255.255.255.255"},
                                                              {"224.0.0.1", "192.0.2.1"},
                                                              {"192.0.2.9", "224.0.0.1"}})
             : dice_.of<std::pair<const char*, const char*>>({{"::1", "2001:db8:1::1"},
                                                              {"2001:db8:1::9", "::1"},
                                                              {"2001:db8:2::1", "2001:db8:1::1"},
                                                              {"2001:db8:1::9", "2001:db8:8::1"},
                                                              {"fe80::9", "2001:db8:2::9"},
                                                              {"::", "2001:db8:1::1"}});
    p.source = *Address::parse(pair.first);
    p.destination = *Address::parse(pair.second);
    return p;
  }

  Dice& dice_;
  Family family_;
  std::vector<Flow> flows_;
  std::vector<Packet> said_;
  unsigned fragments_ = 100;
};

}  // namespace postern::kernel
