// The scenario form of a packet, both ways: what a user writes (addresses, ports, flags, payload),
// not what is on the wire. Internal to lib/scenario. Covered by tests/unit/scenario_read_test.cpp.
#pragma once

#include <nlohmann/json.hpp>

#include "scenario/json_document.hpp"
#include "scenario/packet.hpp"

namespace postern {

// Complaints go to the reader's context; the packet is then meaningless but safe.
Packet read_packet(const ObjectReader& object);

// Only the keys that differ from their defaults; read_packet gives the same packet again.
nlohmann::ordered_json write_packet(const Packet& packet);

// "SYN,ACK", "ALL" (the six flags), "NONE" or "" -> bits; nullopt when a word is unknown.
std::optional<std::uint8_t> flags_value(std::string_view text);

}  // namespace postern
