// What a master announces: the flows themselves, from any master's flows (announcements.hpp).
// Covered by tests/unit/expected_flows_test.cpp and expected_nat_test.cpp.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "symbolic/explore/announcements.hpp"
#include "symbolic/explore/model_impl.hpp"

namespace postern {
namespace {

constexpr std::array kPaths{Path::kIn, Path::kOut, Path::kForward, Path::kLoopback};

bool contains(const std::vector<Axis>& list, Axis axis) {
  return std::ranges::find(list, axis) != list.end();
}

}  // namespace

Set Announcements::only(Set flows, const std::vector<Axis>& kept) {
  std::vector<Axis> gone{Axis::kConnmark};
  for (const Axis axis : flow_axes()) {
    if (!contains(kept, axis)) gone.push_back(axis);
  }
  return model_.space.exists(flows, gone);
}

// The same flows, each named by its other end.
Set Announcements::swapped(Set flows) {
  Bdd& bdd = model_.bdd();
  std::vector<unsigned> to(bdd.variables());
  for (unsigned v = 0; v < to.size(); ++v) to[v] = v;
  for (const auto& [one, other] :
       {std::pair{Axis::kInitiator, Axis::kResponder},
        std::pair{Axis::kInitiatorPort, Axis::kResponderPort},
        std::pair{Axis::kInitiatorType, Axis::kResponderType},
        std::pair{Axis::kInitiatorInterface, Axis::kResponderInterface}}) {
    const auto& a = model_.space.layout(one).variables;
    const auto& b = model_.space.layout(other).variables;
    for (std::size_t i = 0; i < a.size(); ++i) {
      to[a[i]] = b[i];
      to[b[i]] = a[i];
    }
  }
  std::unordered_map<std::uint32_t, Set> done{{kNothing.id, kNothing},
                                              {kEverything.id, kEverything}};
  const auto visit = [&](const auto& self, Set s) -> Set {  // as deep as there are variables
    if (const auto at = done.find(s.id); at != done.end()) return at->second;
    const Bdd::Node node = bdd.node(s);
    const Set low = self(self, Set{node.low}), high = self(self, Set{node.high});
    return done[s.id] = bdd.choose(bdd.literal(to[node.variable]), high, low);
  };
  return visit(visit, flows);
}

// Flows whose end is, or may be, what the range makes of it.
Set Announcements::within(Axis axis, std::uint8_t number, bool surely) {
  const EndRange& range = model_.translations.range(number);
  if (!range.address && !surely) return kEverything;
  if (!range.address) {  // a device's, which those that routing keeps on lo are not
    const bool v4 = model_.program.ruleset().family == Family::kIpv4;
    const Interval lo = v4 ? Interval{0x7f000000, 0x7fffffff} : Interval{1, 1};
    return model_.space.class_set_if(axis, [&](const ValueClass& c) {
      return std::ranges::none_of(c.intervals, [&](const Interval& in) {
        return in.lo == 0 || (in.lo <= lo.hi && lo.lo <= in.hi);
      });
    });
  }
  const auto [low, high] = *range.address;
  return model_.space.class_set_if(axis, [&, low = low, high = high](const ValueClass& c) {
    return surely ? low == high && c.single() == low : c.may_meet(low, high);
  });
}

// The paths of what it announces.
std::vector<Path> Announcements::ways(const Master& master) const {
  if (!master.to_opener()) return {master.path};
  if (master.helper != Helper::kIrc) return {reverse(master.path)};
  std::vector<Path> result;
  for (const Path way : kPaths) {
    if (is_local(way, FlowEnd::kResponder) == is_local(master.path, FlowEnd::kInitiator)) {
      result.push_back(way);
    }
  }
  return result;
}

// The master's axes that what it announces has, too. `follows`: the master is bound so that this is
// as its binding says.
std::vector<Axis> Announcements::kept(const Master& master, bool follows, bool must) const {
  // Routing led the master to its other end, and leads there again, if no rule takes it elsewhere.
  const bool routed =
      master.path == Path::kForward && (follows || !model_.translations.moves_destination());
  // By another wire NAT may have bound the master, or not.
  const bool by_its_wire =
      must && !follows && master.path == Path::kForward && model_.translations.some();
  if (!master.to_opener()) {
    std::vector<Axis> ends{Axis::kInitiator, Axis::kResponder};
    if (routed) ends.push_back(Axis::kResponderInterface);
    if (by_its_wire) ends.push_back(Axis::kInitiatorInterface);
    return ends;
  }
  const auto changed = [&](std::uint8_t number) {
    return follows && number != 0 && !model_.translations.range(number).keeps_address;
  };
  std::vector<Axis> result;
  if (!changed(master.bound.source)) result.push_back(Axis::kInitiator);
  if (!changed(master.bound.destination) && master.helper != Helper::kIrc) {
    result.push_back(Axis::kResponder);
  }
  const bool to_port = follows && master.bound.source != 0 &&
                       model_.translations.range(master.bound.source).port.has_value();
  // Another port may be left where NAT is.
  if (master.helper == Helper::kTftp && !to_port && (must || !follows)) {
    result.push_back(Axis::kInitiatorPort);
  }
  // Whoever opened it may have lied about where it is.
  if (routed && must) result.push_back(Axis::kInitiatorInterface);
  if (by_its_wire && master.helper != Helper::kIrc) result.push_back(Axis::kResponderInterface);
  return result;
}

Set Announcements::shape(const Master& master, Set flows, bool follows, bool must) {
  Bdd& bdd = model_.bdd();
  const std::vector<Axis> axes = kept(master, follows, must);
  Set result = bdd.both(only(flows, axes), of_protocol(master.helper));
  if (!master.to_opener()) return must ? bdd.minus(result, to_nobody()) : result;
  if (!contains(axes, Axis::kInitiator)) {
    result = bdd.both(result, within(Axis::kInitiator, master.bound.source, must));
  }
  if (!contains(axes, Axis::kResponder) && master.helper != Helper::kIrc) {
    result = bdd.both(result, within(Axis::kResponder, master.bound.destination, must));
  }
  result = swapped(result);
  return must ? bdd.minus(result, to_nobody()) : result;
}

// Some helpers take port 0, others lose the packet that announces it; no host is 0.0.0.0 or ::.
Set Announcements::to_nobody() {
  const auto holds_0 = [](const ValueClass& c) { return c.intervals.front().lo == 0; };
  return model_.bdd().either(model_.space.class_set_if(Axis::kResponderPort, holds_0),
                             model_.space.class_set_if(Axis::kResponder, holds_0));
}

// Flows of the master that its binding surely changes.
Set Announcements::changed(const Master& master) {
  Ends ends(model_.space, &model_.translations);
  Set result = kNothing;
  const auto add = [&](FlowEnd end, std::uint8_t number) {
    if (number == 0) return;
    const Set other = ends.surely_other(end, model_.translations.range(number));
    result = model_.bdd().either(result, other);
  };
  add(FlowEnd::kInitiator, master.bound.source);
  add(FlowEnd::kResponder, master.bound.destination);
  return model_.bdd().both(result, master.flows);
}

// May a flow of the helper's protocol find its tuple taken, so that it gets another port though no
// rule binds it? Only where some rule binds flows of that protocol.
bool Announcements::may_clash(Helper helper) {
  const auto rules = model_.program.rules();
  for (RuleId r = 0; r < rules.size(); ++r) {
    const Effect* effect = std::get_if<Effect>(&rules[r].rule->action);
    if (effect == nullptr || !std::holds_alternative<Nat>(*effect)) continue;
    if (!model_.bdd().disjoint(model_.chains.condition(r, {}).may, of_protocol(helper))) {
      return true;
    }
  }
  return false;
}

// One master's announcements, as they come to the rules of nat and as they follow it.
void Announcements::tell(const Master& master, bool must, const Listener& listener) {
  const Translations& translations = model_.translations;
  const bool bound = master.nat != 0;
  Set plain = master.flows, follow = must && !bound ? kNothing : master.flows;
  if (bound) plain = must ? kNothing : model_.bdd().minus(master.flows, changed(master));
  if (must && bound) {
    // A host's own flow may well have the address already that MASQUERADE gives it.
    const bool own = is_local(master.path, FlowEnd::kInitiator);
    const bool open = master.bound.source != 0 && !translations.range(master.bound.source).address;
    if (own || !open) follow = changed(master);
  }
  const bool clashes = bound || may_clash(master.helper);
  if (!clashes || !translations.follows_masters()) follow = kNothing;
  const Following how{master.bound, master.to_opener(), master.helper == Helper::kIrc, !must};
  for (const Path way : ways(master)) {
    if (!plain.empty()) listener(way, shape(master, plain, false, must), nullptr);
    if (!follow.empty()) listener(way, shape(master, follow, true, must), &how);
  }
}

// IPv6 takes a packet from an address of its own off a wire, too: then flows on lo and such ones
// share their masters.
bool Announcements::alike(Path one, Path other) const {
  const auto to_host = [](Path p) { return p == Path::kIn || p == Path::kLoopback; };
  const bool v6 = model_.program.ruleset().family == Family::kIpv6;
  return one == other || (v6 && to_host(one) && to_host(other));
}

// May what is announced on `way` be of the path, sent by `sender`? Where rules of nat take it, its
// path is where they send it, unless it is to go `straight`.
bool Announcements::leads(Path way, Path path, FlowEnd sender, bool straight) const {
  if (sender == FlowEnd::kResponder) return alike(way, reverse(path)) || alike(reverse(way), path);
  if (alike(way, path)) return true;
  return !straight && model_.translations.moves_destination() &&
         is_local(way, FlowEnd::kInitiator) == is_local(path, FlowEnd::kInitiator);
}

bool Announcements::concerns(const Master& master, Path path) const {
  return std::ranges::any_of(ways(master), [&](Path way) {
    return leads(way, path, FlowEnd::kInitiator, false) ||
           leads(way, path, FlowEnd::kResponder, false);
  });
}

void Announcements::announced(Path path, bool must, ExpectedFlows& result) {
  Bdd& bdd = model_.bdd();
  const auto add = [&](ExpectedInZone& here, Path way, Set flows, const Following* how) {
    for (const FlowEnd sender : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
      const bool own = sender == FlowEnd::kInitiator;
      if (!leads(way, path, sender, must || how != nullptr)) continue;
      Set* place = own ? &here.by_initiator : &here.by_responder;
      if (how != nullptr) {
        const std::uint16_t nat = model_.translations.following(path, sender, *how);
        if (nat == 0) continue;  // the responder's: under another name
        place = &here.followed[nat];
      }
      *place = bdd.either(*place, own ? flows : swapped(flows));
    }
  };
  for (const Path of : kPaths) {
    for (const Kind& kind : kinds()) {
      Master any{kind.helper, kind.pair, of}, other = any;
      other.speaker = FlowEnd::kResponder;
      if (!concerns(any, path) && !concerns(other, path)) continue;
      for (const Master& master : heard(of, kind, must).masters) {
        ExpectedInZone& here = result.zones[zone(kind)];
        tell(master, must,
             [&](Path way, Set flows, const Following* how) { add(here, way, flows, how); });
      }
    }
  }
  if (!must) elsewhere(result);
}

// Under NAT, what is announced on another path than this may come by here as well.
void Announcements::elsewhere(ExpectedFlows& result) {
  const Translations& translations = model_.translations;
  if (!translations.follows_masters()) return;
  Bdd& bdd = model_.bdd();
  Set to = kNothing;
  for (const Path path : kPaths) {
    for (const NatVariant& nat : translations.by_rules(path)) {
      if (nat.destination != 0) to = kEverything;
      if (nat.source == 0 || translations.range(nat.source).keeps_address) continue;
      to = bdd.either(to, within(Axis::kResponder, nat.source, false));
    }
  }
  result.strays = bdd.both(to, protocols());
  result.reopened = protocols();
  result.read = model_.reads_tuples();
}

void Announcements::unmodelled(Path path, ExpectedFlows& result) {
  Bdd& bdd = model_.bdd();
  const ExpectedFlows& known = of(path, Certainty::kMay);
  const auto add = [&](std::uint16_t zone, Path way, Set flows, bool unless_known) {
    for (const FlowEnd sender : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
      if (!leads(way, path, sender, false)) continue;
      const bool own = sender == FlowEnd::kInitiator;
      Set here = own ? flows : swapped(flows);
      if (unless_known) here = bdd.minus(here, known.in(zone).by(sender));
      ExpectedInZone& in_zone = result.zones[zone];
      Set& place = own ? in_zone.by_initiator : in_zone.by_responder;
      place = bdd.either(place, here);
    }
  };
  const bool nat = model_.translations.some();
  for (const Path of : kPaths) {
    for (const Kind& kind : kinds()) {
      for (const FlowEnd speaker : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
        const Master some{kind.helper, kind.pair, of, speaker};
        if (!concerns(some, path)) continue;
        const Heard& here = heard(of, kind, false);
        const bool anything =
            nat && (!here.open.empty() ||
                    (!here.masters.empty() && !model_.translations.follows_masters()));
        const Set said = nat ? here.own : bdd.either(here.own, here.open);
        for (const Path way : ways(some)) {
          if (anything) add(zone(kind), way, of_protocol(kind.helper), false);
          if (!said.empty()) add(zone(kind), way, shape(some, said, nat, false), true);
        }
      }
    }
  }
}

// Masters like this one that announce the flow. `by_its_wires`: they come by the wires that it
// comes by itself.
void Announcements::find(const Master& master, Path path, Set flow, FlowEnd sender,
                         std::uint16_t nat, bool by_its_wires, std::vector<Master>& found) {
  Bdd& bdd = model_.bdd();
  const Translations& translations = model_.translations;
  const auto variants = translations.variants(path);
  const bool follows = nat != 0 && variants[nat - 1].follows_master();
  if (follows) {
    const bool other_port = variants[nat - 1].by == NatVariant::By::kMasterOtherPort;
    const Following how{master.bound, master.to_opener(), master.helper == Helper::kIrc,
                        other_port};
    if (master.nat == 0 || translations.following(path, sender, how) != nat) return;
  }
  const bool leads_here = std::ranges::any_of(
      ways(master), [&](Path way) { return leads(way, path, sender, follows); });
  if (!leads_here) return;
  const bool own = sender == FlowEnd::kInitiator;  // the flow is named by its sender
  const Set named = own != master.to_opener() ? flow : swapped(flow);
  std::vector<Axis> ends = kept(master, follows, true);
  if (contains(ends, Axis::kInitiator)) ends.push_back(Axis::kInitiatorType);
  if (contains(ends, Axis::kResponder)) ends.push_back(Axis::kResponderType);
  const Set hosts = only(named, ends);
  std::vector<Axis> devices{Axis::kInitiatorInterface};
  if (master.helper != Helper::kIrc) devices.push_back(Axis::kResponderInterface);
  const Set like = by_its_wires ? bdd.both(hosts, only(named, devices)) : hosts;
  Set flows = bdd.both(master.flows, like);
  if (!follows && master.nat != 0) flows = bdd.minus(flows, changed(master));
  if (flows.empty()) return;
  found.push_back(master);
  found.back().flows = flows;
}

std::vector<Master> Announcements::masters(Path path, Set flow, FlowEnd sender, std::uint16_t in,
                                           std::uint16_t nat) {
  const auto search = [&](bool by_its_wires) {
    std::vector<Master> found;
    for (const Path of :
         {path, reverse(path), Path::kForward, Path::kIn, Path::kOut, Path::kLoopback}) {
      for (const Kind& kind : kinds()) {
        if (zone(kind) != in || model_.bdd().disjoint(flow, of_protocol(kind.helper))) continue;
        for (const Master& master : heard(of, kind, true).masters) {
          find(master, path, flow, sender, nat, by_its_wires, found);
        }
      }
    }
    // Where there is a choice, one that tells of this path, without NAT.
    std::ranges::stable_sort(found, {}, [&](const Master& master) {
      const bool straight = std::ranges::any_of(
          ways(master), [&](Path way) { return leads(way, path, sender, true); });
      return std::pair{!straight, master.nat != 0};
    });
    return found;
  };
  // By the same wires, if it can be: by others NAT may do something else.
  std::vector<Master> found = search(true);
  std::ranges::move(search(false), std::back_inserter(found));
  return found;
}

}  // namespace postern
