// Header fields that rules write and that something on the way reads: TTL (hop limit) and TOS.
//
// Idea: a walk follows what such a field is now beside what the packet was sent with
// (Axis::kTtlNow, kTosNow), class by class, so classes are split until each change leads a class
// into one class. Covered by tests/unit/rewriting_test.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "flow/program.hpp"
#include "net/field.hpp"

namespace postern {

// The field that a rule's target writes, but for marks; nullopt: none, or one that is not followed
// (TCP flags).
std::optional<Field> rewritten_field(const Effect& effect);
// What the target makes of a value of that field (8 bits); it must write one.
std::uint32_t rewritten(const Effect& effect, std::uint32_t value);
// A router takes one hop (ip_decrease_ttl).
std::uint32_t one_hop_less(std::uint32_t ttl);

// Every change that some rule, or a router, makes of the field; empty where no rule writes it.
using Change = std::function<std::uint32_t(std::uint32_t)>;
std::vector<Change> changes_of(const Program& program, Field field);

}  // namespace postern
