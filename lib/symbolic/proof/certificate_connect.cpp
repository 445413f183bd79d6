#include "symbolic/proof/certificate_connect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <memory>
#include <optional>

#include "scenario/result.hpp"
#include "symbolic/explore/connect.hpp"

namespace postern {
namespace {

// The terms of one packet of the conversation: the flow's are shared, the packet's are its own.
struct LineTerms {
  LineTerms(CertificateContext& c, const Line& line, Set points, const std::vector<Term>& connmark)
      : axes(c.axes(), points, connmark),
        translator(c.space, c.solver, axes),
        context(c),
        sender(line.sender) {}
  PathEncoder& path(std::uint16_t nat = 0) {
    auto& place = paths[nat];
    if (place == nullptr) {
      place = std::make_unique<PathEncoder>(
          context.space, context.solver, context.encoder, axes, context.flow_path, sender,
          context.backend, context.tracking, context.view(nat, sender, translator));
    }
    return *place;
  }
  AxisTerms axes;
  SetTranslator translator;
  CertificateContext& context;
  FlowEnd sender;
  std::map<std::uint16_t, std::unique_ptr<PathEncoder>> paths;
};

// One conversation, over every history of its entry.
class ScriptProof {
 public:
  ScriptProof(CertificateContext& context, const Claim& claim, std::vector<Line> lines)
      : c_(context), claim_(claim), lines_(std::move(lines)) {}

  void run() {
    const std::vector<Term> unmarked(c_.space.layout(Axis::kConnmark).bits.size(), Solver::kFalse);
    const Entries none(c_.model.automaton().pairs());
    std::vector<History> now{{c_.translator.term(c_.flows), none, unmarked}};
    for (std::size_t k = 0; k < lines_.size(); ++k) {
      std::vector<History> next;
      for (History& h : now) {
        if (lines_[k].apart) h = {h.condition, none, unmarked};
        extend(h, k, next);
      }
      now = std::move(next);
    }
    for (const History& h : now) {
      c_.violation(h.condition, std::string(text(lines_[0].kind)) + " conversation gets through");
    }
  }

 private:
  using Entries = std::vector<AbstractEntry>;  // by pair of zones
  struct History {
    Term condition;  // the packets so far passed, and conntrack said what it said
    Entries entries;
    std::vector<Term> connmark_bits;
    std::uint16_t nat = 0;  // how NAT bound the entry
  };

  static Entries with(Entries entries, std::uint8_t pair, const AbstractEntry& entry) {
    entries[pair] = entry;
    return entries;
  }
  static Zones::Openers openers(const Entries& entries) {
    Zones::Openers result;
    for (const AbstractEntry& e : entries) {
      result.push_back(e.present ? std::optional(e.originator) : std::nullopt);
    }
    return result;
  }

  static bool stands(const Entries& entries) {
    return std::ranges::any_of(entries, &AbstractEntry::present);
  }

  void extend(const History& h, std::size_t k, std::vector<History>& next) {
    const Line& line = lines_[k];
    Bdd& bdd = c_.space.bdd();
    Set packets = bdd.both(bdd.both(c_.sendable_under(line.sender, h.nat), line.packets), c_.flows);
    if (k == 0) packets = bdd.both(packets, claim_.first);
    terms_.emplace_back(c_, line, packets, h.connmark_bits);
    LineTerms& t = terms_.back();
    const std::array parts{h.condition, t.translator.term(packets),
                           c_.kind_condition(line.kind, line.sender, t.axes)};
    const Term premise = c_.solver.named(c_.solver.all(parts), "line");
    if (premise == Solver::kFalse) return;
    const auto opener = c_.opener(h.nat);
    const bool answers = opener && *opener != line.sender;
    const auto& early = t.path(answers ? h.nat : std::uint16_t{0}).early();
    unmodelled(premise, early.unmodelled, k);
    const Term live = c_.solver.both(premise, early.live);
    const bool never = c_.tracking && line.kind == PacketKind::kIcmpUntracked;
    const Term marked = never ? Solver::kTrue : early.untracked;
    const Term unmarked = c_.solver.both(live, c_.solver.negate(marked));
    if (answers) return answered(unmarked, h, k, t, next);
    const Term plain = heard(h, k, 0, t);
    delivered(c_.solver.all(std::array{live, marked, plain}), t.path().end(Seen::untracked()), h,
              h.entries, false, k, next);
    if (!c_.tracking) {
      delivered(unmarked, t.path().end(Seen{CtState::kInvalid}), h, h.entries, false, k, next);
      return;
    }
    for (std::uint8_t zone = 0; zone < early.zones.size(); ++zone) {
      const Term here = c_.solver.both(unmarked, early.zones[zone]);
      for (const std::uint8_t pair : met(h.entries, line.sender, zone)) {
        tracked(here, h, {zone, pair}, k, t, next);
      }
    }
  }

