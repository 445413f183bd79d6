// What a witness takes for granted about the host and the wires around it: whose the addresses of
// its flow are, by which device each is reached, and which flow goes before it. Nothing that the
// answer does not need is said. Covered by tests/unit/query_test.cpp, query_elsewhere_test.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flow/program.hpp"
#include "symbolic/explore/surroundings.hpp"
#include "symbolic/witness/witness.hpp"

namespace postern {

// One sentence for each, without a full stop. `path`: of the flow's initiator.
std::vector<std::string> world_assumptions(Space& space, Path path, const FlowPoint& flow,
                                           const Witness& witness);

// The same of what a no takes for granted.
std::vector<std::string_view> said_of(const Surroundings& needed);

}  // namespace postern
