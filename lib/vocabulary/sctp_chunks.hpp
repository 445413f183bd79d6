// The names of SCTP's chunk types, as `-m sctp --chunk-types` and packets in words have them
// (RFC 9260 section 3.2, RFC 3758, 4820, 5061, 6525, 8260). Covered by the cases of
// corpus/matches and tests/unit/flags_text_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace postern {

// In the order in which iptables-save prints them.
inline constexpr std::array<std::pair<std::string_view, std::uint8_t>, 22> kSctpChunks{
    {{"DATA", 0},           {"INIT", 1},         {"INIT_ACK", 2},
     {"SACK", 3},           {"HEARTBEAT", 4},    {"HEARTBEAT_ACK", 5},
     {"ABORT", 6},          {"SHUTDOWN", 7},     {"SHUTDOWN_ACK", 8},
     {"ERROR", 9},          {"COOKIE_ECHO", 10}, {"COOKIE_ACK", 11},
     {"ECN_ECNE", 12},      {"ECN_CWR", 13},     {"SHUTDOWN_COMPLETE", 14},
     {"I_DATA", 64},        {"ASCONF_ACK", 128}, {"RE_CONFIG", 130},
     {"PAD", 132},          {"ASCONF", 193},     {"FORWARD_TSN", 192},
     {"I_FORWARD_TSN", 194}}};

// Empty: it has none.
constexpr std::string_view sctp_chunk_name(std::uint8_t type) {
  for (const auto& [name, number] : kSctpChunks) {
    if (number == type) return name;
  }
  return {};
}

}  // namespace postern
