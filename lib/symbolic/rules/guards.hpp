// A ruleset as one end of a flow meets it: for each kind of packet and each thing that conntrack
// may say of it, the set of flows for which such a packet is delivered, dropped, reset ...
//
// Idea: a flow's tuple is constant, so over a flow's life the ruleset is only this handful of sets
// (encoding.md, C). They are cut out of one walk, when asked for, and remembered.
// Covered by tests/unit/flow_sets_test.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "symbolic/rules/passage.hpp"

namespace postern {

// What conntrack shows to rules of one packet.
struct Sight {
  CtState state = CtState::kInvalid;
  bool reply = false, first = false, seen_reply = false, assured = false;
  bool expected = false;  // the flow's own entry is EXPECTED; RELATED without it: another flow's
  std::uint8_t zone = 0;  // number of the packet's pair of zones; 0 of packets that are not tracked
  auto operator<=>(const Sight&) const = default;
  bool foreign() const { return state == CtState::kRelated && !expected; }
};

// Which packets a guard speaks of.
struct Case {
  bool again = false;  // loopback: second lookup (PathWalk::again)
  Fate fate = Fate::kDelivered;
  Sight sight;
  std::optional<PacketKind> kind;  // nullopt: any packet; with `must` no kCut, which no end hears
  bool must = false;
  std::uint8_t first_zone = 0;  // with `again`: the pair of the first lookup
  auto operator<=>(const Case&) const = default;
};

class Guards {
 public:
  // `coins`: some rule's verdict hangs on an opaque.
  Guards(Space& space, PathWalk walk, FlowEnd sender, bool coins);

  const PathWalk& walk() const { return walk_; }
  bool may_happen(bool again, Fate fate) const {
    return !(again ? walk_.again : walk_.direct)[fate].empty();
  }
  // Does any packet come in this pair of zones?
  bool comes_in(std::uint8_t zone, bool again = false);
  // Flows (flow axes) of which some does.
  Set flows_in(std::uint8_t zone);
  // Flows (and connmark before and now) for which some packet of the case exists.
  Set flows(const Case& c);
  // The packets themselves: flow and packet axes, connmark before and now.
  Set packets(const Case& c);
  // All packets of a kind that this end can send, whatever becomes of them.
  Set kind_set(PacketKind kind);
  // Flows that meet something before the lookup that is not modelled.
  Set unmodelled_early();

 private:
  const Passage& passage(bool again, bool must);
  Passage sure(const Passage& may, Set others);
  Set undetermined(Set relation);
  Set seen_related(Set relation, const Case& c);
  Set cut_short();
  Set seen(const Case& c);  // the passage cut down to what conntrack shows

  Space& space_;
  PathWalk walk_;
  FlowEnd sender_;
  bool coins_;
  std::optional<Passage> must_direct_, must_again_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Set> seen_;
  std::map<std::tuple<std::uint32_t, bool, std::uint8_t, std::uint8_t>, Set> related_;
  std::map<std::pair<std::uint32_t, int>, Set> projected_;
  std::map<PacketKind, Set> kinds_;
  std::map<std::uint32_t, std::vector<unsigned>> support_;
  std::map<std::pair<std::uint8_t, bool>, bool> comes_in_;
};

}  // namespace postern