  // Does it arrive as from whom the other end talks to (Edge::heard)? `through`: its own binding.
  Term heard(const History& h, std::size_t k, std::uint16_t through, LineTerms& t) const {
    const bool by_initiator = c_.opener(h.nat) == FlowEnd::kInitiator;
    const std::uint16_t known = by_initiator ? h.nat : std::uint16_t{0};
    if (k == 0 || through == known || (through != 0 && known != 0)) return Solver::kTrue;
    return t.translator.term(c_.unchanged(through != 0 ? through : known));
  }

  // In which pairs of zones a packet may find its entry; where it finds none, the packet's own.
  std::vector<std::uint8_t> met(const Entries& entries, FlowEnd sender, std::uint8_t zone) const {
    auto result = c_.model.automaton().zones().found(openers(entries), sender, zone);
    if (result.empty()) result.push_back(zone);
    return result;
  }

  // An answer to an entry that NAT has bound. One that is untracked or INVALID is lost.
  void answered(Term live, const History& h, std::size_t k, LineTerms& t,
                std::vector<History>& next) {
    const Line& line = lines_[k];
    const auto& early = t.path(h.nat).early();
    for (std::uint8_t zone = 0; zone < early.zones.size(); ++zone) {
      const Term here = c_.solver.both(live, early.zones[zone]);
      const auto found = c_.model.automaton().zones().found(openers(h.entries), line.sender, zone);
      if (here == Solver::kFalse) continue;
      if (found.empty()) {
        astray(here, h, k, t);
        continue;
      }
      const AbstractEntry& entry = h.entries[found.front()];  // a bound one stands alone
      const auto ways = c_.ways(entry, line.sender, line.kind);
      if (ways.empty()) continue;
      const AbstractStep& step = ways.front();
      if (step.created || step.state == CtState::kInvalid) continue;
      delivered(here, t.path(h.nat).end(Seen::of(step, entry)), h,
                with(h.entries, found.front(), step.entry(true)), true, k, next, h.nat);
    }
  }

  // An answer in zones where its entry is not found: rules of NAT may lead it back by themselves.
  void astray(Term live, const History& h, std::size_t k, LineTerms& t) {
    const auto ways = c_.ways(AbstractEntry{}, lines_[k].sender, lines_[k].kind);
    const bool invalid = ways.empty() || ways.front().state == CtState::kInvalid;
    // Over lo it may be found in PREROUTING.
    const bool again =
        c_.flow_path == Path::kLoopback && (invalid || turns_invalid(lines_[k].kind));
    bool later = false;
    const Zones& zones = c_.model.automaton().zones();
    for (std::uint8_t zone = 0; again && zone < zones.pairs().size(); ++zone) {
      later = later || !zones.found(openers(h.entries), lines_[k].sender, zone).empty();
    }
    if (invalid && !later) return;
    const Term may = later ? Solver::kTrue : t.translator.term(c_.comes_back(h.nat));
    c_.violation(c_.solver.both(live, may),
                 fmt::format("packet {} of the conversation answers in another zone", k + 1));
  }

