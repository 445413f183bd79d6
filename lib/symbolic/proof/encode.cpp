#include "symbolic/proof/encode.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/overloaded.hpp"

namespace postern {
namespace {

constexpr std::size_t index(Field f) { return static_cast<std::size_t>(f); }
constexpr u128 number(CtState state) { return static_cast<u128>(state); }

// Is there an opaque below that may drop the packet on the spot?
bool may_drop(const Predicate& p) {
  const auto below = [](const PredicatePtr& q) { return may_drop(*q); };
  return std::visit(Overloaded{[](const Opaque& n) { return n.may_drop; },
                               [&](const Not& n) { return below(n.operand); },
                               [&](const All& n) { return std::ranges::any_of(n.operands, below); },
                               [&](const Any& n) { return std::ranges::any_of(n.operands, below); },
                               [](const auto&) { return false; }},
                    p.node);
}

// The header field that the target writes: TTL, TOS or TCP flags.
std::optional<Field> written_header(const Effect& effect) {
  if (const auto* add = std::get_if<AddField>(&effect)) return add->field;
  if (const auto* set = std::get_if<SetField>(&effect)) return set->field;
  return std::nullopt;
}

}  // namespace

// The state of the walk while one chain is encoded; terms are relative to a packet that entered it.
struct Encoder::Frame {
  PacketTerms packet;  // with marks and ctstate as they are here
  Term attached;       // a conntrack template is attached (raw)
  Term live = Solver::kTrue;
  std::vector<Term> accepted, dropped, reset, returned, unmodelled;
  std::vector<std::pair<RuleId, Term>> bound = {};
};

unsigned field_width(Field field, Family family) {
  const unsigned width = info(field).width;
  return width == 128 ? address_bits(family) : width;
}

Encoder::Encoder(Solver& solver, const Program& program, std::vector<std::string> interfaces,
                 std::size_t rule_budget)
    : solver_(solver),
      program_(program),
      templates_(program),
      interfaces_(std::move(interfaces)),
      budget_(rule_budget) {
  find_reads();
}

void Encoder::know(Term term, u128 lo, u128 hi) { known_[term.id] = {lo, hi}; }

std::size_t Encoder::KeyHash::operator()(const std::vector<std::uint32_t>& key) const {
  std::size_t hash = key.size();
  for (const std::uint32_t word : key) hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
  return hash;
}

// --- what chains read -------------------------------------------------------------------------

void Encoder::read_predicate(const Predicate& p, Reads& into) {
  const auto list = [&](const std::vector<PredicatePtr>& operands) {
    for (const auto& o : operands) read_predicate(*o, into);
  };
  const auto tested = [&](Field field) {
    into.fields[index(field)] = true;
    reads_tos_ = reads_tos_ || field == Field::kTos;
  };
  std::visit(
      Overloaded{[](const Const&) {}, [&](const InRange& n) { tested(n.field); },
                 [&](const Masked& n) { tested(n.field); },
                 [&](const InterfaceIs& n) { (n.output ? into.out : into.in) = true; },
                 [&](const TcpOption&) { into.options = true; },
                 [&](const Opaque&) { into.opaque = true; },
                 [&](const Not& n) { read_predicate(*n.operand, into); },
                 [&](const All& n) { list(n.operands); }, [&](const Any& n) { list(n.operands); }},
      p.node);
}

void Encoder::read_effect(const Effect& effect, Reads& into) {
  if (std::holds_alternative<SetMark>(effect)) into.fields[index(Field::kMark)] = true;
  if (std::holds_alternative<SetConnmark>(effect)) {
    into.fields[index(Field::kMark)] = into.fields[index(Field::kCtMark)] = true;
    into.fields[index(Field::kCtState)] = true;
  }
  if (std::holds_alternative<NoTrack>(effect) || std::holds_alternative<AttachTemplate>(effect)) {
    into.fields[index(Field::kCtState)] = into.template_attached = true;
  }
  if (std::holds_alternative<AttachTemplate>(effect)) {
    into.fields[index(Field::kCtStatus)] = into.fields[index(Field::kCtZone)] = true;
  }
  if (const auto field = written_header(effect)) {
    into.fields[index(*field)] = true;
    writes_tos_ = writes_tos_ || field == Field::kTos;
  }
  if (std::holds_alternative<ToSocket>(effect)) {
    into.opaque = into.fields[index(Field::kMark)] = true;
  }
  if (std::holds_alternative<OpaqueTarget>(effect)) {
    into.opaque = true;
  }
}

void Encoder::find_reads() {
  reads_.resize(program_.chains().size());
  const auto order = program_.callers_first();
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    const ProgramChain& chain = program_.chains()[*at];
    Reads& reads = reads_[*at];
    for (RuleId id = chain.first; id < chain.first + chain.count; ++id) {
      const ProgramRule& rule = program_.rules()[id];
      for (const Clause& clause : rule.rule->clauses) {
        read_predicate(*clause.predicate, reads);
        read_predicate(*clause.hotdrop, reads);
      }
      if (const auto* effect = std::get_if<Effect>(&rule.rule->action)) read_effect(*effect, reads);
      reads_length_ = reads_length_ || reads.fields[index(Field::kLength)];
      if (!rule.callee) continue;
      const Reads& below = reads_[*rule.callee];
      for (std::size_t f = 0; f < kFieldCount; ++f) reads.fields[f] |= below.fields[f];
      reads.in |= below.in;
      reads.out |= below.out;
      reads.options |= below.options;
      reads.opaque |= below.opaque;
      reads.template_attached |= below.template_attached;
    }
  }
}

