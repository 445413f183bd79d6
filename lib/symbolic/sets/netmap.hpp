// NETMAP, whose new address is the old one with another network part (xt_NETMAP): where a rule
// says from which network it maps, the sets know for each old address what it becomes.
// Covered by tests/unit/netmap_sets_test.cpp.
#pragma once

#include <optional>

#include "flow/program.hpp"
#include "symbolic/sets/cuts.hpp"

namespace postern {

// The first address of the network, as wide as the target's, in which the rule's own matches say
// that the address stands which a NETMAP target replaces (`destination`: the packet's destination,
// else its source). nullopt: it may stand in several, or the target is another.
std::optional<u128> mapped_from(const ProgramRule& rule, const Nat& target, bool destination);

// Where rules tell addresses of a NETMAP's network apart, so are the addresses that become them.
// At once for all of them, from what `addresses` holds: an end is replaced once.
void cut_netmaps(const Program& program, FieldCuts& addresses);

}  // namespace postern