  // Honest ends use honest numbers: the most ordinary way of conntrack, which comes first.
  struct InZone {
    std::uint8_t zone, pair;  // the packet's pair, and that of the entry which it meets
  };
  void tracked(Term live, const History& h, InZone in, std::size_t k, LineTerms& t,
               std::vector<History>& next) {
    if (live == Solver::kFalse) return;
    const Line& line = lines_[k];
    const AbstractEntry& entry = h.entries[in.pair];
    const auto ways = c_.ways(entry, line.sender, line.kind);
    if (ways.empty()) return;
    const AbstractStep& step = ways.front();
    const Entries beside = with(h.entries, in.pair, AbstractEntry{});
    const std::uint8_t place = step.created ? in.zone : in.pair;
    const Zones& zones = c_.model.automaton().zones();
    const bool clash = step.created && zones.clashes(openers(beside), line.sender, place);
    if (clash && !c_.model.translations().some()) return;  // lost
    // Several entries, one of which is bound, are not followed.
    const bool another = step.created && stands(beside);
    const auto crowd = [&] {
      c_.violation(live, fmt::format("packet {} of the conversation opens another entry", k + 1));
    };
    if (another && (clash || h.nat != 0)) return crowd();
    const bool attached = step.state != CtState::kInvalid && step.state != CtState::kUntracked;
    const std::uint16_t nat = attached && !step.created ? h.nat : std::uint16_t{0};
    delivered(c_.solver.both(live, heard(h, k, nat, t)), t.path(nat).end(Seen::of(step, entry)), h,
              with(beside, place, step.entry(attached)), attached, k, next,
              step.created ? std::uint16_t{0} : h.nat);
    for (std::size_t i = 0; step.created && i < c_.variants().size(); ++i) {
      if (c_.variants()[i].originator != line.sender || c_.variants()[i].follows_master()) continue;
      const auto bound = static_cast<std::uint16_t>(i + 1);
      const auto& end = t.path(bound).end(Seen::of(step, entry));
      if (another) {
        c_.violation(c_.solver.both(live, c_.solver.either(end.delivered, end.unmodelled)),
                     fmt::format("packet {} of the conversation binds another entry", k + 1));
        continue;
      }
      delivered(c_.solver.both(live, heard(h, k, bound, t)), end, h,
                with(beside, place, step.entry(true)), true, k, next, bound);
    }
    if (step.created) announced(live, h, step, {h.entries, in, false}, k, t, next);
    if (c_.flow_path != Path::kLoopback || step.state != CtState::kInvalid) return;
    const auto& again = t.path().again();
    live = c_.solver.both(live, again.live);
    const Entries stands = with(beside, place, step.entry(false));
    delivered(c_.solver.all(std::array{live, again.untracked, heard(h, k, 0, t)}),
              t.path().end_again(Seen::untracked()), h, stands, false, k, next);
    const Term unmarked = c_.solver.both(live, c_.solver.negate(again.untracked));
    for (std::uint8_t zone = 0; zone < again.zones.size(); ++zone) {
      const Term here = c_.solver.both(unmarked, again.zones[zone]);
      for (const std::uint8_t pair : met(stands, line.sender, zone)) {
        found_again(here, h, stands, step, {zone, pair}, in.pair == pair, k, t, next);
      }
    }
  }

