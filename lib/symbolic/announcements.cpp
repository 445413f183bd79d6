#include "symbolic/announcements.hpp"

#include <algorithm>

#include "symbolic/model_impl.hpp"

namespace postern {
namespace {

constexpr FlowEnd kEnds[] = {FlowEnd::kInitiator, FlowEnd::kResponder};
constexpr std::array kNow{Axis::kConnmark};

std::size_t index(FlowEnd end) { return end == FlowEnd::kInitiator ? 0 : 1; }

Axis address(FlowEnd end) {
  return end == FlowEnd::kInitiator ? Axis::kInitiator : Axis::kResponder;
}
Axis port(FlowEnd end) {
  return end == FlowEnd::kInitiator ? Axis::kInitiatorPort : Axis::kResponderPort;
}
Axis type(FlowEnd end) {
  return end == FlowEnd::kInitiator ? Axis::kInitiatorType : Axis::kResponderType;
}
Axis interface(FlowEnd end) {
  return end == FlowEnd::kInitiator ? Axis::kInitiatorInterface : Axis::kResponderInterface;
}

// Is that end of the path's flows this host?
bool is_local(Path path, FlowEnd end) {
  if (path == Path::kLoopback) return true;
  return path == (end == FlowEnd::kInitiator ? Path::kOut : Path::kIn);
}

// Paths on which that end is as near as here: this host, or behind a wire; the path itself first.
std::vector<Path> alike(Path path, FlowEnd end) {
  std::vector<Path> result{path};
  for (const Path other : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
    if (other != path && is_local(other, end) == is_local(path, end)) result.push_back(other);
  }
  return result;
}

// Does the helper read what this packet of the master says?
bool reads(Helper helper, const Edge& edge, FlowEnd opener) {
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
      return sight.state == CtState::kEstablished && edge.sender == opener;
    case Helper::kTftp:
      return sight.state == CtState::kNew || sight.state == CtState::kEstablished;
    case Helper::kNone:
      break;
  }
  return false;
}

}  // namespace

Set Announcements::of_protocol(Helper helper) {
  const std::uint8_t number = helper == Helper::kTftp ? protocol::kUdp : protocol::kTcp;
  return model_.space.class_set_if(Axis::kProtocol,
                                   [&](const ValueClass& c) { return c.canonical == number; });
}

Set Announcements::only(Set flows, std::initializer_list<Axis> kept) {
  std::vector<Axis> gone{Axis::kConnmark};
  for (const Axis axis : flow_axes()) {
    if (std::ranges::find(kept, axis) == kept.end()) gone.push_back(axis);
  }
  return model_.space.exists(flows, gone);
}

// The opener's packets (flow and packet axes) that come to the lookup with the helper's template;
// `must`: surely.
Set Announcements::opening(Path path, Helper helper, FlowEnd opener, bool must) {
  Bdd& bdd = model_.bdd();
  const Set all = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  PathGuards& both = model_.guards(path, all);
  const PathWalk& walk = (opener == FlowEnd::kInitiator ? both.initiator : both.responder).walk();
  Set with = kNothing, others = bdd.either(walk.early, walk.early_unmodelled);
  for (const auto& [value, packets] : walk.requests) {
    const bool own = value >= Templates::kFirst && model_.templates.helper(value) == helper;
    Set& place = own ? with : others;
    place = bdd.either(place, packets);
  }
  if (must) with = bdd.minus(with, others);
  return bdd.both(with, of_protocol(helper));
}

Set Announcements::given(Path path, Helper helper, FlowEnd opener, bool must) {
  return model_.flows_of(opening(path, helper, opener, must));
}

