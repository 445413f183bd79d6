// Flows that a helper may have announced (kernel-facts 58), and the flow that makes it do so.
// Covered by tests/unit/expected_flows_test.cpp.
#pragma once

#include <algorithm>
#include <map>

#include "flow/hooks.hpp"
#include "symbolic/entries/abstract_entry.hpp"
#include "symbolic/entries/templates.hpp"
#include "symbolic/nat/translation.hpp"
#include "symbolic/sets/bdd.hpp"

namespace postern {

// Flows (flow axes) whose first packet may fulfil an expectation, if it comes in the zone of the
// master (the id alone counts, whatever its direction), by who sends it.
struct ExpectedInZone {
  Set by_initiator = kNothing, by_responder = kNothing;  // bound by rules, or not at all
  // Those that follow their master, by how (FlowState::nat), which says who opens them.
  std::map<std::uint16_t, Set> followed = {};

  Set by(FlowEnd sender) const {
    return sender == FlowEnd::kInitiator ? by_initiator : by_responder;
  }
  Set following(std::uint16_t nat) const {
    const auto at = followed.find(nat);
    return at == followed.end() ? kNothing : at->second;
  }
  bool empty() const { return by_initiator.empty() && by_responder.empty() && followed.empty(); }
};

// All of them. `marked`: the master of such a flow may have any connmark, which the flow inherits;
// else 0.
struct ExpectedFlows {
  std::map<std::uint16_t, ExpectedInZone> zones = {};  // by id
  bool marked = false;
  // Flows whose entry may follow its master to another path than this, and those that answer what
  // the responder opened and NAT has brought: a superset. Nothing where no flow is announced.
  Set strays = kNothing, reopened = kNothing;
  bool read = false;  // rules read the tuples of the latter, which are not followed

  const ExpectedInZone& in(std::uint16_t zone) const {
    static const ExpectedInZone kNone;
    const auto at = zones.find(zone);
    return at == zones.end() ? kNone : at->second;
  }
  bool empty() const {
    const auto none = [](const auto& zone) { return zone.second.empty(); };
    return strays.empty() && std::ranges::all_of(zones, none);
  }
};

// An honest conversation, of some of `flows` (of `path`), in which a helper reads what `speaker`
// says last. The initiator opens it. `nat`: how it is bound, and as what.
struct Master {
  Helper helper = Helper::kNone;
  std::uint8_t pair = 0;  // of zones, in which its entry is (zones.hpp)
  Path path = Path::kIn;
  FlowEnd speaker = FlowEnd::kInitiator;
  Set flows = kNothing;
  std::uint16_t nat = 0;
  NatVariant bound = {};

  // Does it announce a flow to the end that opened it?
  bool to_opener() const { return helper != Helper::kFtp || speaker == FlowEnd::kInitiator; }
};

}  // namespace postern
