// The obligations of `deliver` and `track`: every packet from every state of the invariant leads
// back into it (certificate.hpp). Zones have a file of their own (certificate_zones.cpp). Covered
// by tests/unit/certificate_test.cpp.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "symbolic/proof/certificate_context.hpp"
#include "symbolic/proof/certificate_effect.hpp"

namespace postern {

class Induction {
 public:
  Induction(CertificateContext& context, const Claim& claim)
      : c_(context), claim_(claim), space_(context.space), bdd_(context.space.bdd()) {}

  CertificateResult run();

 private:
  // What set algebra alone shows: the start is in the invariant, the goal state is not.
  std::string set_obligations();
  bool wanted(const FlowState& state) const;
  // track: entries may stand, but lead the initiator's packets elsewhere than asked for.
  void entries_lead_elsewhere();
  Set flows_in(FlowState state) const;
  // `flows`, whatever their connmark is afterwards, are in the state afterwards.
  bool always_in(Set flows, FlowState after);
  void expiry(FlowState state, Set flows);
  bool track() const { return claim_.goal == Claim::Goal::kTrack; }

  // One packet under consideration: where it starts from and what it is.
  struct Case {
    FlowState state;
    Set flows;
    FlowEnd sender;
    PacketKind kind;
    std::string what;
    const AbstractEntry* entry;
    std::uint16_t nat = 0;  // of the entry that stands once the packet is through
    // The entries that it does not meet, and in which pair of zones it meets or makes one.
    Automaton::Parts beside = {};
    std::uint8_t pair = 0;
    std::uint8_t zone = 0;  // the packet's own pair
  };

  // The case of a packet that meets the entry of that pair; nullopt: none of them.
  Case meeting(Case one, std::optional<std::uint8_t> pair);
  // Those of the entries that such a packet may meet.
  std::vector<Case> meetings(const Case& one, FlowEnd sender, std::uint8_t zone);
  // The case of a packet that leaves them all alone.
  Case untouched(const Case& one);

  void steps(FlowState state, Set flows, FlowEnd sender);
  // Answers to an entry that NAT has bound. What the same end sends to the opener's own address is
  // of no entry: the state without one has these steps, and is in the invariant (expiry).
  void answers(FlowState state, Set flows, FlowEnd sender);
  void answered(Term live, const Case& one);

  // An answer in zones where its entry is not found is another flow's; over lo it may be found in
  // PREROUTING, which is not followed.
  void astray(Term live, const Case& one);
  // Loopback: an INVALID answer is looked up once more.
  void lost_again(Term live, const Case& one, const AbstractStep& first);
  void tracked(Term live, const Case& one);
  // A new entry where the flow may have others: its pair of zones is the packet's.
  bool zoned(Term live, const Case& one, const AbstractStep& step);
  bool clashes(const Case& one) const;
  static bool stands(const Automaton::Parts& parts) {
    return std::ranges::any_of(parts, [](std::uint16_t number) { return number != 0; });
  }
  // A new entry beside others under NAT (edges_zones.cpp): they are left alone, and the state
  // without one has its own steps, and is in the invariant (expiry).
  void aside(Term live, const Case& one, const Seen& seen, std::uint16_t nat, bool again = false);
  // Loopback: may a packet be INVALID to an entry that is not in the state?
  bool hides() const;
  void hidden_first(Term live, const Case& one);

  // Packets that carry another flow's entry, or the one of another path.
  void without_own_entry(Term live, const Case& one);
  // An ICMP error may quote another flow, however that is bound, which it finds in its own zones.
  void related(Term live, const Case& one);
  // ... over lo in PREROUTING only, where those are others than in OUTPUT.
  void related_again(Term live, const Case& one, std::uint8_t zone, Set found);
  // A new flow may be bound in any way that its sender's packets can meet.
  void newly_bound(Term live, const Case& one, const AbstractStep& step, const std::string& name);
  // A new flow may be one that a helper had announced to the packet's zone.
  void announced(Term live, const Case& one, const AbstractStep& created, bool again = false);

  // Those of what comes to PREROUTING so that are not marked UNTRACKED there.
  Term tracked_again(Term live, const Case& one, const AbstractEntry& stands,
                     const std::string& name);
  // Loopback: what was INVALID in OUTPUT comes to PREROUTING with nothing attached. The same packet
  // meets the same entry in the same way, unless the first lookup changed it.
  void looked_up_again(Term live, const Case& one, const AbstractStep& first,
                       const std::string& name);
  void found_again(Term live, const Case& one, const std::vector<AbstractStep>& ways,
                   const std::string& name);
  // What is bound in PREROUTING, or found bound there, is not followed where the flow may come in
  // several zones. What is left.
  Term bound_again(Term live, const Case& one, const AbstractStep& step, const std::string& seen);

  // No flow of the state has such packets.
  void impossible(Term live, const Case& one);
  void met(Term premise, Term unmodelled, const std::string& what);
  void in_pieces(Term premise, PathEncoder& path, const std::string& what);
  void outcome(Term live, const Case& one, const PathEncoder::End& end, const EntryEffect& effect,
               const std::string& seen, bool translated = false);
  // REJECT's reset of a packet that has no entry is looked up in OUTPUT, as one of the other end;
  // `entry`: what it finds there in the pair of the case.
  void found_by_reset(Term live, Term ends_so, const Case& one, const AbstractEntry& entry,
                      std::uint16_t nat);
  // The packet ends so: the entry that stands then must be in the invariant.
  void after(Term live, Term ends_so, const Case& one, const AbstractEntry& entry,
             const EntryEffect& effect, const std::vector<Term>& connmark_bits, std::uint16_t nat);

  CertificateContext& c_;
  const Claim& claim_;
  Space& space_;
  Bdd& bdd_;
  std::map<FlowState, Set> invariant_;
};

}  // namespace postern
