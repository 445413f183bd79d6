// The conntrack table of the scenario's namespace, read through ctnetlink.
//
// A dump walks the hash table of the whole machine, so entries are learned from NEW events and then
// fetched one by one; when the kernel counts more entries than we know (a rule may silence events),
// a dump is made after all. Covered by tests/kernel/harness_test.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "kernel/netlink.hpp"
#include "scenario/result.hpp"

namespace postern::kernel {

class ConntrackView {
 public:
  // REQUIRES: the thread is in the namespace; call it before the first packet.
  static Outcome<ConntrackView> open();

  Outcome<std::vector<EntryReport>> entries();
  Outcome<std::vector<ExpectationReport>> expectations();
  Outcome<void> flush();
  Outcome<void> flush_expectations();

 private:
  // How to ask for one entry: its original tuple and zone as the kernel wrote them.
  struct Key {
    std::uint8_t family = 0;
    std::vector<std::uint8_t> tuple, zone;
    auto operator<=>(const Key&) const = default;
  };
  ConntrackView(Channel events, Channel control)
      : events_(std::move(events)), control_(std::move(control)) {}
  static Key key_of(const nlmsghdr& message);
  void learn(const nlmsghdr& message);
  // Fetches every known entry and forgets those that are gone; tells how many the kernel counts.
  Outcome<std::uint32_t> fetch(std::vector<EntryReport>& to);

  Channel events_, control_;
  std::vector<Key> known_;
};

}  // namespace postern::kernel
