// Which source ports some rule tells apart from an arbitrary one. Where none does, chance (a rate
// limit, a list of addresses) treats both alike, so neither opens what is closed to the other.
//
// Errs on the side of telling apart: an opaque condition that might read the port counts.
// Covered by tests/unit/lint_hole_test.cpp.
#pragma once

#include <vector>

#include "flow/hooks.hpp"
#include "flow/program.hpp"
#include "symbolic/classes.hpp"

namespace postern {

// By class of port: true when some rule that packets of this protocol may meet on the path (answers
// included) treats it otherwise than class `arbitrary`.
std::vector<bool> told_apart(const Program& program, const FieldClasses& ports, Path path,
                             std::uint8_t protocol, std::uint32_t arbitrary);

}  // namespace postern
