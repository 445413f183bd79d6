#include "symbolic/proof/certificate_walk.hpp"

#include "base/check.hpp"
#include "flow/conntrack.hpp"
#include "net/protocol.hpp"
#include "symbolic/nat/rerouting.hpp"
#include "symbolic/rules/ends.hpp"
#include "symbolic/sets/classes.hpp"

namespace postern {

Seen Seen::of(const AbstractStep& step, const AbstractEntry& before) {
  const AbstractEntry& entry = step.deleted && !step.created ? before : step.after;
  const bool attached = step.state != CtState::kInvalid && step.state != CtState::kUntracked;
  if (!attached) return {step.state};
  const bool expected = (step.status & ct_status::kExpected) != 0;
  return {step.state, step.direction, entry.originator, step.status, step.created, expected};
}

PathEncoder::PathEncoder(Space& space, Solver& solver, Encoder& encoder, const AxisTerms& axes,
                         Path flow_path, FlowEnd sender, Backend backend, bool tracking,
                         const NatView& nat)
    : space_(space),
      solver_(solver),
      encoder_(encoder),
      axes_(axes),
      path_(sender == FlowEnd::kInitiator ? flow_path : reverse(flow_path)),
      sender_(sender),
      backend_(backend),
      tracking_(tracking),
      nat_(nat),
      flow_path_(flow_path) {}

// The packet's headers as its sender makes them.
PacketTerms PathEncoder::start() {
  PacketTerms p;
  const Family family = space_.classes().family;
  for (std::size_t f = 0; f < kFieldCount; ++f) {
    const auto field = static_cast<Field>(f);
    p[field] = solver_.number(0, field_width(field, family));
  }
  const bool own = sender_ == FlowEnd::kInitiator;
  const auto end = [&](Axis of_initiator, Axis of_responder, bool source) {
    return axes_.value(source == own ? of_initiator : of_responder);
  };
  p[Field::kSource] = end(Axis::kInitiator, Axis::kResponder, true);
  p[Field::kDestination] = end(Axis::kInitiator, Axis::kResponder, false);
  p[Field::kSourcePort] = end(Axis::kInitiatorPort, Axis::kResponderPort, true);
  p[Field::kDestinationPort] = end(Axis::kInitiatorPort, Axis::kResponderPort, false);
  p[Field::kSourceType] = end(Axis::kInitiatorType, Axis::kResponderType, true);
  p[Field::kDestinationType] = end(Axis::kInitiatorType, Axis::kResponderType, false);
  for (const auto& [field, axis] :
       {std::pair{Field::kProtocol, Axis::kProtocol}, std::pair{Field::kIcmpCode, Axis::kIcmpCode},
        std::pair{Field::kTcpFlags, Axis::kTcpFlags}, std::pair{Field::kLength, Axis::kLength},
        std::pair{Field::kTtl, Axis::kTtl}, std::pair{Field::kTos, Axis::kTos},
        std::pair{Field::kHasMac, Axis::kHasMac},
        std::pair{Field::kMacSource, own ? Axis::kInitiatorMac : Axis::kResponderMac},
        std::pair{Field::kFragmentOffset, Axis::kFragmentOffset},
        std::pair{Field::kTruncated, Axis::kTruncated}}) {
    p[field] = axes_.value(axis);
  }
  Term type = axes_.value(Axis::kIcmpType);
  if (!own) {
    const Term asked = type;
    for (unsigned t = 0; t < 256; ++t) {
      const std::uint8_t partner = icmp_partner(family, static_cast<std::uint8_t>(t));
      if (partner == t) continue;
      type = solver_.choose(solver_.in_range(asked, t, t), solver_.number(partner, 8), type);
    }
  }
  p[Field::kIcmpType] = type;
  const bool local = path_ == Path::kOut || path_ == Path::kLoopback;
  if (local && own) p[Field::kMark] = axes_.number(Axis::kInitialMark);
  if (!opens()) {  // from where the binding says, to where it says
    const FlowEnd opener = nat_.bound.originator;
    show(p, true, translated(sender_));
    show(p, false, translated(opener));
  }
  const auto& kinds = space_.layout(Axis::kTcpOptions).bits;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    p.options.emplace(kinds[i], axes_.bits(Axis::kTcpOptions)[i]);
  }
  return p;
}

