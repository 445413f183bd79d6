// Binding: how a new flow's reply tuple comes to differ from its original one, so that no two flows
// answer to the same tuple. Which address and which port are nat_address's and nat_port's business.
// Invariant: after bind() that half of the flow is settled for good.
// Sources: nf_nat_setup_info, get_unique_tuple; kernel-facts 50-53.
// Covered by tests/unit/nat_bind_test.cpp and, against Linux, tests/kernel/nat_test.cpp.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/chooser.hpp"
#include "engine/conntrack.hpp"
#include "engine/nat_range.hpp"

namespace postern {

class NatBinder {
 public:
  // Both must outlive the binder.
  NatBinder(ConntrackTable& table, Chooser& chooser) : table_(table), chooser_(chooser) {}

  // Settles one half of a flow within the range. Does nothing to an entry that is confirmed.
  // `place` names the rule ("nat POSTROUTING 1").
  void bind(const ConntrackEntryPtr& entry, Manip manip, const NatRange& range,
            const std::string& place);
  // Settles both halves of a new flow that was expected by one with NAT (nf_nat_follow_master).
  void follow_master(const ConntrackEntryPtr& entry);

 private:
  struct SourceHash {
    std::size_t operator()(const CtTuple& tuple) const { return tuple.hash(); }
  };
  CtTuple unique_tuple(const CtTuple& current, const ConntrackEntry& entry, Manip manip,
                       const NatRange& range, const std::string& place);
  std::optional<CtTuple> earlier_mapping(const CtTuple& current, const ConntrackEntry& entry,
                                         const NatRange& range);
  bool taken(const CtTuple& tuple, const ConntrackEntry& entry) const;

  ConntrackTable& table_;
  Chooser& chooser_;
  // Flows whose source is settled, by what they came from, oldest first.
  std::unordered_map<CtTuple, std::vector<std::weak_ptr<ConntrackEntry>>, SourceHash> sources_;
};

}  // namespace postern