// Everything that may be said: both ends free, in every state that a master can have.
void Announcements::search(Path path, Helper helper, Said& may, Said& unmodelled) {
  Bdd& bdd = model_.bdd();
  Space& space = model_.space;
  const std::array opened{given(path, helper, FlowEnd::kInitiator, false),
                          given(path, helper, FlowEnd::kResponder, false)};
  const Set flows = bdd.either(opened[0], opened[1]);
  if (flows.empty()) return;
  const Set all = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
  Explorer explorer = model_.explorer(path, all, Script::kFree, false);
  const Exploration world = explorer.run(flows, kEverything);
  // To conntrack, a flow to itself is its own answer: whatever it says may be read.
  const Set open = bdd.either(world.unmodelled, bdd.both(flows, model_.may_be_own_tuple(path)));
  for (auto& by_speaker : unmodelled) {
    for (Set& place : by_speaker) place = bdd.either(place, open);
  }
  for (const Reached& r : world.states) {
    for (const Edge& edge : explorer.edges(r.state)) {
      if (edge.pair != 0) continue;  // requests that are followed are of the default zone
      const AbstractEntry& entry =
          edge.created ? edge.step.after
                       : model_.automaton.entry(model_.automaton.parts(r.state.entry)[0]);
      if (!entry.present || !reads(helper, edge, entry.originator)) continue;
      const Set from = bdd.both(r.flows, opened[index(entry.originator)]);
      Set& place = may[index(entry.originator)][index(edge.sender)];
      place = bdd.either(place, space.exists(explorer.image(from, edge), kNow));
    }
  }
}

// The shortest honest conversation in which the helper reads what the speaker says.
std::vector<Line> Announcements::script(Helper helper, FlowEnd opener, FlowEnd speaker) {
  const bool tftp = helper == Helper::kTftp;
  const PacketKind kind = tftp ? PacketKind::kDatagram : PacketKind::kTcpSyn;
  for (auto& lines : conversations(model_.space)) {
    if (lines.front().kind != kind) continue;
    if (tftp) lines.resize(1);
    for (Line& line : lines) {
      if (opener == FlowEnd::kResponder) line.sender = other_end(line.sender);
      line.read = true;
    }
    // ... and two lines of the speaker's: only what begins a line is a command.
    for (std::size_t k = 3; k < lines.size(); ++k) lines[k].sender = speaker;
    return lines;
  }
  return {};
}

Announcements::Said Announcements::rehearse(Path path, Helper helper) {
  Said said{};
  for (const FlowEnd opener : kEnds) {
    const Set first = opening(path, helper, opener, true);
    if (first.empty()) continue;
    const Set all = model_.flows_of(model_.sendable(path, FlowEnd::kInitiator));
    Explorer explorer = model_.explorer(path, all, Script::kFree, true);
    for (const FlowEnd speaker : kEnds) {
      if (helper != Helper::kFtp && speaker != opener) continue;
      Conversation talk(model_.space, explorer, script(helper, opener, speaker), first);
      said[index(opener)][index(speaker)] = talk.play(model_.flows_of(first));
    }
  }
  return said;
}

const Announcements::Heard& Announcements::heard(Path path, Certainty certainty) {
  if (const auto at = heard_.find({path, certainty}); at != heard_.end()) return at->second;
  Heard may, must, unmodelled;
  for (const Helper helper : {Helper::kFtp, Helper::kTftp, Helper::kIrc}) {
    if (certainty == Certainty::kMust) {
      must.said[helper] = rehearse(path, helper);
    } else {
      search(path, helper, may.said[helper], unmodelled.said[helper]);
    }
  }
  if (certainty == Certainty::kMust) return heard_[{path, certainty}] = std::move(must);
  heard_[{path, Certainty::kMay}] = std::move(may);
  heard_[{path, Certainty::kUnmodelled}] = std::move(unmodelled);
  return heard_.at({path, certainty});
}