PathEncoder::Led PathEncoder::led() {
  Led result{start(), Solver::kTrue};
  const bool opener = nat_.bound.originator == FlowEnd::kInitiator;
  const bool moved = nat_.bound.destination != 0 && opener;
  show(result.packet, false,
       moved ? translated(FlowEnd::kResponder) : original(FlowEnd::kResponder));
  result.possible = ranges_;
  return result;
}

PathEncoder::EndTerms PathEncoder::original(FlowEnd end) const {
  const bool own = end == FlowEnd::kInitiator;
  return {axes_.value(own ? Axis::kInitiator : Axis::kResponder),
          axes_.value(own ? Axis::kInitiatorPort : Axis::kResponderPort),
          axes_.value(own ? Axis::kInitiatorType : Axis::kResponderType)};
}

// The network part of one range, the rest of the address (xt_NETMAP).
Term PathEncoder::mapped(Term address, const EndRange& range) {
  const unsigned width = solver_.width(address);
  const Term rest = solver_.number(range.address->second - range.address->first, width);
  const Term network = solver_.number(range.address->first, width);
  return solver_.bit_xor(solver_.bit_and(address, rest), network);
}

// What the binding made of an end: a value that its range leaves open is any value.
const PathEncoder::EndTerms& PathEncoder::translated(FlowEnd end) {
  auto& known = translated_[end == FlowEnd::kInitiator ? 0 : 1];
  if (known) return *known;
  known = original(end);
  const bool opener = end == nat_.bound.originator;
  const std::uint8_t number = opener ? nat_.bound.source : nat_.bound.destination;
  // Another flow may have taken the tuple that is left: then the opener gets another port.
  // (Ports that are in no tuple stay.)
  const Term old_port = known->port;
  const auto of_tuples = [&](Term port) { return solver_.choose(tuples().ports, port, old_port); };
  if (number == 0 && opener)
    known->port = of_tuples(solver_.fresh_bits("other port", solver_.width(known->port)));
  if (number == 0) return *known;
  const EndRange& range = nat_.translations->range(number);
  const auto within = [&](Term& term, std::string_view name, u128 lo, u128 hi) {
    const unsigned width = solver_.width(term);
    if (lo == hi) {
      term = solver_.number(lo, width);
      return;
    }
    term = solver_.fresh_bits(name, width);
    ranges_ = solver_.both(ranges_, solver_.in_range(term, lo, hi));
  };
  if (range.from) {
    known->address = mapped(known->address, range);
  } else if (range.address) {
    within(known->address, "translated", range.address->first, range.address->second);
  } else if (!range.keeps_address) {
    within(known->address, "translated", 0, low_bits(solver_.width(known->address)));
  }
  if (range.port) {
    within(known->port, "translated port", range.port->first, range.port->second);
  } else if (!range.keeps_port) {
    within(known->port, "translated port", 0, 0xffff);
  }
  if (range.port || !range.keeps_port) known->port = of_tuples(known->port);
  if (range.keeps_address) return *known;
  const unsigned width = solver_.width(known->type);
  const auto local = static_cast<u128>(AddressType::kLocal);
  if (!opener && (flow_path_ == Path::kIn || flow_path_ == Path::kLoopback)) {
    known->type = solver_.number(local, width);
    if (range.address) {  // it may be that of a whole subnet
      const auto other = static_cast<u128>(subnets_type(space_.classes().family));
      known->type = solver_.choose(solver_.fresh_boolean("of a subnet"),
                                   solver_.number(other, width), known->type);
    }
  } else {
    known->type = solver_.fresh_bits("translated type", width);
    if (!opener) {
      const Term here = solver_.in_range(known->type, local, local);
      ranges_ = solver_.both(ranges_, solver_.negate(here));
    }
  }
  return *known;
}

void PathEncoder::show(PacketTerms& p, bool source, const EndTerms& end) const {
  p[source ? Field::kSource : Field::kDestination] = end.address;
  p[source ? Field::kSourcePort : Field::kDestinationPort] = end.port;
  p[source ? Field::kSourceType : Field::kDestinationType] = end.type;
}

// Does the binding change that end's address or port? Ports that are none do not count.
Term PathEncoder::changed(FlowEnd end) {
  const EndTerms before = original(end), after = translated(end);
  const Term other_port = solver_.negate(solver_.equal(before.port, after.port));
  return solver_.either(solver_.negate(solver_.equal(before.address, after.address)),
                        solver_.both(tuples().ports, other_port));
}

