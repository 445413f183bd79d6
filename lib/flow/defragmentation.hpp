// Which rules have a namespace put fragments together though nobody tracks connections.
//
// Idea: conntrack's defragmentation (-400, PREROUTING and OUTPUT) is a module of its own, which
// `-m socket` and TPROXY switch on as they are loaded, in whatever table and chain, for their own
// family (nf_defrag_ipv4_enable; measured on both backends).
// Covered by tests/unit/defragmentation_test.cpp.
#pragma once

#include "flow/program.hpp"

namespace postern {

// Does some rule do so without connection tracking?
bool puts_fragments_together(const Program& program);

}  // namespace postern
