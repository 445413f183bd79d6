#include "symbolic/certificate_walk.hpp"

#include "base/check.hpp"
#include "flow/conntrack.hpp"
#include "symbolic/classes.hpp"

namespace postern {

// A walk under way: what lives, what has left it, the packet's present fields.
struct PathEncoder::Walk {
  PacketTerms packet;
  Term live = Solver::kTrue;
  bool confirmed = false;
  std::vector<Term> dropped, reset, dropped_confirmed, reset_confirmed, unmodelled;
};

Seen Seen::of(const AbstractStep& step, const AbstractEntry& before) {
  const AbstractEntry& entry = step.deleted && !step.created ? before : step.after;
  const bool attached = step.state != CtState::kInvalid && step.state != CtState::kUntracked;
  if (!attached) return {step.state};
  return {step.state, step.direction, entry.originator, step.status, step.created};
}

PathEncoder::PathEncoder(Space& space, Solver& solver, Encoder& encoder, const AxisTerms& axes,
                         Path flow_path, FlowEnd sender, Backend backend, bool tracking)
    : space_(space),
      solver_(solver),
      encoder_(encoder),
      axes_(axes),
      path_(sender == FlowEnd::kInitiator ? flow_path : reverse(flow_path)),
      sender_(sender),
      backend_(backend),
      tracking_(tracking) {}

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
  const auto& kinds = space_.layout(Axis::kTcpOptions).bits;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    p.options.emplace(kinds[i], axes_.bits(Axis::kTcpOptions)[i]);
  }
  return p;
}

// Which interfaces rules see here (kernel-facts 12), and the TTL behind routing.
void PathEncoder::place(PacketTerms& p, Hook hook) const {
  const bool own = sender_ == FlowEnd::kInitiator;
  const Term none = solver_.number(kNoInterface, kInterfaceBits);
  const Term in = axes_.value(own ? Axis::kInitiatorInterface : Axis::kResponderInterface);
  const Term out = axes_.value(own ? Axis::kResponderInterface : Axis::kInitiatorInterface);
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
  if (seen.state == CtState::kRelated) {
    // Another flow's entry: anything but unconfirmed.
    for (const Field f :
         {Field::kCtDirection, Field::kCtMark, Field::kCtProtocol, Field::kCtOriginalSource,
          Field::kCtOriginalDestination, Field::kCtOriginalSourcePort,
          Field::kCtOriginalDestinationPort, Field::kCtReplySource, Field::kCtReplyDestination,
          Field::kCtReplySourcePort, Field::kCtReplyDestinationPort}) {
      p[f] = solver_.fresh_bits("related", solver_.width(p[f]));
    }
    Term status = solver_.number(ct_status::kConfirmed, 16);
    for (const std::uint16_t bit : {ct_status::kSeenReply, ct_status::kAssured}) {
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
  std::vector<Term> with_ports, with_other;
  for (unsigned n = 0; n < 256; ++n) {
    const Tracker tracker = tracker_of(static_cast<std::uint8_t>(n));
    if (tracker == Tracker::kGeneric) continue;
    (has_ports(tracker) ? with_ports : with_other)
        .push_back(solver_.equal(axes_.value(Axis::kProtocol), solver_.number(n, 8)));
  }
  const Term ports = solver_.any(with_ports), other = solver_.any(with_other);
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
  walk.live = live;
  place(walk.packet, hook);
  for (const Stage& stage : stages(hook, backend_)) {
    if (stage.kind == Stage::Kind::kConntrack) break;
    if (stage.kind == Stage::Kind::kTable) table(walk, hook, stage.table);
  }
  walk.dropped.insert(walk.dropped.end(), walk.reset.begin(), walk.reset.end());
  const auto untracked = static_cast<u128>(CtState::kUntracked);
  const Term marked = encoder_.in_range(walk.packet[Field::kCtState], untracked, untracked);
  return {walk.live, solver_.named(marked, "untracked"), solver_.any(walk.dropped),
          solver_.any(walk.unmodelled), walk.packet};
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
          {}};
  const Term mark = walk.packet[Field::kCtMark];
  for (const std::uint8_t bit : space_.layout(Axis::kConnmark).bits) {
    const Term one = solver_.number(u128{1} << bit, 32);
    end.connmark_bits.push_back(
        solver_.named(solver_.equal(solver_.bit_and(mark, one), one), "connmark"));
  }
  return end;
}

// The hooks [first_hook, end_hook) of the path; the first of them from its lookup on.
PathEncoder::End PathEncoder::encode_end(std::size_t first_hook, std::size_t end_hook,
                                         const PacketTerms& packet, const Seen& seen, Walk& walk) {
  walk.packet = packet;
  for (std::size_t h = first_hook; h < end_hook; ++h) {
    const Hook hook = hooks(path_)[h];
    bool looked_up = h != first_hook;
    if (h != first_hook) place(walk.packet, hook);
    for (const Stage& stage : stages(hook, backend_)) {
      if (stage.kind == Stage::Kind::kConntrack) {
        looked_up = true;
        if (h == first_hook) see(walk.packet, seen, false);
      }
      if (!looked_up) continue;
      // On lo, nat has decided on the way out.
      const bool decided_before = path_ == Path::kLoopback && first_hook == 0 && h >= 2;
      if (stage.kind == Stage::Kind::kTable) table(walk, hook, stage.table);
      if (stage.kind == Stage::Kind::kNat && tracking_ && seen.created && !decided_before) {
        table(walk, hook, stage.table);
      }
      if (stage.kind == Stage::Kind::kConfirm && h + 1 < end_hook) {
        walk.confirmed = true;
        const Term connmark = walk.packet[Field::kCtMark];
        see(walk.packet, seen, true);
        walk.packet[Field::kCtMark] = connmark;
      }
    }
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
