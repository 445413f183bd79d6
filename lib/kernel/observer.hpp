// Our own nf_tables table inside the scenario's namespace. It sees each packet at the begin and end
// of every hook and just after the conntrack lookup, and swallows what INPUT accepted, so that the
// host never answers.
//
// The base chains are registered before the ruleset is loaded, empty: of hooks with equal priority
// the later one runs first, so that confirmation (INT_MAX) comes before our last look and the sink.
// Rules that ask for ctstate are added only once tracking is known to be on, because such a rule
// would switch it on. Covered by tests/kernel/harness_test.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "flow/hooks.hpp"
#include "kernel/netlink.hpp"
#include "net/family.hpp"
#include "net/field.hpp"
#include "scenario/bytes.hpp"

namespace postern::kernel {

// One packet at one place.
struct Sighting {
  enum class Stage : std::uint8_t { kFirst, kConntrack, kLast, kProbe };
  Hook hook = Hook::kPrerouting;
  Stage stage = Stage::kFirst;
  std::optional<CtState> state;               // absent when tracking is off
  std::optional<bool> reply_direction;        // absent without an entry
  std::uint32_t in_index = 0, out_index = 0;  // interface indices; 0: none
  std::uint32_t mark = 0;
  Bytes bytes;  // from the IP header on
};

class Observer {
 public:
  // Creates the table and its empty base chains. REQUIRES: the thread is in the namespace.
  static Outcome<Observer> create();

  // (Re)fills the chains of one family; `tracking` says whether looks may ask for the ctstate.
  Outcome<void> arm(Family family, bool tracking);
  // Removes every rule: our table then keeps tracking on no longer, and swallows nothing.
  Outcome<void> disarm();
  // Places (or removes) the trap before raw that catches what defragmentation let through.
  Outcome<void> set_probe(Family family, bool placed);

  // Everything seen since the last call; waits up to `wait_ms` for the first.
  void read(std::vector<Sighting>& to, int wait_ms = 0);

 private:
  Observer(Channel control, Channel log) : control_(std::move(control)), log_(std::move(log)) {}
  Channel control_, log_;
};

}  // namespace postern::kernel