// --- predicates -------------------------------------------------------------------------------

Term Encoder::in_range(Term term, u128 lo, u128 hi) {
  if (const auto known = known_.find(term.id); known != known_.end()) {
    const auto& [low, high] = known->second;
    if (lo <= low && high <= hi) return Solver::kTrue;
    if (hi < low || high < lo) return Solver::kFalse;
  }
  return solver_.in_range(term, lo, hi);
}

Term Encoder::interface_matches(Term name, const InterfacePattern& pattern) {
  std::vector<Term> equal;
  for (std::size_t i = 0; i < interfaces_.size(); ++i) {
    if (pattern.matches(interfaces_[i])) equal.push_back(in_range(name, i, i));
  }
  return solver_.any(equal);
}

Term Encoder::predicate(const Predicate& p, const PacketTerms& packet) {
  const auto list = [&](const std::vector<PredicatePtr>& operands, bool conjunction) {
    std::vector<Term> terms;
    for (const auto& o : operands) {
      terms.push_back(predicate(*o, packet));
      if (terms.back() == Solver::boolean(!conjunction)) return terms.back();
    }
    return conjunction ? solver_.all(terms) : solver_.any(terms);
  };
  return std::visit(
      Overloaded{[](const Const& n) { return Solver::boolean(n.value); },
                 [&](const InRange& n) { return in_range(packet[n.field], n.lo, n.hi); },
                 [&](const Masked& n) {
                   const Term term = packet[n.field];
                   const unsigned width = solver_.width(term);
                   // Mask bits beyond the width read as 0.
                   if ((n.value & ~low_bits(width)) != 0) return Solver::kFalse;
                   const u128 mask = n.mask & low_bits(width);
                   // A prefix is a range; the rest is compared bit by bit.
                   const u128 free = low_bits(width) & ~mask;
                   if ((free & (free + 1)) == 0) return in_range(term, n.value, n.value | free);
                   return solver_.equal(solver_.bit_and(term, solver_.number(mask, width)),
                                        solver_.number(n.value, width));
                 },
                 [&](const InterfaceIs& n) {
                   return interface_matches(n.output ? packet.out : packet.in, n.pattern);
                 },
                 [&](const TcpOption& n) {
                   const auto at = packet.options.find(n.kind);
                   return at == packet.options.end() ? Solver::kFalse : at->second;
                 },
                 [&](const Opaque&) { return solver_.fresh_boolean("opaque"); },
                 [&](const Not& n) { return solver_.negate(predicate(*n.operand, packet)); },
                 [&](const All& n) { return list(n.operands, true); },
                 [&](const Any& n) { return list(n.operands, false); }},
      p.node);
}

// --- rules ------------------------------------------------------------------------------------

// (old & ~mask) ^ value
Term Encoder::set_bits(Term old_value, u128 value, u128 mask) {
  const unsigned width = solver_.width(old_value);
  const Term kept = solver_.bit_and(old_value, solver_.number(~mask & low_bits(width), width));
  return solver_.bit_xor(kept, solver_.number(value, width));
}

