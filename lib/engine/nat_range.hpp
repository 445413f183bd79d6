// What a NAT rule asks for, in the kernel's terms (struct nf_nat_range2): which half of the tuple,
// into which addresses and ports. Targets that read the packet or the device (MASQUERADE, REDIRECT,
// NETMAP) are resolved here, so that the binding knows ranges only.
// Covered by tests/unit/nat_bind_test.cpp.
#pragma once

#include <optional>

#include "engine/traveller.hpp"
#include "engine/world.hpp"
#include "flow/hooks.hpp"
#include "meaning/effect.hpp"

namespace postern {

// The half of a flow's tuple that a hook may change: the destination before routing has decided,
// the source after.
enum class Manip : std::uint8_t { kSource, kDestination };

constexpr Manip manip_of(Hook hook) {
  return hook == Hook::kPrerouting || hook == Hook::kOutput ? Manip::kDestination : Manip::kSource;
}
constexpr Manip other(Manip manip) {
  return manip == Manip::kSource ? Manip::kDestination : Manip::kSource;
}
// The status bits: "an address or port of this half differs", and "this half is settled".
constexpr std::uint16_t changed_bit(Manip manip) {
  return manip == Manip::kSource ? ct_status::kSourceNat : ct_status::kDestinationNat;
}
constexpr std::uint16_t done_bit(Manip manip) {
  return manip == Manip::kSource ? ct_status::kSourceNatDone : ct_status::kDestinationNatDone;
}

struct NatRange {
  struct Addresses {
    u128 low = 0, high = 0;
  };
  struct Ports {  // or ICMP ids
    std::uint16_t low = 0, high = 0;
  };
  std::optional<Addresses> addresses;  // none: keep
  std::optional<Ports> ports;          // none: keep, or the old port's class when it is taken
  std::optional<std::uint16_t> base;   // port - base is the place in `ports`
  bool random = false;                 // choose a port even if the old one is free
  bool persistent = false;             // the address depends on the source alone
};

// The range that the rule means for this packet; nullopt: the target drops it, because the device
// has no address to map to.
std::optional<NatRange> nat_range(const Nat& target, Hook hook, const Traveller& packet,
                                  const World& world);

// "Keep the address": what a flow gets that no rule has taken (nf_nat_alloc_null_binding).
NatRange null_range(const ConntrackEntry& entry, Manip manip);

}  // namespace postern
