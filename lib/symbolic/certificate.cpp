#include "symbolic/certificate.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>

#include "scenario/result.hpp"
#include "symbolic/certificate_connect.hpp"
#include "symbolic/certificate_context.hpp"
#include "symbolic/explore.hpp"

namespace postern {
namespace {

// The obligations of `deliver` and `track`.
class Induction {
 public:
  Induction(CertificateContext& context, const Claim& claim)
      : c_(context), claim_(claim), space_(context.space), bdd_(context.space.bdd()) {}

  CertificateResult run() {
    for (const Reached& r : claim_.reached->states) {
      invariant_[r.state] = bdd_.both(r.flows, c_.flows);
    }
    if (auto failed = set_obligations(); !failed.empty()) {
      return {Verification::kRefuted, failed, 0};
    }
    for (const auto& [state, flows] : invariant_) {
      if (flows.empty()) continue;
      expiry(state, flows);
      steps(state, flows, FlowEnd::kInitiator);
      // `reached`: the far end was reached (deliver), the flow has begun (track).
      if (state.reached) steps(state, flows, FlowEnd::kResponder);
    }
    return c_.check_violations();
  }

 private:
  // What set algebra alone shows: the start is in the invariant, the goal state is not.
  std::string set_obligations() {
    Set start = c_.flows;
    for (const std::uint8_t bit : space_.layout(Axis::kConnmark).bits) {
      start = bdd_.both(start, *space_.bit(Axis::kConnmark, bit, false));
    }
    if (!bdd_.subset(start, flows_in({0, false}))) return "start";
    if (claim_.goal != Claim::Goal::kTrack) return {};
    for (const auto& [state, flows] : invariant_) {
      const EntryInfo& e = c_.model.entries()[state.entry];
      const bool wanted =
          e.entry.present && (claim_.entry_state.empty() || e.state == claim_.entry_state);
      if (wanted && !flows.empty()) return "the goal state " + e.text + " is reached";
    }
    return {};
  }

  Set flows_in(FlowState state) const {
    const auto at = invariant_.find(state);
    return at == invariant_.end() ? kNothing : at->second;
  }

  // `flows`, whatever their connmark is afterwards, are in the state afterwards.
  bool always_in(Set flows, FlowState after) {
    constexpr std::array kConnmark{Axis::kConnmark};
    return bdd_.subset(space_.exists(flows, kConnmark), space_.forall(flows_in(after), kConnmark));
  }

  void expiry(FlowState state, Set flows) {
    if (state.entry == 0) return;
    constexpr std::array kConnmark{Axis::kConnmark};
    Set after = flows_in({0, state.reached, 0});
    for (const std::uint8_t bit : space_.layout(Axis::kConnmark).bits) {
      after = bdd_.both(after, *space_.bit(Axis::kConnmark, bit, false));
    }
    const Set gone = space_.exists(flows, kConnmark);
    if (!bdd_.subset(gone, space_.exists(after, kConnmark))) {
      c_.violation(c_.translator.term(gone), "expiry of " + c_.model.entries()[state.entry].text);
    }
  }

  bool track() const { return claim_.goal == Claim::Goal::kTrack; }

  // One packet under consideration: where it starts from and what it is.
  struct Case {
    FlowState state;
    Set flows;
    FlowEnd sender;
    PacketKind kind;
    std::string what;
    const AbstractEntry* entry;
    std::uint16_t nat = 0;  // of the entry that stands once the packet is through
  };