void Encoder::apply_connmark(const SetConnmark& effect, Term matched, Frame& frame) {
  // Without an attached entry the target does nothing (kernel-facts 20).
  const Term has_entry =
      in_range(frame.packet[Field::kCtState], number(CtState::kNew), number(CtState::kRelated));
  const Term when = solver_.both(matched, has_entry);
  Term& mark = frame.packet[Field::kMark];
  Term& connmark = frame.packet[Field::kCtMark];
  const auto masked = [&](Term term, std::uint32_t mask) {
    return solver_.bit_and(term, solver_.number(mask, 32));
  };
  switch (effect.op) {
    case SetConnmark::Op::kSet:
      connmark = solver_.choose(when, set_bits(connmark, effect.value, effect.ctmask), connmark);
      return;
    case SetConnmark::Op::kSave:
      connmark = solver_.choose(
          when, solver_.bit_xor(set_bits(connmark, 0, effect.ctmask), masked(mark, effect.nfmask)),
          connmark);
      return;
    case SetConnmark::Op::kRestore:
      mark = solver_.choose(
          when, solver_.bit_xor(set_bits(mark, 0, effect.nfmask), masked(connmark, effect.ctmask)),
          mark);
      return;
  }
}

// To rules behind it a template is a confirmed entry whose packet is NEW.
void Encoder::attach_template(RuleId rule, Term attaches, Frame& frame) {
  frame.attached = solver_.either(frame.attached, attaches);
  const std::uint32_t number = zones_ == nullptr ? 0 : zones_->template_of(rule);
  const bool request = templates_.of(rule) != 0;
  const bool followed = templates_.in_zone(rule) ? request && number != 0 : request || number != 0;
  if (!followed) frame.unmodelled.push_back(attaches);
  const auto set = [&](Field field, u128 value) {
    Term& term = frame.packet[field];
    term = solver_.choose(attaches, solver_.number(value, info(field).width), term);
  };
  set(Field::kCtState, static_cast<u128>(CtState::kNew));
  set(Field::kCtStatus, ct_status::kConfirmed);
  set(Field::kCtZone, number);
}

void Encoder::apply(const Effect& effect, RuleId rule, Term matched, Frame& frame) {
  const auto stop = [&](std::vector<Term>& list) {
    list.push_back(matched);
    frame.live = solver_.both(frame.live, solver_.negate(matched));
  };
  Term& state = frame.packet[Field::kCtState];
  const auto not_attached = [&] {
    return solver_.both(in_range(state, number(CtState::kInvalid), number(CtState::kInvalid)),
                        solver_.negate(frame.attached));
  };
  std::visit(Overloaded{[&](const Accept&) { stop(frame.accepted); },
                        [&](const Drop&) { stop(frame.dropped); },
                        [&](const Reject& e) {
                          if (e.tcp_reset) frame.reset.push_back(matched);
                          stop(frame.dropped);
                        },
                        [&](const Return&) { stop(frame.returned); },
                        [&](const Annotate& e) {
                          if (e.mss && reads_length_) frame.unmodelled.push_back(matched);
                        },
                        [&](const SetMark& e) {
                          Term& mark = frame.packet[Field::kMark];
                          mark = solver_.choose(matched, set_bits(mark, e.value, e.mask), mark);
                        },
                        [&](const SetConnmark& e) { apply_connmark(e, matched, frame); },
                        [&](const NoTrack&) {
                          state =
                              solver_.choose(solver_.both(matched, not_attached()),
                                             solver_.number(number(CtState::kUntracked), 3), state);
                        },
                        [&](const AttachTemplate&) {
                          attach_template(rule, solver_.both(matched, not_attached()), frame);
                        },
                        [&](const Nat&) {
                          frame.bound.emplace_back(rule, matched);
                          stop(frame.accepted);
                        },
                        [&](const SetField& e) { rewrite(effect, e.field, matched, frame); },
                        [&](const AddField& e) { rewrite(effect, e.field, matched, frame); },
                        [&](const ToSocket& e) { to_socket(e, matched, frame); },
                        [&](const OpaqueTarget&) {
                          // Any verdict, or it goes on with anything changed: beyond the model.
                          frame.unmodelled.push_back(matched);
                        }},
             effect);
}

