#include "symbolic/rules/chains.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "base/overloaded.hpp"
#include "net/no_protocol.hpp"
#include "symbolic/rules/interleaved.hpp"

namespace postern {
namespace {

// Does the predicate hold an opaque that may also drop the packet?
bool may_drop(const Predicate& p) {
  const auto any_of = [](const std::vector<PredicatePtr>& operands) {
    return std::ranges::any_of(operands, [](const PredicatePtr& q) { return may_drop(*q); });
  };
  return std::visit(Overloaded{[](const Opaque& n) { return n.may_drop; },
                               [](const Not& n) { return may_drop(*n.operand); },
                               [&](const All& n) { return any_of(n.operands); },
                               [&](const Any& n) { return any_of(n.operands); },
                               [](const auto&) { return false; }},
                    p.node);
}

// What iptables-legacy drops where a rule names a protocol of IPv6.
bool wants_protocol(const Predicate& hotdrop) {
  const InRange* test = std::get_if<InRange>(&hotdrop.node);
  return test != nullptr && test->field == Field::kProtocol && test->hi == kNoProtocol6;
}

bool asks_of_entry(const Clause& clause) {
  constexpr std::array kOfEntries{Field::kCtState, Field::kCtStatus, Field::kCtMark,
                                  Field::kCtProtocol};
  return std::ranges::any_of(kOfEntries,
                             [&](Field field) { return mentions(*clause.predicate, field); });
}

bool changes_headers(const Rule& rule) {
  const Effect* effect = std::get_if<Effect>(&rule.action);
  if (effect == nullptr) return false;
  const auto* notes = std::get_if<Annotate>(effect);
  return std::holds_alternative<Nat>(*effect) || std::holds_alternative<OpaqueTarget>(*effect) ||
         rewritten_field(*effect) || (notes != nullptr && notes->mss);
}

Writes writes_of(const Rule& rule) {
  const Effect* effect = std::get_if<Effect>(&rule.action);
  if (effect == nullptr) return {};
  return std::visit(
      Overloaded{[](const SetMark&) { return Writes{.mark = true}; },
                 [](const SetConnmark& e) {
                   const bool restore = e.op == SetConnmark::Op::kRestore;
                   return Writes{.mark = restore, .connmark = !restore};
                 },
                 [](const NoTrack&) { return Writes{.untracked = true}; },
                 [](const AttachTemplate&) { return Writes{.untracked = true, .zone = true}; },
                 [](const ToSocket&) { return Writes{.mark = true}; },
                 [](const OpaqueTarget&) { return Writes{.mark = true, .connmark = true}; },
                 [&](const auto&) {
                   const auto field = rewritten_field(*effect);
                   return Writes{.ttl = field == Field::kTtl, .tos = field == Field::kTos};
                 }},
      *effect);
}

}  // namespace

// One walk of one chain: what is still in it, and what has left it.
struct ChainWalker::Frame {
  const TableContext& context;
  const std::vector<Outcomes>& summaries;
  std::vector<Set>* arriving;  // by chain: what has been sent there; null when nobody asks
  Set live;
  Outcomes out;
  void leave(Bdd& bdd, Outcome o, Set packets) { out[o] = bdd.either(out[o], packets); }
};

ChainWalker::ChainWalker(Space& space, Reader& reader, const Program& program,
                         const Translations* translations, const Templates* templates)
    : space_(space),
      reader_(reader),
      program_(program),
      translations_(translations),
      templates_(templates),
      relations_(space),
      rows_(program),
      disabled_(program.rules().size()),
      writes_(program.chains().size()),
      rewrites_(program.chains().size()),
      below_(program.chains().size()),
      may_hotdrop_(program.rules().size()) {
  find_writes();
  find_coins();
}

void ChainWalker::find_writes() {
  const auto order = program_.callers_first();
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const ProgramChain& chain = program_.chains()[*it];
    for (RuleId r = chain.first; r < chain.first + chain.count; ++r) {
      const ProgramRule& rule = program_.rules()[r];
      writes_[*it] = writes_[*it] | writes_of(*rule.rule);
      rewrites_[*it] = rewrites_[*it] || changes_headers(*rule.rule);
      if (!rule.callee) continue;
      writes_[*it] = writes_[*it] | writes_[*rule.callee];
      rewrites_[*it] = rewrites_[*it] || rewrites_[*rule.callee];
    }
  }
  // Nothing to follow means nothing to write.
  const bool marks = !space_.layout(Axis::kMark).bits.empty();
  const bool connmarks = !space_.layout(Axis::kConnmark).bits.empty();
  for (Writes& w : writes_) {
    w.mark = w.mark && marks;
    w.connmark = w.connmark && connmarks;
    w.zone = w.zone && space_.classes().zones.some();
    w.ttl = w.ttl && space_.present(Field::kTtl);
    w.tos = w.tos && space_.present(Field::kTos);
  }
}