// Protocols whose tuples have ports, and those that have something else there.
const PathEncoder::Tuples& PathEncoder::tuples() {
  if (tuples_) return *tuples_;
  std::vector<Term> ports, other;
  for (unsigned n = 0; n < 256; ++n) {
    const Tracker tracker = tracker_of(static_cast<std::uint8_t>(n));
    if (tracker == Tracker::kGeneric) continue;
    (has_ports(tracker) ? ports : other)
        .push_back(solver_.equal(axes_.value(Axis::kProtocol), solver_.number(n, 8)));
  }
  return tuples_.emplace(Tuples{solver_.any(ports), solver_.any(other)});
}

// The bits and the reply tuple of a bound entry. A new one is bound half by half: any of both, but
// for its destination behind the first hook's nat table.
void PathEncoder::see_binding(PacketTerms& p, const Seen& seen, bool led) {
  const FlowEnd opener = nat_.bound.originator;
  const FlowEnd other = opener == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator;
  const EndTerms from = translated(other), to = translated(opener);
  if (seen.state == CtState::kRelated && !seen.expected) return;  // of another flow
  const auto half = [&](bool sure) {
    return sure || !seen.created ? Solver::kTrue : solver_.fresh_boolean("settled");
  };
  const auto settled = [&](Field field, Term value, bool sure) {
    p[field] = solver_.choose(half(sure), value, p[field]);
  };
  const auto port = [&](Field field, Term value, bool sure) {
    settled(field, solver_.choose(tuples().ports, value, p[field]), sure);
  };
  settled(Field::kCtReplySource, from.address, led);
  port(Field::kCtReplySourcePort, from.port, led);
  settled(Field::kCtReplyDestination, to.address, false);
  port(Field::kCtReplyDestinationPort, to.port, false);
  const auto add = [&](std::uint16_t bit, FlowEnd end) {
    const Term set = solver_.both(changed(end), half(led && end == other));
    p[Field::kCtStatus] = solver_.bit_xor(
        p[Field::kCtStatus], solver_.choose(set, solver_.number(bit, 16), solver_.number(0, 16)));
  };
  if (nat_.bound.destination != 0) add(ct_status::kDestinationNat, other);
  // A new entry's source is bound behind every rule (but iptables-nft's security INPUT), unless its
  // master's binding is taken over.
  const bool late = backend_ == Backend::kNft && (path_ == Path::kIn || path_ == Path::kLoopback);
  const bool shown = !seen.created || nat_.bound.follows_master() || late;
  if (shown) add(ct_status::kSourceNat, opener);
}

// The nat table, for the first packet of a flow: on go those that get the binding of this walk.
void PathEncoder::consult(Walk& walk, Hook hook) {
  const bool follows =
      nat_.translations != nullptr && Translations::follows(hook, sender_, flow_path_);
  const bool early = hook == Hook::kPrerouting || hook == Hook::kOutput;
  if (!follows) {
    const bool turns = nat_.translations != nullptr && early && sender_ == FlowEnd::kResponder;
    return turns ? turn(walk, hook) : table(walk, hook, TableName::kNat);
  }
  if (walk.live == Solver::kFalse) return;
  std::uint8_t wanted = early ? nat_.bound.destination : nat_.bound.source;
  if (wanted == nat_.translations->clash()) wanted = 0;  // no rule's doing
  const WalkTerms result = encoder_.walk(hook, TableName::kNat, walk.packet);
  const auto live = [&](Term t) { return solver_.both(walk.live, t); };
  std::vector<Term> strange{result.strange}, here, all;
  for (const auto& [rule, taken] : result.bound) {
    const std::uint8_t range = nat_.translations->range_of(rule, hook);
    all.push_back(taken);
    if (range == 0) strange.push_back(taken);
    if (range == Translations::kNowhere) walk.dropped.push_back(live(taken));
    if (range != 0 && range == wanted) here.push_back(taken);
  }
  walk.dropped.push_back(live(result.dropped));
  walk.unmodelled.push_back(live(solver_.any(strange)));
  const Term goes_on = wanted != 0
                           ? solver_.any(here)
                           : solver_.both(result.accepted, solver_.negate(solver_.any(all)));
  walk.live = solver_.named(live(goes_on), "bound");
  walk.packet = result.after;
}

