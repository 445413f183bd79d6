// From sets back to packets: a shortest sequence for one flow, found backwards through the layers
// of a search that is made again for that flow alone. Covered by tests/unit/flow_sets_test.cpp.
#include <algorithm>

#include "base/check.hpp"
#include "symbolic/explore/connect.hpp"
#include "symbolic/explore/model_impl.hpp"

namespace postern {
namespace {

constexpr std::array kNow{Axis::kConnmark};

FlowStep step_of(const Edge& edge, const FlowState& before, Set packets) {
  FlowStep step;
  step.reply = edge.sender == FlowEnd::kResponder;
  step.translated = edge.translated;
  step.nat = edge.through;
  step.quotes = edge.of == Edge::Of::kRelated;
  step.before = before;
  step.after = edge.to;
  step.state = edge.what.sight.state;
  step.kind = edge.what.kind.value_or(PacketKind::kGeneric);
  step.condition = edge.step.condition;
  step.sctp = edge.step.sctp;
  step.coarse = edge.coarse;
  step.accepted = edge.what.fate == Fate::kDelivered;
  step.announced = edge.of == Edge::Of::kAnnounced;
  step.segment = std::string(text(step.kind)) + ", " + std::string(text(step.condition));
  step.packets = packets;
  step.pair = edge.pair;
  step.zone = edge.what.sight.zone;
  step.fresh = edge.fresh || before.entry == 0;
  return step;
}

// Walks back from `target` flows in a state of layer `k` to layer 0. `first`: what the flow's first
// packet may be.
class Trace {
 public:
  Trace(Space& space, Automaton& automaton, Explorer& explorer, Set first)
      : space_(space), automaton_(automaton), explorer_(explorer), first_(first) {}

  std::vector<FlowStep> back(FlowState state, Set target, std::size_t k) {
    std::vector<FlowStep> steps;
    while (k > 0) {
      FlowStep step;
      const auto from = packet_step(state, target, k, step);
      k = from ? k - 1 : waiting_step(state, target, k, step);
      steps.push_back(step);
      state = step.before;
    }
    std::ranges::reverse(steps);
    return steps;
  }

 private:
  // A packet from the layer before; narrows `target` to where it comes from.
  bool packet_step(const FlowState& state, Set& target, std::size_t k, FlowStep& step) {
    const Set only = k == 1 ? first_ : kEverything;
    for (const auto& [before, flows] : explorer_.layers()[k - 1]) {
      for (const Edge& edge : explorer_.edges(before)) {
        if (edge.to != state || edge.coarse || edge.unmodelled()) continue;
        const Set source = explorer_.preimage(flows, edge, target, only);
        if (source.empty()) continue;
        const Set packets = space_.bdd().both(explorer_.packets(source, edge, target), only);
        step = step_of(edge, before, space_.exists(packets, kNow));
        target = source;
        return true;
      }
    }
    return lost_first(state, target, k, step);
  }

  // track: a first packet that died before the lookup, or while NAT led it another way.
  bool lost_first(const FlowState& state, Set& target, std::size_t k, FlowStep& step) {
    if (k != 1 || state != FlowState{0, true}) return false;
    const PathWalk& walk = explorer_.guards(FlowEnd::kInitiator).walk();
    const Set here = space_.bdd().both(first_, space_.exists(target, kNow));
    Set packets = space_.bdd().both(walk.early, here);
    if (packets.empty()) packets = space_.bdd().both(walk.moved, here);
    if (packets.empty()) return false;
    step.before = {0, false};
    step.after = state;
    step.segment = "lost before the lookup";
    step.packets = packets;
    return true;
  }