  void steps(FlowState state, Set flows, FlowEnd sender) {
    const EntryInfo& info = c_.model.entries()[state.entry];
    if (const auto opener = c_.opener(state.nat); opener && *opener != sender) {
      return answers(state, flows, sender);
    }
    PathEncoder& path = c_.path(sender);
    const PathEncoder::Early& early = path.early();
    for (const auto& [kind, condition] : c_.kinds(sender)) {
      Term premise = c_.premise(flows, sender, condition);
      if (track() && !state.reached) {
        premise = c_.solver.both(premise, c_.translator.term(claim_.first));
      }
      if (premise == Solver::kFalse) continue;
      const Case one{state,
                     flows,
                     sender,
                     kind,
                     fmt::format("{} {} by the {}", info.text, text(kind),
                                 sender == FlowEnd::kInitiator ? "initiator" : "responder"),
                     &info.entry,
                     state.nat};
      met(premise, early.unmodelled, one.what);
      if (track()) {
        after(premise, early.dropped, one, info.entry, Effect::none(info.entry), {}, state.nat);
      }
      const Term live = c_.solver.both(premise, early.live);
      const bool never = c_.tracking && kind == PacketKind::kIcmpUntracked;
      const Term marked = never ? Solver::kTrue : early.untracked;
      outcome(c_.solver.both(live, marked), one, path.end(Seen::untracked()),
              Effect::none(info.entry), " UNTRACKED");
      const Term unmarked = c_.solver.both(live, c_.solver.negate(marked));
      if (c_.tracking) {
        tracked(unmarked, one);
      } else {
        outcome(unmarked, one, path.end(Seen{CtState::kInvalid}), Effect::none(info.entry), "");
      }
    }
  }

  // Answers to an entry that NAT has bound. What the same end sends to the opener's own address is
  // of no entry: the state without one has these steps, and is in the invariant (expiry).
  void answers(FlowState state, Set flows, FlowEnd sender) {
    const EntryInfo& info = c_.model.entries()[state.entry];
    PathEncoder& path = c_.path(sender, state.nat);
    const PathEncoder::Early& early = path.early();
    for (const auto& [kind, condition] : c_.kinds(sender)) {
      const Term premise = c_.premise(flows, sender, condition, state.nat);
      if (premise == Solver::kFalse || kind == PacketKind::kIcmpUntracked) continue;
      const Case one{state,       flows,    sender, kind, info.text + " answered under NAT",
                     &info.entry, state.nat};
      met(premise, early.unmodelled, one.what);
      const std::array parts{premise, early.live, c_.solver.negate(early.untracked)};
      const Term live = c_.solver.all(parts);
      for (const AbstractStep& step : c_.ways(info.entry, sender, kind)) {
        if (step.created) continue;  // another flow's entry, once this one is gone
        if (step.state == CtState::kInvalid) {
          after(live, Solver::kTrue, one, step.entry(false), Effect::of(step), {}, state.nat);
          if (claim_.path == Path::kLoopback) lost_again(live, one, step);
        } else {
          outcome(live, one, path.end(Seen::of(step, info.entry)), Effect::of(step),
                  fmt::format(" {}", text(step.state)), true);
        }
      }
    }
  }

  // Loopback: an INVALID answer is looked up once more.
  void lost_again(Term live, const Case& one, const AbstractStep& first) {
    const AbstractEntry stands = first.entry(false);
    for (const AbstractStep& step : c_.ways(stands, one.sender, one.kind)) {
      if (!step.created && step.condition == first.condition) {
        after(live, Solver::kTrue, one, step.entry(false), Effect::of(step), {}, one.state.nat);
      }
    }
  }

  // What a packet does to the entry: each field is the entry afterwards.
  struct Effect {
    AbstractEntry delivered, lost, reset, lost_confirmed, reset_confirmed;
    bool attached = false;  // the connmark afterwards is the packet's
    static Effect none(const AbstractEntry& e) { return {e, e, e, e, e, false}; }
    static Effect of(const AbstractStep& step) {
      const AbstractEntry kept = step.entry(true), gone = step.entry(false);
      const bool attached = step.state != CtState::kInvalid && step.state != CtState::kUntracked;
      if (!attached) return {gone, gone, gone, gone, gone, false};
      const auto closed = [](const AbstractEntry& e) { return e.present ? closed_by_reset(e) : e; };
      // Only an entry that stands in the table is closed by a reset.
      return {kept, gone, step.created ? gone : closed(gone), kept, closed(kept), true};
    }
  };

