// Sequence and acknowledgement numbers for the packets of a witness: what each end would send next,
// bent where a step needs other numbers (Condition of abstract_entry.hpp; kernel-facts 33-36).
// Covered by tests/unit/witness_test.cpp.
#pragma once

#include <array>
#include <cstdint>

#include "scenario/packet.hpp"
#include "symbolic/model.hpp"

namespace postern {

// Longer than every conntrack timeout but that of an established TCP flow; replay expires by flushing.
inline constexpr std::uint32_t kExpiryMilliseconds = 600'000;

class TcpNumbers {
 public:
  // Fills seq and ack of a TCP packet (others stay as they are) and remembers what it sent.
  void write(Packet& packet, const FlowStep& step);

 private:
  struct End {
    std::uint32_t initial, next;
    bool opened = false;          // has sent a SYN
    std::uint32_t ignored = 0;    // sequence number of a SYN that conntrack ignored
  };
  std::array<End, 2> ends_{{{1000, 1000}, {5000, 5000}}};
};

}  // namespace postern
