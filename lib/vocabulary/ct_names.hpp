// The words of --ctstate, --state and --ctstatus, shared by the matches conntrack and state.
// Each word is a bit of ours; ct_state_test turns a set of them into a predicate (xt_conntrack.c,
// conntrack_mt). Covered by corpus/matches/{conntrack,state}.t.
#pragma once

#include <array>

#include "vocabulary/build.hpp"

namespace postern {

// In the order in which iptables-save prints them. The first five are 1 << CtState.
inline constexpr std::array<NamedValue, 7> kCtStates{{
    {"INVALID", 1u << static_cast<unsigned>(CtState::kInvalid)},
    {"NEW", 1u << static_cast<unsigned>(CtState::kNew)},
    {"RELATED", 1u << static_cast<unsigned>(CtState::kRelated)},
    {"ESTABLISHED", 1u << static_cast<unsigned>(CtState::kEstablished)},
    {"UNTRACKED", 1u << static_cast<unsigned>(CtState::kUntracked)},
    {"SNAT", 32},
    {"DNAT", 64},
}};

// One of the states, or (SNAT, DNAT) an entry with that kind of NAT.
inline PredicatePtr ct_state_test(std::uint64_t bits) {
  std::vector<PredicatePtr> cases;
  for (unsigned state = 0; state < 5; ++state) {
    if ((bits >> state & 1) != 0) cases.push_back(equals(Field::kCtState, state));
  }
  const std::uint16_t nat =
      static_cast<std::uint16_t>(((bits & 32) != 0 ? ct_status::kSourceNat : 0) |
                                 ((bits & 64) != 0 ? ct_status::kDestinationNat : 0));
  if (nat != 0) cases.push_back(all({has_entry(), any_bit(Field::kCtStatus, nat)}));
  return any(std::move(cases));
}

}  // namespace postern