  // The entry expired: the state before stands in some earlier layer.
  std::size_t waiting_step(const FlowState& state, Set& target, std::size_t k, FlowStep& step) {
    for (std::size_t i = 0; i < k; ++i) {
      for (const auto& [before, flows] : explorer_.layers()[i]) {
        if (before.reached != state.reached) continue;
        const auto left = automaton_.after_expiry(before.entry);
        if (std::ranges::find(left, state.entry) == left.end()) continue;
        const Set source = space_.bdd().both(flows, space_.exists(target, kNow));
        if (source.empty()) continue;
        step.wait = true;
        step.before = before;
        step.after = state;
        target = source;
        return i;
      }
    }
    POSTERN_CHECK(false, "a state that nothing leads to");
    return 0;
  }

  Space& space_;
  Automaton& automaton_;
  Explorer& explorer_;
  Set first_;
};

}  // namespace

// One connmark that the quoted flow of some of `errors` (of `packets`, with kConnmarkBefore) has:
// those errors are left.
Set Model::Impl::choose_mark(Set packets, Set errors, QuotedEntry& quoted) {
  Set left = bdd().both(packets, errors);
  const auto &before = space.layout(Axis::kConnmarkBefore).variables,
             &now = space.layout(Axis::kConnmark).variables;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Set without = bdd().both(left, bdd().literal(before[i], false));
    const bool bit = without.empty();
    left = bit ? left : without;
    quoted.mark = bdd().both(quoted.mark, bdd().literal(now[i], bit));
  }
  const std::array old{Axis::kConnmarkBefore};
  return space.exists(left, old);
}

std::vector<FlowStep> Model::Impl::deliver_steps(Path path, Set m, Set goal, bool must,
                                                 const PredicatePtr& to) {
  const Arrival asked = arrival(path, to);
  for (const bool whole : {true, false}) {
    for (const bool expecting : {false, true}) {
      auto steps = deliver_steps(path, m, goal, {must, expecting, whole}, asked);
      if (!steps.empty()) return steps;
    }
  }
  return {};
}

std::vector<FlowStep> Model::Impl::deliver_steps(Path path, Set m, Set goal, Search how,
                                                 const Arrival& arrival) {
  const auto [must, expecting, whole] = how;
  const Set flows = flows_of(goal);
  Explorer search = explorer(path, flows, Script::kDeliver, must, true);
  auto quoting_by = related(path, m, must).by_nat;
  quoting_by.erase(translations.number_of_errors(path));
  search.allow_related(std::move(quoting_by));
  if (expecting) search.expect(expected(path, must));
  if (whole) search.only_whole();
  search.run(flows, kEverything);
  // An error about another flow only where nothing else will do: it takes that flow to show it, as
  // short a one as there is.
  std::vector<FlowStep> best;
  std::size_t after = SIZE_MAX;
  for (const bool quoting : {false, true}) {
    for (std::size_t k = 0; k < search.layers().size(); ++k) {
      for (const auto& [state, set] : search.layers()[k]) {
        for (const Edge& edge : search.edges(state)) {
          if (edge.sender != FlowEnd::kInitiator || edge.what.fate != Fate::kDelivered ||
              edge.coarse || edge.translated || (edge.of == Edge::Of::kRelated) != quoting) {
            continue;
          }
          const Set wanted = bdd().both(bdd().both(goal, m), arrival.of(edge).must);
          Set hit = bdd().both(space.exists(search.packets(set, edge, kEverything), kNow), wanted);
          if (hit.empty()) continue;
          QuotedEntry quoted{.nat = edge.through, .zone = edge.what.sight.zone};
          if (quoting)
            hit = choose_mark(search.quoting_packets(set, edge, kEverything), hit, quoted);
          const auto steps = [&, &state = state, &set = set] {
            const Set source = search.preimage(set, edge, kEverything, hit);
            auto result = Trace(space, automaton, search, kEverything).back(state, source, k);
            result.push_back(step_of(edge, state, hit));
            result.back().quoted_mark = quoted.mark;
            return result;
          };
          if (!quoting) return steps();
          const std::size_t takes = quotable(path, hit, quoted, must).steps;
          if (takes >= after && !best.empty()) continue;
          after = takes;
          best = steps();
        }
      }
    }
  }
  return best;
}

