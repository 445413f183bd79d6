// What is said in protocols other than TCP, UDP and ICMP: SCTP associations, DCCP, UDP-Lite, ESP,
// AH, GRE, a protocol that nobody knows, and IPv6 without any. Covered by campaign_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "scenario/packet.hpp"
#include "tests/kernel/support/random.hpp"

namespace postern::kernel {

// Who says what ('o' original, 'r' reply) in an SCTP association, from INIT to SHUTDOWN COMPLETE.
struct SctpStep {
  char side;
  std::uint8_t chunk;
};
const std::vector<SctpStep>& association();

// Fills in what follows addresses and ports. `chunk`: what an orderly SCTP end says now; without it
// any chunk, with any tag.
void speak_other(Random& random, std::optional<std::uint8_t> chunk, Packet& packet);

}  // namespace postern::kernel