void ChainWalker::find_coins() {
  for (RuleId r = 0; r < program_.rules().size(); ++r) {
    const Rule& rule = *program_.rules()[r].rule;
    const bool unknown = program_.rules()[r].has_opaque_target();
    const auto* effect = std::get_if<Effect>(&rule.action);
    bool coin = unknown || (effect != nullptr && std::holds_alternative<ToSocket>(*effect));
    for (const Clause& clause : rule.clauses) {
      coin = coin || has_opaque(*clause.predicate);
      may_hotdrop_[r] = may_hotdrop_[r] || may_drop(*clause.predicate);
    }
    if (coin) opaque_rules_.push_back(r);
    if (unknown) ++opaque_targets_;
    if (!unknown && unmodelled(r, {})) unmodelled_rules_.push_back(r);
  }
}

const std::vector<ChainId>& ChainWalker::below(ChainId entry) {
  std::vector<ChainId>& result = below_[entry];
  if (!result.empty()) return result;
  std::vector<bool> reached(program_.chains().size(), false);
  reached[entry] = true;
  for (const ChainId id : program_.callers_first()) {
    if (!reached[id]) continue;
    result.push_back(id);
    const ProgramChain& chain = program_.chains()[id];
    for (RuleId r = chain.first; r < chain.first + chain.count; ++r) {
      if (program_.rules()[r].callee) reached[*program_.rules()[r].callee] = true;
    }
  }
  return result;
}

MayMust ChainWalker::condition(RuleId rule, const Binding& binding) {
  MayMust result{kEverything, kEverything};
  for (const Clause& clause : program_.rules()[rule].rule->clauses) {
    const MayMust one = reader_.read(clause.predicate, binding);
    result = {space_.bdd().both(result.may, one.may), space_.bdd().both(result.must, one.must)};
  }
  return result;
}

// An upper bound on what each chain is sent, from the conditions of the jumps alone: keeps
// summaries small. Marks and the UNTRACKED mark may have changed on the way, so they are left open.
std::vector<Set> ChainWalker::callers_may_send(ChainId entry, Set live,
                                               const TableContext& context) {
  Bdd& bdd = space_.bdd();
  const std::array changing{Axis::kMark,       Axis::kConnmark,       Axis::kUntracked,
                            Axis::kMarkBefore, Axis::kConnmarkBefore, Axis::kUntrackedBefore,
                            Axis::kZone,       Axis::kZoneBefore,     Axis::kTtlNow,
                            Axis::kTosNow,     Axis::kTtlBefore,      Axis::kTosBefore};
  const Set cube = space_.cube(changing);
  std::vector<Set> sent(program_.chains().size(), kNothing);
  sent[entry] = bdd.exists(live, cube);
  for (const ChainId id : below(entry)) {
    const ProgramChain& chain = program_.chains()[id];
    if (sent[id].empty()) continue;
    for (RuleId r = chain.first; r < chain.first + chain.count; ++r) {
      const auto& callee = program_.rules()[r].callee;
      if (!callee || disabled_[r]) continue;
      const Set taken = bdd.both_exists(sent[id], condition(r, context.binding).may, cube);
      sent[*callee] = bdd.either(sent[*callee], taken);
    }
  }
  return sent;
}

