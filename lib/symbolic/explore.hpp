// Every state that the flows of a path can be in, by breadth-first search to a fixpoint: explicit
// over the entries of the automaton, symbolic over all flows at once.
//
// Idea: a frontier maps each state to the flows that are new there; an edge is one kind of packet,
// one way to meet the entry and one fate, and its image is the intersection with a guard. Waiting
// (the entry expires) joins in only when packets find nothing new, so that shortest sequences use
// it only when they must. Outcomes that the automaton over-approximates ("coarse") are not
// followed: flows that they would take somewhere new become `unmodelled`. Covered by
// tests/unit/flow_sets_test.cpp.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "symbolic/automaton.hpp"
#include "symbolic/guards.hpp"
#include "symbolic/model.hpp"

namespace postern {

// One way on from a state.
struct Edge {
  FlowEnd sender = FlowEnd::kInitiator;
  Case what;          // guard; `must` is set by the search
  AbstractStep step;  // of the last lookup
  FlowState to;
  bool created = false;  // the entry is new: its connmark is 0
  bool coarse = false;
  bool ordinary = true;       // the outcome of honest numbers
  std::uint16_t through = 0;  // whose guards: as FlowState::nat
  // The packet's headers are not the flow's: an answer to an entry that NAT has bound.
  bool translated = false;
  // Of an entry that is not followed: only flows of allow_strays() or allow_reopened() have it.
  enum class Of : std::uint8_t { kFlow, kStray, kReopened } of = Of::kFlow;
};

// Who may speak when.
enum class Script : std::uint8_t {
  kDeliver,  // the initiator always, the responder once it was reached
  kTrack,    // the initiator's first packet, then both; `reached` means "begun"
  kFree,     // both, from the beginning
};

using Frontier = std::map<FlowState, Set>;

// Both ends under one binding of NAT.
struct BoundGuards {
  NatVariant nat;
  Guards initiator, responder;
  bool clash = false;  // no rule binds so, but another flow's entry: never surely
};
using Bindings = std::map<std::uint16_t, BoundGuards>;  // by FlowState::nat

// Can an entry make such a packet INVALID that would be none without it?
bool turns_invalid(PacketKind kind);

class Explorer {
 public:
  // The guards of both ends, on one path; `tracking`: conntrack is on.
  Explorer(Space& space, Automaton& automaton, Guards& initiator, Guards& responder, Path path,
           bool tracking, Script script, bool must);

  // The ways in which NAT may bind the flows; must outlive the explorer.
  void follow(Bindings& bindings) { bindings_ = &bindings; }

  // Flows whose initiator may send an ICMP error that is RELATED to another flow (flow axes).
  void allow_related(Set flows) { related_ = flows; }

  // Flows whose entries NAT may have made on another path than this one (flow axes): what conntrack
  // then calls INVALID comes this way as it was sent.
  void allow_strays(Set flows) { strays_ = flows; }
  // Flows that NAT may bind: the far end knows other addresses for them, and once it was reached it
  // may open one of its own that NAT takes to where the initiator's packets answer it.
  // `read`: rules read that entry's tuples or status, which are not followed.
  void allow_reopened(Set flows, bool read) {
    reopened_ = flows;
    reopened_read_ = read;
  }

  // Flows that a helper may have announced: their first packet may be RELATED.
  void expect(const ExpectedFlows& flows) { expected_ = flows; }

  // What packets of others do to the connmark of an entry: a relation of kConnmarkBefore and
  // kConnmark. ICMP errors about a flow, and the host's own replies to it, carry its entry.
  void let_others_mark(Set relation) { others_ = relation; }

  // From flows without an entry. For kTrack, `first` are the packets that may come first (flow and
  // packet axes); for kDeliver everything may.
  Exploration run(Set flows, Set first);
  const std::vector<Frontier>& layers() const { return layers_; }

  // Every edge from a state.
  const std::vector<Edge>& edges(const FlowState& from);
  // Flows that the edge takes from `flows` (over flow axes and kConnmark) to edge.to.
  Set image(Set flows, const Edge& edge);
  // The same, only by packets of `first`.
  Set image_of(Set flows, const Edge& edge, Set first);
  // Those of `flows` that the edge may take into `target`; with `only`, by packets of it.
  Set preimage(Set flows, const Edge& edge, Set target, Set only);
  // The packets (flow and packet axes) with which the edge takes `flows` into `target`.
  Set packets(Set flows, const Edge& edge, Set target);
  Set begin(Set flows);  // flows without an entry: connmark 0
  Guards& guards(FlowEnd sender, std::uint16_t through = 0) {
    if (through == 0) return sender == FlowEnd::kInitiator ? initiator_ : responder_;
    BoundGuards& bound = bindings_->at(through);
    return sender == FlowEnd::kInitiator ? bound.initiator : bound.responder;
  }
  Guards& guards(const Edge& edge) { return guards(edge.sender, edge.through); }

 private:
  void collect(const FlowState& from, FlowEnd sender, std::vector<Edge>& out);
  void tracked(const FlowState& from, FlowEnd sender, PacketKind kind, std::vector<Edge>& out);
  void second_lookup(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                     bool ordinary, std::vector<Edge>& out);
  void by_fate(const FlowState& from, FlowEnd sender, bool again, std::optional<PacketKind> kind,
               const Move& move, bool ordinary, std::vector<Edge>& out, std::uint16_t through = 0);
  void under_nat(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                 bool ordinary, std::vector<Edge>& out);
  void plain(const FlowState& from, FlowEnd sender, CtState state, std::vector<Edge>& out);
  void related(const FlowState& from, std::vector<Edge>& out);
  void strays(const FlowState& from, std::vector<Edge>& out);
  void reopened(const FlowState& from, std::vector<Edge>& out);
  void announced(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                 bool ordinary, std::vector<Edge>& out, bool again = false);
  Set narrowed(Set flows, const Edge& edge);
  Set fresh(Set flows, const Edge& edge);
  bool local(FlowEnd sender) const;
  Set carry(Set flows, Set guard, const Edge& edge);
  Set parked(Set flows);  // connmark as "before"
  void first_layer(Set flows, Set first);
  Frontier step(const Frontier& from, bool waiting);
  void add(Frontier& next, const FlowState& to, Set flows);
  Set coarse_leftovers();

  Space& space_;
  Automaton& automaton_;
  Guards& initiator_;
  Guards& responder_;
  Path path_;
  bool tracking_;
  Script script_;
  bool must_;
  Bindings* bindings_ = nullptr;
  std::map<FlowState, std::vector<Edge>> edges_;
  std::map<FlowState, Set> reached_;
  std::vector<Frontier> layers_;
  Set unmodelled_ = kNothing, related_ = kNothing, others_ = kNothing;
  Set strays_ = kNothing, reopened_ = kNothing;
  bool reopened_read_ = false;
  ExpectedFlows expected_;
};

}  // namespace postern
