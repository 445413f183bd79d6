// SCTP's part of successors(): see abstract_entry.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "symbolic/entries/abstract_entry.hpp"

namespace postern {

// Is it one of the kinds that SCTP's packets fall into, by their first chunk?
constexpr bool sctp_kind(PacketKind kind) {
  return kind == PacketKind::kSctpInit || kind == PacketKind::kSctpInitAck ||
         kind == PacketKind::kSctpCookieEcho || kind == PacketKind::kSctpCookieAck ||
         kind == PacketKind::kSctp;
}

// The chunk that gives a packet its kind; of kSctp, what an honest end says oftenest. REQUIRES:
// sctp_kind(kind).
std::uint8_t leading_chunk(PacketKind kind);

// The most ordinary outcome, that of an honest end's only chunk, comes first.
std::vector<AbstractStep> sctp_successors(const AbstractEntry& entry, FlowEnd sender,
                                          PacketKind kind);

}  // namespace postern
