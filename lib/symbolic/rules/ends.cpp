#include "symbolic/rules/ends.hpp"

#include <algorithm>

#include "flow/conntrack.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

constexpr MayMust exactly(Set s) { return {s, s}; }

}  // namespace

AddressType subnets_type(Family family) {
  return family == Family::kIpv4 ? AddressType::kBroadcast : AddressType::kAnycast;
}

Set on_axis(Space& space, Axis axis, const FieldTest& test) {
  if (test.range != nullptr && space.layout(axis).classes->ordered) {
    const unsigned widest = space.classes().family == Family::kIpv4 ? 32 : 128;
    const u128 last = axis == Axis::kInitiator || axis == Axis::kResponder
                          ? low_bits(widest)
                          : space.layout(axis).classes->classes.back().intervals.back().hi;
    if (test.range->lo > last) return kNothing;
    return space.values(axis, test.range->lo, std::min(test.range->hi, last));
  }
  return space.class_set_if(axis, [&](const ValueClass& c) { return test.holds(c.canonical); });
}

// Which of its two faces an end of the packet shows (NatVariant): the opener's packets go to what
// NAT made of the destination once the NAT stage is behind them; answers come from there, and go to
// what NAT made of the opener until then.
Shown Ends::shown(bool of_source, const Binding& b) {
  const bool opens = b.sender == b.nat.originator;
  const bool translated = opens ? (of_source ? b.behind_source : !b.before_nat)
                                : (of_source ? !b.behind_source : b.before_nat);
  return translated ? Shown::kTranslated : Shown::kOriginal;
}

// A test of what a mapped address became. (What stands outside the network that is mapped has no
// such binding.)
MayMust Ends::mapped(const EndRange& range, Axis axis, const FieldTest& test) {
  const FieldClasses& all = *space_.layout(axis).classes;
  const auto [first, last] = *range.address;
  const u128 from = *range.from, end = from + (last - first);
  std::vector<bool> may(all.count()), must(all.count());
  for (std::size_t i = 0; i < all.classes.size(); ++i) {
    bool some = false, every = true;
    const auto image = [&](u128 lo, u128 hi) {
      for (auto k = all.ordered ? *all.of(lo) : 0; k < all.count(); ++k) {
        const ValueClass& c = all.classes[k];
        if (all.ordered && c.intervals.front().lo > hi) break;
        if (!c.may_meet(lo, hi)) continue;
        const bool holds = test.holds(c.canonical);
        some = some || holds;
        every = every && holds;
      }
    };
    const ValueClass& old = all.classes[i];
    for (const Interval& in : old.intervals) {
      const u128 lo = std::max(in.lo, from), hi = std::min(in.hi, end);
      if (lo <= hi) image(range.image(lo), range.image(hi));
    }
    if (!old.complete) image(first, last);
    may[i] = some;
    must[i] = some && every;
  }
  return {space_.class_set(axis, may), space_.class_set(axis, must)};
}

// A test of what a binding to the range made of an end; `kept` is the axis of what it was.
MayMust Ends::replaced(Part part, const EndRange& range, Axis kept, bool here,
                       const FieldTest& test) {
  const bool keeps = part == Part::kPort ? range.keeps_port : range.keeps_address;
  if (keeps)
    return exactly(
        space_.class_set_if(kept, [&](const ValueClass& c) { return test.holds(c.canonical); }));
  if (part == Part::kAddress && range.from) return mapped(range, kept, test);
  bool may = false, must = true;
  for (const ValueClass& c : space_.layout(kept).classes->classes) {
    bool possible = true;
    if (part == Part::kAddress && range.address) {
      possible = c.may_meet(range.address->first, range.address->second);
    } else if (part == Part::kPort && range.port) {
      possible = c.may_meet(range.port->first, range.port->second);
    } else if (part == Part::kType) {
      possible = (c.canonical == static_cast<u128>(AddressType::kLocal)) == here;
      // An address that a rule names may be that of a whole subnet of this host's.
      const AddressType of_subnet = subnets_type(space_.classes().family);
      if (here && range.address) possible |= c.canonical == static_cast<u128>(of_subnet);
    }
    if (!possible) continue;
    const bool holds = test.holds(c.canonical);
    may = may || holds;
    must = must && holds;
  }
  return {may ? kEverything : kNothing, must && may ? kEverything : kNothing};
}

