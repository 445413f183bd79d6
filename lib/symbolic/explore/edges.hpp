// The ways on from one state of a flow: every packet that its ends may send there, every way to
// meet the entry, every fate.
//
// Idea: the automaton of entries says what conntrack may make of a packet, the guards say with
// which fates such packets exist at all. Beside the flow's own packets stand those that carry an
// entry which is not followed: errors about another flow, strays of another path's NAT, answers to
// what the far end opened (Edge::Of). Covered by tests/unit/flow_sets_test.cpp and
// tests/agreement/adversary_test.cpp.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "symbolic/explore/automaton.hpp"
#include "symbolic/explore/model.hpp"
#include "symbolic/rules/guards.hpp"

namespace postern {

// One way on from a state.
struct Edge {
  FlowEnd sender = FlowEnd::kInitiator;
  Case what;          // guard; `must` is set by the search
  AbstractStep step;  // of the last lookup
  FlowState to;
  bool created = false;  // the entry is new: its connmark is 0
  bool coarse = false;
  bool ordinary = true;         // the outcome of honest numbers
  std::uint16_t through = 0;    // whose guards: as FlowState::nat
  bool follows_master = false;  // that binding is its master's
  std::uint8_t pair = 0;        // as Move::pair and Move::fresh
  bool fresh = false;
  bool led = false;  // an error, and what it goes through is LedErrors
  // The packet's headers are not the flow's: an answer to an entry that NAT has bound.
  bool translated = false;
  // What becomes of the packet is not followed, whatever its fate.
  bool open = false;
  // Only a conversation cares: such packets are followed from no entry as well (edges_zones.cpp).
  bool aside = false;
  // Only a conversation cares: flows (flow axes) of which it arrives as from the end that it is
  // from, to the one that it is for, as these know each other by the first packet.
  Set heard = kEverything;
  bool unmodelled() const {
    return open || what.fate == Fate::kUnmodelled || what.fate == Fate::kTurned;
  }
  // Whose entry it carries. Others than the flow's own are not followed: only the flows that were
  // allowed to (Explorer::allow_related() ...) have such packets. kAnnounced: the flow's own, made
  // as a helper had announced. kAstray: an answer to a bound entry that is not found in its zones.
  enum class Of : std::uint8_t {
    kFlow,
    kRelated,
    kStray,
    kReopened,
    kAnnounced,
    kAstray
  } of = Of::kFlow;
  // Only of flows that come in several zones, or only of those that do not; nullopt: of all.
  std::optional<bool> several = std::nullopt;
  auto operator<=>(const Edge&) const = default;
};

// Numbers of pairs of zones: of the packet's lookup, and of the first of two.
struct InZones {
  std::uint8_t zone = 0, first = 0;
};

// Who may speak when.
enum class Script : std::uint8_t {
  kDeliver,  // the initiator always, the responder once it was reached
  kTrack,    // the initiator's first packet, then both; `reached` means "begun"
  kFree,     // both, from the beginning
  kOpener,   // ... but all entries are the initiator's: the responder's are another flow's
};

// Both ends under one binding of NAT.
struct BoundGuards {
  NatVariant nat;
  Guards initiator, responder;
  bool clash = false;  // no rule binds so, but another flow's entry: never surely
  // Flows (flow axes) whose answers may arrive as such though they find no entry in their zones.
  Set comes_back = kEverything;
  // Flows that are perhaps as they were: the rule gives them their own addresses and ports.
  Set unchanged = kEverything;
};
using Bindings = std::map<std::uint16_t, BoundGuards>;  // by FlowState::nat

// ICMP errors that NAT leads on with the opener of the flow that they quote, and their number
// beside the bindings (Translations::number_of_errors).
struct LedErrors {
  std::uint16_t number = 0;
  BoundGuards guards;
};

// Can an entry make such a packet INVALID that would be none without it?
bool turns_invalid(PacketKind kind);

class Edges {
 public:
  // The guards of both ends, on one path; `tracking`: conntrack is on.
  Edges(Automaton& automaton, Guards& initiator, Guards& responder, Path path, bool tracking,
        Script script, bool must);

  // The ways in which NAT may bind the flows; must outlive this.
  void follow(Bindings& bindings) { bindings_ = &bindings; }
  // Errors that NAT leads on; must outlive this.
  void lead_errors(LedErrors& errors) { errors_ = &errors; }
  // Packets that carry this entry exist, for some flow.
  void allow(Edge::Of of) { allowed_[static_cast<std::size_t>(of)] = true; }
  // Some flow may be announced to packets of the zone with that id.
  void allow_announced(std::uint16_t zone);
  // No packet has a wrong checksum or length, or a header that is cut short.
  void only_whole() { whole_ = true; }
  // As Explorer's.
  void lose_turned() { lose_turned_ = true; }
  // Some of the flows surely come in one zone, which holds both directions; `several`: others do
  // not. Without this all are taken to come in several, where there are any.
  void tell_apart(bool several) { told_apart_ = several; }

