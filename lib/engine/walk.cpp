#include "engine/walk.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/overloaded.hpp"
#include "engine/helper.hpp"
#include "engine/tcp_mss.hpp"

namespace postern {
namespace {

void count(Counters& counters, const Traveller& packet) {
  ++counters.packets;
  counters.bytes += packet.view.length;
}

// CONNMARK (xt_connmark, revision 1). A template is an entry to it.
void set_connmark(const SetConnmark& effect, Traveller& packet) {
  const auto& entry = packet.attachment.entry;
  std::uint32_t* const mark = entry ? &entry->mark : packet.template_mark;
  if (mark == nullptr) return;
  std::uint32_t& ctmark = *mark;
  switch (effect.op) {
    case SetConnmark::Op::kSet:
      ctmark = (ctmark & ~effect.ctmask) ^ effect.value;
      break;
    case SetConnmark::Op::kSave:
      ctmark = (ctmark & ~effect.ctmask) ^ (packet.view.mark & effect.nfmask);
      break;
    case SetConnmark::Op::kRestore:
      packet.set_mark((packet.view.mark & ~effect.nfmask) ^ (ctmark & effect.ctmask));
      break;
  }
  packet.reading[Field::kCtMark] = ctmark;
}

// Asks for what is the same at all evaluations of a packet (who sends it) but once.
class Settled : public Chooser {
 public:
  Settled(Traveller& packet, Chooser& chooser) : known_(packet.known), chooser_(chooser) {}
  std::uint64_t choose(const Choice& question) override {
    if (!question.of_packet) return chooser_.choose(question);
    const auto at = known_.find(question.why);
    if (at != known_.end()) return at->second;
    return known_[question.why] = chooser_.choose(question);
  }

