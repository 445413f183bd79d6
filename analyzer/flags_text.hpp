// Sets of TCP flag combinations in the words of --tcp-flags, and SCTP's chunks in those of
// --chunk-types.
// Covered by tests/unit/flags_text_test.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "analyzer/answer.hpp"

namespace postern {

// "ACK ACK" (mask, then what must be set), several joined by " or "; "any" for every combination;
// a single combination by its flags alone, as in a packet ("SYN,ACK").
std::string tcp_flags_text(const IntervalList& combinations);

// The types of a packet's chunks ("COOKIE_ECHO,DATA"), a number where a type has no name; `chunks`:
// the bytes behind the common header. Ends at a chunk that is cut short.
std::string sctp_chunks_text(std::span<const std::uint8_t> chunks);

}  // namespace postern
