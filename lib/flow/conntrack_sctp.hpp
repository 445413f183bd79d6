// SCTP's transition table as data: what a chunk does to an association's entry. Anything that is
// not listed leaves the state as it is. Both the engine and the sets read it. Source:
// kernel-facts 25 (C7); Linux 6.18 net/netfilter/nf_conntrack_proto_sctp.c. Covered by
// tests/unit/conntrack_sctp_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "flow/conntrack_tcp.hpp"

namespace postern {

// In the kernel's order (uapi nf_conntrack_sctp.h).
enum class SctpState : std::uint8_t {
  kNone,
  kClosed,
  kCookieWait,
  kCookieEchoed,
  kEstablished,
  kShutdownSent,
  kShutdownReceived,
  kShutdownAckSent,
  kHeartbeatSent,
};
inline constexpr std::size_t kSctpStateCount = 9;

constexpr std::string_view text(SctpState state) {
  constexpr std::array<std::string_view, kSctpStateCount> kNames{
      "NONE",          "CLOSED",        "COOKIE_WAIT",       "COOKIE_ECHOED", "ESTABLISHED",
      "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT"};
  return kNames[static_cast<std::size_t>(state)];
}

// Chunk types (RFC 9260) that the tracker knows.
namespace sctp_chunk {
inline constexpr std::uint8_t kData = 0, kInit = 1, kInitAck = 2, kHeartbeat = 4, kHeartbeatAck = 5,
                              kAbort = 6, kShutdown = 7, kShutdownAck = 8, kError = 9,
                              kCookieEcho = 10, kCookieAck = 11, kShutdownComplete = 14;
}  // namespace sctp_chunk

constexpr bool moves_sctp(std::uint8_t chunk) {
  using namespace sctp_chunk;
  return (chunk >= kInit && chunk <= kCookieAck && chunk != 3) || chunk == kShutdownComplete;
}

struct SctpMove {
  std::uint8_t chunk;
  SctpState from, to;
};

namespace sctp_table {
using enum SctpState;
using namespace sctp_chunk;

// The first packet (from NONE, always of the original side): CLOSED but for these.
inline constexpr std::array<SctpMove, 2> kFirst{
    {{kShutdownAck, kNone, kShutdownAckSent}, {kHeartbeat, kNone, kHeartbeatSent}}};

// clang-format off
inline constexpr std::array<SctpMove, 15> kOriginal{{
    {kInit, kShutdownSent, kClosed}, {kInit, kShutdownReceived, kClosed},
    {kInit, kHeartbeatSent, kCookieWait},
    {kShutdown, kEstablished, kShutdownSent}, {kShutdown, kHeartbeatSent, kClosed},
    {kShutdownAck, kShutdownSent, kShutdownAckSent},
    {kShutdownAck, kShutdownReceived, kShutdownAckSent},
    {kShutdownAck, kHeartbeatSent, kShutdownAckSent},
    {kCookieEcho, kCookieWait, kCookieEchoed}, {kCookieEcho, kHeartbeatSent, kClosed},
    {kShutdownComplete, kShutdownAckSent, kClosed}, {kShutdownComplete, kHeartbeatSent, kClosed},
    {kInitAck, kHeartbeatSent, kClosed},
    {kCookieAck, kCookieEchoed, kEstablished}, {kCookieAck, kHeartbeatSent, kClosed},
}};
// clang-format on

// clang-format off
inline constexpr std::array<SctpMove, 9> kReply{{
    {kInitAck, kClosed, kCookieWait},
    {kShutdown, kEstablished, kShutdownReceived},
    {kShutdownAck, kShutdownSent, kShutdownAckSent},
    {kShutdownAck, kShutdownReceived, kShutdownAckSent},
    {kError, kCookieEchoed, kClosed},
    {kCookieEcho, kCookieWait, kCookieEchoed}, {kCookieAck, kCookieEchoed, kEstablished},
    {kShutdownComplete, kShutdownAckSent, kClosed},
    {kHeartbeatAck, kHeartbeatSent, kEstablished},
}};
// clang-format on
}  // namespace sctp_table

// The state after the chunk; nullopt: INVALID. Chunks that move nothing (DATA, SACK, ...) never
// open.
constexpr std::optional<SctpState> sctp_next(SctpState from, CtDirection direction,
                                             std::uint8_t chunk) {
  using enum SctpState;
  const auto search = [&](const auto& moves) -> std::optional<SctpState> {
    for (const auto& move : moves) {
      if (move.chunk == chunk && move.from == from) return move.to;
    }
    return std::nullopt;
  };
  const bool original = direction == CtDirection::kOriginal;
  if (!moves_sctp(chunk)) return from == kNone ? std::nullopt : std::optional(from);
  if (from == kNone) {
    if (!original) return std::nullopt;
    return search(sctp_table::kFirst).value_or(kClosed);
  }
  if (from == kHeartbeatSent && !original && chunk != sctp_chunk::kHeartbeat &&
      chunk != sctp_chunk::kHeartbeatAck) {
    return std::nullopt;
  }
  if (chunk == sctp_chunk::kAbort) return kClosed;
  if (original && from == kHeartbeatSent && chunk == sctp_chunk::kError) return kClosed;
  return (original ? search(sctp_table::kOriginal) : search(sctp_table::kReply)).value_or(from);
}

}  // namespace postern