namespace {

// Is an end of the range the only one, and bound to itself?
bool leaves_no_choice(const EndRange& range) {
  const bool address =
      range.keeps_address || (range.address && range.address->first == range.address->second);
  return address && (range.keeps_port || (range.port && range.port->first == range.port->second));
}

}  // namespace

// May what the responder sends to the initiator still go there, bound to the range?
Term PathEncoder::may_keep_initiator(const EndRange& range) {
  const EndTerms to = original(FlowEnd::kInitiator);
  Term same = Solver::kTrue;
  if (range.address)
    same = solver_.in_range(to.address, range.address->first, range.address->second);
  const bool remote = flow_path_ == Path::kIn || flow_path_ == Path::kForward;
  const bool v4 = space_.classes().family == Family::kIpv4;
  if (!range.address && !range.keeps_address && remote && v4) return Solver::kFalse;
  if (!range.port) return same;
  const Term port = solver_.in_range(to.port, range.port->first, range.port->second);
  return solver_.both(same, solver_.either(solver_.negate(tuples().ports), port));
}

// The nat table, for a flow that the responder opens: what it leads to another is lost, or left
// open; what it leads nowhere is dropped. Where a range may hold the initiator, both may come
// about.
void PathEncoder::turn(Walk& walk, Hook hook) {
  if (walk.live == Solver::kFalse) return;
  const WalkTerms result = encoder_.walk(hook, TableName::kNat, walk.packet);
  const auto live = [&](Term t) { return solver_.both(walk.live, t); };
  std::vector<Term> strange{result.strange}, turned, either, nowhere;
  for (const auto& [rule, taken] : result.bound) {
    const std::uint8_t number = nat_.translations->range_of(rule, hook);
    if (number == 0 || number == Translations::kNowhere) {
      (number == 0 ? strange : nowhere).push_back(taken);
      continue;
    }
    const EndRange& range = nat_.translations->range(number);
    const Term kept = may_keep_initiator(range);
    turned.push_back(solver_.both(taken, solver_.negate(kept)));
    if (!leaves_no_choice(range)) either.push_back(solver_.both(taken, kept));
  }
  const Term dropped = solver_.either(result.dropped, solver_.any(nowhere));
  const Term elsewhere = solver_.any(turned), away = solver_.either(elsewhere, dropped);
  const Term perhaps = solver_.either(elsewhere, solver_.any(either));
  walk.dropped.push_back(live(nat_.lose_turned ? solver_.either(perhaps, dropped) : dropped));
  if (!nat_.lose_turned) strange.push_back(perhaps);
  walk.unmodelled.push_back(live(solver_.any(strange)));
  walk.live = solver_.named(live(solver_.both(result.accepted, solver_.negate(away))), "stayed");
  walk.packet = result.after;
}

// The NAT stage of a hook: new flows are bound, and headers change before routing.
void PathEncoder::nat(Walk& walk, Hook hook, const Seen& seen) {
  if (!tracking_) return;
  if (seen.created && opens() && !nat_.bound.follows_master()) consult(walk, hook);
  if (!nat_.bound.some()) return;
  if (hook == Hook::kInput || hook == Hook::kPostrouting) {
    show(walk.packet, true, opens() ? translated(sender_) : original(sender_));
  }
  if (hook != Hook::kPrerouting && hook != Hook::kOutput) return;
  if (!opens()) {
    show(walk.packet, false, original(nat_.bound.originator));
  } else if (nat_.bound.destination != 0) {
    show(walk.packet, false,
         translated(sender_ == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator));
  }
}

