// What the obligations of a certificate share: solver, terms, translations, both directions' walks,
// and the list of violations whose impossibility is the proof.
// Covered by tests/unit/certificate_test.cpp.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "symbolic/explore/automaton.hpp"
#include "symbolic/proof/certificate.hpp"
#include "symbolic/proof/certificate_terms.hpp"
#include "symbolic/proof/certificate_walk.hpp"

namespace postern {

class CertificateContext {
 public:
  CertificateContext(Model& model, const Program& program, Solver& solver, const Claim& claim,
                     const CertificateOptions& options);

  // Remembers a condition that must not be satisfiable.
  void violation(Term condition, std::string name);
  // Are all of them impossible? Names the first that is not.
  CertificateResult check_violations();
  // Is this condition impossible? Counts as an obligation.
  CheckResult check(Term condition);

  PathEncoder& path(FlowEnd sender, std::uint16_t bound = 0);
  // How a walk under that binding (FlowState::nat) follows NAT, for packets whose terms these are.
  NatView view(std::uint16_t bound, FlowEnd sender, SetTranslator& terms);
  // Every binding, by FlowState::nat - 1; empty where NAT is not followed.
  const std::vector<NatVariant>& variants() const { return variants_; }
  // Who opened a flow with that binding; nullopt: it has none.
  std::optional<FlowEnd> opener(std::uint16_t bound) const {
    if (bound == 0) return std::nullopt;
    return variants_[bound - 1].originator;
  }
  // Flows so bound whose answers may arrive as such though they find no entry in their zones.
  Set comes_back(std::uint16_t bound) const { return take(model.comes_back(variants_[bound - 1])); }
  // Flows that the binding may leave as they are.
  Set unchanged(std::uint16_t bound) const {
    return take(model.unchanged(flow_path, variants_[bound - 1]));
  }
  // Does some flow of the claim meet NAT, or quote one that does? Then a refutation proves no
  // fault: the terms leave open what a new flow's reply tuple is until it is settled.
  bool meets_nat = false;
  const bool lose_turned;  // as Explorer's
  Set strays = kNothing;   // flows that NAT may bind on another path
  ExpectedFlows expected;  // flows that a helper may have announced
  // Flows that may come in several zones over lo, where NAT may bind them; and the obligation that
  // the others do not.
  Set several_zones = kNothing;
  void one_zone();
  // What the lookup says of a packet that creates an entry as announced.
  Seen announced(const AbstractStep& created, const AbstractEntry& before) const;
  // Flows of the claim whose first packet, from that end and in that pair of zones, may fulfil an
  // expectation, by how it may be bound then (FlowState::nat; 0: not at all).
  std::vector<std::pair<std::uint16_t, Set>> announced_as(FlowEnd sender, std::uint8_t pair) const;
  // What kinds of packets `sender` can send here at all, each with its condition on the headers.
  const std::vector<std::pair<PacketKind, Term>>& kinds(FlowEnd sender);
  // Headers that make a packet of this kind when `sender` sends it.
  Term kind_condition(PacketKind kind, FlowEnd sender, const AxisTerms& axes);
  // A flow of the set sends a packet that can set out and meets `kind`.
  Term premise(Set flows, FlowEnd sender, Term kind, std::uint16_t bound = 0);
  // What `sender` can send under that binding.
  Set sendable_under(FlowEnd sender, std::uint16_t bound) const;

  Model& model;
  Space& space;
  Solver& solver;
  const ConntrackConfig conntrack;
  const bool tracking;
  const Path flow_path;
  const Backend backend;
  Set flows;  // of the claim: constant along every sequence
  Encoder encoder;

 private:
  struct Sendable {
    Set initiator, responder;
  };
  Sendable sendable_;
  AxisTerms axes_;

 public:
  SetTranslator translator;
  const AxisTerms& axes() const { return axes_; }
  Set sendable(FlowEnd sender) const {
    return sender == FlowEnd::kInitiator ? sendable_.initiator : sendable_.responder;
  }
  // The state's number when the flow's entries are these and, in this pair of zones, `entry`;
  // nullopt: the sets have not met it.
  std::optional<std::uint16_t> standing(Automaton::Parts beside, std::uint8_t pair,
                                        const AbstractEntry& entry) const;
  // Does `sender` generate its packets on this host?
  bool local(FlowEnd sender) const {
    const Path own = sender == FlowEnd::kInitiator ? flow_path : reverse(flow_path);
    return own == Path::kOut || own == Path::kLoopback;
  }
  // The ways in which conntrack can meet such a packet here: checksums are looked at by where
  // the packet comes from.
  std::vector<AbstractStep> ways(const AbstractEntry& entry, FlowEnd sender, PacketKind kind) const;

 private:
  void find_kinds(FlowEnd sender);
  Set in_several();
  void comes_in(const PathEncoder::Early& early, Term premise);

  std::map<std::pair<FlowEnd, std::uint16_t>, std::unique_ptr<PathEncoder>> paths_;
  std::vector<NatVariant> variants_;
  Set routed_ = kEverything, answers_ = kNothing;
  FlowZones zones_;
  std::vector<std::pair<PacketKind, Term>> kinds_[2];
  std::map<std::uint32_t, std::string> violations_;  // by term
  std::chrono::steady_clock::time_point deadline_;
  std::size_t checked_ = 0;
};

}  // namespace postern
