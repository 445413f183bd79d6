// Random scenarios: a ruleset over every table and a stretch of traffic through it.
// Covered by campaign_test.cpp.
#pragma once

#include <string>
#include <vector>

#include "tests/kernel/support/rule_source.hpp"
#include "tests/kernel/support/traffic.hpp"

namespace postern::kernel {

struct MadeScenario {
  Scenario scenario;
  std::vector<AimedPacket> packets;  // one for each step from `first_packet` on
  std::size_t first_packet = 0;
};

// Sysctls, then so many packets through the scenario, which has its ruleset already. `drill`: TCP
// walks only.
void add_traffic(Random& random, const Constants& constants, std::size_t packets,
                 MadeScenario& made, bool drill = false);

// Which table of kernel-facts a scenario with these sysctls belongs to ("loose1").
std::string table_of(const Scenario& scenario);

// The same seed makes the same scenario (as long as descriptors and tables stay what they are).
MadeScenario make_scenario(std::uint64_t seed, std::size_t packets, Abilities abilities);

}  // namespace postern::kernel