  // Over lo, after `first`, with these entries standing.
  void found_again(Term live, const History& h, const Entries& stands, const AbstractStep& first,
                   InZone in, bool same, std::size_t k, LineTerms& t, std::vector<History>& next) {
    const Line& line = lines_[k];
    const AbstractEntry& entry = stands[in.pair];
    const auto ways = same ? std::vector{first} : c_.ways(entry, line.sender, line.kind);
    if (live == Solver::kFalse || ways.empty()) return;
    const AbstractStep& step = ways.front();
    const Entries beside = with(stands, in.pair, AbstractEntry{});
    const std::uint8_t place = step.created ? in.zone : in.pair;
    const Zones& zones = c_.model.automaton().zones();
    const bool clash = step.created && zones.clashes(openers(beside), line.sender, place);
    const bool nat = c_.model.translations().some();
    if (clash && !nat) return;
    const bool bound = h.nat != 0 && !same && entry.present && step.state != CtState::kInvalid;
    if (clash || bound || (step.created && !c_.variants().empty())) {
      const Term several = t.translator.term(c_.several_zones);
      c_.violation(c_.solver.all(std::array{live, several, heard(h, k, 0, t)}),
                   fmt::format("packet {} is bound in PREROUTING", k + 1));
      live = c_.solver.both(live, c_.solver.negate(several));
      if (live == Solver::kFalse) return;
    }
    const bool attached = step.state != CtState::kInvalid && step.state != CtState::kUntracked;
    delivered(c_.solver.both(live, heard(h, k, 0, t)), t.path().end_again(Seen::of(step, entry)), h,
              with(beside, place, step.entry(attached)), attached, k, next);
    if (step.created) announced(live, h, step, {stands, in, true}, k, t, next);
  }

  // What a lookup finds; `again`: the second one, over lo.
  struct Lookup {
    const Entries& entries;
    InZone in;
    bool again;
  };
  // A new flow that a helper had announced to the packet's zone, beside entries of others.
  void announced(Term live, const History& h, const AbstractStep& step, const Lookup& lookup,
                 std::size_t k, LineTerms& t, std::vector<History>& next) {
    const auto& [entries, in, again] = lookup;
    const Seen seen = c_.announced(step, entries[in.pair]);
    const Entries beside = with(entries, in.pair, AbstractEntry{});
    for (const auto& [nat, flows] : c_.announced_as(lines_[k].sender, in.zone)) {
      const auto& end = again ? t.path(nat).end_again(seen) : t.path(nat).end(seen);
      if (nat != 0 && stands(beside)) {
        const Term told = c_.solver.both(live, t.translator.term(flows));
        c_.violation(c_.solver.both(told, end.delivered),
                     fmt::format("packet {} was announced beside another entry", k + 1));
        continue;
      }
      const std::array parts{live, t.translator.term(flows), heard(h, k, nat, t)};
      delivered(c_.solver.all(parts), end, h,
                with(beside, in.zone, postern::announced(step).entry(true)), true, k, next, nat);
    }
  }

  void unmodelled(Term premise, Term met, std::size_t k) {
    c_.violation(c_.solver.both(premise, met),
                 fmt::format("packet {} of the conversation meets something unmodelled", k + 1));
  }

  void delivered(Term live, const PathEncoder::End& end, const History& h, const Entries& entries,
                 bool attached, std::size_t k, std::vector<History>& next,
                 std::optional<std::uint16_t> nat = std::nullopt) {
    if (live == Solver::kFalse) return;
    unmodelled(live, end.unmodelled, k);
    if (k == 0 && claim_.to != nullptr) {
      live = c_.solver.both(live, c_.encoder.predicate(*claim_.to, end.packet));
    }
    const Term through = c_.solver.named(c_.solver.both(live, end.delivered), "held");
    if (through == Solver::kFalse) return;
    const bool present = stands(entries);
    History after{through, entries, h.connmark_bits,
                  present ? nat.value_or(h.nat) : std::uint16_t{0}};
    if (attached) after.connmark_bits = end.connmark_bits;
    if (!present) {
      after.connmark_bits.assign(after.connmark_bits.size(), Solver::kFalse);
    }
    next.push_back(std::move(after));
  }

  CertificateContext& c_;
  const Claim& claim_;
  std::vector<Line> lines_;
  std::list<LineTerms> terms_;  // terms of a line outlive it: later ones build on them
};

}  // namespace

CertificateResult certify_connect(CertificateContext& context, const Claim& claim) {
  context.one_zone();
  std::list<ScriptProof> scripts;
  for (auto& lines : conversations(context.space)) {
    scripts.emplace_back(context, claim, std::move(lines)).run();
  }
  return context.check_violations();
}

}  // namespace postern