// Which interfaces rules see here (kernel-facts 12), and the TTL behind routing.
void PathEncoder::place(Walk& walk, Hook hook) {
  PacketTerms& p = walk.packet;
  const bool own = sender_ == FlowEnd::kInitiator;
  const Term none = solver_.number(kNoInterface, kInterfaceBits);
  Term in = axes_.value(own ? Axis::kInitiatorInterface : Axis::kResponderInterface);
  Term out = axes_.value(own ? Axis::kResponderInterface : Axis::kInitiatorInterface);
  if (came_by_) in = *came_by_;
  if (nat_.bound.some()) {
    const SeenDevice seen = seen_device(hook, flow_path_, sender_, nat_.bound, *nat_.translations);
    if (seen == SeenDevice::kLoopback)
      in = out = solver_.number(kLoopbackInterface, kInterfaceBits);
    if (seen == SeenDevice::kSomeWire || seen == SeenDevice::kAny) {
      in = out = solver_.fresh_bits("device", kInterfaceBits);
      const u128 first = kLoopbackInterface + (seen == SeenDevice::kSomeWire ? 1 : 0);
      walk.live = solver_.both(
          walk.live, solver_.in_range(in, first, space_.classes().interface_names.size() - 1));
    }
  }
  const bool arrives = hook == Hook::kPrerouting || hook == Hook::kInput || path_ == Path::kForward;
  const bool leaves = hook != Hook::kPrerouting && hook != Hook::kInput;
  p.in = arrives ? in : none;
  p.out = leaves ? out : none;
  if (hook == Hook::kForward) p[Field::kTtl] = solver_.decrement(p[Field::kTtl]);
}

// What the lookup says, as fields.
void PathEncoder::see(PacketTerms& p, const Seen& seen, bool confirmed) {
  p[Field::kCtState] = solver_.number(static_cast<u128>(seen.state), 3);
  const bool attached = seen.state != CtState::kInvalid && seen.state != CtState::kUntracked;
  if (!attached) return;
  if (seen.state == CtState::kRelated && !seen.expected) {
    // Another flow's entry: anything but unconfirmed.
    for (const Field f :
         {Field::kCtDirection, Field::kCtProtocol, Field::kCtOriginalSource,
          Field::kCtOriginalDestination, Field::kCtOriginalSourcePort,
          Field::kCtOriginalDestinationPort, Field::kCtReplySource, Field::kCtReplyDestination,
          Field::kCtReplySourcePort, Field::kCtReplyDestinationPort}) {
      p[f] = solver_.fresh_bits("related", solver_.width(p[f]));
    }
    p[Field::kCtMark] = axes_.number(Axis::kConnmarkBefore);
    Term status = solver_.number(ct_status::kConfirmed, 16);
    std::vector<std::uint16_t> open{ct_status::kSeenReply, ct_status::kAssured};
    if (nat_.bound.some()) {
      open.insert(open.end(), {ct_status::kSourceNat, ct_status::kDestinationNat});
    }
    if (space_.classes().expects) open.push_back(ct_status::kExpected);
    for (const std::uint16_t bit : open) {
      status =
          solver_.bit_xor(status, solver_.choose(solver_.fresh_boolean("related"),
                                                 solver_.number(bit, 16), solver_.number(0, 16)));
    }
    p[Field::kCtStatus] = status;
    return;
  }
  const unsigned status = seen.status | (confirmed ? ct_status::kConfirmed : 0U);
  p[Field::kCtStatus] = solver_.number(status, 16);
  p[Field::kCtDirection] = solver_.number(static_cast<u128>(seen.direction), 1);
  if (!seen.created) p[Field::kCtMark] = axes_.number(Axis::kConnmark);
  if (seen.marked) p[Field::kCtMark] = axes_.number(Axis::kConnmarkBefore);
  p[Field::kCtProtocol] = axes_.value(Axis::kProtocol);
  const bool swapped = seen.originator == FlowEnd::kResponder;
  const auto end = [&](bool first, Axis initiator, Axis responder) {
    return axes_.value(first == swapped ? responder : initiator);
  };
  p[Field::kCtOriginalSource] = p[Field::kCtReplyDestination] =
      end(true, Axis::kInitiator, Axis::kResponder);
  p[Field::kCtOriginalDestination] = p[Field::kCtReplySource] =
      end(false, Axis::kInitiator, Axis::kResponder);
  // Without ports the kernel compares what else is in the tuple: of ICMP and GRE anything.
  const auto& [ports, other] = tuples();
  for (const auto& [field, source] : {std::pair{Field::kCtOriginalSourcePort, true},
                                      std::pair{Field::kCtReplyDestinationPort, true},
                                      std::pair{Field::kCtOriginalDestinationPort, false},
                                      std::pair{Field::kCtReplySourcePort, false}}) {
    p[field] = solver_.choose(
        ports, end(source, Axis::kInitiatorPort, Axis::kResponderPort),
        solver_.choose(other, solver_.fresh_bits("tuple", 16), solver_.number(0, 16)));
  }
}