  const std::vector<Edge>& from(const FlowState& state);
  std::vector<std::uint16_t> after_expiry(std::uint16_t entry) {
    return automaton_.after_expiry(entry);
  }

  Set comes_back(std::uint16_t through) const { return bindings_->at(through).comes_back; }
  // Edge::heard of a packet that is not a flow's first.
  Set heard(const FlowState& from, std::uint16_t through) const;
  Guards& guards(FlowEnd sender, std::uint16_t through = 0) {
    if (through == 0) return sender == FlowEnd::kInitiator ? initiator_ : responder_;
    BoundGuards& under = bound(through);
    return sender == FlowEnd::kInitiator ? under.initiator : under.responder;
  }

 private:
  BoundGuards& bound(std::uint16_t through) const {
    return errors_ != nullptr && through == errors_->number ? errors_->guards
                                                            : bindings_->at(through);
  }
  bool allowed(Edge::Of of) const { return allowed_[static_cast<std::size_t>(of)]; }
  bool allowed_announced(std::uint8_t pair) const {
    return std::ranges::find(announced_, pair) != announced_.end();
  }
  void collect(const FlowState& from, FlowEnd sender, std::vector<Edge>& out);
  void tracked(const FlowState& from, FlowEnd sender, PacketKind kind, std::uint8_t zone,
               std::vector<Edge>& out);
  void second_lookup(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                     InZones zones, bool ordinary, std::vector<Edge>& out);
  void by_fate(const FlowState& from, FlowEnd sender, bool again, std::optional<PacketKind> kind,
               const Move& move, bool ordinary, std::vector<Edge>& out, std::uint16_t through = 0,
               InZones zones = {});
  bool comes_in(const FlowState& from, FlowEnd sender, std::uint8_t zone);
  FlowState after(const FlowState& from, FlowEnd sender, Fate fate, const Move& move,
                  std::uint16_t through) const;
  void under_nat(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                 std::uint8_t zone, bool ordinary, std::vector<Edge>& out);
  // edges_zones.cpp
  bool several() const { return several_; }
  std::vector<Edge> collect(const FlowState& from, bool several);
  bool answers(const FlowState& from, FlowEnd sender) const {
    return from.nat != 0 && bindings_->at(from.nat).nat.originator != sender;
  }
  void answer(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
              std::uint8_t zone, bool ordinary, std::vector<Edge>& out);
  void answered_again(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
                      std::uint8_t zone, bool ordinary, std::vector<Edge>& out);
  void astray(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& move,
              std::uint8_t zone, bool ordinary, std::vector<Edge>& out);
  void beside(const FlowState& from, FlowEnd sender, bool again, PacketKind kind, const Move& move,
              InZones zones, bool ordinary, std::vector<Edge>& out, std::uint16_t through);
  bool hides() const;
  void hidden_first(const FlowState& from, FlowEnd sender, PacketKind kind, std::uint8_t zone,
                    std::vector<Edge>& out);
  void found_again(const FlowState& from, FlowEnd sender, PacketKind kind, const Move& second,
                   InZones zones, bool ordinary, std::vector<Edge>& out);
  bool clashes_with_others(FlowEnd sender) const;
  void announced(const FlowState& from, FlowEnd sender, bool again, PacketKind kind,
                 const Move& move, InZones zones, bool ordinary, std::vector<Edge>& out);
  void plain(const FlowState& from, FlowEnd sender, CtState state, std::vector<Edge>& out);
  void invalid_then_untracked(const FlowState& from, FlowEnd sender, const Move& move,
                              std::uint8_t zone, std::vector<Edge>& out);
  void related(const FlowState& from, std::vector<Edge>& out);
  void related_again(const FlowState& from, std::vector<Edge>& out);
  void strays(const FlowState& from, std::vector<Edge>& out);
  void found_by_resets(FlowEnd sender, std::size_t first, std::vector<Edge>& out);
  void reopened(const FlowState& from, std::vector<Edge>& out);
  void reopened(const FlowState& from, PacketKind kind, const Move& move, std::uint8_t zone,
                std::vector<Edge>& out);
  bool local(FlowEnd sender) const;
  bool looked_at(FlowEnd sender, PacketKind kind, const Move& move) const;
  std::vector<Move> moves(std::uint16_t entry, FlowEnd sender, PacketKind kind, std::uint8_t pair);

  Automaton& automaton_;
  Guards& initiator_;
  Guards& responder_;
  Path path_;
  bool tracking_;
  Script script_;
  bool must_;
  Bindings* bindings_ = nullptr;
  LedErrors* errors_ = nullptr;
  bool lose_turned_ = false, whole_ = false;
  std::optional<bool> told_apart_;
  bool several_ = false;  // which flows are looked at
  std::array<bool, 6> allowed_{};
  std::vector<std::uint8_t> announced_;  // pairs of zones
  std::map<FlowState, std::vector<Edge>> known_;
};

}  // namespace postern
