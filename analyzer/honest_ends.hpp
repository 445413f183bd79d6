// Do the ends of a conversation hear each other? Honest ends know each other by the first packet,
// as it was sent and as it arrived: what one sends must come to the other as from it. NAT that
// treats packets of one flow differently breaks that. Covered by tests/unit/query_ends_test.cpp.
#pragma once

#include <optional>

#include "scenario/packet.hpp"
#include "scenario/result.hpp"

namespace postern {

class HonestEnds {
 public:
  // Packets in the order in which they are sent, all of them accepted. `sent`: with its headers as
  // they were sent; `reply`: by the end that did not begin. False: it is not heard as the other
  // end's.
  bool hear(const Packet& sent, bool reply, const PacketReport& report);

 private:
  std::optional<Packet> near_, far_;  // the first packet, as it was sent and as it arrived
};

}  // namespace postern
