// ICMP errors that conntrack calls RELATED: which addresses they may go to, since only an error
// that goes to the end that sent the quoted packet is any flow's (kernel-facts 40).
//
// Idea: the outsider quotes a flow of its own, its parent. Where NAT has bound the parent, what
// rules see of the error is translated as the parent's own packets are, so that the error takes the
// guards of that binding. What is quoted is looked up in the error's own zones. Errors about
// parents that met what is not modelled, and those that go to what NAT made of an opener, go
// wherever they like (led_errors.cpp); on other paths than a router's they are only asked whether
// any RELATED error is let through. Covered by tests/unit/related_error_test.cpp.
#include <algorithm>

#include "symbolic/explore/model_impl.hpp"
#include "symbolic/rules/routing.hpp"

namespace postern {
namespace {

constexpr std::array kNow{Axis::kConnmark};
constexpr std::array kSource{Axis::kInitiator, Axis::kInitiatorPort, Axis::kInitiatorType};
constexpr std::array kDestination{Axis::kResponder, Axis::kResponderPort, Axis::kResponderType};

// The addresses of one end of flows, said of the responder (both ends share their classes), and
// their connmarks, as kConnmarkBefore.
Set address_of(Space& space, Set flows, FlowEnd end) {
  Bdd& bdd = space.bdd();
  const Axis own = end == FlowEnd::kInitiator ? Axis::kInitiator : Axis::kResponder;
  std::vector<unsigned> rest;
  for (const unsigned v : bdd.support(flows)) {
    const auto meaning = space.meaning(v);
    if (!meaning || (meaning->first != own && meaning->first != Axis::kConnmark)) rest.push_back(v);
  }
  Bdd::VariableMap map(bdd.variables());
  const auto rename = [&](Axis from, Axis to) {
    const auto &before = space.layout(from).variables, &after = space.layout(to).variables;
    for (std::size_t i = 0; i < before.size(); ++i) map[before[i]] = after[i];
  };
  rename(own, Axis::kResponder);
  rename(Axis::kConnmark, Axis::kConnmarkBefore);
  return bdd.rename(bdd.exists(flows, bdd.cube(rest)), map);
}

// Parents on `own`, as errors by `path` find them: added to what is known of them.
class Parents {
 public:
  Parents(Model::Impl& model, Path own, Path path, RelatedErrors& to)
      : model_(model),
        own_(own),
        path_(path),
        to_(to),
        to_opener_(model.may_go_to(own, FlowEnd::kInitiator, path)),
        to_other_(model.may_go_to(own, FlowEnd::kResponder, path)) {}

  // Whose entry no NAT has bound.
  void add(const Reached& parent) {
    if (to_opener_) add_quoted(0, parent, FlowEnd::kInitiator);
    if (to_other_) add_quoted(0, parent, FlowEnd::kResponder);
  }
  // An error to where the opener's packets go is translated as they are; one to the opener goes
  // to the address that NAT has given it. False: not followed.
  bool add_bound(const Reached& parent, const NatVariant& nat) {
    const bool ours = nat.originator == FlowEnd::kInitiator;
    // ... and comes, over lo, from the one that it was sent to: NAT takes it for an answer.
    const bool behind =
        own_ != Path::kForward && path_ != Path::kForward && nat.destination != 0 && to_opener_;
    const bool kept = ours && nat.source == 0 && !behind && !model_.reads_tuples();
    if (own_ == path_ && ours) {
      add_quoted(parent.state.nat, parent, FlowEnd::kResponder);
    } else if (own_ != Path::kOut || path_ == own_) {  // (what goes out does not come over lo)
      open_to(parent.flows, FlowEnd::kResponder);
    }
    if (!kept) {
      open_to(parent.flows, FlowEnd::kInitiator);
    } else if (to_opener_) {
      add_quoted(0, parent, FlowEnd::kInitiator);
    }
    return kept;
  }
  void add_open(Set flows) {
    for (const FlowEnd end : {FlowEnd::kInitiator, FlowEnd::kResponder}) open_to(flows, end);
  }

 private:
  void add_quoted(std::uint16_t nat, const Reached& parent, FlowEnd end) {
    Bdd& bdd = model_.bdd();
    const Set here = bdd.both(address_of(model_.space, parent.flows, end),
                              model_.quoted_in(parent.state.entry, end));
    Set& place = to_.by_nat[nat];
    place = bdd.either(place, here);
  }
  void open_to(Set flows, FlowEnd end) {
    const Set anyhow = model_.space.exists(flows, kNow);
    to_.unmodelled = model_.bdd().either(to_.unmodelled, address_of(model_.space, anyhow, end));
  }

