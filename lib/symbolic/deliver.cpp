// `deliver` and `track`: what the fixpoint of a path's flows says (design.md 4, "Flows").
// Covered by tests/unit/flow_sets_test.cpp.
#include "symbolic/model_impl.hpp"

namespace postern {
namespace {

// Delivered packets of the initiator, by the flows that are in a state where they can be sent. Edges that
// differ in nothing but where they come from are asked once.
class Delivered {
 public:
  Delivered(Space& space, Explorer& explorer, Set m)
      : space_(space), explorer_(explorer), m_(m) {}

  Set of(const Frontier& layer, bool coarse) {
    Bdd& bdd = space_.bdd();
    std::map<std::pair<Case, bool>, std::pair<Edge, Set>> asked;
    for (const auto& [state, flows] : layer) {
      for (const Edge& edge : explorer_.edges(state)) {
        if (edge.sender != FlowEnd::kInitiator || edge.what.fate != Fate::kDelivered ||
            edge.coarse != coarse) {
          continue;
        }
        auto& [one, from] = asked.try_emplace({edge.what, edge.created}, edge, kNothing).first->second;
        from = bdd.either(from, flows);
      }
    }
    Set result = kNothing;
    for (const auto& [key, value] : asked) {
      Edge edge = value.first;
      edge.to.entry = 1;  // the connmark afterwards does not matter
      const Set hit = explorer_.packets(value.second, edge, kEverything);
      result = bdd.either(result, bdd.both(space_.exists(hit, kNow), m_));
    }
    return result;
  }

 private:
  static constexpr std::array kNow{Axis::kConnmark};
  Space& space_;
  Explorer& explorer_;
  Set m_;
};

}  // namespace

Set Model::Impl::related(Path path, Set m, bool must) {
  if (!tracking) return kNothing;
  const Family family = program.ruleset().family;
  const std::uint8_t icmp = family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6;
  const Set errors = bdd().both(
      space.class_set_if(Axis::kProtocol, [&](const ValueClass& c) { return c.canonical == icmp; }),
      space.class_set_if(Axis::kIcmpType, [&](const ValueClass& c) {
        return icmp_class(family, static_cast<std::uint8_t>(c.canonical)) == IcmpClass::kError;
      }));
  const Set asked = bdd().both(flows_of(m), errors);
  if (asked.empty()) return kNothing;
  const auto key = std::pair{path, must};
  const auto [it, fresh] = related_sets.try_emplace(key, kNothing);
  if (fresh) {
    // Addresses that some flow of the outsider with an entry has on its far end, or as its own.
    Set ends = kNothing;
    std::vector<Axis> others;
    for (const Axis axis : flow_axes()) {
      if (axis != Axis::kInitiator && axis != Axis::kResponder) others.push_back(axis);
    }
    others.push_back(Axis::kConnmark);
    for (const Path own : {path, path == Path::kIn ? Path::kForward : Path::kIn}) {
      if (own != path && path != Path::kIn && path != Path::kForward) continue;
      const Set all = flows_of(sendable(own, FlowEnd::kInitiator));
      Explorer search = explorer(own, all, Script::kDeliver, must);
      for (const Reached& r : search.run(all, kEverything).states) {
        if (r.state.entry == 0) continue;
        const Set flows = space.exists(r.flows, others);
        const std::array initiator{Axis::kInitiator}, responder{Axis::kResponder};
        ends = bdd().either(ends, space.exists(flows, initiator));
        // The other end's address, said of the responder: both ends share their classes.
        for (const std::uint32_t c : space.classes_in(space.exists(flows, responder), Axis::kInitiator)) {
          ends = bdd().either(ends, space.class_is(Axis::kResponder, c));
        }
      }
    }
    it->second = ends;
  }
  return bdd().both(asked, it->second);
}

DeliverAnswer Model::Impl::deliver(Path path, Set m) {
  DeliverAnswer answer;
  const Set flows = flows_of(m);
  for (const bool must : {false, true}) {
    Explorer search = explorer(path, flows, Script::kDeliver, must);
    const Set quoting = related(path, m, must);
    search.allow_related(quoting);
    if (!must) answer.related = quoting;
    Exploration& world = must ? answer.must : answer.may;
    world = search.run(flows, kEverything);
    Delivered delivered(space, search, m);
    Set all = kNothing, coarse = kNothing;
    for (const Frontier& layer : search.layers()) {
      const Set here = bdd().minus(delivered.of(layer, false), all);
      all = bdd().either(all, here);
      (must ? answer.must_by_depth : answer.by_depth).push_back(here);
      if (!must) coarse = bdd().either(coarse, delivered.of(layer, true));
    }
    (must ? answer.packets.must : answer.packets.may) = all;
    if (!must) {
      answer.packets.unmodelled =
          bdd().either(bdd().both(m, world.unmodelled), bdd().minus(coarse, all));
    }
  }
  return answer;
}

TrackAnswer Model::Impl::track(Path path, Set m, const std::string& entry_state) {
  TrackAnswer answer;
  const Set flows = flows_of(m);
  const std::array now{Axis::kConnmark};
  for (const bool must : {false, true}) {
    Explorer search = explorer(path, flows, Script::kTrack, must);
    Exploration& world = must ? answer.must : answer.may;
    world = search.run(flows, m);
    Set all = kNothing;
    for (const Frontier& layer : search.layers()) {
      Set here = kNothing;
      for (const auto& [state, set] : layer) {
        if (wanted(state.entry, entry_state)) here = bdd().either(here, space.exists(set, now));
      }
      here = bdd().minus(here, all);
      all = bdd().either(all, here);
      (must ? answer.must_by_depth : answer.by_depth).push_back(here);
    }
    (must ? answer.flows.must : answer.flows.may) = all;
    if (!must) answer.flows.unmodelled = world.unmodelled;
  }
  return answer;
}

}  // namespace postern
