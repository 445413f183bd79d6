// Chunks and verification tags for the SCTP packets of a witness: those of AbstractStep::sctp, with
// the tag that makes the step's condition true. Each end has one tag of its own, which the other
// end's packets carry; what the entry knows of them is remembered here.
// Covered by tests/unit/sctp_sets_test.cpp, which plays every step of the automaton on the engine.
#pragma once

#include <array>
#include <cstdint>

#include "scenario/packet.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

class SctpTags {
 public:
  // Fills chunks and tag of an SCTP packet (others stay as they are).
  void write(Packet& packet, const FlowStep& step);

 private:
  std::array<std::uint32_t, 2> known_{};  // the entry waits for it, by sender; 0: none
};

// A payload behind chunks would be read as more of them: the last one takes it in.
void pad_last_chunk(Packet& packet);

}  // namespace postern