Outcomes ChainWalker::run(ChainId entry, Set live, const TableContext& context,
                          const RuleObserver& observer) {
  Bdd& bdd = space_.bdd();
  if (context.binding.interleaved) reader_.know_connmarks(connmarks());
  const auto& order = below(entry);
  std::vector<Outcomes> summaries(program_.chains().size());
  if (order.size() > 1) {
    const std::vector<Set> sent = callers_may_send(entry, live, context);
    for (std::size_t i = order.size(); i-- > 1;) {
      const ChainId id = order[i];
      const Set start = bdd.both(sent[id], relations_.identity(writes_[id]));
      summaries[id] = walk(id, start, context, summaries, nullptr, nullptr);
    }
  }
  std::vector<Set> arriving(program_.chains().size(), kNothing);
  Outcomes out = walk(entry, live, context, summaries, observer ? &observer : nullptr,
                      observer ? &arriving : nullptr);
  if (observer) {
    for (std::size_t i = 1; i < order.size(); ++i) {
      walk(order[i], arriving[order[i]], context, summaries, &observer, &arriving);
    }
  }
  const Chain& chain = *program_.chains()[entry].chain;
  const Outcome policy = chain.policy == Policy::kDrop ? Outcome::kDropped : Outcome::kAccepted;
  out[policy] = bdd.either(out[policy], out[Outcome::kReturned]);
  out[Outcome::kReturned] = kNothing;
  return out;
}

Outcomes ChainWalker::walk(ChainId id, Set live, const TableContext& context,
                           const std::vector<Outcomes>& summaries, const RuleObserver* observer,
                           std::vector<Set>* arriving) {
  Bdd& bdd = space_.bdd();
  Frame frame{context, summaries, arriving, live, {}};
  const ProgramChain& chain = program_.chains()[id];
  for (RuleId r = chain.first; r < chain.first + chain.count && !frame.live.empty(); ++r) {
    if (walk_row(r, frame, observer)) {
      r += static_cast<RuleId>(rows_.length(r)) - 1;
      continue;
    }
    if (disabled_[r]) continue;
    const Set before = frame.live;
    const Set taken = match(r, frame);
    if (observer != nullptr) (*observer)(context, r, {kEverything, before, taken});
    if (taken.empty()) continue;
    act(r, taken, frame);
  }
  frame.leave(bdd, Outcome::kReturned, frame.live);
  return frame.out;
}

// Takes the row that begins here in one step, if one does.
bool ChainWalker::walk_row(RuleId first, Frame& frame, const RuleObserver* observer) {
  Bdd& bdd = space_.bdd();
  const std::size_t length = rows_.length(first);
  if (length == 0) return false;
  const auto rule = disabled_.begin() + static_cast<std::ptrdiff_t>(first);
  if (std::any_of(rule, rule + static_cast<std::ptrdiff_t>(length), std::identity{})) return false;
  const TableContext& context = frame.context;
  const Row& row =
      rows_.find(first, reader_, context.binding, [&] { return read_row(first, context); });
  for (RuleId k = 0; observer != nullptr && k < length; ++k) {
    (*observer)(context, first + k, {frame.live, row.reaching[k], row.matching[k]});
  }
  for (std::size_t o = 0; o < kOutcomeCount; ++o) {
    const auto outcome = static_cast<Outcome>(o);
    frame.leave(bdd, outcome, bdd.both(frame.live, row.out[outcome]));
  }
  frame.live = bdd.both(frame.live, row.rest);
  return true;
}

Row ChainWalker::read_row(RuleId first, const TableContext& context) {
  Row row;
  Frame frame{context, {}, nullptr, kEverything, {}};
  for (RuleId r = first; r < first + rows_.length(first); ++r) {
    row.reaching.push_back(frame.live);
    row.matching.push_back(match(r, frame));
    act(r, row.matching.back(), frame);
  }
  row.out = frame.out;
  row.rest = frame.live;
  return row;
}

