// What an ICMP error quotes, from its bytes. Covered by tests/unit/scenario_bytes_test.cpp.
#pragma once

#include <optional>

#include "scenario/bytes.hpp"
#include "scenario/packet.hpp"

namespace postern {

// The quoted packet, cut short or not; `raw` holds the bytes.
std::optional<Packet> read_quotation(ByteView bytes);

}  // namespace postern
