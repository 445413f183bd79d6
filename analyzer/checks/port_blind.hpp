// Which source ports some rule tells apart from an arbitrary one. Where none does, chance (a rate
// limit, a list of addresses) treats both alike, so neither opens what is closed to the other.
//
// Errs on the side of telling apart: an opaque condition that might read the port counts.
// Covered by tests/unit/lint_hole_test.cpp.
#pragma once

#include <functional>
#include <vector>

#include "flow/hooks.hpp"
#include "flow/program.hpp"
#include "symbolic/sets/classes.hpp"

namespace postern {

// Does the rule see packets of either of the two classes of source ports? `answers`: of the other
// end's.
using Meets = std::function<bool(RuleId, bool answers, std::uint32_t one, std::uint32_t other)>;

// By class of port: true when some rule that packets of this protocol may meet on the path (answers
// included) treats it otherwise than class `arbitrary`. `meets` null: rules see all that walk
// through their chain.
std::vector<bool> told_apart(const Program& program, const FieldClasses& ports, Path path,
                             std::uint8_t protocol, std::uint32_t arbitrary,
                             const Meets& meets = nullptr);

}  // namespace postern
