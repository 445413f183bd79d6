// Which address of a range a flow gets. Linux hashes source and destination, so that a pair of
// hosts always meets with the same address; the hash has no secret and is reproduced here exactly.
// Covered by tests/unit/nat_address_test.cpp and, against Linux, tests/kernel/nat_test.cpp.
#pragma once

#include "engine/conntrack_tuple.hpp"
#include "engine/nat_range.hpp"

namespace postern {

// Puts an address of the range into that half of the tuple; nothing when the range has none
// (find_best_ips_proto). `zone`: of the entry.
void choose_address(CtTuple& tuple, Manip manip, const NatRange& range, std::uint16_t zone);

// Bob Jenkins' lookup3 over 32-bit words, as the kernel's jhash2 has it.
std::uint32_t hash_words(const std::uint32_t* words, std::size_t count, std::uint32_t seed);

}  // namespace postern
