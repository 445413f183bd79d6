// Which device rules see of a packet that is routed again, or that answers to such.
//
// Idea: a flow's interfaces are those of its packets as they are first seen. Where NAT replaces the
// destination of what this host sends, the packet leaves by another way than OUTPUT shows
// (kernel-facts 7), and its answers come in that way; where it replaces the source of what comes in
// (INPUT, or POSTROUTING over lo), answers are first routed to what it became. Which device that
// is, only the host knows: some wire, or any device at all. Where mangle changes in OUTPUT what
// routes, the kernel routes anew, too: by another table (`ip rule`), and without the device that
// the process has named by IP_PKTINFO or its like (ip_route_me_harder). Covered by
// tests/unit/rerouting_test.cpp, query_output_nat_test.cpp, tests/agreement/adversary_test.cpp.
#pragma once

#include "flow/hooks.hpp"
#include "flow/program.hpp"
#include "symbolic/entries/abstract_entry.hpp"
#include "symbolic/nat/translation.hpp"

namespace postern {

enum class SeenDevice : std::uint8_t { kOfFlow, kLoopback, kSomeWire, kAny };

// For `sender`'s packets of a flow on `flow_path` under a binding.
SeenDevice seen_device(Hook hook, Path flow_path, FlowEnd sender, const NatVariant& nat,
                       const Translations& translations);

// May mangle change in OUTPUT what routes: mark, TOS or hop limit?
bool changes_what_routes(const Program& program);

}  // namespace postern
