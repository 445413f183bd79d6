// The ways on where a flow may have entries in several zones, and NAT may bind each of them.
//
// Idea: a state holds either entries that are not bound, in as many zones as there are, or one
// bound entry alone. That is enough: a packet meets one entry or none, and makes of it what it
// would make if the others had expired, which they may at any time. So an entry that stands beside
// a bound one is followed from the state without any, and the edge that makes it leads nowhere
// (Edge::aside). Only a conversation, in which nothing expires, is left open there.
// Over lo a packet is looked up twice, in two zones: the first entry may make it INVALID, and the
// second take it up. Where one of the two is not in the state, that is coarse.
// An answer to a bound entry has the headers of the reply tuple. In zones where it does not find
// the entry it is another flow's, unless rules of NAT lead it back by themselves.
// Covered by tests/unit/zones_nat_test.cpp and tests/agreement/adversary_test.cpp.
#include <algorithm>

#include "symbolic/explore/edges.hpp"

namespace postern {

// Beside the entries of the state, one of which is bound, or this one is.
void Edges::beside(const FlowState& from, FlowEnd sender, bool again, PacketKind kind,
                   const Move& move, InZones zones, bool ordinary, std::vector<Edge>& out,
                   std::uint16_t through) {
  const std::size_t first = out.size();
  by_fate(from, sender, again, kind, move, ordinary, out, through, zones);
  for (std::size_t i = first; i < out.size(); ++i) {
    out[i].coarse = out[i].aside = true;
    out[i].to.entry = from.entry;
    out[i].to.nat = from.nat;
  }
}

// An answer to a bound entry is sent to where the binding says; what its sender sends to the
// opener's own address is of no entry, as if this one had expired.
void Edges::answer(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                   std::uint8_t zone, bool ordinary, std::vector<Edge>& out) {
  if (move.fresh) return astray(from, sender, kind, move, zone, ordinary, out);
  if (move.step.created) return;
  by_fate(from, sender, false, kind, move, ordinary, out, from.nat, {zone, 0});
  if (must_ || move.step.state != CtState::kInvalid) return;
  // Where the binding changes nothing (MASQUERADE to the address that it has), it is sent there.
  Move same = move;
  same.step.coarse = true;
  by_fate(from, sender, false, kind, same, ordinary, out, 0, {zone, 0});
  if (path_ == Path::kLoopback) answered_again(from, sender, kind, move, zone, ordinary, out);
}

// Loopback: an INVALID answer to a bound entry is looked up again in PREROUTING, where the entry
// may remember it; one that NAT would not change goes on from there.
void Edges::answered_again(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                           std::uint8_t zone, bool ordinary, std::vector<Edge>& out) {
  for (std::uint8_t pair = 0; pair < automaton_.pairs(); ++pair) {
    if (!several() && pair != zone) continue;
    std::vector<Move> again = moves(move.lost, sender, kind, pair);
    const bool found = !several() || std::ranges::none_of(again, &Move::fresh);
    // The same packet meets the same outcome, unless the entry has changed.
    const auto same = std::ranges::find_if(again, [&](const Move& second) {
      return second.step.condition == move.step.condition && second.step.state == move.step.state &&
             second.lost == move.lost;
    });
    if (!several() && same != again.end()) again = {Move(*same)};
    // Without the entry it is as if that had expired.
    if (!found && move.lost != 0) again = moves(0, sender, kind, pair);
    for (Move& second : again) {
      second.step.coarse = true;
      if (!found && !second.step.created) second.kept = second.lost = second.reset = move.lost;
      if (!found && !second.step.created) second.kept_reset = move.lost;
      by_fate(from, sender, true, kind, second, ordinary, out, 0, {pair, zone});
      if (!found) continue;
      for (const std::uint16_t then : {second.lost, second.kept}) {
        Move lost = move;
        lost.step.coarse = true;
        lost.lost = then;
        if (then == move.lost) continue;
        by_fate(from, sender, false, kind, lost, ordinary, out, from.nat, {zone, 0});
      }
    }
  }
}

// An answer in zones where its entry is not found.
void Edges::astray(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                   std::uint8_t zone, bool ordinary, std::vector<Edge>& out) {
  if (must_) return;
  // The bound walk has all that comes to the lookup as INVALID.
  Move lost = move;
  lost.step = {};
  lost.step.state = CtState::kInvalid;
  lost.step.condition = move.step.condition;
  lost.step.coarse = true;
  lost.kept = lost.lost = lost.reset = lost.kept_reset = from.entry;
  const std::size_t first = out.size();
  const auto leave = [&](bool aside) {
    for (std::size_t i = first; i < out.size(); ++i) {
      out[i].open = true;
      out[i].aside = aside;
      if (aside) out[i].of = Edge::Of::kAstray;
    }
  };
  if (move.step.created || move.step.state != CtState::kInvalid) {
    by_fate(from, sender, false, kind, lost, ordinary, out, from.nat, {zone, 0});
    leave(true);
  } else {
    by_fate(from, sender, false, kind, lost, ordinary, out, 0, {zone, 0});  // changed in nothing
  }
  if (path_ != Path::kLoopback) return;
  const bool invalid = move.step.state == CtState::kInvalid || turns_invalid(kind);
  bool later = false;  // may it find the entry in PREROUTING?
  for (std::uint8_t pair = 0; several() && pair < automaton_.pairs(); ++pair) {
    const auto again = moves(from.entry, sender, kind, pair);
    later = later || std::ranges::none_of(again, &Move::fresh);
  }
  if (!invalid || !later) return;
  const std::size_t open = out.size();
  by_fate(from, sender, false, kind, lost, ordinary, out, from.nat, {zone, 0});
  for (std::size_t i = open; i < out.size(); ++i) out[i].open = true;
}

// May a packet be INVALID, over lo, to an entry that is not in the state?
bool Edges::hides() const {
  const bool some = (bindings_ != nullptr && !bindings_->empty()) || allowed(Edge::Of::kStray);
  return several() && path_ == Path::kLoopback && !must_ && some;
}

void Edges::hidden_first(const FlowState& from, FlowEnd sender, PacketKind kind, std::uint8_t zone,
                         std::vector<Edge>& out) {
  Move marked;
  marked.step.state = CtState::kUntracked;
  marked.step.coarse = true;
  marked.kept = marked.lost = marked.reset = marked.kept_reset = from.entry;
  by_fate(from, sender, true, kind, marked, false, out, 0, {0, zone});
  for (std::uint8_t pair = 0; pair < automaton_.pairs(); ++pair) {
    if (!guards(sender).comes_in(pair, true)) continue;
    const auto kinds = automaton_.kinds(from.entry, sender, pair);
    if (std::ranges::find(kinds, kind) == kinds.end()) continue;
    for (Move second : moves(from.entry, sender, kind, pair)) {
      second.step.coarse = true;
      found_again(from, sender, kind, second, {pair, zone}, false, out);
      announced(from, sender, true, kind, second, {pair, zone}, false, out);
    }
  }
}

// A flow that no rule binds may get another port.
bool Edges::clashes_with_others(FlowEnd sender) const {
  return bindings_ != nullptr && std::ranges::any_of(*bindings_, [&](const auto& item) {
           return item.second.clash && item.second.nat.originator == sender;
         });
}

// Loopback: what the second lookup makes of the packet. What it binds, or finds bound, is not
// followed.
void Edges::found_again(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& second,
                        InZones zones, bool ordinary, std::vector<Edge>& out) {
  const auto open = [&] {
    if (must_) return;
    Move left = second;
    left.step.coarse = true;
    const std::size_t first = out.size();
    by_fate(from, sender, true, kind, left, ordinary, out, 0, zones);
    for (std::size_t i = first; i < out.size(); ++i) out[i].open = true;
  };
  const bool created = second.step.created;
  if (!several()) return by_fate(from, sender, true, kind, second, ordinary, out, 0, zones);
  if (from.nat != 0 && !second.fresh && !created && second.step.state != CtState::kInvalid) {
    return open();
  }
  if (created && clashes_with_others(sender)) open();
  if (!created || from.nat == 0 || !second.second) {
    return by_fate(from, sender, true, kind, second, ordinary, out, 0, zones);
  }
  beside(from, sender, true, kind, second, zones, ordinary, out, 0);
  // The first lookup may have needed the bound entry.
  if (must_) return;
  for (Move alone : moves(0, sender, kind, zones.zone)) {
    if (!alone.step.created || alone.step.condition != second.step.condition) continue;
    alone.step.coarse = true;
    by_fate(from, sender, true, kind, alone, ordinary, out, 0, zones);
  }
}

// Loopback: an error that was INVALID in OUTPUT may find what it quotes in PREROUTING, in another
// zone. (One about a bound flow is left open by who asks.)
void Edges::related_again(const FlowState& from, std::vector<Edge>& out) {
  Move move;
  move.step.state = CtState::kRelated;
  move.step.coarse = true;
  for (std::uint8_t zone = 0; path_ == Path::kLoopback && zone < automaton_.pairs(); ++zone) {
    for (std::uint8_t before = 0; before < automaton_.pairs(); ++before) {
      if (zone == before) continue;
      by_fate(from, FlowEnd::kInitiator, true, PacketKind::kIcmpOther, move, false, out, 0,
              {zone, before});
    }
  }
}

}  // namespace postern