// A socket or none; what is forwarded later comes to the same with either.
void Encoder::to_socket(const ToSocket& effect, Term matched, Frame& frame) {
  const Term found = forwarded_ ? Solver::kFalse : solver_.fresh_boolean("socket");
  const Term taken = solver_.both(matched, found);
  Term& mark = frame.packet[Field::kMark];
  mark = solver_.choose(taken, set_bits(mark, effect.mark.value, effect.mark.mask), mark);
  frame.accepted.push_back(taken);
  frame.dropped.push_back(solver_.both(matched, solver_.negate(found)));
  frame.live = solver_.both(frame.live, solver_.negate(matched));
}

void Encoder::rewrite(const Effect& effect, Field field, Term matched, Frame& frame) {
  Term& now = frame.packet[field];
  const unsigned width = solver_.width(now);
  if (const auto* set = std::get_if<SetField>(&effect)) {
    const u128 all = low_bits(width);
    now = solver_.choose(matched, set_bits(now, set->value & all, set->mask), now);
    return;
  }
  // Up or down one by one, stopping at the ends: as far as deltas go, each value by itself.
  const int largest = static_cast<int>(low_bits(width)), delta = std::get<AddField>(effect).delta;
  Term after = now;
  for (int value = 0; value <= largest; ++value) {
    const auto from = static_cast<u128>(value);
    const auto to = static_cast<u128>(std::clamp(value + delta, 0, largest));
    after = solver_.choose(solver_.in_range(now, from, from), solver_.number(to, width), after);
  }
  now = solver_.choose(matched, after, now);
}

void Encoder::call(const ProgramRule& rule, Term matched, bool returns_here, Frame& frame) {
  const Exits exits = chain(*rule.callee, frame.packet, frame.attached);
  const auto within = [&](Term t) { return solver_.both(matched, t); };
  frame.accepted.push_back(within(exits.accepted));
  frame.dropped.push_back(within(exits.dropped));
  frame.reset.push_back(within(exits.reset));
  frame.unmodelled.push_back(within(exits.unmodelled));
  for (const auto& [id, taken] : exits.bound) frame.bound.emplace_back(id, within(taken));
  const auto merge = [&](Term& current, Term after) {
    current = solver_.choose(matched, after, current);
  };
  merge(frame.packet[Field::kMark], exits.mark);
  merge(frame.packet[Field::kCtMark], exits.connmark);
  merge(frame.packet[Field::kCtState], exits.state);
  merge(frame.packet[Field::kCtStatus], exits.status);
  merge(frame.packet[Field::kCtZone], exits.zone);
  merge(frame.packet[Field::kTtl], exits.ttl);
  merge(frame.packet[Field::kTos], exits.tos);
  merge(frame.packet[Field::kTcpFlags], exits.flags);
  merge(frame.attached, exits.attached);
  if (returns_here) {
    frame.live = solver_.both(frame.live, solver_.either(solver_.negate(matched), exits.returned));
  } else {
    frame.returned.push_back(within(exits.returned));
    frame.live = solver_.both(frame.live, solver_.negate(matched));
  }
}

void Encoder::encode_rule(const ProgramRule& rule, Frame& frame) {
  if (++encoded_ > budget_) throw EncodingBudgetEnded{};
  Term matched = frame.live;
  std::vector<Term> dropped_here;
  for (const Clause& clause : rule.rule->clauses) {
    if (matched == Solver::kFalse) break;
    std::vector<Term> drops{predicate(*clause.hotdrop, frame.packet)};
    if (may_drop(*clause.predicate)) drops.push_back(solver_.fresh_boolean("may_drop"));
    const Term drop = solver_.any(drops);
    if (drop != Solver::kFalse) {
      dropped_here.push_back(solver_.both(matched, drop));
      matched = solver_.both(matched, solver_.negate(drop));
    }
    matched = solver_.both(matched, predicate(*clause.predicate, frame.packet));
  }
  for (const Term drop : dropped_here) {
    frame.dropped.push_back(drop);
    frame.live = solver_.both(frame.live, solver_.negate(drop));
  }
  if (matched == Solver::kFalse) return;
  matched = solver_.named(matched, "matched");
  std::visit(
      Overloaded{[](const NoTarget&) {}, [&](const Jump&) { call(rule, matched, true, frame); },
                 [&](const Goto&) { call(rule, matched, false, frame); },
                 [&](const Effect& effect) {
                   const auto id = static_cast<RuleId>(&rule - program_.rules().data());
                   apply(effect, id, matched, frame);
                 }},
      rule.rule->action);
  frame.live = solver_.named(frame.live, "live");
}

