// What random conversations share: two ends that answer what really reached them (the engine runs
// each packet as soon as it is made), and a scenario from a seed.
#pragma once

#include "nat_twin.hpp"
#include "tests/kernel/support/random.hpp"
#include "tests/support/router.hpp"

namespace postern::kernel {

class RandomConversation {
 public:
  RandomConversation(Random& dice, Family family, Engine& engine)
      : dice_(dice), family_(family), engine_(engine) {}

 protected:
  struct Seen {
    Packet packet;
    std::string device;  // by which it left; empty: delivered here
  };

  bool v4() const { return family_ == Family::kIpv4; }
  std::uint16_t port(std::vector<int> list) { return static_cast<std::uint16_t>(dice_.pick(list)); }

  // Runs it, and remembers what reached anybody.
  PacketReport run(const Packet& packet) {
    PacketReport report = engine_.inject(packet);
    for (const auto& [out, device] : report.out) seen_.push_back({out, device});
    for (const Packet& in : report.delivered) seen_.push_back({in, ""});
    return report;
  }

  // The headers of an answer: from where it went, to its sender.
  static Packet back(const Seen& about) {
    Packet p;
    p.source = about.packet.destination;
    p.destination = about.packet.source;
    p.protocol = about.packet.protocol;
    p.source_port = about.packet.destination_port;
    p.destination_port = about.packet.source_port;
    p.in = about.device;
    return p;
  }

  Random& dice_;
  Family family_;
  Engine& engine_;
  std::vector<Seen> seen_;
};

// A ruleset that Rules writes, and the packets that Traffic says in its world.
template <class Rules, class Traffic>
Scenario random_conversation(std::uint64_t seed, unsigned percent_of_ipv4, int packets) {
  Random dice(seed);
  const Family family = dice.chance(percent_of_ipv4) ? Family::kIpv4 : Family::kIpv6;
  Scenario scenario = router_between_networks();
  scenario.backend = dice.chance(50) ? Backend::kNft : Backend::kLegacy;
  (family == Family::kIpv4 ? scenario.ruleset : scenario.ruleset6) = Rules(dice, family).text();
  const Programs programs(scenario);
  ListChooser chooser;
  Engine engine(scenario, programs.of(Family::kIpv4), programs.of(Family::kIpv6), chooser);
  Traffic traffic(dice, family, engine);
  for (int i = 0; i < packets; ++i) scenario.steps.emplace_back(traffic.next());
  return scenario;
}

}  // namespace postern::kernel