std::vector<FlowStep> Model::Impl::track_steps(Path path, Set m, const std::string& entry_state,
                                               Set goal, bool must, const PredicatePtr& to) {
  const Set flows = flows_of(goal);
  const Arrival asked = arrival(path, to);
  for (const bool expecting : {false, true}) {
    Explorer search = explorer(path, flows, Script::kTrack, must, true);
    if (expecting) search.expect(expected(path, must));
    search.run(flows, bdd().both(m, flows));
    for (std::size_t k = 0; k < search.layers().size(); ++k) {
      for (const auto& [state, set] : search.layers()[k]) {
        const Set there = bdd().both(set, asked.under(state.nat).must);
        if (!wanted(state.entry, entry_state) || there.empty()) continue;
        return Trace(space, automaton, search, bdd().both(m, flows)).back(state, there, k);
      }
    }
  }
  return {};
}

std::vector<FlowStep> Model::Impl::entry_steps(Path path, Set flows, const QuotedEntry& entry,
                                               FlowEnd end, bool must) {
  Explorer search = explorer(path, flows, Script::kDeliver, must, true);
  search.run(flows, kEverything);
  const Set zone = space.class_is(Axis::kZone, entry.zone);
  for (std::size_t k = 0; k < search.layers().size(); ++k) {
    for (const auto& [state, set] : search.layers()[k]) {
      const Set marked = bdd().both(set, entry.mark);
      if (state.entry == 0 || state.nat != entry.nat || marked.empty()) continue;
      if (bdd().disjoint(quoted_in(state.entry, end), zone)) continue;
      return Trace(space, automaton, search, kEverything).back(state, marked, k);
    }
  }
  return {};
}

std::vector<FlowStep> steps_of(Space& space, Explorer& explorer, Conversation& talk, Set first) {
  Bdd& bdd = space.bdd();
  std::vector<FlowStep> steps;
  FlowState state = talk.layers().back().begin()->first;
  Set target = talk.layers().back().begin()->second;
  for (std::size_t k = talk.lines().size(); k-- > 0;) {
    bool found = false;
    for (const auto& [before, set] : talk.layers()[k]) {
      for (const Edge& edge : talk.edges(before, k)) {
        if (found || edge.to.entry != state.entry || edge.to.nat != state.nat || edge.coarse ||
            edge.what.fate != Fate::kDelivered) {
          continue;
        }
        const Set allowed = talk.allowed(edge, k);
        const Set honest = k == 0 ? bdd.both(first, allowed) : allowed;
        const Set source = explorer.preimage(set, edge, target, honest);
        if (source.empty()) continue;
        const Set hit = explorer.packets(source, edge, target);
        steps.push_back(step_of(edge, before, bdd.both(space.exists(hit, kNow), honest)));
        target = source;
        state = before;
        found = true;
      }
      if (found) break;
    }
    POSTERN_CHECK(found, "a conversation without a way back");
  }
  std::ranges::reverse(steps);
  return steps;
}

// An announcement only where nothing else will do: it takes another flow to show it.
std::vector<FlowStep> Model::Impl::connect_steps(Path path, Set m, Set goal, bool must,
                                                 const PredicatePtr& to) {
  const Set flows = flows_of(goal);
  const Arrival asked = arrival(path, to);
  for (const bool expecting : {false, true}) {
    Explorer search = explorer(path, flows, Script::kDeliver, must, true);
    if (expecting) search.expect(expected(path, must));
    for (auto& lines : conversations(space)) {
      if (apart(lines)) continue;
      Conversation talk(space, search, std::move(lines), m, &asked);
      talk.between_honest_ends();
      if (!talk.play(flows).empty()) return steps_of(space, search, talk, m);
    }
  }
  return {};
}

}  // namespace postern
