#include "symbolic/rules/reader.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/overloaded.hpp"
#include "flow/conntrack.hpp"
#include "net/protocol.hpp"
#include "symbolic/entries/templates.hpp"
#include "symbolic/sets/cuts.hpp"

namespace postern {
namespace {

constexpr MayMust exactly(Set s) { return {s, s}; }

std::uint64_t number(const Binding& b) {
  constexpr unsigned kDestination = 10, kSource = kDestination + kRangeBits,
                     kRest = kSource + kRangeBits;
  static_assert(kRest + 10 <= 64);
  return (b.sender == FlowEnd::kResponder ? 1u : 0u) | (b.sees_input ? 2u : 0u) |
         (b.sees_output ? 4u : 0u) | (b.ttl_decremented ? 8u : 0u) | (b.before_lookup ? 16u : 0u) |
         (b.confirmed ? 32u : 0u) | (b.question ? 64u : 0u) | (b.before_nat ? 128u : 0u) |
         (b.to_host ? 256u : 0u) | (b.nat.originator == FlowEnd::kResponder ? 512u : 0u) |
         (b.behind_source ? std::uint64_t{1} << kRest : 0u) |
         (static_cast<std::uint64_t>(b.device) << (kRest + 1)) |
         (b.nat.follows_master() ? std::uint64_t{1} << (kRest + 4) : 0u) |
         (b.nat.of_error() ? std::uint64_t{1} << (kRest + 5) : 0u) |
         (b.any_mark ? std::uint64_t{1} << (kRest + 6) : 0u) |
         (b.any_connmark ? std::uint64_t{1} << (kRest + 7) : 0u) |
         (b.shows_output_as_input ? std::uint64_t{1} << (kRest + 8) : 0u) |
         (b.interleaved ? std::uint64_t{1} << (kRest + 9) : 0u) |
         (std::uint64_t{b.nat.destination} << kDestination) |
         (std::uint64_t{b.nat.source} << kSource);
}

// Is all of a new entry's binding known: behind its last stage, or by its master's?
bool settled(const Binding& b) { return b.behind_source || b.nat.follows_master(); }

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
  b.shows_output_as_input = hook == Hook::kPostrouting && path == Path::kOut;
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
  exact_ = exact_ && result.may == result.must;
  known_.emplace(key, result);
  return result;
}

MayMust Reader::visit(const Predicate& predicate, const Binding& b) {
  Bdd& bdd = space_.bdd();
  return std::visit(
      Overloaded{[&](const Const& n) { return exactly(n.value ? kEverything : kNothing); },
                 [&](const InRange& n) { return range(n, b); },
                 [&](const Masked& n) { return masked(n, b); },
                 [&](const InterfaceIs& n) { return interface(n, b); },
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
  if (test.field == Field::kCtMark && b.before_lookup) {  // of a template at most, and that is 0
    return exactly(test.lo == 0 ? kEverything : kNothing);
  }
  if (const auto axis = mark_axis(test.field, b)) {
    const auto bound = [](u128 v) {
      return static_cast<std::uint32_t>(std::min<u128>(v, low_bits(32)));
    };
    if (test.lo > test.hi || test.lo > low_bits(32)) return exactly(kNothing);
    if (*axis == Axis::kConnmark ? b.any_connmark : b.any_mark) return {kEverything, kNothing};
    return of_mark(*axis, b,
                   space_.bdd().both(mark_bound(*axis, bound(test.lo), true),
                                     mark_bound(*axis, bound(test.hi), false)));
  }
  return field(test.field, b, {[&](u128 v) { return test.lo <= v && v <= test.hi; }, &test});
}

// Any connmark that an entry may have, where others write it meanwhile.
MayMust Reader::of_mark(Axis axis, const Binding& b, Set marks) {
  if (axis != Axis::kConnmark || !b.interleaved) return exactly(marks);
  Bdd& bdd = space_.bdd();
  return {bdd.disjoint(connmarks_, marks) ? kNothing : kEverything,
          bdd.subset(connmarks_, marks) ? kEverything : kNothing};
}

MayMust Reader::masked(const Masked& test, const Binding& b) {
  if (test.field == Field::kCtMark && b.before_lookup) {
    return exactly(test.value == 0 ? kEverything : kNothing);
  }
  if (const auto axis = mark_axis(test.field, b)) {
    const auto value = static_cast<std::uint32_t>(test.value);
    const auto mask = static_cast<std::uint32_t>(test.mask);
    if (*axis == Axis::kConnmark ? b.any_connmark : b.any_mark) {
      if (*axis == Axis::kConnmark || b.any_connmark) return {kEverything, kNothing};
      std::uint32_t followed = 0;
      for (const std::uint8_t bit : space_.layout(*axis).bits) followed |= 1u << bit;
      const Set may = mark_masked(*axis, value & followed, mask & followed);
      return {may, (mask & ~followed) == 0 ? may : Set{kNothing}};
    }
    return of_mark(*axis, b, mark_masked(*axis, value, mask));
  }
  const u128 full = low_bits(width_of(test.field, space_.classes().family));
  const u128 rest = full & ~test.mask;
  const bool prefix = (rest & (rest + 1)) == 0;
  const InRange same{test.field, test.value & full, (test.value & full) | rest};
  return field(test.field, b,
               {[&](u128 v) { return (v & test.mask) == test.value; }, prefix ? &same : nullptr});
}

MayMust Reader::perhaps_shown(const InterfaceIs& test, Binding b, const MayMust& unseen) {
  b.sees_input = true;
  b.sender = b.sender == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator;
  const MayMust shown = interface(test, b);
  const bool v4 = space_.classes().family == Family::kIpv4;
  const Set kernels = space_.may_be(Axis::kProtocol, v4 ? protocol::kIgmp : protocol::kIcmpv6);
  Bdd& bdd = space_.bdd();
  return {bdd.either(unseen.may, bdd.both(kernels, shown.may)),
          bdd.minus(unseen.must, bdd.minus(kernels, shown.must))};
}

MayMust Reader::interface(const InterfaceIs& test, const Binding& b) {
  if (!(test.output ? b.sees_output : b.sees_input)) {
    const MayMust unseen = exactly(test.pattern.matches("") ? kEverything : kNothing);
    return b.shows_output_as_input && !test.output ? perhaps_shown(test, b, unseen) : unseen;
  }
  const bool initiator = (b.sender == FlowEnd::kInitiator) != test.output;
  std::vector<bool> member;
  for (const std::string& name : space_.classes().interface_names) {
    member.push_back(test.pattern.matches(name));
  }
  if (b.device == SeenDevice::kOfFlow) {
    return exactly(space_.class_set(
        initiator ? Axis::kInitiatorInterface : Axis::kResponderInterface, member));
  }
  const bool lo = member[kLoopbackInterface];
  bool some = b.device != SeenDevice::kSomeWire && lo;
  bool all = b.device == SeenDevice::kSomeWire || lo;
  for (std::size_t i = kLoopbackInterface + 1; i < member.size(); ++i) {
    if (b.device == SeenDevice::kLoopback) break;
    some = some || member[i];
    all = all && member[i];
  }
  return {some ? kEverything : kNothing, all ? kEverything : kNothing};
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
  const Set bare = space_.class_is(Axis::kZone, 0);  // without a template
  if (state == CtState::kInvalid) {
    return space_.bdd().both(space_.class_is(Axis::kUntracked, 0), bare);
  }
  if (state == CtState::kUntracked) return space_.class_is(Axis::kUntracked, 1);
  if (state != CtState::kNew) return kNothing;
  const std::uint32_t values = space_.classes().untracked.count();
  const Set requests = values > Templates::kFirst
                           ? space_.class_range(Axis::kUntracked, Templates::kFirst, values - 1)
                           : kNothing;
  return space_.bdd().either(space_.bdd().complement(bare), requests);
}

// `holds` of ct_status bits; 0: no entry.
MayMust Reader::status(const Binding& b, const StatusTest& holds) {
  if (b.before_lookup) {  // a template counts as confirmed
    const auto all = [&](std::uint16_t bits) { return holds(bits) ? kEverything : kNothing; };
    return exactly(
        space_.bdd().choose(space_.class_is(Axis::kZone, 0), all(0), all(ct_status::kConfirmed)));
  }
  if (b.interleaved) {  // an answer, or a third packet, may have come meanwhile
    Binding alone = b;
    alone.interleaved = false;
    constexpr std::array<std::uint16_t, 4> kMore{
        0, ct_status::kSeenReply, ct_status::kAssured,
        std::uint16_t{ct_status::kSeenReply | ct_status::kAssured}};
    const auto with = [&](u128 bits) {
      return [&holds, bits](std::uint16_t more) { return holds(bits | more); };
    };
    return {status(alone, [&](u128 bits) { return std::ranges::any_of(kMore, with(bits)); }).may,
            status(alone, [&](u128 bits) { return std::ranges::all_of(kMore, with(bits)); }).must};
  }
  // The bits of NAT: a binding that changes nothing sets none.
  std::uint16_t nat = 0;
  if (b.nat.destination != 0) nat |= ct_status::kDestinationNat;
  if (b.nat.some()) nat |= ct_status::kSourceNat;  // a clash changes the port
  if (nat != 0) return status_under_nat(b, nat, holds);
  return plain_status(b, holds);
}

// The status of an entry that NAT has not bound.
MayMust Reader::plain_status(const Binding& b, const StatusTest& holds) {
  Bdd& bdd = space_.bdd();
  const bool expects = space_.classes().expects;
  Set result = kNothing,
      announced = kNothing;  // announced: the same, were a foreign entry EXPECTED
  for (unsigned i = 0; i < (expects ? 16U : 8U); ++i) {
    std::uint16_t bits = (i & 8) != 0 ? ct_status::kExpected : 0;
    if ((i & 1) != 0) bits |= ct_status::kConfirmed;
    if ((i & 2) != 0) bits |= ct_status::kSeenReply;
    if ((i & 4) != 0) bits |= ct_status::kAssured;
    if (!holds(bits)) continue;
    const Set confirmed = b.confirmed ? ((i & 1) != 0 ? kEverything : kNothing)
                                      : space_.class_is(Axis::kFirst, (i & 1) != 0 ? 0 : 1);
    Set here = bdd.both(confirmed, space_.class_is(Axis::kSeenReply, (i & 2) != 0 ? 1 : 0));
    here = bdd.both(here, space_.class_is(Axis::kAssured, (i & 4) != 0 ? 1 : 0));
    if ((i & 8) != 0) announced = bdd.either(announced, here);
    if (expects) here = bdd.both(here, space_.class_is(Axis::kExpected, (i & 8) != 0 ? 1 : 0));
    result = bdd.either(result, here);
  }
  const Set entry = space_.class_range(Axis::kState, static_cast<std::uint32_t>(CtState::kNew),
                                       static_cast<std::uint32_t>(CtState::kRelated));
  const Set none = holds(0) ? kEverything : kNothing;
  if (!expects) return exactly(bdd.choose(entry, result, none));
  const Set other = foreign();
  return {bdd.choose(entry, bdd.either(result, bdd.both(other, announced)), none),
          bdd.choose(entry, bdd.both(result, bdd.either(bdd.complement(other), announced)), none)};
}

// The status of an entry under NAT, whose bits are some of `nat`.
MayMust Reader::status_under_nat(const Binding& b, std::uint16_t nat, const StatusTest& holds) {
  Bdd& bdd = space_.bdd();
  Binding plain = b;
  plain.nat = {};
  MayMust result = exactly(kNothing);
  result.must = kEverything;
  const Set first = settled(b) ? kNothing : space_.class_is(Axis::kFirst, 1);
  const FlowEnd opener = b.nat.originator;
  const FlowEnd other = opener == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator;
  for (unsigned i = 0; i < 4; ++i) {
    const auto bits = static_cast<std::uint16_t>(((i & 1) != 0 ? ct_status::kDestinationNat : 0) |
                                                 ((i & 2) != 0 ? ct_status::kSourceNat : 0));
    if ((bits & ~nat) != 0) continue;
    // Where the status can be just this.
    Set possible = kEverything;
    if (b.nat.destination != 0 && (i & 1) == 0) {
      const EndRange& range = translations_->range(b.nat.destination);
      // An error goes to where the flow that it quotes went to, whatever the ports of that.
      Set sure = bdd.choose(foreign(), ends_.surely_other_address(other, range),
                            ends_.surely_other(other, range));
      if (b.before_nat) sure = bdd.minus(sure, first);
      possible = bdd.minus(possible, sure);
    }
    if (b.nat.destination != 0 && (i & 1) != 0) {
      if (b.before_nat) possible = bdd.minus(possible, first);
      // DNAT to where it was sent.
      const Set same = ends_.surely_same(other, translations_->range(b.nat.destination));
      possible = bdd.minus(possible, bdd.minus(same, foreign()));
    }
    const Set sure = b.nat.source == 0
                         ? kNothing
                         : ends_.surely_other(opener, translations_->range(b.nat.source));
    possible =
        bdd.minus(possible, (i & 2) != 0 ? first : bdd.minus(bdd.minus(sure, first), foreign()));
    const MayMust match = plain_status(plain, [&](u128 rest) { return holds(rest | bits); });
    result.may = bdd.either(result.may, bdd.both(possible, match.may));
    result.must = bdd.minus(result.must, bdd.minus(possible, match.must));
  }
  return result;
}

// Packets that carry another flow's entry.
Set Reader::foreign() {
  const Set related = space_.class_is(Axis::kState, static_cast<std::uint32_t>(CtState::kRelated));
  return space_.classes().expects ? space_.bdd().both(related, space_.class_is(Axis::kExpected, 0))
                                  : related;
}

MayMust Reader::by_direction(MayMust original, MayMust reply) {
  Bdd& bdd = space_.bdd();
  const Set straight = space_.class_is(Axis::kDirection, 0);
  const MayMust own{bdd.choose(straight, original.may, reply.may),
                    bdd.choose(straight, original.must, reply.must)};
  return {bdd.either(own.may, foreign()), bdd.minus(own.must, foreign())};
}

// A tuple's port: 0 for protocols without any; for ICMP the id, or type and code, and for GRE a
// key, which are not followed (nf_conntrack_tuple: u.all; xt_conntrack: ct_proto_port_check).
MayMust Reader::tuple_port(MayMust of_ports, bool zero) {
  Bdd& bdd = space_.bdd();
  const auto protocols = [&](const auto& wanted) { return space_.protocols(wanted); };
  const Set ports = protocols([](std::uint8_t p) { return has_ports(tracker_of(p)); });
  const Set other = protocols([](std::uint8_t p) {
    return p == protocol::kIcmp || p == protocol::kIcmpv6 || p == protocol::kGre;
  });
  const Set free = bdd.either(other, foreign()), rest = zero ? kEverything : kNothing;
  return {bdd.choose(ports, of_ports.may, bdd.either(rest, free)),
          bdd.choose(ports, of_ports.must, bdd.minus(rest, free))};
}

MayMust Reader::card(FlowEnd sender, const FieldTest& test) {
  std::vector<bool> holds;
  for (const ValueClass& c : space_.classes().mac.classes) holds.push_back(test.holds(c.canonical));
  return cards_.read(sender, holds);
}

MayMust Reader::of_packet(Part part, bool of_source, const Binding& b, const FieldTest& test) {
  const FlowEnd whose = of_source ? b.sender : other_end(b.sender);
  return ends_.read(part, whose, Ends::shown(of_source, b), b, test);
}

// The entry's tuple: who opened it is known by the packet's direction, or by the binding.
MayMust Reader::of_entry(Part part, bool opener, Shown shown, const Binding& b,
                         const FieldTest& test) {
  if (b.before_lookup) return exactly(test.holds(0) ? kEverything : kNothing);  // of a template
  if (!b.nat.some()) {
    return by_direction(of_packet(part, opener, b, test), of_packet(part, !opener, b, test));
  }
  const FlowEnd end = opener ? b.nat.originator : other_end(b.nat.originator);
  const MayMust one = ends_.read(part, end, shown, b, test);
  // A new entry's answers are known as far as the stages have come.
  const MayMust before = ends_.read(part, end, Shown::kOriginal, b, test);
  const Set first = settled(b) ? kNothing : space_.class_is(Axis::kFirst, 1);
  Bdd& bdd = space_.bdd();
  const Set may = bdd.either(one.may, bdd.both(first, before.may));
  const Set must = bdd.minus(one.must, bdd.minus(first, before.must));
  return {bdd.either(may, foreign()), bdd.minus(must, foreign())};
}

MayMust Reader::field(Field f, const Binding& b, const FieldTest& test) {
  const bool from_initiator = b.sender == FlowEnd::kInitiator;
  const auto axis = [&](Axis a) { return exactly(on_axis(space_, a, test)); };
  const std::optional<Axis> now = space_.present(f);
  switch (f) {
    case Field::kSource:
      return of_packet(Part::kAddress, true, b, test);
    case Field::kDestination:
      return of_packet(Part::kAddress, false, b, test);
    case Field::kSourcePort:
      return of_packet(Part::kPort, true, b, test);
    case Field::kDestinationPort:
      return of_packet(Part::kPort, false, b, test);
    case Field::kProtocol:
      return axis(Axis::kProtocol);
    case Field::kCtProtocol: {  // a RELATED packet carries another flow's entry
      if (b.before_lookup) return exactly(test.holds(0) ? kEverything : kNothing);
      const MayMust own = axis(Axis::kProtocol);
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
        return test.holds(
            icmp_partner(space_.classes().family, static_cast<std::uint8_t>(c.canonical)));
      }));
    case Field::kLength:
      return axis(Axis::kLength);
    case Field::kTtl:
      if (now && !b.question) return axis(*now);
      if (!b.ttl_decremented) return axis(Axis::kTtl);
      return exactly(space_.class_set_if(Axis::kTtl, [&](const ValueClass& c) {
        return c.canonical > 0 && test.holds(c.canonical - 1);
      }));
    case Field::kTos:
      return axis(now && !b.question ? *now : Axis::kTos);
    case Field::kHasMac:
      return axis(Axis::kHasMac);
    case Field::kMacSource:
      // Cards are told apart by their sender's address, which NAT has replaced here.
      if (b.nat.destination != 0 && b.sender != b.nat.originator) return {kEverything, kNothing};
      return card(b.sender, test);
    case Field::kSourceType:
      return of_packet(Part::kType, true, b, test);
    case Field::kDestinationType:
      return of_packet(Part::kType, false, b, test);
    case Field::kCtState: {
      Set result = kNothing;
      for (std::uint8_t s = 0; s < 5; ++s) {
        if (test.holds(s))
          result = space_.bdd().either(result, state_is(static_cast<CtState>(s), b));
      }
      return exactly(result);
    }
    case Field::kCtStatus:
      return status(b, test.holds);
    case Field::kCtDirection:
      if (b.before_lookup) return exactly(test.holds(0) ? kEverything : kNothing);
      return axis(Axis::kDirection);
    case Field::kCtZone:
      return exactly(test.holds(0) ? kEverything : kNothing);
    case Field::kCtOriginalSource:
      return of_entry(Part::kAddress, true, Shown::kOriginal, b, test);
    case Field::kCtReplyDestination:
      return of_entry(Part::kAddress, true, Shown::kTranslated, b, test);
    case Field::kCtOriginalDestination:
      return of_entry(Part::kAddress, false, Shown::kOriginal, b, test);
    case Field::kCtReplySource:
      return of_entry(Part::kAddress, false, Shown::kTranslated, b, test);
    case Field::kCtOriginalSourcePort:
      return tuple_port(of_entry(Part::kPort, true, Shown::kOriginal, b, test), test.holds(0));
    case Field::kCtReplyDestinationPort:
      return tuple_port(of_entry(Part::kPort, true, Shown::kTranslated, b, test), test.holds(0));
    case Field::kCtOriginalDestinationPort:
      return tuple_port(of_entry(Part::kPort, false, Shown::kOriginal, b, test), test.holds(0));
    case Field::kCtReplySourcePort:
      return tuple_port(of_entry(Part::kPort, false, Shown::kTranslated, b, test), test.holds(0));
    case Field::kMark:
    case Field::kCtMark:
    case Field::kCount:
      break;
  }
  POSTERN_CHECK(false, "a field that is none");
  return {};
}

}  // namespace postern
