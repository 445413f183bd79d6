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

#include <map>
#include <vector>

#include "symbolic/explore/edges.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

using Frontier = std::map<FlowState, Set>;

class Explorer {
 public:
  // The guards of both ends, on one path; `tracking`: conntrack is on.
  Explorer(Space& space, Automaton& automaton, Guards& initiator, Guards& responder, Path path,
           bool tracking, Script script, bool must);

  // The ways in which NAT may bind the flows; must outlive the explorer.
  void follow(Bindings& bindings) { edges_.follow(bindings); }

  // ... and in which it leads ICMP errors on.
  void lead_errors(LedErrors& errors) { edges_.lead_errors(errors); }

  // Flows whose initiator may send an ICMP error that is RELATED to another flow (flow axes), with
  // the connmark of that one (kConnmarkBefore) and the error's own zones, in which it is found
  // (kZone), by its binding (as FlowState::nat).
  void allow_related(std::map<std::uint16_t, Set> flows) {
    if (!flows.empty()) edges_.allow(Edge::Of::kRelated);
    related_ = std::move(flows);
  }

  // Flows whose entries NAT may have made on another path than this one (flow axes): what conntrack
  // then calls INVALID comes this way as it was sent.
  void allow_strays(Set flows) {
    strays_ = flows;
    if (!flows.empty()) edges_.allow(Edge::Of::kStray);
  }
  // Flows that NAT may bind: the far end knows other addresses for them, and once it was reached it
  // may open one of its own that NAT takes to where the initiator's packets answer it.
  // `read`: rules read that entry's tuples or status, which are not followed.
  void allow_reopened(Set flows, bool read) {
    reopened_ = flows;
    if (!flows.empty()) edges_.allow(Edge::Of::kReopened);
    reopened_read_ = read;
  }

  // Flows that a helper may have announced: their first packet may be RELATED. The master's
  // connmark is not followed: what must happen does not rest on it.
  void expect(const ExpectedFlows& flows) {
    const bool marks = flows.marked && !space_.layout(Axis::kConnmark).variables.empty();
    if (flows.empty() || (must_ && marks)) return;
    expected_ = flows;
    for (const auto& [zone, here] : flows.zones) {
      if (!here.empty()) edges_.allow_announced(zone);
    }
    if (must_) return;
    if (!flows.strays.empty()) allow_strays(space_.bdd().either(strays_, flows.strays));
    if (!flows.reopened.empty()) {
      allow_reopened(space_.bdd().either(reopened_, flows.reopened), reopened_read_ || flows.read);
    }
  }

  // Of these (flow axes) all that differ in ports, and in the mark of a socket, alone have one
  // entry: conntrack keeps no ports of them. Where one gets, the others are.
  void share_entries(Set flows) { sharing_ = flows; }

  // Packets with a wrong checksum or length, or a cut header, are left out: what is left is what
  // ends can hear.
  void only_whole() { edges_.only_whole(); }

  // What DNAT makes of a flow that the responder opens is another flow's: to this one it is lost.
  // (Else it is not modelled: its entry counts.) Packets that it leaves INVALID, or that its tuple
  // gives another port (Translations::clash), are followed as if there were none.
  void lose_turned() { edges_.lose_turned(); }

  // Those of the flows that may come in several zones; the others surely do not.
  void tell_apart(Set flows, Set several) {
    if (space_.bdd().subset(flows, several)) return;
    several_ = several;
    edges_.tell_apart(!space_.bdd().disjoint(flows, several));
  }

  // What packets of others do to the connmark of an entry: a relation of kConnmarkBefore and
  // kConnmark. ICMP errors about a flow, and the host's own replies to it, carry its entry.
  void let_others_mark(Set relation) { others_ = relation; }

  // From flows without an entry. For kTrack, `first` are the packets that may come first (flow and
  // packet axes); for kDeliver everything may.
  Exploration run(Set flows, Set first);
  const std::vector<Frontier>& layers() const { return layers_; }

  // Every edge from a state.
  const std::vector<Edge>& edges(const FlowState& from) { return edges_.from(from); }
  // Flows that the edge takes from `flows` (over flow axes and kConnmark) to edge.to.
  Set image(Set flows, const Edge& edge);
  // The same, only by packets of `first`.
  Set image_of(Set flows, const Edge& edge, Set first);
  // Those of `flows` that the edge may take into `target`; with `only`, by packets of it.
  Set preimage(Set flows, const Edge& edge, Set target, Set only);
  // The packets (flow and packet axes) with which the edge takes `flows` into `target`.
  Set packets(Set flows, const Edge& edge, Set target);
  // The same for an edge of kRelated, with the connmark of the quoted flow (kConnmarkBefore).
  Set quoting_packets(Set flows, const Edge& edge, Set target);
  Set begin(Set flows);  // flows without an entry: connmark 0
  Guards& guards(FlowEnd sender, std::uint16_t through = 0) {
    return edges_.guards(sender, through);
  }
  Guards& guards(const Edge& edge) { return guards(edge.sender, edge.through); }
  Set heard(const FlowState& from, const Edge& edge) const {
    return edges_.heard(from, edge.through);
  }

 private:
  Set narrowed(Set flows, const Edge& edge);
  const ExpectedInZone& expected_by(const Edge& edge) const;
  Set fresh(Set flows, const Edge& edge);
  Set carry(Set flows, Set guard, const Edge& edge);
  Set parked(Set flows);  // connmark as "before"
  void first_layer(Set flows, Set first);
  Frontier step(const Frontier& from, bool waiting);
  void add(Frontier& next, const FlowState& to, Set flows);
  Set coarse_leftovers();
  Set with_sharers(Set flows);

  Space& space_;
  Edges edges_;
  Script script_;
  bool must_;
  std::map<FlowState, Set> reached_;
  std::vector<Frontier> layers_;
  Set unmodelled_ = kNothing, others_ = kNothing;
  std::map<std::uint16_t, Set> related_;
  Set strays_ = kNothing, reopened_ = kNothing;
  bool reopened_read_ = false;
  Set several_ = kEverything, sharing_ = kNothing;
  ExpectedFlows expected_;
};

}  // namespace postern
