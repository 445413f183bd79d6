// Sequence and acknowledgement numbers for the packets of a witness: what each end would send next,
// bent where a step needs other numbers (Condition of abstract_entry.hpp; kernel-facts 33-36).
// Covered by tests/unit/conntrack_numbers_test.cpp, which plays every step of the abstract
// automaton on the engine.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "scenario/packet.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

// A pause after which that entry is gone, with the kernel's default timeouts.
std::uint32_t expiry_milliseconds(const EntryInfo& entry);

class TcpNumbers {
 public:
  // Fills seq and ack of a TCP packet (others stay as they are) and remembers what it sent.
  void write(Packet& packet, const FlowStep& step);

 private:
  // What conntrack has been made to believe of one end.
  struct End {
    std::uint32_t initial;          // of its SYN, always the same
    std::uint32_t next = initial;   // what it sends next
    bool heard = false;             // conntrack took one of its segments in
    std::uint32_t limit = initial;  // the last number that the other end's window allows it
    std::optional<std::uint32_t> acknowledged =
        std::nullopt;  // the highest number that it has acked
    void restart() { *this = End{.initial = initial}; }
  };
  void bend(Packet& packet, const FlowStep& step, const End& self, const End& peer) const;

  std::array<End, 2> ends_{End{.initial = 1000}, End{.initial = 5000}};
};

}  // namespace postern