  Model::Impl& model_;
  Path own_, path_;
  RelatedErrors& to_;
  bool to_opener_, to_other_;
};

}  // namespace

bool is_local(Path path, FlowEnd end) {
  if (path == Path::kLoopback) return true;
  return path == (end == FlowEnd::kInitiator ? Path::kOut : Path::kIn);
}

RelatedErrors Model::Impl::related(Path path, Set m, bool must) {
  RelatedErrors result;
  if (!tracking) return result;
  const Set asked = bdd().both(flows_of(m), carriers(FlowEnd::kInitiator, false));
  if (asked.empty()) return result;
  const RelatedErrors& to = parent_addresses(path, must);
  const bool zones = path == Path::kLoopback && automaton.pairs() > 1;
  constexpr std::array kOfEntry{Axis::kConnmarkBefore, Axis::kZone};
  Set open = to.unmodelled;
  for (const auto& [nat, addresses] : to.by_nat) {
    const Set flows = bdd().both(asked, addresses);
    if (!flows.empty()) result.by_nat[nat] = flows;
    // Over lo it may be found in PREROUTING only, in another zone: then the binding is not
    // followed.
    if (!zones || nat == 0 || flows.empty()) continue;
    const Set several = zones_of(path, flows_of(m)).several;
    open = bdd().either(open, bdd().both(space.exists(flows, kOfEntry), several));
  }
  open = must ? kNothing : bdd().both(asked, open);
  if (open.empty()) return result;
  if (leads_errors(path)) {
    result.by_nat[translations.number_of_errors(path)] = open;
  } else {
    result.unmodelled = bdd().both(open, related_let_through(path));
    result.unchecked = bdd().minus(open, result.unmodelled);
  }
  return result;
}

// The paths of flows that whoever sends an error by `path` may have opened, and that have an end to
// which an error goes that way.
std::vector<Path> Model::Impl::parent_paths(Path path) {
  std::vector<Path> paths{path};
  if (path == Path::kForward) paths.push_back(Path::kIn);
  if (path == Path::kLoopback) paths.push_back(Path::kOut);
  return paths;
}

// Is an error to that end of a flow on `own` one on `path`?
bool Model::Impl::may_go_to(Path own, FlowEnd end, Path path) const {
  const bool to_host = path == Path::kIn || path == Path::kLoopback;
  if (is_local(own, end) == to_host) return true;
  // What comes in by a wire from an address of this host is not IPv4's.
  return program.ruleset().family == Family::kIpv6 && own == path;
}

// The error goes the way of a packet from the other end.
Set Model::Impl::quoted_in(std::uint16_t entry, FlowEnd end) {
  const FlowEnd sender = end == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator;
  const Zones::Openers openers = automaton.openers(automaton.parts(entry));
  Set result = kNothing;
  for (std::uint8_t pair = 0; pair < automaton.pairs(); ++pair) {
    if (automaton.zones().found(openers, sender, pair).empty()) continue;
    result = bdd().either(result, space.class_is(Axis::kZone, pair));
  }
  return result;
}

// Addresses (of the responder) at which some flow of the outsider with an entry ends, or begins.
const RelatedErrors& Model::Impl::parent_addresses(Path path, bool must) {
  const auto known = parent_sets.find({path, must});
  if (known != parent_sets.end()) return known->second;
  RelatedErrors to;
  for (const Path own : parent_paths(path)) {
    const Set all = flows_of(sendable(own, FlowEnd::kInitiator));
    Explorer search = explorer(own, all, Script::kDeliver, must, true);
    const Exploration world = search.run(all, kEverything);
    const auto variants = translations.variants(own);
    Parents parents(*this, own, path, to);
    Set open = world.unmodelled;
    bool some = !open.empty();
    for (const Reached& r : world.states) {
      if (r.state.entry == 0) continue;
      if (r.state.nat == 0) {
        parents.add(r);
      } else if (!parents.add_bound(r, variants[r.state.nat - 1])) {
        some = true;
      }
    }
    // A parent that a helper had announced, or may have: no witness is made of such a one.
    if (!must) open = bdd().either(open, announced_parents(own, all));
    if (!must) open = bdd().either(open, parents_by_sharers(own, all, world));
    some = some || !open.empty();
    if (!open.empty()) parents.add_open(open);
    if (!some) continue;
    // What follows its master comes from, and goes to, wherever that one's ends were.
    const bool follows_master = !must && translations.some() && !expected(own, false).empty();
    to.unmodelled = bdd().either(to.unmodelled, follows_master ? space.domain() : sources_of_nat());
  }
  return parent_sets[{path, must}] = std::move(to);
}

// Flows with an entry that is EXPECTED, or for which that is open.
Set Model::Impl::announced_parents(Path path, Set all) {
  Set result = beyond(path, all);
  if (expected(path, false).empty()) return result;
  Explorer search = explorer(path, all, Script::kDeliver, false, true);
  search.expect(expected(path, false));
  const Exploration world = search.run(all, kEverything);
  for (const Reached& r : world.states) {
    if (any_entry(automaton.infos(), r.state.entry,
                  [](const EntryInfo& one) { return one.entry.expected; })) {
      result = bdd().either(result, space.exists(r.flows, kNow));
    }
  }
  return result;
}

// Addresses (of the responder) that the opener of a flow may have got: errors about its answers go
// there.
Set Model::Impl::sources_of_nat() {
  Set result = kNothing;
  for (const EndRange& range : translations.sources()) {
    if (range.keeps_address) continue;
    if (!range.address) return space.domain();
    result = bdd().either(
        result, space.may_be(Axis::kResponder, range.address->first, range.address->second));
  }
  return result;
}

// RELATED errors of the initiator that rules may let through to some end, whatever their own is:
// nothing that is not modelled stops them. Their source is as they were sent with it.
Set Model::Impl::related_let_through(Path path) {
  WalkOptions how = walk_options();
  how.loose = how.errors = true;
  // NAT in OUTPUT may lead others to the path than set out on it.
  how.unrouted = how.from_anywhere = moves_destination(path);
  const PathWalk walk = walk_path(space, chains, program, path, FlowEnd::kInitiator, how, {},
                                  carriers(FlowEnd::kInitiator, false));
  const Set related = space.class_is(Axis::kState, static_cast<std::uint32_t>(CtState::kRelated));
  Set result = kNothing;
  for (const Passage& passage : {walk.direct, walk.again}) {
    result = bdd().either(result, bdd().both(passage[Fate::kDelivered], related));
  }
  std::vector<Axis> others(kDestination.begin(), kDestination.end());
  if (sources_seen(path, how.backend)) others.insert(others.end(), kSource.begin(), kSource.end());
  for (std::size_t i = 0; i < kAxisCount; ++i) {
    const auto axis = static_cast<Axis>(i);
    const bool of_flow = std::ranges::find(flow_axes(), axis) != flow_axes().end();
    const bool of_packet = std::ranges::find(packet_axes(), axis) != packet_axes().end();
    if (!of_flow && !of_packet) others.push_back(axis);
  }
  return space.exists(result, others);
}

// Between the same two ends where that takes no more steps, else from anybody by the same interface
// to where the error goes, or by any, or from there to anybody.
Quotable Model::Impl::quotable(Path path, Set error, const QuotedEntry& entry, bool must) {
  const auto like = [&](Axis own, Axis of) {
    return space.class_is(own, space.classes_in(error, of).front());
  };
  const auto at = [&](Axis address, Axis type, Axis of_address, Axis of_type) {
    return bdd().both(like(address, of_address), like(type, of_type));
  };
  const Set all = flows_of(sendable(path, FlowEnd::kInitiator));
  const Set there = bdd().both(
      bdd().both(all, like(Axis::kResponderInterface, Axis::kResponderInterface)),
      at(Axis::kResponder, Axis::kResponderType, Axis::kResponder, Axis::kResponderType));
  const Set straight =
      bdd().both(there, like(Axis::kInitiatorInterface, Axis::kInitiatorInterface));
  const Set own =
      at(Axis::kInitiator, Axis::kInitiatorType, Axis::kInitiator, Axis::kInitiatorType);
  Quotable best{.path = path};
  constexpr FlowEnd kEnd = FlowEnd::kResponder;
  look_for_quotable(path, bdd().both(straight, own), entry, kEnd, must, best);
  look_for_quotable(path, straight, entry, kEnd, must, best);
  if (best.flows.empty()) look_for_quotable(path, there, entry, kEnd, must, best);
  if (entry.nat != 0 || path == Path::kIn || path == Path::kOut) return best;
  for (const Path through : parent_paths(path)) {
    Set turned = at(Axis::kInitiator, Axis::kInitiatorType, Axis::kResponder, Axis::kResponderType);
    if (through != Path::kOut) {
      turned = bdd().both(turned, like(Axis::kInitiatorInterface, Axis::kResponderInterface));
    }
    if (through == path) {
      turned = bdd().both(turned, like(Axis::kResponderInterface, Axis::kInitiatorInterface));
    }
    const std::size_t before = best.steps;
    look_for_quotable(through, bdd().both(flows_of(sendable(through, FlowEnd::kInitiator)), turned),
                      entry, FlowEnd::kInitiator, must, best);
    if (best.steps < before) best.opened = true;
  }
  return best;
}

void Model::Impl::look_for_quotable(Path path, Set flows, const QuotedEntry& entry, FlowEnd end,
                                    bool must, Quotable& best) {
  Explorer search = explorer(path, flows, Script::kDeliver, must, true);
  search.run(flows, kEverything);
  const Set zone = space.class_is(Axis::kZone, entry.zone);
  for (std::size_t k = 0; k < std::min(best.steps, search.layers().size()); ++k) {
    Set here = kNothing;
    for (const auto& [state, set] : search.layers()[k]) {
      if (state.entry == 0 || state.nat != entry.nat) continue;
      if (bdd().disjoint(quoted_in(state.entry, end), zone)) continue;
      here = bdd().either(here, space.exists(bdd().both(set, entry.mark), kNow));
    }
    if (!here.empty()) best = {here, path, false, k};
  }
}

}  // namespace postern
