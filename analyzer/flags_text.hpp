// Sets of TCP flag combinations in the words of --tcp-flags.
// Covered by tests/unit/flags_text_test.cpp.
#pragma once

#include <string>

#include "analyzer/answer.hpp"

namespace postern {

// "ACK ACK" (mask, then what must be set), several joined by " or "; "any" for every combination;
// a single combination by its flags alone, as in a packet ("SYN,ACK").
std::string tcp_flags_text(const IntervalList& combinations);

}  // namespace postern
