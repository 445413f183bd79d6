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

std::vector<Helper> Announcements::helpers() const {
  std::vector<Helper> result;
  for (const Helper helper : {Helper::kFtp, Helper::kTftp, Helper::kIrc}) {
    if (model_.templates.help(helper)) result.push_back(helper);
  }
  return result;
}

Set Announcements::of_protocol(Helper helper) {
  const std::uint8_t number = helper == Helper::kTftp ? protocol::kUdp : protocol::kTcp;
  return model_.space.class_set_if(Axis::kProtocol,
                                   [&](const ValueClass& c) { return c.canonical == number; });
}

Set Announcements::protocols() {
  Set result = kNothing;
  for (const Helper helper : helpers()) result = model_.bdd().either(result, of_protocol(helper));
  return result;
}

// The opener's packets (flow and packet axes) that come to the lookup with the helper's template;
// `must`: surely.
Set Announcements::opening(Path path, Helper helper, bool must) {
  Bdd& bdd = model_.bdd();
  const Set all = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  const PathWalk& walk = model_.guards(path, all, true).initiator.walk();
  Set with = kNothing, others = bdd.either(walk.early, walk.early_unmodelled);
  for (const auto& [value, packets] : walk.requests) {
    const bool own = value >= Templates::kFirst && model_.templates.helper(value) == helper;
    Set& place = own ? with : others;
    place = bdd.either(place, packets);
  }
  if (must) with = bdd.minus(with, others);
  return bdd.both(with, of_protocol(helper));
}

// Everything that may be said: both ends free, in every state that a master can have.
Announcements::Heard Announcements::search(Path path, Helper helper) {
  Bdd& bdd = model_.bdd();
  Heard result;
  const Set flows = model_.flows_of(opening(path, helper, false));
  if (flows.empty()) return result;
  const Set all = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  Explorer explorer = model_.explorer(path, all, Script::kOpener, false, true);
  const Exploration world = explorer.run(flows, kEverything);
  result.open = world.unmodelled;
  const auto variants = model_.translations.variants(path);
  const auto master = [&](FlowEnd speaker, Set of, std::uint16_t nat) {
    return Master{helper, path, speaker, of, nat, nat == 0 ? NatVariant{} : variants[nat - 1]};
  };
  std::map<std::pair<FlowEnd, std::uint16_t>, Set> said;
  for (const Reached& r : world.states) {
    if (r.state.entry != 0) {
      const Set here = model_.space.exists(r.flows, kNow);
      const Master one = master(FlowEnd::kInitiator, here, r.state.nat);
      result.own = bdd.either(result.own, bdd.minus(here, changed(one)));
    }
    for (const Edge& edge : explorer.edges(r.state)) {
      // Requests that are followed are of the default zone.
      if (edge.pair != 0 || edge.aside || edge.open) continue;
      const AbstractEntry& entry =
          edge.created ? edge.step.after
                       : model_.automaton.entry(model_.automaton.parts(r.state.entry)[0]);
      if (!entry.present || entry.originator != FlowEnd::kInitiator || !reads(helper, edge)) {
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
std::vector<Line> Announcements::script(Helper helper, FlowEnd speaker) {
  const bool tftp = helper == Helper::kTftp;
  const PacketKind kind = tftp ? PacketKind::kDatagram : PacketKind::kTcpSyn;
  for (auto& lines : conversations(model_.space)) {
    if (lines.front().kind != kind) continue;
    if (tftp) lines.resize(1);
    for (Line& line : lines) line.read = true;
    // ... and two lines of the speaker's: only what begins a line is a command.
    for (std::size_t k = 3; k < lines.size(); ++k) lines[k].sender = speaker;
    return lines;
  }
  return {};
}

Announcements::Heard Announcements::rehearse(Path path, Helper helper) {
  Heard result;
  const Set first = opening(path, helper, true);
  if (first.empty()) return result;
  const Set all = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  Explorer explorer = model_.explorer(path, all, Script::kOpener, true, true);
  const auto variants = model_.translations.variants(path);
  for (const FlowEnd speaker : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
    if (helper != Helper::kFtp && speaker != FlowEnd::kInitiator) continue;
    Conversation talk(model_.space, explorer, script(helper, speaker), first);
    if (talk.play(model_.flows_of(first)).empty()) continue;
    std::map<std::uint16_t, Set> by_nat;
    for (const auto& [state, flows] : talk.layers().back()) {
      Set& place = by_nat[state.nat];
      place = model_.bdd().either(place, model_.space.exists(flows, kNow));
    }
    for (const auto& [nat, flows] : by_nat) {
      result.masters.push_back(
          {helper, path, speaker, flows, nat, nat == 0 ? NatVariant{} : variants[nat - 1]});
    }
  }
  return result;
}

const Announcements::Heard& Announcements::heard(Path path, Helper helper, bool must) {
  const std::tuple key{path, helper, must};
  if (const auto at = heard_.find(key); at != heard_.end()) return at->second;
  Heard found = must ? rehearse(path, helper) : search(path, helper);
  return heard_[key] = std::move(found);
}

const ExpectedFlows& Announcements::of(Path path, Certainty certainty) {
  if (const auto at = known_.find({path, certainty}); at != known_.end()) return at->second;
  ExpectedFlows result;
  const Templates& templates = model_.templates;
  if (model_.tracking && certainty == Certainty::kUnmodelled && templates.strange_help()) {
    result.by_initiator = result.by_responder = kEverything;
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

std::vector<FlowStep> Announcements::steps(const Master& master, Set flow, bool must) {
  const Set all = model_.flows_of(model_.sendable(master.path, FlowEnd::kInitiator));
  Explorer explorer = model_.explorer(master.path, all, Script::kOpener, must, true);
  const Set first = model_.bdd().both(opening(master.path, master.helper, must), flow);
  Conversation talk(model_.space, explorer, script(master.helper, master.speaker), first);
  if (talk.play(flow).empty() || talk.bound_as(master.nat).empty()) return {};
  return steps_of(model_.space, explorer, talk, first);
}

}  // namespace postern
