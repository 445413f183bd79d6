// Why a TCP conversation cannot be held although its SYN gets in: the engine plays what honest ends
// would send next, and the trace says who drops it. Only for explanations: that the conversation is
// impossible is proved elsewhere. Covered by tests/unit/lint_segment_test.cpp.
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

// Where the conversation dies that begins with the first packet of this witness. nullopt: the first
// packet is no SYN, the whole conversation passes, or no rule or policy is to blame (routing).
std::optional<BrokenOff> where_broken_off(const Program& program, const Answer& answer);

}  // namespace postern