// The packets that may match; leaves in frame.live those that may not (both, where a coin decides).
Set ChainWalker::match(RuleId rule, Frame& frame) {
  Bdd& bdd = space_.bdd();
  const Binding& binding = frame.context.binding;
  Set prefix = frame.live;
  for (const Clause& clause : program_.rules()[rule].rule->clauses) {
    if (!clause.hotdrop) continue;
    if (const Const* c = std::get_if<Const>(&clause.hotdrop->node); c != nullptr && !c->value)
      continue;
    if (wants_protocol(*clause.hotdrop)) continue;  // no set holds such packets (routing.cpp)
    // Rare: evaluate clause by clause up to here.
    MayMust here{frame.live, frame.live};
    for (const Clause& earlier : program_.rules()[rule].rule->clauses) {
      if (&earlier == &clause) break;
      const MayMust one = reader_.read(earlier.predicate, binding);
      here = {bdd.both(here.may, one.may), bdd.both(here.must, one.must)};
    }
    const MayMust hot = reader_.read(clause.hotdrop, binding);
    frame.leave(bdd, Outcome::kDropped, bdd.both(here.may, hot.may));
    prefix = bdd.minus(prefix, bdd.both(here.must, hot.must));
  }
  const MayMust own = asked(rule, frame.context);
  const Set taken = bdd.both(prefix, own.may);
  if (may_hotdrop_[rule]) {
    frame.leave(bdd, Outcome::kDropped, bdd.both(prefix, asks_unknown(rule, binding)));
  }
  frame.live = bdd.minus(prefix, own.must);
  return taken;
}

bool ChainWalker::asks_a_template(RuleId rule, const Binding& binding) const {
  if (!binding.before_lookup) return false;
  const bool attached = std::ranges::any_of(unmodelled_rules_, [&](RuleId r) {
    const Effect* effect = std::get_if<Effect>(&program_.rules()[r].rule->action);
    return effect != nullptr && std::holds_alternative<AttachTemplate>(*effect);
  });
  return attached && std::ranges::any_of(program_.rules()[rule].rule->clauses, asks_of_entry);
}

// A loose walk takes a template that is not followed for none: what rules ask of it is open.
MayMust ChainWalker::asked(RuleId rule, const TableContext& context) {
  if (!context.loose || !asks_a_template(rule, context.binding)) {
    return condition(rule, context.binding);
  }
  Set may = kEverything;
  for (const Clause& clause : program_.rules()[rule].rule->clauses) {
    if (asks_of_entry(clause)) continue;
    may = space_.bdd().both(may, reader_.read(clause.predicate, context.binding).may);
  }
  return {may, kNothing};
}

// What may get to a match that is unknown and drops what it likes: clauses are asked in order.
Set ChainWalker::asks_unknown(RuleId rule, const Binding& binding) {
  Bdd& bdd = space_.bdd();
  Set here = kEverything, result = kNothing;
  for (const Clause& clause : program_.rules()[rule].rule->clauses) {
    if (may_drop(*clause.predicate)) result = bdd.either(result, here);
    here = bdd.both(here, reader_.read(clause.predicate, binding).may);
  }
  return result;
}

void ChainWalker::act(RuleId r, Set taken, Frame& frame) {
  Bdd& bdd = space_.bdd();
  const ProgramRule& rule = program_.rules()[r];
  if (rule.callee) {
    call(r, taken, frame);
  } else if (const Effect* effect = std::get_if<Effect>(&rule.rule->action)) {
    apply(*effect, r, taken, frame);
  } else {
    frame.live = bdd.either(frame.live, taken);
  }
}

void ChainWalker::call(RuleId r, Set taken, Frame& frame) {
  Bdd& bdd = space_.bdd();
  const ProgramRule& rule = program_.rules()[r];
  const ChainId callee = *rule.callee;
  if (frame.arriving != nullptr) {
    (*frame.arriving)[callee] = bdd.either((*frame.arriving)[callee], taken);
  }
  const Outcomes& summary = frame.summaries[callee];
  const bool changed = frame.context.loose && rewrites_[callee];  // in any way
  const auto passed = [&](Outcome o) {
    const Set packets = relations_.compose(taken, summary[o], writes_[callee]);
    return changed ? any_header(packets) : packets;
  };
  for (const Outcome o : {Outcome::kAccepted, Outcome::kDropped, Outcome::kReset,
                          Outcome::kUnmodelled, Outcome::kBound, Outcome::kBoundElsewhere}) {
    frame.leave(bdd, o, passed(o));
  }
  const Set back = passed(Outcome::kReturned);
  if (std::holds_alternative<Goto>(rule.rule->action)) {
    frame.leave(bdd, Outcome::kReturned, back);
  } else {
    frame.live = bdd.either(frame.live, back);
  }
}

