// Why a TCP conversation cannot be held although its SYN gets in: the engine plays what honest ends
// would send next, and the trace says who drops it. That the conversation is impossible is proved
// elsewhere; one that is held here contradicts it. Covered by tests/unit/lint_segment_test.cpp.
#pragma once

#include <optional>
#include <string>

#include "analyzer/finding.hpp"

namespace postern {

struct BrokenOff {
  std::string packet;  // "the SYN,ACK of the server"
  bool by_policy = false;
  Place place;  // the rule, or the chain whose policy it was

  bool operator==(const BrokenOff& other) const { return place.span == other.place.span; }
};

struct Course {
  bool held = false;  // every packet of it passes
  // Where it dies. nullopt: it does not, its first packet is no SYN, or no rule or policy is to
  // blame (routing).
  std::optional<BrokenOff> broken = {};
  // Every packet gets through, but NAT has one come as from another end (honest_ends.hpp).
  bool heard_by_strangers = false;
};

// The conversation that begins with the first packet of this witness, in its world.
Course hold_conversation(const Program& program, const Answer& answer);

}  // namespace postern
