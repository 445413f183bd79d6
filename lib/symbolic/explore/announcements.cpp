#include "symbolic/explore/announcements.hpp"

#include <algorithm>
#include <array>

#include "symbolic/explore/model_impl.hpp"

namespace postern {
namespace {

constexpr std::array kNow{Axis::kConnmark};

// Does the helper read what this packet of the master says?
bool reads(Helper helper, const Edge& edge) {
  const Fate fate = edge.what.fate;
  // At the confirmation, which on lo comes before INPUT.
  if (fate != Fate::kDelivered && fate != Fate::kDroppedConfirmed &&
      fate != Fate::kResetConfirmed) {
    return false;
  }
  const Sight& sight = edge.what.sight;
  switch (helper) {
    case Helper::kFtp:
      return sight.state == CtState::kEstablished;
    case Helper::kIrc:
      return sight.state == CtState::kEstablished && edge.sender == FlowEnd::kInitiator;
    case Helper::kTftp:
      return sight.state == CtState::kNew || sight.state == CtState::kEstablished;
    case Helper::kNone:
      break;
  }
  return false;
}

}  // namespace

std::vector<Announcements::Kind> Announcements::kinds() const {
  std::vector<Kind> result;
  for (const Helper helper : {Helper::kFtp, Helper::kTftp, Helper::kIrc}) {
    if (!model_.templates.help(helper)) continue;
    for (std::uint8_t pair = 0; pair < model_.automaton.pairs(); ++pair) {
      result.push_back({helper, pair});
    }
  }
  return result;
}

std::uint16_t Announcements::zone(const Kind& kind) const {
  return model_.automaton.zones().pairs()[kind.pair].id();
}

Set Announcements::of_protocol(Helper helper) {
  const std::uint8_t number = helper == Helper::kTftp ? protocol::kUdp : protocol::kTcp;
  return model_.space.protocol_is(number);
}

Set Announcements::protocols() {
  Set result = kNothing;
  for (const auto& [helper, pair] : kinds()) {
    result = model_.bdd().either(result, of_protocol(helper));
  }
  return result;
}

// The opener's packets (flow and packet axes) that come to the lookup with the helper's template,
// in that pair of zones; `must`: surely.
Set Announcements::opening(Path path, Kind kind, bool must) {
  Bdd& bdd = model_.bdd();
  const Set all = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  const PathWalk& walk = model_.guards(path, all, true).initiator.walk();
  Set with = kNothing, others = bdd.either(walk.early, walk.early_unmodelled);
  for (const auto& [request, packets] : walk.requests) {
    const auto [value, pair] = request;
    const bool own = value >= Templates::kFirst && pair == kind.pair &&
                     model_.templates.helper(value) == kind.helper;
    Set& place = own ? with : others;
    place = bdd.either(place, packets);
  }
  if (must) with = bdd.minus(with, others);
  return bdd.both(with, of_protocol(kind.helper));
}

// Everything that may be said: both ends free, in every state that a master can have.
Announcements::Heard Announcements::search(Path path, Kind kind) {
  Bdd& bdd = model_.bdd();
  Heard result;
  const Set flows = model_.flows_of(opening(path, kind, false));
  if (flows.empty()) return result;
  const Set all = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  Explorer explorer = model_.explorer(path, all, Script::kOpener, false, true);
  const Exploration world = explorer.run(flows, kEverything);
  result.open = world.unmodelled;
  const auto variants = model_.translations.variants(path);
  const auto master = [&](FlowEnd speaker, Set of, std::uint16_t nat) {
    const NatVariant bound = nat == 0 ? NatVariant{} : variants[nat - 1];
    return Master{kind.helper, kind.pair, path, speaker, of, nat, bound};
  };
  std::map<std::pair<FlowEnd, std::uint16_t>, Set> said;
  for (const Reached& r : world.states) {
    if (r.state.entry != 0) {
      const Set here = model_.space.exists(r.flows, kNow);
      const Master one = master(FlowEnd::kInitiator, here, r.state.nat);
      result.own = bdd.either(result.own, bdd.minus(here, changed(one)));
    }
    for (const Edge& edge : explorer.edges(r.state)) {
      if (edge.pair != kind.pair || edge.aside || edge.open) continue;
      const AbstractEntry& entry =
          edge.created ? edge.step.after
                       : model_.automaton.entry(model_.automaton.parts(r.state.entry)[kind.pair]);
      if (!entry.present || entry.originator != FlowEnd::kInitiator || !reads(kind.helper, edge)) {
        continue;
      }
      Set& place = said[{edge.sender, edge.created ? edge.through : r.state.nat}];
      place = bdd.either(place, model_.space.exists(explorer.image(r.flows, edge), kNow));
    }
  }
  result.own = bdd.both(result.own, model_.may_be_own_tuple(path));
  for (const auto& [by, set] : said) {
    if (!set.empty()) result.masters.push_back(master(by.first, set, by.second));
  }
  return result;
}

// The shortest honest conversation in which the helper reads what the speaker says.
std::vector<Line> Announcements::script(Kind kind, FlowEnd speaker) {
  const bool tftp = kind.helper == Helper::kTftp;
  const PacketKind first = tftp ? PacketKind::kDatagram : PacketKind::kTcpSyn;
  for (auto& lines : conversations(model_.space)) {
    if (lines.front().kind != first) continue;
    if (tftp) lines.resize(1);
    for (Line& line : lines) line.read_in = kind.pair;
    // ... and two lines of the speaker's: only what begins a line is a command.
    for (std::size_t k = 3; k < lines.size(); ++k) lines[k].sender = speaker;
    return lines;
  }
  return {};
}

Announcements::Heard Announcements::rehearse(Path path, Kind kind) {
  Heard result;
  const Set first = opening(path, kind, true);
  if (first.empty()) return result;
  const Set all = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  Explorer explorer = model_.explorer(path, all, Script::kOpener, true, true);
  const auto variants = model_.translations.variants(path);
  for (const FlowEnd speaker : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
    if (kind.helper != Helper::kFtp && speaker != FlowEnd::kInitiator) continue;
    Conversation talk(model_.space, explorer, script(kind, speaker), first);
    if (talk.play(model_.flows_of(first)).empty()) continue;
    std::map<std::uint16_t, Set> by_nat;
    for (const auto& [state, flows] : talk.layers().back()) {
      Set& place = by_nat[state.nat];
      place = model_.bdd().either(place, model_.space.exists(flows, kNow));
    }
    for (const auto& [nat, flows] : by_nat) {
      const NatVariant bound = nat == 0 ? NatVariant{} : variants[nat - 1];
      result.masters.push_back({kind.helper, kind.pair, path, speaker, flows, nat, bound});
    }
  }
  return result;
}

const Announcements::Heard& Announcements::heard(Path path, Kind kind, bool must) {
  const std::tuple key{path, kind, must};
  if (const auto at = heard_.find(key); at != heard_.end()) return at->second;
  Heard found = must ? rehearse(path, kind) : search(path, kind);
  return heard_[key] = std::move(found);
}

const ExpectedFlows& Announcements::of(Path path, Certainty certainty) {
  if (const auto at = known_.find({path, certainty}); at != known_.end()) return at->second;
  ExpectedFlows result;
  const Templates& templates = model_.templates;
  if (model_.tracking && certainty == Certainty::kUnmodelled && model_.strange_help()) {
    result = of_anything();
  } else if (model_.tracking && templates.help()) {
    result.marked = templates.mark();
    if (certainty == Certainty::kUnmodelled) {
      unmodelled(path, result);
    } else {
      announced(path, certainty == Certainty::kMust, result);
    }
  }
  return known_[{path, certainty}] = result;
}

ExpectedFlows Announcements::of_anything() const {
  ExpectedFlows result;
  for (const std::uint16_t zone : model_.automaton.zones().ids()) {
    result.zones[zone] = {kEverything, kEverything};
  }
  return result;
}

std::vector<FlowStep> Announcements::steps(const Master& master, Set flow, bool must) {
  const Set all = model_.flows_of(model_.sendable(master.path, FlowEnd::kInitiator));
  Explorer explorer = model_.explorer(master.path, all, Script::kOpener, must, true);
  const Kind kind{master.helper, master.pair};
  const Set first = model_.bdd().both(opening(master.path, kind, must), flow);
  Conversation talk(model_.space, explorer, script(kind, master.speaker), first);
  if (talk.play(flow).empty() || talk.bound_as(master.nat).empty()) return {};
  return steps_of(model_.space, explorer, talk, first);
}

}  // namespace postern