// Where CONNMARK finds an entry to write to, or to read.
Set ChainWalker::with_entry(const TableContext& context) {
  if (!context.entries || context.binding.before_lookup) return kNothing;
  return space_.class_range(Axis::kState, static_cast<std::uint32_t>(CtState::kNew),
                            static_cast<std::uint32_t>(CtState::kRelated));
}

Set ChainWalker::any_end(Set packets, FlowEnd end) {
  const bool initiator = end == FlowEnd::kInitiator;
  const std::array axes{initiator ? Axis::kInitiator : Axis::kResponder,
                        initiator ? Axis::kInitiatorPort : Axis::kResponderPort,
                        initiator ? Axis::kInitiatorType : Axis::kResponderType};
  return space_.bdd().both(space_.exists(packets, axes), space_.domain());
}

Set ChainWalker::any_ends(Set packets) {
  return any_end(any_end(packets, FlowEnd::kInitiator), FlowEnd::kResponder);
}

Set ChainWalker::any_header(Set packets) {
  std::vector<Axis> axes(packet_axes().begin(), packet_axes().end());
  for (const Axis axis :
       {Axis::kProtocol, Axis::kIcmpType, Axis::kIcmpCode, Axis::kTtlNow, Axis::kTosNow}) {
    axes.push_back(axis);
  }
  return space_.bdd().both(space_.exists(any_ends(packets), axes), space_.domain());
}

bool ChainWalker::is_read(Field field) const {
  constexpr std::uint8_t kMss = 2;  // what makes a SYN longer is an option of its own
  const Classes& classes = space_.classes();
  if (field == Field::kTos) return false;  // where a rule reads it, it is followed
  if (field != Field::kLength) return true;
  return classes.length.count() > 1 ||
         std::ranges::find(classes.tcp_options, kMss) != classes.tcp_options.end();
}

// Does the target lead some value to where rules, or conntrack, tell it apart? (ECN's bits of TCP
// flags are nobody's but `-m ecn`'s.)
bool ChainWalker::is_noticed(const SetField& e) const {
  if (e.field != Field::kTcpFlags) return is_read(e.field);
  const FieldClasses& flags = space_.classes().tcp_flags;
  for (u128 v = 0; v < 256; ++v) {
    if (flags.of(v) != flags.of((v & ~e.mask) ^ e.value)) return true;
  }
  return false;
}

// A header field changes. Nobody notices where no rule reads it (one class).
void ChainWalker::rewrite(const Effect& effect, Field field, Set taken, Frame& frame) {
  Bdd& bdd = space_.bdd();
  if (space_.present(field)) {
    const Change change = [&](std::uint32_t value) { return rewritten(effect, value); };
    frame.live = bdd.either(frame.live, relations_.rewrite(taken, field, change));
  } else if (frame.context.loose) {
    frame.live = bdd.either(frame.live, any_header(taken));
  } else if (const auto* set = std::get_if<SetField>(&effect);
             set != nullptr ? !is_noticed(*set) : !is_read(field)) {
    frame.live = bdd.either(frame.live, taken);
  } else {
    frame.leave(bdd, Outcome::kUnmodelled, taken);
  }
}

bool ChainWalker::follows_template(RuleId rule) const {
  const Zones& zones = space_.classes().zones;
  return templates_ == nullptr ? zones.template_of(rule) != 0 : follows(*templates_, zones, rule);
}