void PathEncoder::table(Walk& walk, Hook hook, TableName table) {
  if (walk.live == Solver::kFalse) return;
  encoder_.set_forwarded(path_ == Path::kForward && hook == Hook::kPrerouting);
  const WalkTerms result = encoder_.walk(hook, table, walk.packet);
  const auto live = [&](Term t) { return solver_.both(walk.live, t); };
  const Term reset = live(result.reset);
  const Term dropped = live(solver_.both(result.dropped, solver_.negate(result.reset)));
  (walk.confirmed ? walk.dropped_confirmed : walk.dropped).push_back(dropped);
  (walk.confirmed ? walk.reset_confirmed : walk.reset).push_back(reset);
  walk.unmodelled.push_back(live(result.unmodelled));
  walk.live = solver_.named(live(result.accepted), "passed");
  walk.packet = result.after;
}

PathEncoder::Early PathEncoder::encode_early(Hook hook, PacketTerms packet, Term live) {
  Walk walk;
  walk.packet = std::move(packet);
  walk.live = solver_.both(live, ranges_);
  place(walk, hook);
  for (const Stage& stage : stages(hook, backend_)) {
    if (stage.kind == Stage::Kind::kConntrack) break;
    if (stage.kind == Stage::Kind::kTable) table(walk, hook, stage.table);
  }
  walk.dropped.insert(walk.dropped.end(), walk.reset.begin(), walk.reset.end());
  std::vector<Term> zones = zones_of(walk.packet);
  walk.packet[Field::kCtStatus] = solver_.number(0, 16);  // a template's
  const auto untracked = static_cast<u128>(CtState::kUntracked);
  const Term marked = encoder_.in_range(walk.packet[Field::kCtState], untracked, untracked);
  return {walk.live,
          solver_.named(marked, "untracked"),
          solver_.any(walk.dropped),
          solver_.any(walk.unmodelled),
          walk.packet,
          std::move(zones)};
}

// What the packet's template asks for (zones.hpp).
std::vector<Term> PathEncoder::zones_of(const PacketTerms& packet) {
  const Zones& zones = space_.classes().zones;
  if (!zones.some() || !tracking_) return {Solver::kTrue};
  const Term number = packet[Field::kCtZone];
  std::vector<std::vector<Term>> parts(zones.pairs().size());
  parts[0].push_back(solver_.in_range(number, 0, 0));
  for (const Zones::Way& way : zones.ways()) {
    Term here = solver_.in_range(number, way.of, way.of);
    if (way.mark) {
      const Term low = solver_.bit_and(packet[Field::kMark], solver_.number(0xffff, 32));
      here = solver_.both(here, solver_.equal(low, solver_.number(*way.mark, 32)));
    }
    parts[way.pair].push_back(here);
  }
  std::vector<Term> result;
  for (const auto& any : parts) result.push_back(solver_.named(solver_.any(any), "zone"));
  return result;
}

const PathEncoder::Early& PathEncoder::early() {
  if (!early_) early_ = encode_early(hooks(path_).front(), start(), Solver::kTrue);
  return *early_;
}

PathEncoder::End PathEncoder::finish(const Walk& walk) {
  End end{walk.live,
          solver_.any(walk.dropped),
          solver_.any(walk.reset),
          solver_.any(walk.dropped_confirmed),
          solver_.any(walk.reset_confirmed),
          solver_.any(walk.unmodelled),
          {},
          walk.packet};
  const Term mark = walk.packet[Field::kCtMark];
  for (const std::uint8_t bit : space_.layout(Axis::kConnmark).bits) {
    const Term one = solver_.number(u128{1} << bit, 32);
    end.connmark_bits.push_back(
        solver_.named(solver_.equal(solver_.bit_and(mark, one), one), "connmark"));
  }
  return end;
}

// Behind PREROUTING what has no hop left is not forwarded.
void PathEncoder::outlive_hop(Walk& walk) {
  const Term spent = solver_.in_range(walk.packet[Field::kTtl], 0, 1);
  walk.dropped.push_back(solver_.both(walk.live, spent));
  walk.live = solver_.both(walk.live, solver_.negate(spent));
}

