// What a packet met on its way, in order: for `postern trace` and the reasons "why not".
// Covered by tests/unit/engine_walk_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flow/program.hpp"

namespace postern {

// A rule or a policy that the packet reached.
struct TraceStep {
  enum class Kind : std::uint8_t {
    kRule,    // `rule` was tried
    kPolicy,  // the built-in `chain` fell to its policy
    kEvent,   // something that is no rule: `note` says what ("conntrack: NEW", "routing: lo")
  };
  Kind kind = Kind::kEvent;
  Family family = Family::kIpv4;
  Hook hook = Hook::kPrerouting;
  TableName table = TableName::kFilter;
  ChainId chain = 0;
  RuleId rule = 0;
  bool matched = false;
  bool hotdrop = false;                 // a clause dropped the packet on the spot
  std::optional<std::uint32_t> failed;  // index of the first clause that did not hold
  // What that clause read: fields with their values, and "in is eth0", "out is none".
  std::vector<std::pair<Field, u128>> values;
  std::vector<std::string> interfaces;
  bool own_reply = false;  // the step belongs to a packet that the host generated
  std::string note;        // for kEvent
};

using Trace = std::vector<TraceStep>;

}  // namespace postern