Encoder::Exits Encoder::encode_chain(ChainId id, const PacketTerms& packet, Term attached) {
  Frame frame{packet, attached, Solver::kTrue, {}, {}, {}, {}, {}};
  const ProgramChain& chain = program_.chains()[id];
  for (RuleId r = chain.first; r < chain.first + chain.count; ++r) {
    if (frame.live == Solver::kFalse) break;
    encode_rule(program_.rules()[r], frame);
  }
  frame.returned.push_back(frame.live);
  const auto joined = [&](const std::vector<Term>& terms, std::string_view name) {
    return solver_.named(solver_.any(terms), name);
  };
  return {joined(frame.accepted, "accepted"),
          joined(frame.dropped, "dropped"),
          joined(frame.reset, "reset"),
          joined(frame.returned, "returned"),
          joined(frame.unmodelled, "unmodelled"),
          frame.packet[Field::kMark],
          frame.packet[Field::kCtMark],
          frame.packet[Field::kCtState],
          frame.packet[Field::kCtStatus],
          frame.packet[Field::kCtZone],
          frame.packet[Field::kTtl],
          frame.packet[Field::kTos],
          frame.packet[Field::kTcpFlags],
          frame.attached,
          frame.bound};
}

Encoder::Exits Encoder::chain(ChainId id, const PacketTerms& packet, Term attached) {
  const Reads& reads = reads_[id];
  if (reads.opaque) return encode_chain(id, packet, attached);
  std::vector<std::uint32_t> key{id};
  for (std::size_t f = 0; f < kFieldCount; ++f) {
    if (reads.fields[f]) key.push_back(packet.fields[f].id);
  }
  if (reads.in) key.push_back(packet.in.id);
  if (reads.out) key.push_back(packet.out.id);
  if (reads.template_attached) key.push_back(attached.id);
  if (reads.options) {
    for (const auto& [kind, term] : packet.options) key.push_back(term.id);
  }
  auto at = memo_.find(key);
  if (at == memo_.end()) {
    at = memo_.emplace(std::move(key), encode_chain(id, packet, attached)).first;
  }
  Exits exits = at->second;
  // What the chain neither reads nor writes passes by; the memo has another call's terms there.
  if (!reads.fields[index(Field::kMark)]) exits.mark = packet[Field::kMark];
  if (!reads.fields[index(Field::kCtMark)]) exits.connmark = packet[Field::kCtMark];
  if (!reads.fields[index(Field::kCtState)]) exits.state = packet[Field::kCtState];
  if (!reads.fields[index(Field::kCtStatus)]) exits.status = packet[Field::kCtStatus];
  if (!reads.fields[index(Field::kCtZone)]) exits.zone = packet[Field::kCtZone];
  if (!reads.fields[index(Field::kTtl)]) exits.ttl = packet[Field::kTtl];
  if (!reads.fields[index(Field::kTos)]) exits.tos = packet[Field::kTos];
  if (!reads.fields[index(Field::kTcpFlags)]) exits.flags = packet[Field::kTcpFlags];
  if (!reads.template_attached) exits.attached = attached;
  return exits;
}

WalkTerms Encoder::walk(Hook hook, TableName table, const PacketTerms& packet) {
  const auto entry = program_.entry(hook, table);
  if (!entry) {
    return {Solver::kTrue, Solver::kFalse, Solver::kFalse, Solver::kFalse, packet, {},
            Solver::kFalse};
  }
  const Exits exits = chain(*entry, packet, Solver::kFalse);
  const bool accepts = program_.chains()[*entry].chain->policy == Policy::kAccept;
  WalkTerms result{exits.accepted, exits.dropped, exits.reset,     exits.unmodelled,
                   packet,         exits.bound,   exits.unmodelled};
  for (const auto& [rule, taken] : exits.bound) {
    result.unmodelled = solver_.either(result.unmodelled, taken);
  }
  Term& at_end = accepts ? result.accepted : result.dropped;
  at_end = solver_.either(at_end, exits.returned);
  result.after[Field::kMark] = exits.mark;
  result.after[Field::kCtMark] = exits.connmark;
  result.after[Field::kCtState] = exits.state;
  result.after[Field::kCtStatus] = exits.status;
  result.after[Field::kCtZone] = exits.zone;
  result.after[Field::kTtl] = exits.ttl;
  result.after[Field::kTos] = exits.tos;
  result.after[Field::kTcpFlags] = exits.flags;
  return result;
}

}  // namespace postern