  void tracked(Term live, const Case& one) {
    if (live == Solver::kFalse) return;
    PathEncoder& path = c_.path(one.sender);
    for (const AbstractStep& step : c_.ways(*one.entry, one.sender, one.kind)) {
      const std::string name = fmt::format(" {}", text(step.state));
      const bool bound = one.state.nat != 0 && !step.created && step.state != CtState::kInvalid;
      Case now = one;
      if (step.created) now.nat = 0;
      PathEncoder& as_bound = bound ? c_.path(one.sender, one.state.nat) : path;
      outcome(live, now, as_bound.end(Seen::of(step, *one.entry)), Effect::of(step), name);
      if (step.created) newly_bound(live, one, step, name);
      if (step.created) announced(live, now, step);
      if (claim_.path == Path::kLoopback && step.state == CtState::kInvalid) {
        looked_up_again(live, one, step, name);
      }
    }
    // What is INVALID to an entry that another path has comes this way.
    const bool stray = turns_invalid(one.kind) && one.state.entry == 0 &&
                       one.sender == FlowEnd::kInitiator && !c_.strays.empty();
    if (stray) {
      outcome(c_.solver.both(live, c_.translator.term(c_.strays)), one,
              path.end(Seen{CtState::kInvalid}), Effect::none(*one.entry), " INVALID elsewhere");
      if (claim_.path == Path::kLoopback) {
        AbstractStep lost;
        lost.state = CtState::kInvalid;
        lost.after = *one.entry;
        looked_up_again(c_.solver.both(live, c_.translator.term(c_.strays)), one, lost,
                        " INVALID elsewhere");
      }
    }
    related(live, one);
  }

  // An ICMP error may quote another flow, however that is bound.
  void related(Term live, const Case& one) {
    if (one.kind != PacketKind::kIcmpOther || one.state.entry != 0 ||
        one.sender != FlowEnd::kInitiator) {
      return;
    }
    for (const auto& [nat, flows] : claim_.related) {
      outcome(c_.solver.both(live, c_.translator.term(flows)), one,
              c_.path(one.sender, nat).end(Seen{CtState::kRelated}), Effect::none(*one.entry),
              nat == 0 ? " RELATED" : " RELATED under NAT");
    }
  }

  // A new flow may be bound in any way that its sender's packets can meet.
  void newly_bound(Term live, const Case& one, const AbstractStep& step, const std::string& name) {
    for (std::size_t i = 0; i < c_.variants().size(); ++i) {
      if (c_.variants()[i].originator != one.sender || c_.variants()[i].follows_master()) continue;
      Case now = one;
      now.nat = static_cast<std::uint16_t>(i + 1);
      outcome(live, now, c_.path(one.sender, now.nat).end(Seen::of(step, *one.entry)),
              Effect::of(step), name + " under NAT");
    }
  }

  // A new flow may be one that a helper had announced.
  void announced(Term live, const Case& one, const AbstractStep& created) {
    for (const auto& [nat, flows] : c_.announced_as(one.sender)) {
      Case now = one;
      now.nat = nat;
      outcome(c_.solver.both(live, c_.translator.term(flows)), now,
              c_.path(one.sender, nat).end(c_.announced(created, *one.entry)),
              Effect::of(postern::announced(created)),
              nat == 0 ? " RELATED as announced" : " RELATED as announced under NAT");
    }
  }

  // Loopback: what was INVALID in OUTPUT comes to PREROUTING with nothing attached. The same packet
  // meets the same entry in the same way, unless the first lookup changed it.
  void looked_up_again(Term live, const Case& one, const AbstractStep& first,
                       const std::string& name) {
    PathEncoder& path = c_.path(one.sender);
    const auto& again = path.again();
    live = c_.solver.both(live, again.live);
    const AbstractEntry stands = first.entry(false);
    outcome(c_.solver.both(live, again.untracked), one, path.end_again(Seen::untracked()),
            Effect::none(stands), name + ", then UNTRACKED");
    live = c_.solver.both(live, c_.solver.negate(again.untracked));
    std::vector<AbstractStep> ways{first};
    if (c_.model.entry_index(stands) != std::optional(one.state.entry)) {
      ways = c_.ways(stands, one.sender, one.kind);
    }
    for (const AbstractStep& step : ways) {
      outcome(live, one, path.end_again(Seen::of(step, stands)), Effect::of(step),
              fmt::format("{}, then {}", name, text(step.state)));
      const Set announced = step.created ? c_.announced_by(one.sender) : kNothing;
      if (announced.empty()) continue;
      outcome(c_.solver.both(live, c_.translator.term(announced)), one,
              path.end_again(c_.announced(step, stands)), Effect::of(postern::announced(step)),
              fmt::format("{}, then RELATED as announced", name));
    }
  }