// Classes that lie beside the interval.
Set Ends::outside(Axis axis, u128 low, u128 high) {
  return space_.class_set_if(axis, [&](const ValueClass& c) { return !c.may_meet(low, high); });
}

Set Ends::surely_other_address(FlowEnd end, const EndRange& range) {
  if (!range.address) return kNothing;
  if (range.from) return *range.from == range.address->first ? kNothing : kEverything;
  return outside(end == FlowEnd::kInitiator ? Axis::kInitiator : Axis::kResponder,
                 range.address->first, range.address->second);
}

Set Ends::surely_other(FlowEnd end, const EndRange& range) {
  Bdd& bdd = space_.bdd();
  const Set address = surely_other_address(end, range);
  if (!range.port) return address;
  const Set other =
      outside(end == FlowEnd::kInitiator ? Axis::kInitiatorPort : Axis::kResponderPort,
              range.port->first, range.port->second);
  return bdd.either(address, bdd.both(with_ports(), other));
}

// Protocols whose ports NAT changes: those in whose keys they are.
Set Ends::with_ports() {
  return space_.protocols([](std::uint8_t p) { return has_ports(tracker_of(p)); });
}

Set Ends::surely_same(FlowEnd end, const EndRange& range) {
  Bdd& bdd = space_.bdd();
  const auto only = [&](Axis axis, u128 value) {
    return space_.class_set_if(axis, [&](const ValueClass& c) { return c.single() == value; });
  };
  const bool initiator = end == FlowEnd::kInitiator;
  Set same = range.keeps_address ? kEverything : kNothing;
  if (range.address && range.address->first == range.address->second) {
    same = only(initiator ? Axis::kInitiator : Axis::kResponder, range.address->first);
  }
  if (range.keeps_port) return same;
  if (!range.port || range.port->first != range.port->second) return kNothing;
  return bdd.both(same,
                  only(initiator ? Axis::kInitiatorPort : Axis::kResponderPort, range.port->first));
}

Set Ends::surely_turned(const EndRange& range, bool remote) {
  // REDIRECT leads to this host. (IPv6 takes packets of its own addresses off a wire.)
  const bool here = !range.address && !range.keeps_address;
  const bool v4 = space_.classes().family == Family::kIpv4;
  EndRange anywhere = range;  // it is another end that is mapped
  anywhere.from.reset();
  return here && remote && v4 ? kEverything : surely_other(FlowEnd::kInitiator, anywhere);
}

MayMust Ends::read(Part part, FlowEnd end, Shown shown, const Binding& b, const FieldTest& test) {
  const MayMust result = bound(part, end, shown, b, test);
  if (part != Part::kPort || shown == Shown::kOriginal) return result;
  const Axis axis = end == FlowEnd::kInitiator ? Axis::kInitiatorPort : Axis::kResponderPort;
  const Set kept = on_axis(space_, axis, test), ports = with_ports();
  Bdd& bdd = space_.bdd();
  return {bdd.choose(ports, result.may, kept), bdd.choose(ports, result.must, kept)};
}

MayMust Ends::bound(Part part, FlowEnd end, Shown shown, const Binding& b, const FieldTest& test) {
  const bool initiator = end == FlowEnd::kInitiator;
  const Axis axis = part == Part::kAddress ? (initiator ? Axis::kInitiator : Axis::kResponder)
                    : part == Part::kPort
                        ? (initiator ? Axis::kInitiatorPort : Axis::kResponderPort)
                        : (initiator ? Axis::kInitiatorType : Axis::kResponderType);
  const bool opener = end == b.nat.originator;
  const std::uint8_t range = opener ? b.nat.source : b.nat.destination;
  if (shown == Shown::kTranslated && range == 0 && opener && b.nat.some() && part == Part::kPort) {
    // Another flow may have taken the tuple that is left: then the opener gets another port.
    EndRange other_port;
    other_port.keeps_address = true;
    return replaced(part, other_port, axis, false, test);
  }
  if (shown == Shown::kOriginal || range == 0) return exactly(on_axis(space_, axis, test));
  // The opener's new address is one of this host's, as a rule, but nothing says so.
  MayMust result = replaced(part, translations_->range(range), axis, b.to_host, test);
  if (part == Part::kType && opener) {
    const MayMust other = replaced(part, translations_->range(range), axis, !b.to_host, test);
    result = {space_.bdd().either(result.may, other.may),
              space_.bdd().both(result.must, other.must)};
  }
  return result;
}

}  // namespace postern