void ChainWalker::attach_template(RuleId rule, Set taken, Frame& frame) {
  Bdd& bdd = space_.bdd();
  const std::uint32_t value = templates_ == nullptr ? 0 : templates_->of(rule);
  const std::uint32_t zone = space_.classes().zones.template_of(rule);
  const bool followed = follows_template(rule) && (zone == 0 || frame.context.entries);
  // Void where an entry is attached, or the packet carries the UNTRACKED mark or a template.
  const bool void_here = !frame.context.attaches || (frame.context.loose && !followed);
  const Set bare = bdd.both(space_.class_is(Axis::kUntracked, 0), space_.class_is(Axis::kZone, 0));
  const Set free = void_here ? kNothing : bdd.both(taken, bare);
  frame.live = bdd.either(frame.live, bdd.minus(taken, free));
  if (!followed) return frame.leave(bdd, Outcome::kUnmodelled, free);
  Set given = free;
  if (value != 0) given = relations_.set_untracked(given, value);
  if (zone != 0) given = relations_.set_zone(given, zone);
  frame.live = bdd.either(frame.live, given);
}

void ChainWalker::no_track(Set taken, Frame& frame) {
  Bdd& bdd = space_.bdd();
  const auto go_on = [&](Set packets) { frame.live = bdd.either(frame.live, packets); };
  if (!frame.context.attaches) return go_on(taken);
  // A template that came first makes it void; where those are not followed, it may.
  if (frame.context.loose && !unmodelled_rules_.empty()) go_on(taken);
  Set free = bdd.both(taken, space_.class_is(Axis::kZone, 0));
  if (templates_ != nullptr && templates_->values() > Templates::kFirst) {
    free = bdd.both(free, space_.class_range(Axis::kUntracked, 0, 1));
  }
  go_on(bdd.minus(taken, free));
  go_on(relations_.set_untracked(free));
}

void ChainWalker::connmark(const SetConnmark& effect, Set taken, Frame& frame) {
  Bdd& bdd = space_.bdd();
  Set entry = with_entry(frame.context);
  if (frame.context.binding.interleaved && effect.op == SetConnmark::Op::kRestore) {
    const std::array own{Axis::kConnmark};
    taken = bdd.both(space_.exists(taken, own), connmarks());
  }
  if (frame.context.attaches && effect.op == SetConnmark::Op::kRestore) {
    // A template's mark, which no rule writes (zones.hpp), is 0.
    const Set carried = bdd.minus(taken, space_.class_is(Axis::kZone, 0));
    frame.live = bdd.either(frame.live, relations_.set_mark(carried, {0, effect.nfmask}));
    taken = bdd.minus(taken, carried);
  }
  frame.live = bdd.either(frame.live, relations_.set_connmark(bdd.both(taken, entry), effect));
  frame.live = bdd.either(frame.live, bdd.minus(taken, entry));
}

Set ChainWalker::connmarks() {
  if (!connmarks_) connmarks_ = connmarks_of_entries(space_, program_);
  return *connmarks_;
}

// Any verdict, or none, with other marks and headers.
void ChainWalker::opaque_target(Set taken, Frame& frame) {
  Bdd& bdd = space_.bdd();
  Set any = relations_.forget_marks(taken);
  if (frame.context.loose) any = any_header(any);
  for (const Outcome o : {Outcome::kAccepted, Outcome::kDropped, Outcome::kReset}) {
    frame.leave(bdd, o, any);
  }
  if (!frame.context.loose) frame.leave(bdd, Outcome::kUnmodelled, any);
  frame.live = bdd.either(frame.live, any);
}

// A coin: no socket, or one that takes the packet, but for what is forwarded later.
void ChainWalker::to_socket(const ToSocket& effect, Set taken, Frame& frame) {
  frame.leave(space_.bdd(), Outcome::kDropped, taken);
  const Set kept = space_.bdd().minus(taken, frame.context.forwarded);
  frame.leave(space_.bdd(), Outcome::kAccepted, relations_.set_mark(kept, effect.mark));
}

