// Link-layer source addresses as small numbers that depend on the packet's source IP address.
//
// Idea: rulesets with many `--mac-source` tests name an IP address and its card together, so a card
// is told apart from others only where the packet comes from that address. The codes of the axes
// kInitiatorMac and kResponderMac therefore mean, for each class of source addresses, only the
// cards that some rule tests there: sets that let each host in with its own card become nearly as
// small as sets without cards. Invariants: a rule (all its clauses together) reads exactly; a test
// alone, outside the source addresses that its rule names, is left open in both directions (may
// and must differ, as for an opaque), which is sound whatever it is combined with. Codes that an
// address has no card for stand for "any other card", like code 0.
// Covered by tests/unit/mac_codes_test.cpp.
#pragma once

#include <map>
#include <span>
#include <utility>
#include <vector>

#include "flow/program.hpp"
#include "symbolic/entries/abstract_entry.hpp"
#include "symbolic/sets/space.hpp"

namespace postern {

struct MayMust;

// `address` and `mac`: the classes of the values themselves.
MacCodes mac_codes(const Program& program, std::span<const PredicatePtr> questions,
                   const FieldClasses& address, const FieldClasses& mac);

// Reads tests of cards.
class MacReader {
 public:
  explicit MacReader(Space& space) : space_(space) {}
  // Packets of `sender` whose card is in one of the classes (of Classes::mac) that `holds` marks.
  MayMust read(FlowEnd sender, const std::vector<bool>& holds);

 private:
  Set addresses(FlowEnd sender, std::size_t group);

  Space& space_;
  std::map<std::pair<FlowEnd, std::size_t>, Set> addresses_;
};

}  // namespace postern
