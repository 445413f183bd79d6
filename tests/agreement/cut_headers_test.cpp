// Packets whose transport header is cut short, and later fragments, through rulesets without
// conntrack: the engine and the sets read the same of them, with either backend. IPv4 exactly; of a
// later IPv6 fragment the sets leave open what stands in its IPv6 header.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "engine/engine.hpp"
#include "engine/view.hpp"
#include "scenario/serialise.hpp"
#include "symbolic/explore/model.hpp"
#include "tests/support/router.hpp"
#include "tests/support/seed.hpp"
#include "tests/unit/query_fixture.hpp"

namespace postern {
namespace {

constexpr std::array<const char*, 14> kMatches{
    "-p udp -m udp --dport 80",
    "-p udp -m udp --sport 0:100",
    "-p udp -m udp ! --sport 80",
    "-p udp -m udp ! --dport 7:80",
    "-p udp -m udp",
    "-p tcp -m tcp",
    "-p tcp -m tcp --dport 80",
    "-p tcp -m tcp --sport 80 --dport 0:79",
    "-p tcp -m tcp --tcp-flags SYN,ACK SYN",
    "-p tcp -m tcp ! --tcp-flags SYN,ACK SYN --dport 80:90",
    "-p tcp -m multiport --dports 7,80",
    "-p udp -m multiport ! --ports 7,80",
    "-m length --length 21:34",
    "-p tcp -m length --length 44:65",
};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  unsigned below(unsigned n) { return static_cast<unsigned>(engine_() % n); }

 private:
  std::mt19937_64 engine_;
};

std::string random_rules(Dice& dice) {
  std::string text = "*filter\n:FORWARD " + std::string(dice.below(2) ? "ACCEPT" : "DROP") + "\n";
  for (unsigned n = 2 + dice.below(6); n > 0; --n) {
    text += std::string("-A FORWARD ") + kMatches[dice.below(kMatches.size())] + " -j " +
            (dice.below(2) ? "ACCEPT" : "DROP") + "\n";
  }
  return text + "COMMIT\n";
}

Packet random_packet(Dice& dice, bool v4) {
  Packet p;
  p.in = "eth0";
  p.source = *Address::parse(v4 ? "192.0.2.9" : "2001:db8:1::9");
  p.destination = *Address::parse(v4 ? "198.51.100.9" : "2001:db8:2::9");
  p.protocol = dice.below(2) ? protocol::kTcp : protocol::kUdp;
  if (dice.below(2)) p.fragment_offset = static_cast<std::uint16_t>(8 * (1 + dice.below(3)));
  constexpr std::array<std::uint8_t, 4> kPorts{0, 7, 80, 85};
  Bytes bytes{0, kPorts[dice.below(4)], 0, kPorts[dice.below(4)]};
  bytes.resize(12);
  bytes.push_back(0x50);
  bytes.push_back(static_cast<std::uint8_t>(dice.below(2) ? 2 : 18));
  bytes.resize(24);
  bytes.resize(dice.below(25));
  p.raw_l4 = std::move(bytes);
  return p;
}

// What the packet is to the sets.
Set point(Space& space, const Packet& p, bool v4) {
  const Packet read = readable(p);
  Set s = kEverything;
  const auto at = [&](Axis axis, u128 value) {
    const auto c = space.layout(axis).classes->of(value);
    ASSERT_TRUE(c.has_value());
    s = space.bdd().both(s, space.class_is(axis, *c));
  };
  const Bytes& bytes = *p.raw_l4;
  at(Axis::kInitiator, p.source.value);
  at(Axis::kResponder, p.destination.value);
  at(Axis::kProtocol, p.protocol);
  at(Axis::kLength, (v4 ? 20U : p.fragment_offset != 0 ? 48U : 40U) + bytes.size());
  at(Axis::kTtl, 64);
  at(Axis::kFragmentOffset, p.fragment_offset / 8);
  if (!v4 && p.fragment_offset != 0) return s;
  if (bytes.size() >= 2) at(Axis::kInitiatorPort, bytes[1]);
  if (bytes.size() >= 4) at(Axis::kResponderPort, bytes[3]);
  if (bytes.size() >= 14) at(Axis::kTcpFlags, bytes[13]);
  const bool tcp = p.protocol == protocol::kTcp;
  const HeaderPart part = bytes.size() >= (tcp ? 20 : 8) ? HeaderPart::kWhole
                          : bytes.size() >= 14           ? HeaderPart::kFlags
                          : bytes.size() >= 4            ? HeaderPart::kPorts
                          : bytes.size() >= 2            ? HeaderPart::kSourcePort
                                                         : HeaderPart::kNoPort;
  at(Axis::kTruncated, static_cast<unsigned>(part));
  return s;
}

Scenario router(Backend backend) {
  Scenario world = kernel::router_between_networks();
  world.forwarding = true;
  world.backend = backend;
  return world;
}

TEST(CutHeaders, EngineAndSetsReadTheSame) {
  Dice dice(test::seed_of_run());
  unsigned passed = 0, dropped = 0;
  for (unsigned round = 0; round < 60; ++round) {
    const Backend backend = dice.below(3) == 0 ? Backend::kLegacy : Backend::kNft;
    const bool v4 = dice.below(3) != 0;
    const std::string text = random_rules(dice);
    SCOPED_TRACE(std::string(postern::text(backend)) + (v4 ? " IPv4\n" : " IPv6\n") + text);
    const LoadedRuleset rules("cut.rules", text, v4 ? Family::kIpv4 : Family::kIpv6, backend);
    auto model = Model::build(rules.program(), {}, {});
    ASSERT_TRUE(model);
    Space& space = (*model)->space();
    const Set all = take((*model)->question(Path::kForward, constant(true)));
    const DeliverAnswer sets = take((*model)->deliver(Path::kForward, all));
    ListChooser chooser;
    Engine engine(router(backend), v4 ? &rules.program() : nullptr, v4 ? nullptr : &rules.program(),
                  chooser);
    for (unsigned k = 0; k < 60; ++k) {
      const Packet packet = random_packet(dice, v4);
      const bool forwarded = engine.inject(packet).verdict == Verdict::kForwarded;
      const Set here = point(space, packet, v4);
      const bool may = !space.bdd().disjoint(here, sets.packets.may);
      const bool later6 = !v4 && packet.fragment_offset != 0;
      ASSERT_TRUE(later6 ? may || !forwarded : may == forwarded)
          << "engine " << forwarded << ", sets " << may << ": protocol "
          << unsigned{packet.protocol} << " offset " << packet.fragment_offset << ", "
          << packet.raw_l4->size() << " bytes";
      ++(forwarded ? passed : dropped);
    }
  }
  EXPECT_GT(passed, 300U);
  EXPECT_GT(dropped, 300U);
}

}  // namespace
}  // namespace postern