Outcome ChainWalker::bound(RuleId rule, const TableContext& context) const {
  if (translations_ == nullptr || !context.follows) return Outcome::kUnmodelled;
  const std::uint8_t range = translations_->range_of(rule, *context.follows);
  if (range == 0) return Outcome::kUnmodelled;
  if (range == Translations::kNowhere) return Outcome::kDropped;
  return range == context.wanted ? Outcome::kBound : Outcome::kBoundElsewhere;
}

void ChainWalker::translate(RuleId rule, Set taken, Frame& frame) {
  Bdd& bdd = space_.bdd();
  const TableContext& context = frame.context;
  if (context.loose) return frame.leave(bdd, Outcome::kAccepted, any_ends(taken));
  const std::uint8_t range = context.turns ? translations_->range_of(rule, *context.turns) : 0;
  if (range == 0) {
    const Outcome outcome = bound(rule, context);
    const bool anywhere = outcome == Outcome::kUnmodelled && context.loose_nat;
    return frame.leave(bdd, anywhere ? Outcome::kAccepted : outcome,
                       anywhere ? any_ends(taken) : taken);
  }
  if (range == Translations::kNowhere) return frame.leave(bdd, Outcome::kDropped, taken);
  Ends ends(space_, translations_);
  const EndRange& to = translations_->range(range);
  const Set other = ends.surely_turned(to, context.initiator_is_remote);
  const Set same = ends.surely_same(FlowEnd::kInitiator, to);
  // Where the range may hold the initiator the kernel takes that, or another one of it.
  const Set turned = bdd.minus(taken, same), kept = bdd.minus(taken, other);
  chance_ = chance_ || !bdd.disjoint(turned, kept);
  frame.leave(bdd, Outcome::kBoundElsewhere, turned);
  frame.leave(bdd, Outcome::kAccepted, kept);
}

bool ChainWalker::unmodelled(RuleId rule, const TableContext& context) const {
  const auto* effect = std::get_if<Effect>(&program_.rules()[rule].rule->action);
  if (effect == nullptr) return false;
  return std::visit(
      Overloaded{[&](const Annotate& e) { return e.mss.has_value() && is_read(Field::kLength); },
                 [&](const SetField& e) { return !space_.present(e.field) && is_noticed(e); },
                 [&](const AddField& e) { return !space_.present(e.field) && is_read(e.field); },
                 [&](const Nat&) { return bound(rule, context) == Outcome::kUnmodelled; },
                 [&](const AttachTemplate&) { return !follows_template(rule); },
                 [](const OpaqueTarget&) { return true; }, [](const auto&) { return false; }},
      *effect);
}

void ChainWalker::apply(const Effect& effect, RuleId rule, Set taken, Frame& frame) {
  Bdd& bdd = space_.bdd();
  const auto go_on = [&](Set packets) { frame.live = bdd.either(frame.live, packets); };
  std::visit(Overloaded{[&](const Accept&) { frame.leave(bdd, Outcome::kAccepted, taken); },
                        [&](const Drop&) { frame.leave(bdd, Outcome::kDropped, taken); },
                        [&](const Return&) { frame.leave(bdd, Outcome::kReturned, taken); },
                        [&](const Reject& e) {
                          frame.leave(bdd, e.tcp_reset ? Outcome::kReset : Outcome::kDropped,
                                      taken);
                        },
                        [&](const Annotate& e) {
                          if (e.mss) return rewrite(effect, Field::kLength, taken, frame);
                          go_on(taken);
                        },
                        [&](const SetMark& e) { go_on(relations_.set_mark(taken, e)); },
                        [&](const SetConnmark& e) { connmark(e, taken, frame); },
                        [&](const NoTrack&) { no_track(taken, frame); },
                        [&](const AttachTemplate&) { attach_template(rule, taken, frame); },
                        [&](const Nat&) { translate(rule, taken, frame); },
                        [&](const SetField& e) { rewrite(effect, e.field, taken, frame); },
                        [&](const AddField& e) { rewrite(effect, e.field, taken, frame); },
                        [&](const ToSocket& e) { to_socket(e, taken, frame); },
                        [&](const OpaqueTarget&) { opaque_target(taken, frame); }},
             effect);
}

}  // namespace postern
