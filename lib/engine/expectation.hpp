// Expectations: flows that a helper has read about in another flow's payload, which is then their
// master. The first packet that fits one takes it away; its entry is RELATED.
// Invariants: no two expectations that one packet could fit; one whose master is gone or whose time
// is over is never seen again (the lists are cleaned lazily).
// Sources: nf_conntrack_expect.c; kernel-facts 56, 58. Covered by tests/unit/engine_helper_test.cpp
// and tests/kernel/helper_test.cpp.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "engine/conntrack_entry.hpp"
#include "scenario/result.hpp"

namespace postern {

struct Expectation {
  // From any port; `any_source`: from any address, too. The tuple's zone does not count: a packet
  // must be in the master's zone, whatever the direction.
  CtTuple tuple;
  bool any_source = false;
  std::weak_ptr<ConntrackEntry> master;
  std::optional<FollowMaster> follow;  // the flow's NAT, when its master has any
  std::uint64_t deadline = 0;          // virtual milliseconds; set when it is added
};

class ExpectationTable {
 public:
  enum class Added : std::uint8_t {
    kYes,
    kBusy,  // another one would take the same packets
  };
  // The same one again only lives longer. More than `most` of one master: its oldest goes.
  Added add(Expectation made, std::size_t most, std::uint64_t now);
  // Takes the expectation that a new flow of this zone fulfils.
  std::optional<Expectation> take(const CtTuple& tuple, std::uint16_t zone, std::uint64_t now);
  void clear() { list_.clear(); }
  std::vector<ExpectationReport> report(std::uint64_t now) const;

 private:
  static bool lives(const Expectation& expectation, std::uint64_t now);
  void clean(std::uint64_t now);

  std::list<Expectation> list_;  // newest first
};

}  // namespace postern