// IPv6 takes a packet from an address of its own off a wire, too: then flows on lo and such ones
// share their masters.
ExpectedFlows Announcements::announced(Path path, Certainty certainty) {
  Bdd& bdd = model_.bdd();
  ExpectedFlows result;
  result.marked = model_.templates.mark();
  std::vector<Path> between{path};
  if (model_.program.ruleset().family == Family::kIpv6) {
    if (path == Path::kIn) between.push_back(Path::kLoopback);
    if (path == Path::kLoopback) between.push_back(Path::kIn);
  }
  for (const FlowEnd sender : kEnds) {
    const FlowEnd to = other_end(sender);
    Set& place = sender == FlowEnd::kInitiator ? result.by_initiator : result.by_responder;
    const auto add = [&](Helper helper, Set flows) {
      place = bdd.either(place, bdd.both(flows, of_protocol(helper)));
    };
    for (const Path own : between) {
      const Heard& here = heard(own, certainty);
      for (const FlowEnd opener : kEnds) {
        add(Helper::kFtp, only(here.said.at(Helper::kFtp)[index(opener)][index(to)],
                               {Axis::kInitiator, Axis::kResponder}));
        add(Helper::kTftp, only(here.said.at(Helper::kTftp)[index(to)][index(opener)],
                                {Axis::kInitiator, Axis::kResponder, port(to)}));
      }
    }
    for (const Path own : alike(path, to)) {
      const Said& irc = heard(own, certainty).said.at(Helper::kIrc);
      add(Helper::kIrc, only(irc[index(to)][index(to)], {address(to)}));
    }
  }
  return result;
}

const ExpectedFlows& Announcements::of(Path path, Certainty certainty) {
  if (const auto at = known_.find({path, certainty}); at != known_.end()) return at->second;
  ExpectedFlows result;
  const Templates& templates = model_.templates;
  if (model_.tracking && certainty == Certainty::kUnmodelled && templates.strange_help()) {
    result.by_initiator = result.by_responder = kEverything;
  } else if (model_.tracking && templates.help() && model_.translations.some()) {
    if (certainty == Certainty::kUnmodelled) {
      result.by_initiator = result.by_responder =
          model_.bdd().either(of_protocol(Helper::kFtp), of_protocol(Helper::kTftp));
    }
  } else if (model_.tracking && templates.help()) {
    result = announced(path, certainty);
  }
  return known_[{path, certainty}] = result;
}

std::vector<Master> Announcements::masters(Path path, Set flow, FlowEnd sender, bool must) {
  Bdd& bdd = model_.bdd();
  const FlowEnd to = other_end(sender);
  std::vector<Master> result;
  const auto add = [&](Helper helper, Path own, FlowEnd opener, FlowEnd speaker, Set alike_flow) {
    if (bdd.disjoint(flow, of_protocol(helper))) return;
    const Said& said = heard(own, Certainty::kMust).said.at(helper);
    const Set flows = bdd.both(said[index(opener)][index(speaker)], alike_flow);
    if (!flows.empty()) result.push_back({helper, own, opener, speaker, flows});
  };
  static_cast<void>(must);
  const Set hosts =
      only(flow, {Axis::kInitiator, Axis::kResponder, Axis::kInitiatorType, Axis::kResponderType});
  const Set wires = only(flow, {Axis::kInitiatorInterface, Axis::kResponderInterface});
  // By the same wires, if it can be.
  for (const Set ends : {bdd.both(hosts, wires), hosts}) {
    add(Helper::kFtp, path, sender, to, ends);
    add(Helper::kFtp, path, to, to, ends);
    add(Helper::kTftp, path, to, to, bdd.both(ends, only(flow, {port(to)})));
    add(Helper::kIrc, path, to, to, ends);
  }
  for (const Path own : alike(path, to)) {
    add(Helper::kIrc, own, to, to, only(flow, {address(to), type(to), interface(to)}));
  }
  return result;
}

std::vector<FlowStep> Announcements::steps(const Master& master, Set flow, bool must) {
  const Set all = model_.flows_of(model_.sendable(master.path, FlowEnd::kInitiator));
  Explorer explorer = model_.explorer(master.path, all, Script::kFree, must);
  const Set first =
      model_.bdd().both(opening(master.path, master.helper, master.opener, must), flow);
  Conversation talk(model_.space, explorer, script(master.helper, master.opener, master.speaker),
                    first);
  if (talk.play(flow).empty()) return {};
  return steps_of(model_.space, explorer, talk, first);
}

}  // namespace postern