 private:
  std::map<std::string, std::uint64_t>& known_;
  Chooser& chooser_;
};

bool mentions_interface(const Predicate& predicate, bool output) {
  const auto below = [&](const PredicatePtr& p) { return mentions_interface(*p, output); };
  return std::visit(Overloaded{[&](const InterfaceIs& n) { return n.output == output; },
                               [&](const Not& n) { return below(n.operand); },
                               [&](const All& n) { return std::ranges::any_of(n.operands, below); },
                               [&](const Any& n) { return std::ranges::any_of(n.operands, below); },
                               [](const auto&) { return false; }},
                    predicate.node);
}

// TTL, hop limit and TOS; other headers are not rewritten yet.
void write_field(Field field, u128 value, Traveller& packet) {
  if (field != Field::kTtl && field != Field::kTos) {
    throw Unmodelled("a target that writes " + std::string(info(field).name));
  }
  auto& header = field == Field::kTtl ? packet.view.ttl : packet.view.tos;
  header = static_cast<std::uint8_t>(value);
  packet.reading[field] = value;
}

void add_field(const AddField& effect, Traveller& packet) {
  const int largest = static_cast<int>(low_bits(info(effect.field).width) & 0xffff);
  const int value = static_cast<int>(packet.reading[effect.field]) + effect.delta;
  write_field(effect.field, static_cast<unsigned>(std::clamp(value, 0, largest)), packet);
}

bool has_state(const Traveller& packet) {
  return packet.has_template || packet.has_bare_state || packet.attachment.entry ||
         packet.attachment.untracked();
}

void notrack(Traveller& packet) {
  if (has_state(packet)) return;
  packet.attachment.state = CtState::kUntracked;
  packet.reading[Field::kCtState] = static_cast<unsigned>(CtState::kUntracked);
}

void attach_template(const AttachTemplate& effect, std::uint32_t& mark, Traveller& packet) {
  if (has_state(packet)) return;
  if (!effect.helper.empty() && !knows_helper(effect.helper)) {
    throw Unmodelled("CT --helper " + effect.helper);
  }
  packet.has_template = true;
  packet.request = &effect;
  packet.template_mark = &mark;
  read_template(packet);
}

}  // namespace

Walker::Walker(const Program& program, const World& world, Backend backend)
    : program_(program),
      world_(world),
      devices_(world.names()),
      backend_(backend),
      code_(program.ruleset().family, world.names()) {
  steps_.reserve(program.rules().size());
  for (const ProgramRule& rule : program.rules()) steps_.push_back(compile(rule));
  rules_.resize(program.rules().size());
  template_marks_.resize(program.rules().size());
  policies_.resize(program.chains().size());
}

std::string Walker::place(const ProgramRule& rule) const {
  const ProgramChain& chain = program_.chains()[rule.chain];
  return std::string(text(chain.table)) + " " + chain.chain->name + " " +
         std::to_string(rule.number);
}

Walker::Kind Walker::kind_of(const Effect& effect) const {
  return std::visit(
      Overloaded{[](const Accept&) { return Kind::kAccept; },
                 [](const Drop&) { return Kind::kDrop; },
                 [](const Return&) { return Kind::kReturn; },
                 [](const Reject&) { return Kind::kReject; }, [](const Nat&) { return Kind::kNat; },
                 [](const Annotate& e) { return e.mss ? Kind::kLowerMss : Kind::kContinue; },
                 [](const ToSocket&) { return Kind::kToSocket; },
                 [](const OpaqueTarget&) { return Kind::kOpaque; },
                 [](const auto&) { return Kind::kEffect; }},
      effect);
}

Walker::Step Walker::compile(const ProgramRule& rule) {
  Step step;
  step.code = code_.add(*rule.rule, place(rule));
  step.callee = rule.callee.value_or(0);
  const Action& action = rule.rule->action;
  if (std::holds_alternative<Jump>(action)) step.kind = Kind::kJump;
  if (std::holds_alternative<Goto>(action)) step.kind = Kind::kGoto;
  if (const auto* effect = std::get_if<Effect>(&action)) {
    step.kind = kind_of(*effect);
    step.effect = effect;
  }
  return step;
}

void Walker::apply(const Effect& effect, RuleId rule, Traveller& packet) {
  std::visit(
      Overloaded{
          [&](const SetMark& e) { packet.set_mark((packet.view.mark & ~e.mask) ^ e.value); },
          [&](const SetConnmark& e) { set_connmark(e, packet); },
          [&](const NoTrack&) { notrack(packet); },
          [&](const AttachTemplate& e) { attach_template(e, template_marks_[rule], packet); },
          [&](const SetField& e) {
            const u128 kept = packet.reading[e.field] & ~e.mask;
            write_field(e.field, kept ^ e.value, packet);
          },
          [&](const AddField& e) { add_field(e, packet); },
          [](const auto&) { POSTERN_CHECK(false, "not an effect on the packet"); }},
      effect);
}

// A target whose verdict the text does not decide. It changes nothing else here: the chooser's
// values are one of its possible behaviours, the symbolic side covers the others.
Walker::Kind Walker::choose(const ProgramRule& rule, const Step& step, Chooser& chooser) const {
  static constexpr Kind kKinds[] = {Kind::kContinue, Kind::kAccept, Kind::kDrop, Kind::kReturn};
  const auto& opaque = std::get<OpaqueTarget>(*step.effect);
  return kKinds[chooser.choose({opaque.why, place(rule), 4, 0}) & 3];
}

// xt_TPROXY: the mark is written, and routing forwards the packet no more.
bool Walker::finds_socket(const ProgramRule& rule, const ToSocket& target, Chooser& chooser,
                          Traveller& packet) const {
  if (chooser.choose({.why = target.why, .rule = place(rule), .socket = true}) == 0) return false;
  packet.set_mark((packet.view.mark & ~target.mark.mask) ^ target.mark.value);
  packet.has_socket = true;
  return true;
}

TraceStep Walker::blank_step(Hook hook, TableName table, ChainId chain,
                             const Traveller& packet) const {
  TraceStep step;
  step.kind = TraceStep::Kind::kRule;
  step.family = program_.ruleset().family;
  step.hook = hook;
  step.table = table;
  step.chain = chain;
  step.own_reply = packet.is_answer;
  return step;
}

// What the clause that decided has read, so that a person can see why.
void Walker::note_rule(Trace& trace, TraceStep step, RuleId id, const RuleCode::Outcome& outcome,
                       const Traveller& packet) const {
  step.rule = id;
  step.matched = outcome.end == RuleCode::kMatch;
  step.hotdrop = outcome.end == RuleCode::kHotdrop;
  if (!step.matched) {
    step.failed = outcome.clause;
    const Clause& clause = program_.rules()[id].rule->clauses[outcome.clause];
    const Predicate& read = step.hotdrop ? *clause.hotdrop : *clause.predicate;
    for (const FieldInfo& field : kFields) {
      if (!mentions(read, field.field)) continue;
      step.values.emplace_back(field.field, packet.reading[field.field]);
    }
    const auto name = [&](DeviceId id_of) { return id_of == kNoDevice ? "none" : devices_[id_of]; };
    if (mentions_interface(read, false)) step.interfaces.push_back("in is " + name(packet.in));
    if (mentions_interface(read, true)) step.interfaces.push_back("out is " + name(packet.out));
  }
  trace.push_back(std::move(step));
}

WalkVerdict Walker::walk(Hook hook, TableName table, Traveller& packet, Chooser& chooser,
                         Trace* trace) {
  const auto entry = program_.entry(hook, table);
  if (!entry) {
    if (backend_ == Backend::kLegacy && program_.ruleset().find(table) != nullptr) {
      count(unnamed_[static_cast<std::size_t>(hook)][static_cast<std::size_t>(table)], packet);
    }
    return {};
  }
  Settled settled(packet, chooser);
  stack_.clear();
  Frame at{program_.chains()[*entry].first, *entry};
  const auto enter = [&](ChainId chain) { at = {program_.chains()[chain].first, chain}; };
  for (;;) {
    const ProgramChain& chain = program_.chains()[at.chain];
    if (at.next != chain.first + chain.count) {
      const RuleId id = at.next++;
      const Step& step = steps_[id];
      const RuleCode::Outcome outcome = code_.run(step.code, packet.reading, settled);
      const bool matched = outcome.end == RuleCode::kMatch;
      if (trace != nullptr) {
        note_rule(*trace, blank_step(hook, table, at.chain, packet), id, outcome, packet);
      }
      if (outcome.end == RuleCode::kHotdrop) return {.accepted = false};
      if (!matched) continue;
      count(rules_[id], packet);
      const Kind kind =
          step.kind == Kind::kOpaque ? choose(program_.rules()[id], step, chooser) : step.kind;
      switch (kind) {
        case Kind::kAccept:
          return {};
        case Kind::kDrop:
          return {.accepted = false};
        case Kind::kReject:
          return {.accepted = false, .reject = &std::get<Reject>(*step.effect)};
        case Kind::kNat:
          return {.nat = &std::get<Nat>(*step.effect), .rule = at.next - 1};
        case Kind::kEffect:
          apply(*step.effect, id, packet);
          continue;
        case Kind::kLowerMss:
          if (!lower_mss(*std::get<Annotate>(*step.effect).mss, packet, world_)) {
            return {.accepted = false};
          }
          continue;
        case Kind::kToSocket:
          return {.accepted = finds_socket(program_.rules()[id], std::get<ToSocket>(*step.effect),
                                           chooser, packet)};
        case Kind::kJump:
          stack_.push_back(at);
          [[fallthrough]];
        case Kind::kGoto:
          enter(step.callee);
          continue;
        case Kind::kContinue:
          continue;
        case Kind::kReturn:
        case Kind::kOpaque:
          break;
      }
    }
    if (stack_.empty()) break;
    at = stack_.back();
    stack_.pop_back();
  }
  count(policies_[*entry], packet);
  const Policy policy = *program_.chains()[*entry].chain->policy;
  if (trace != nullptr) {
    trace->push_back(blank_step(hook, table, *entry, packet));
    trace->back().kind = TraceStep::Kind::kPolicy;
    trace->back().matched = policy == Policy::kAccept;
  }
  return {.accepted = policy == Policy::kAccept};
}

void Walker::clear() {
  std::ranges::fill(rules_, Counters{});
  std::ranges::fill(policies_, Counters{});
  unnamed_ = {};
}

}  // namespace postern
