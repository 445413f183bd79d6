// `connect`: a conversation between honest ends, packet by packet (design.md 4, "Flows"). Its
// states follow from the tables; nothing is searched. Covered by tests/unit/flow_sets_test.cpp.
#pragma once

#include <optional>
#include <vector>

#include "symbolic/explore/arrival.hpp"
#include "symbolic/explore/explore.hpp"

namespace postern {

// One packet of the conversation.
struct Line {
  FlowEnd sender = FlowEnd::kInitiator;
  PacketKind kind = PacketKind::kGeneric;
  Set packets;  // that an honest end would send here (flow and packet axes)
  // Only by an entry in that pair of zones, as what a helper reads (announcements.hpp).
  std::optional<std::uint8_t> read_in = std::nullopt;
  // It finds no entry of those before it: PPTP's calls, of which each end has its own. Such
  // conversations have no witness: what gets through them alone is left open.
  bool apart = false;
};
bool apart(const std::vector<Line>& lines);

// The conversations that can be held, each for its protocols.
std::vector<std::vector<Line>> conversations(Space& space);

// Plays one conversation. layers()[k] are the flows that got through k packets, by state.
class Conversation {
 public:
  // `first` are the packets that may come first (flow and packet axes), `arrival` what they must
  // have become then (null: anything; must outlive this).
  Conversation(Space& space, Explorer& explorer, std::vector<Line> lines, Set first,
               const Arrival* arrival = nullptr)
      : space_(space),
        explorer_(explorer),
        lines_(std::move(lines)),
        first_(first),
        arrival_(arrival) {}

  // From then on each end has to hear the other as it knows it: what NAT makes of its first packet,
  // it makes of all (Edge::heard).
  void between_honest_ends() { honest_ = true; }
  // Flows (flow axes) whose conversation gets through.
  Set play(Set flows);
  Set unmodelled() const { return unmodelled_; }
  // Those that got through bound in this way; the others are left out from then on.
  Set bound_as(std::uint16_t nat);
  const std::vector<Frontier>& layers() const { return layers_; }
  const std::vector<Line>& lines() const { return lines_; }
  // The edges by which packet `k` goes from a state (delivered, or not modelled).
  std::vector<Edge> edges(const FlowState& from, std::size_t k);
  // Packets that an honest end would send as the k-th, by this edge.
  Set allowed(const Edge& edge, std::size_t k);
  // ... kEverything when its kind says it all.
  Set only(const Edge& edge, std::size_t k, Set flows);

 private:
  Frontier next(const Frontier& from, std::size_t k);
  Set put_together(Guards& guards, std::size_t k);
  void note_unsure(const Edge& edge, Set flows);

  Space& space_;
  Explorer& explorer_;
  std::vector<Line> lines_;
  Set first_;
  const Arrival* arrival_;
  bool honest_ = false;
  std::vector<Frontier> layers_;
  Set unmodelled_ = kNothing;
};

// One way through a conversation that has been played: a step for each line. `first` as there.
std::vector<FlowStep> steps_of(Space& space, Explorer& explorer, Conversation& talk, Set first);

}  // namespace postern