  void met(Term premise, Term unmodelled, const std::string& what) {
    c_.violation(c_.solver.both(premise, unmodelled), what + ": meets something unmodelled");
  }

  void outcome(Term live, const Case& one, const PathEncoder::End& end, const Effect& effect,
               const std::string& seen, bool translated = false) {
    if (live == Solver::kFalse) return;
    Case now = one;
    now.what += seen;
    met(live, end.unmodelled, now.what);
    const std::uint16_t kept = one.nat, before = one.state.nat;
    after(live, end.dropped, now, effect.lost, effect, end.connmark_bits, before);
    after(live, end.reset, now, effect.reset, effect, end.connmark_bits, before);
    after(live, end.dropped_confirmed, now, effect.lost_confirmed, effect, end.connmark_bits, kept);
    after(live, end.reset_confirmed, now, effect.reset_confirmed, effect, end.connmark_bits, kept);
    if (!track() && one.sender == FlowEnd::kInitiator && translated) now.state.reached = true;
    if (!track() && one.sender == FlowEnd::kInitiator && !translated) {
      const Term wanted = c_.translator.term(claim_.impossible);
      const std::array goal{live, end.delivered, wanted};
      c_.violation(c_.solver.all(goal), now.what + ": delivers the packet");
      now.state.reached = true;
    }
    after(live, end.delivered, now, effect.delivered, effect, end.connmark_bits, kept);
  }

  // The packet ends so: the entry that stands then must be in the invariant.
  void after(Term live, Term ends_so, const Case& one, const AbstractEntry& entry,
             const Effect& effect, const std::vector<Term>& connmark_bits, std::uint16_t nat) {
    if (ends_so == Solver::kFalse) return;
    const auto index = c_.model.entry_index(entry);
    const FlowState next{index.value_or(0), one.state.reached || track(),
                         entry.present ? nat : std::uint16_t{0}};
    Term inside = Solver::kFalse;
    if (index && always_in(one.flows, next)) return;
    if (index) {
      const std::vector<Term> none(space_.layout(Axis::kConnmark).bits.size(), Solver::kFalse);
      inside = !entry.present    ? c_.translator.term_after(flows_in(next), none)
               : effect.attached ? c_.translator.term_after(flows_in(next), connmark_bits)
                                 : c_.translator.term(flows_in(next));
    }
    const std::array broken{live, ends_so, c_.solver.negate(inside)};
    c_.violation(c_.solver.all(broken),
                 fmt::format("{}: then {}", one.what,
                             index ? c_.model.entries()[*index].text : "an entry without number"));
  }

  CertificateContext& c_;
  const Claim& claim_;
  Space& space_;
  Bdd& bdd_;
  std::map<FlowState, Set> invariant_;
};

}  // namespace

CertificateResult certify(Model& model, const Program& program, const Claim& claim,
                          const CertificateOptions& options) {
  try {
    Solver solver;
    CertificateContext context(model, program, solver, claim, options);
    if (const std::string axis = broken_partition(context.space); !axis.empty()) {
      return {Verification::kRefuted, "the classes of " + axis + " are no partition", 0};
    }
    if (context.flows.empty()) return {Verification::kProved, "nothing can set out", 0};
    CertificateResult result = claim.goal == Claim::Goal::kConnect
                                   ? certify_connect(context, claim)
                                   : Induction(context, claim).run();
    if (context.meets_nat && result.verdict == Verification::kRefuted) {
      result.verdict = Verification::kNotChecked;
      result.why = "some of these flows meet NAT, and Z3 cannot exclude that one " + result.why;
    }
    return result;
  } catch (const EncodingBudgetEnded&) {
    return {Verification::kNotChecked, "the ruleset is too large to encode for this question", 0};
  } catch (const NotListable&) {
    return {Verification::kNotChecked, "a mask with holes splits the addresses too finely", 0};
  } catch (const BudgetEnded&) {
    return {Verification::kNotChecked, "the packet sets outgrew their limit", 0};
  }
}

}  // namespace postern
