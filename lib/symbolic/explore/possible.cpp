#include "symbolic/explore/possible.hpp"

#include <algorithm>
#include <numeric>

#include "symbolic/entries/kinds.hpp"

namespace postern {
namespace {

class Possible {
 public:
  Possible(Model::Impl& model, Path path, FlowEnd sender, Set flows)
      : model_(model),
        space_(model.space),
        bdd_(model.bdd()),
        path_(path),
        sender_(sender),
        flows_(flows),
        saves_marks_(saves_marks(model.program)) {
    const Path own = sender == FlowEnd::kInitiator ? path : reverse(path);
    local_ = own == Path::kOut || own == Path::kLoopback;
  }

  Set points() {
    const Set nothing = at_rest();
    Set result = bdd_.both(state(CtState::kUntracked), nothing);
    if (!model_.tracking) {
      return bdd_.either(result, bdd_.both(state(CtState::kInvalid), nothing));
    }
    result = bdd_.either(result, seen());
    result = bdd_.either(result, bdd_.both(bdd_.both(state(CtState::kInvalid), nothing), broken()));
    return bdd_.either(result, bdd_.both(bdd_.both(state(CtState::kRelated), not_first()),
                                         model_.carriers(sender_, local_)));
  }

 private:
  Set state(CtState s) { return space_.class_is(Axis::kState, static_cast<std::uint32_t>(s)); }
  // Of another flow's entry.
  Set not_first() {
    const Set s = space_.class_is(Axis::kFirst, 0);
    return space_.classes().expects ? bdd_.both(s, space_.class_is(Axis::kExpected, 0)) : s;
  }
  Set at_rest() {
    Set s = kEverything;
    for (const Axis axis : {Axis::kDirection, Axis::kFirst, Axis::kSeenReply, Axis::kAssured}) {
      s = bdd_.both(s, space_.class_is(axis, 0));
    }
    if (space_.classes().expects) s = bdd_.both(s, space_.class_is(Axis::kExpected, 0));
    return s;
  }
  Set sight(const AbstractStep& step, std::uint8_t zone) {
    Set s = state(step.state);
    const auto fix = [&](Axis axis, bool one) {
      s = bdd_.both(s, space_.class_is(axis, one ? 1 : 0));
    };
    fix(Axis::kDirection, step.direction == CtDirection::kReply);
    fix(Axis::kFirst, step.created);
    fix(Axis::kSeenReply, (step.status & ct_status::kSeenReply) != 0);
    fix(Axis::kAssured, (step.status & ct_status::kAssured) != 0);
    s = bdd_.both(s, space_.class_is(Axis::kZone, zone));
    if (space_.classes().expects) fix(Axis::kExpected, (step.status & ct_status::kExpected) != 0);
    return s;
  }

  // The flows' present connmark is the one that the next packet finds. Where a rule saves marks, it
  // may be one that a socket has given its packets (SO_MARK), which the search leaves out.
  Set before(Set flows) {
    const auto& now = space_.layout(Axis::kConnmark).variables;
    if (now.empty()) return flows;
    if (saves_marks_) {
      const std::array gone{Axis::kConnmark};
      return space_.exists(flows, gone);
    }
    Bdd::VariableMap map(bdd_.variables());
    std::iota(map.begin(), map.end(), 0u);
    for (std::size_t i = 0; i < now.size(); ++i) {
      map[now[i]] = space_.layout(Axis::kConnmarkBefore).variables[i];
    }
    return bdd_.rename(flows, map);
  }

  // Every sight that an entry which some flow can have gives.
  Set seen() {
    Explorer search = model_.explorer(path_, flows_, Script::kTrack, false);
    const ExpectedFlows& expected = model_.expected(path_, false);
    search.expect(expected);
    search.share_entries(bdd_.both(flows_, model_.entries_without_ports()));
    const Exploration world = search.run(flows_, kEverything);
    // Where anything was left open, any state may come about.
    if (!world.unmodelled.empty()) return conntrack_domain(space_);
    std::map<std::pair<PacketKind, Set>, Set> by_sight;
    const auto add = [&](const Reached& r, std::uint8_t zone) {
      for (const PacketKind kind : model_.automaton.kinds(r.state.entry, sender_, zone)) {
        for (const Move& move : model_.automaton.moves(r.state.entry, sender_, kind, zone)) {
          Set& place = by_sight[{kind, sight(move.step, zone)}];
          place = bdd_.either(place, move.step.created ? no_connmark(r.flows) : before(r.flows));
          if (!move.step.created) continue;
          Set& related = by_sight[{kind, sight(announced(move.step), zone)}];
          related = bdd_.either(related, announced_flows(r.flows, expected, zone));
        }
      }
    };
    for (const Reached& r : world.states) {
      for (std::uint8_t zone = 0; zone < model_.automaton.pairs(); ++zone) add(r, zone);
    }
    Guards& guards = search.guards(sender_);
    Set result = kNothing;
    for (const auto& [key, flows] : by_sight) {
      result =
          bdd_.either(result, bdd_.both(bdd_.both(guards.kind_set(key.first), key.second), flows));
    }
    Set open = kNothing;
    const ExpectedFlows& beyond =
        model_.announcements.of(path_, Announcements::Certainty::kUnmodelled);
    for (const auto& [id, here] : beyond.zones) open = bdd_.either(open, here.by(sender_));
    return bdd_.either(result, bdd_.both(bdd_.both(open, flows_), conntrack_domain(space_)));
  }

  Set announced_flows(Set flows, const ExpectedFlows& expected, std::uint8_t zone) {
    const std::array now{Axis::kConnmark};
    const std::uint16_t id = model_.automaton.zones().pairs()[zone].id();
    const Set mine = bdd_.both(flows, expected.in(id).by(sender_));
    return expected.marked ? space_.exists(mine, now) : no_connmark(mine);
  }

  Set no_connmark(Set flows) {
    const std::array now{Axis::kConnmark};
    Set s = space_.exists(flows, now);
    for (const unsigned v : space_.layout(Axis::kConnmarkBefore).variables) {
      s = bdd_.both(s, bdd_.literal(v, false));
    }
    return s;
  }

  // A wrong length, and off a wire a wrong checksum, makes any packet of these INVALID; so is a
  // piece that conntrack does not put together.
  Set broken() {
    const Set read = space_.protocols(invalid_if_cut);
    return bdd_.either(read, bdd_.complement(space_.class_is(Axis::kFragmentOffset, 0)));
  }

  Model::Impl& model_;
  Space& space_;
  Bdd& bdd_;
  Path path_;
  FlowEnd sender_;
  Set flows_;
  bool saves_marks_ = false;
  bool local_ = false;
};

}  // namespace

Set possible_points(Model::Impl& model, Path path, FlowEnd sender, Set flows, bool loose) {
  if (loose && model.tracking) return conntrack_domain(model.space);
  return Possible(model, path, sender, flows).points();
}

}  // namespace postern
