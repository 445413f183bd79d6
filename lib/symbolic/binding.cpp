#include "symbolic/binding.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/overloaded.hpp"
#include "flow/conntrack.hpp"
#include "net/protocol.hpp"
#include "symbolic/cuts.hpp"

namespace postern {
namespace {

constexpr MayMust exactly(Set s) { return {s, s}; }

std::uint32_t number(const Binding& b) {
  return (b.sender == FlowEnd::kResponder ? 1u : 0u) | (b.sees_input ? 2u : 0u) |
         (b.sees_output ? 4u : 0u) | (b.ttl_decremented ? 8u : 0u) | (b.before_lookup ? 16u : 0u) |
         (b.confirmed ? 32u : 0u) | (b.question ? 64u : 0u);
}

std::optional<Axis> mark_axis(Field field, const Binding& b) {
  if (field == Field::kMark) return b.question ? Axis::kInitialMark : Axis::kMark;
  if (field == Field::kCtMark) return Axis::kConnmark;
  return std::nullopt;
}

}  // namespace

Binding Binding::at(Hook hook, Path path, FlowEnd sender) {
  Binding b{.sender = sender};
  const bool forward = path == Path::kForward;
  b.sees_input = hook == Hook::kPrerouting || hook == Hook::kInput || forward;
  b.sees_output = hook == Hook::kOutput || hook == Hook::kPostrouting || hook == Hook::kForward;
  b.ttl_decremented = forward && hook != Hook::kPrerouting;
  b.confirmed = path == Path::kLoopback && (hook == Hook::kPrerouting || hook == Hook::kInput);
  return b;
}

Axis Reader::source(const Binding& b) {
  return b.sender == FlowEnd::kInitiator ? Axis::kInitiator : Axis::kResponder;
}
Axis Reader::destination(const Binding& b) {
  return b.sender == FlowEnd::kInitiator ? Axis::kResponder : Axis::kInitiator;
}

MayMust Reader::read(const PredicatePtr& predicate, const Binding& binding) {
  const Key key{predicate.get(), number(binding)};
  if (const auto it = known_.find(key); it != known_.end()) return it->second;
  const MayMust result = visit(*predicate, binding);
  known_.emplace(key, result);
  return result;
}

MayMust Reader::visit(const Predicate& predicate, const Binding& b) {
  Bdd& bdd = space_.bdd();
  return std::visit(
      Overloaded{[&](const Const& n) { return exactly(n.value ? kEverything : kNothing); },
                 [&](const InRange& n) { return range(n, b); },
                 [&](const Masked& n) { return masked(n, b); },
                 [&](const InterfaceIs& n) { return exactly(interface(n, b)); },
                 [&](const TcpOption& n) {
                   return exactly(space_.bit(Axis::kTcpOptions, n.kind).value_or(kNothing));
                 },
                 [&](const Opaque&) {
                   return MayMust{kEverything, kNothing};
                 },
                 [&](const Not& n) {
                   const MayMust inner = visit(*n.operand, b);
                   return MayMust{bdd.complement(inner.must), bdd.complement(inner.may)};
                 },
                 [&](const All& n) {
                   MayMust result = exactly(kEverything);
                   for (const PredicatePtr& p : n.operands) {
                     const MayMust one = visit(*p, b);
                     result = {bdd.both(result.may, one.may), bdd.both(result.must, one.must)};
                   }
                   return result;
                 },
                 [&](const Any& n) {
                   MayMust result = exactly(kNothing);
                   for (const PredicatePtr& p : n.operands) {
                     const MayMust one = visit(*p, b);
                     result = {bdd.either(result.may, one.may), bdd.either(result.must, one.must)};
                   }
                   return result;
                 }},
      predicate.node);
}

MayMust Reader::range(const InRange& test, const Binding& b) {
  if (const auto axis = mark_axis(test.field, b)) {
    const auto bound = [](u128 v) {
      return static_cast<std::uint32_t>(std::min<u128>(v, low_bits(32)));
    };
    if (test.lo > test.hi || test.lo > low_bits(32)) return exactly(kNothing);
    return exactly(space_.bdd().both(mark_bound(*axis, bound(test.lo), true),
                                     mark_bound(*axis, bound(test.hi), false)));
  }
  return field(
      test.field, b, [&](u128 v) { return test.lo <= v && v <= test.hi; }, &test);
}

MayMust Reader::masked(const Masked& test, const Binding& b) {
  if (const auto axis = mark_axis(test.field, b)) {
    return exactly(mark_masked(*axis, static_cast<std::uint32_t>(test.value),
                               static_cast<std::uint32_t>(test.mask)));
  }
  const u128 full = low_bits(width_of(test.field, space_.classes().family));
  const u128 rest = full & ~test.mask;
  const bool prefix = (rest & (rest + 1)) == 0;
  const InRange same{test.field, test.value & full, (test.value & full) | rest};
  return field(
      test.field, b, [&](u128 v) { return (v & test.mask) == test.value; },
      prefix ? &same : nullptr);
}

Set Reader::interface(const InterfaceIs& test, const Binding& b) {
  if (!(test.output ? b.sees_output : b.sees_input)) {
    return test.pattern.matches("") ? kEverything : kNothing;
  }
  const bool initiator = (b.sender == FlowEnd::kInitiator) != test.output;
  std::vector<bool> member;
  for (const std::string& name : space_.classes().interface_names) {
    member.push_back(test.pattern.matches(name));
  }
  return space_.class_set(initiator ? Axis::kInitiatorInterface : Axis::kResponderInterface,
                          member);
}

template <class Test>
Set Reader::on_axis(Axis axis, const Test& test, const InRange* as_range) {
  if (as_range != nullptr && space_.layout(axis).classes->ordered) {
    const unsigned widest = space_.classes().family == Family::kIpv4 ? 32 : 128;
    const u128 last = axis == Axis::kInitiator || axis == Axis::kResponder
                          ? low_bits(widest)
                          : space_.layout(axis).classes->classes.back().intervals.back().hi;
    if (as_range->lo > last) return kNothing;
    return space_.values(axis, as_range->lo, std::min(as_range->hi, last));
  }
  return space_.class_set_if(axis, [&](const ValueClass& c) { return test(c.canonical); });
}

Set Reader::mark_masked(Axis axis, std::uint32_t value, std::uint32_t mask) {
  Set result = kEverything;
  for (std::uint8_t i = 32; i-- > 0;) {
    if (((mask >> i) & 1) == 0) continue;
    const bool one = ((value >> i) & 1) != 0;
    result =
        space_.bdd().both(result, space_.bit(axis, i, one).value_or(one ? kNothing : kEverything));
  }
  return result;
}

Set Reader::mark_bound(Axis axis, std::uint32_t bound, bool at_least) {
  Bdd& bdd = space_.bdd();
  Set result = kEverything;
  for (std::uint8_t i = 0; i < 32; ++i) {
    const bool one = ((bound >> i) & 1) != 0;
    const Set equal = space_.bit(axis, i, one).value_or(one ? kNothing : kEverything);
    const Set rest = bdd.both(equal, result);
    result = one == at_least ? rest : bdd.either(bdd.complement(equal), rest);
  }
  return result;
}

Set Reader::state_is(CtState state, const Binding& b) {
  if (!b.before_lookup) return space_.class_is(Axis::kState, static_cast<std::uint32_t>(state));
  if (state == CtState::kInvalid) return space_.class_is(Axis::kUntracked, 0);
  if (state == CtState::kUntracked) return space_.class_is(Axis::kUntracked, 1);
  return kNothing;
}

template <class Test>
Set Reader::status(const Binding& b, const Test& test) {
  if (b.before_lookup) return test(0) ? kEverything : kNothing;
  Bdd& bdd = space_.bdd();
  Set result = kNothing;
  for (unsigned i = 0; i < 8; ++i) {
    std::uint16_t bits = 0;
    if ((i & 1) != 0) bits |= ct_status::kConfirmed;
    if ((i & 2) != 0) bits |= ct_status::kSeenReply;
    if ((i & 4) != 0) bits |= ct_status::kAssured;
    if (!test(bits)) continue;
    const Set confirmed = b.confirmed ? ((i & 1) != 0 ? kEverything : kNothing)
                                      : space_.class_is(Axis::kFirst, (i & 1) != 0 ? 0 : 1);
    Set here = bdd.both(confirmed, space_.class_is(Axis::kSeenReply, (i & 2) != 0 ? 1 : 0));
    here = bdd.both(here, space_.class_is(Axis::kAssured, (i & 4) != 0 ? 1 : 0));
    result = bdd.either(result, here);
  }
  const Set entry = space_.class_range(Axis::kState, static_cast<std::uint32_t>(CtState::kNew),
                                       static_cast<std::uint32_t>(CtState::kRelated));
  return bdd.choose(entry, result, test(0) ? kEverything : kNothing);
}

MayMust Reader::by_direction(Set original, Set reply) {
  Bdd& bdd = space_.bdd();
  const Set own = bdd.choose(space_.class_is(Axis::kDirection, 0), original, reply);
  const Set foreign = space_.class_is(Axis::kState, static_cast<std::uint32_t>(CtState::kRelated));
  return {bdd.either(own, foreign), bdd.minus(own, foreign)};
}

// A tuple's port: 0 for protocols without any; for ICMP the id, or type and code, and for GRE a
// key, which are not followed (nf_conntrack_tuple: u.all; xt_conntrack: ct_proto_port_check).
MayMust Reader::tuple_port(MayMust of_ports, bool zero) {
  Bdd& bdd = space_.bdd();
  const auto protocols = [&](const auto& wanted) {
    return space_.class_set_if(Axis::kProtocol, [&](const ValueClass& c) {
      return wanted(static_cast<std::uint8_t>(c.canonical));
    });
  };
  const Set ports = protocols([](std::uint8_t p) { return has_ports(tracker_of(p)); });
  const Set other = protocols([](std::uint8_t p) {
    return p == protocol::kIcmp || p == protocol::kIcmpv6 || p == protocol::kGre;
  });
  const Set foreign = space_.class_is(Axis::kState, static_cast<std::uint32_t>(CtState::kRelated));
  const Set free = bdd.either(other, foreign), rest = zero ? kEverything : kNothing;
  return {bdd.choose(ports, of_ports.may, bdd.either(rest, free)),
          bdd.choose(ports, of_ports.must, bdd.minus(rest, free))};
}

template <class Test>
MayMust Reader::card(FlowEnd sender, const Test& test) {
  std::vector<bool> holds;
  for (const ValueClass& c : space_.classes().mac.classes) holds.push_back(test(c.canonical));
  return cards_.read(sender, holds);
}

template <class Test>
MayMust Reader::field(Field f, const Binding& b, const Test& test, const InRange* as_range) {
  const bool from_initiator = b.sender == FlowEnd::kInitiator;
  const auto axis = [&](Axis a) { return exactly(on_axis(a, test, as_range)); };
  const auto end = [&](bool of_source, Axis of_initiator, Axis of_responder) {
    return axis(of_source == from_initiator ? of_initiator : of_responder);
  };
  const auto address = [&](bool of_source) {
    return end(of_source, Axis::kInitiator, Axis::kResponder).may;
  };
  const auto port = [&](bool of_source) {
    return end(of_source, Axis::kInitiatorPort, Axis::kResponderPort).may;
  };
  switch (f) {
    case Field::kSource:
      return exactly(address(true));
    case Field::kDestination:
      return exactly(address(false));
    case Field::kSourcePort:
      return exactly(port(true));
    case Field::kDestinationPort:
      return exactly(port(false));
    case Field::kProtocol:
      return axis(Axis::kProtocol);
    case Field::kCtProtocol: {  // a RELATED packet carries another flow's entry
      const Set own = on_axis(Axis::kProtocol, test, as_range);
      return by_direction(own, own);
    }
    case Field::kFragmentOffset:
      return axis(Axis::kFragmentOffset);
    case Field::kTruncated:
      return axis(Axis::kTruncated);
    case Field::kTcpFlags:
      return axis(Axis::kTcpFlags);
    case Field::kIcmpCode:
      return axis(Axis::kIcmpCode);
    case Field::kIcmpType:
      if (from_initiator) return axis(Axis::kIcmpType);
      return exactly(space_.class_set_if(Axis::kIcmpType, [&](const ValueClass& c) {
        return test(icmp_partner(space_.classes().family, static_cast<std::uint8_t>(c.canonical)));
      }));
    case Field::kLength:
      return axis(Axis::kLength);
    case Field::kTtl:
      if (!b.ttl_decremented) return axis(Axis::kTtl);
      return exactly(space_.class_set_if(Axis::kTtl, [&](const ValueClass& c) {
        return c.canonical > 0 && test(c.canonical - 1);
      }));
    case Field::kTos:
      return axis(Axis::kTos);
    case Field::kHasMac:
      return axis(Axis::kHasMac);
    case Field::kMacSource:
      return card(b.sender, test);
    case Field::kSourceType:
      return end(true, Axis::kInitiatorType, Axis::kResponderType);
    case Field::kDestinationType:
      return end(false, Axis::kInitiatorType, Axis::kResponderType);
    case Field::kCtState: {
      Set result = kNothing;
      for (std::uint8_t s = 0; s < 5; ++s) {
        if (test(s)) result = space_.bdd().either(result, state_is(static_cast<CtState>(s), b));
      }
      return exactly(result);
    }
    case Field::kCtStatus:
      return exactly(status(b, test));
    case Field::kCtDirection:
      return axis(Axis::kDirection);
    case Field::kCtZone:
      return exactly(test(0) ? kEverything : kNothing);
    case Field::kCtOriginalSource:
    case Field::kCtReplyDestination:
      return by_direction(address(true), address(false));
    case Field::kCtOriginalDestination:
    case Field::kCtReplySource:
      return by_direction(address(false), address(true));
    case Field::kCtOriginalSourcePort:
    case Field::kCtReplyDestinationPort:
      return tuple_port(by_direction(port(true), port(false)), test(0));
    case Field::kCtOriginalDestinationPort:
    case Field::kCtReplySourcePort:
      return tuple_port(by_direction(port(false), port(true)), test(0));
    case Field::kMark:
    case Field::kCtMark:
    case Field::kCount:
      break;
  }
  POSTERN_CHECK(false, "a field that is none");
  return {};
}

}  // namespace postern