// The hooks [first_hook, end_hook) of the path; the first of them from its lookup on.
PathEncoder::End PathEncoder::encode_end(std::size_t first_hook, std::size_t end_hook,
                                         const PacketTerms& packet, const Seen& seen, Walk& walk) {
  walk.packet = packet;
  for (std::size_t h = first_hook; h < end_hook; ++h) {
    const Hook hook = hooks(path_)[h];
    bool looked_up = h != first_hook;
    if (h != first_hook) place(walk, hook);
    for (const Stage& stage : stages(hook, backend_)) {
      if (stage.kind == Stage::Kind::kConntrack) {
        looked_up = true;
        if (h == first_hook) see(walk.packet, seen, false);
        if (h == first_hook && nat_.bound.some()) {
          see_binding(walk.packet, seen);
          walk.live = solver_.both(walk.live, ranges_);
        }
      }
      if (!looked_up) continue;
      // On lo, nat has decided on the way out.
      const bool decided_before = path_ == Path::kLoopback && first_hook == 0 && h >= 2;
      if (stage.kind == Stage::Kind::kTable) table(walk, hook, stage.table);
      if (stage.kind == Stage::Kind::kNat && !decided_before) {
        nat(walk, hook, seen);
        if (h == first_hook && seen.created && nat_.bound.some()) {
          const Term connmark = walk.packet[Field::kCtMark];
          see(walk.packet, seen, walk.confirmed);
          walk.packet[Field::kCtMark] = connmark;
          see_binding(walk.packet, seen, true);
        }
      }
      if (stage.kind == Stage::Kind::kConfirm && h + 1 < end_hook) {
        walk.confirmed = true;
        const Term connmark = walk.packet[Field::kCtMark];
        see(walk.packet, seen, true);
        walk.packet[Field::kCtMark] = connmark;
        Seen settled = seen;
        settled.created = false;
        if (nat_.bound.some()) see_binding(walk.packet, settled);
      }
    }
    // Packets that kept their destination go on only where routing takes them.
    const bool routes =
        hook == Hook::kOutput || (hook == Hook::kPrerouting && path_ != Path::kLoopback);
    if (routes && nat_.routed != Solver::kTrue) {
      walk.dropped.push_back(solver_.both(walk.live, solver_.negate(nat_.routed)));
      walk.live = solver_.both(walk.live, nat_.routed);
    }
    if (hook == Hook::kPrerouting && path_ == Path::kForward) outlive_hop(walk);
    if (hook == Hook::kPrerouting && h + 1 < end_hook && puts_together()) keep_whole(walk);
  }
  return finish(walk);
}

const PathEncoder::End& PathEncoder::end(const Seen& seen) {
  const auto at = ends_.find(seen);
  if (at != ends_.end()) return at->second;
  if (path_ == Path::kLoopback && tracking_ && seen.state == CtState::kInvalid) {
    return lost_on_the_way();
  }
  Walk walk;
  return ends_.emplace(seen, encode_end(0, hooks(path_).size(), early().packet, seen, walk))
      .first->second;
}

void PathEncoder::encode_lost() {
  Walk walk;
  End end = encode_end(0, 2, early().packet, Seen{CtState::kInvalid}, walk);
  PacketTerms packet = walk.packet;
  // Looked up afresh: nothing is attached.
  packet[Field::kCtState] = solver_.number(static_cast<u128>(CtState::kInvalid), 3);
  packet[Field::kCtZone] = solver_.number(0, 16);
  again_ = encode_early(Hook::kPrerouting, std::move(packet), end.delivered);
  end.delivered = Solver::kFalse;
  end.dropped = solver_.either(end.dropped, again_->dropped);
  end.unmodelled = solver_.either(end.unmodelled, again_->unmodelled);
  lost_ = std::move(end);
}

const PathEncoder::End& PathEncoder::lost_on_the_way() {
  if (!lost_) encode_lost();
  return *lost_;
}

const PathEncoder::Early& PathEncoder::again() {
  if (!again_) encode_lost();
  return *again_;
}

const PathEncoder::End& PathEncoder::end_again(const Seen& seen) {
  const auto at = ends_again_.find(seen);
  if (at != ends_again_.end()) return at->second;
  Walk walk;
  return ends_again_.emplace(seen, encode_end(2, hooks(path_).size(), again().packet, seen, walk))
      .first->second;
}

}  // namespace postern
