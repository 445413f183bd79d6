// The proof of a `no`, re-checked by Z3: the fixpoint's sets are taken as an inductive invariant
// over the states of one flow, and every obligation is a formula whose rules were read by
// encode.hpp, not by the packet sets. Given data are the conntrack automaton (abstract_entry.hpp),
// the sets themselves and what may be sent at all.
//
//   start:      every flow of the region without entry is in the invariant (by construction of it)
//   step:       from every state, for every packet that may be sent, whatever opaques do, the state
//               after it is in the invariant, and nothing unmodelled was met
//   goal:       no state of the invariant, and no packet from one, is what was asked for
//
// `connect` has no invariant: its script is one formula for each conntrack history ("direct").
// Covered by tests/unit/certificate_test.cpp and tests/agreement/.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "flow/program.hpp"
#include "symbolic/explore/model.hpp"
#include "symbolic/proof/solver.hpp"

namespace postern {

struct Claim {
  enum class Goal : std::uint8_t { kDeliver, kConnect, kTrack };
  Goal goal = Goal::kTrack;
  Path path = Path::kIn;
  // Proved impossible: packets (deliver: flow and packet axes) or flows (flow axes).
  Set impossible;
  // connect, track: the first packets of the question, flow and packet axes.
  Set first;
  // deliver: flows whose first end may send an ICMP error that is RELATED to another flow, with the
  // error's own pair of zones (kZone), by that flow's binding.
  std::map<std::uint16_t, Set> related;
  // As Model::deliver's.
  PredicatePtr to = nullptr;
  std::string entry_state;               // track; empty: any entry
  const Exploration* reached = nullptr;  // deliver, track: the `may` exploration
};

enum class Verification : std::uint8_t {
  kProved,
  kRefuted,     // a counterexample: the packet sets or the encoder are wrong, a bug in postern
  kNotChecked,  // time or size
};

struct CertificateResult {
  Verification verdict = Verification::kNotChecked;
  std::string why;              // which obligation failed, or what ended
  std::size_t obligations = 0;  // checked
};

struct CertificateOptions {
  ConntrackConfig conntrack;
  std::chrono::milliseconds limit{10'000};
  std::size_t rule_budget = 1'000'000;
};

CertificateResult certify(Model& model, const Program& program, const Claim& claim,
                          const CertificateOptions& options);

}  // namespace postern
