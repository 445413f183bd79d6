#include "symbolic/proof/certificate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "scenario/result.hpp"
#include "symbolic/explore/explore.hpp"
#include "symbolic/proof/certificate_connect.hpp"
#include "symbolic/proof/certificate_induction.hpp"

namespace postern {

CertificateResult Induction::run() {
  for (const Reached& r : claim_.reached->states) {
    invariant_[r.state] = bdd_.both(r.flows, c_.flows);
  }
  if (auto failed = set_obligations(); !failed.empty()) {
    return {Verification::kRefuted, failed, 0};
  }
  if (track() && claim_.to != nullptr) entries_lead_elsewhere();
  c_.one_zone();
  for (const auto& [state, flows] : invariant_) {
    if (flows.empty()) continue;
    expiry(state, flows);
    steps(state, flows, FlowEnd::kInitiator);
    // `reached`: the far end was reached (deliver), the flow has begun (track).
    if (state.reached) steps(state, flows, FlowEnd::kResponder);
  }
  return c_.check_violations();
}

// What set algebra alone shows: the start is in the invariant, the goal state is not.
std::string Induction::set_obligations() {
  Set start = c_.flows;
  for (const std::uint8_t bit : space_.layout(Axis::kConnmark).bits) {
    start = bdd_.both(start, *space_.bit(Axis::kConnmark, bit, false));
  }
  if (!bdd_.subset(start, flows_in({0, false}))) return "start";
  if (!track() || claim_.to != nullptr) return {};
  for (const auto& [state, flows] : invariant_) {
    if (wanted(state) && !flows.empty()) {
      return "the goal state " + c_.model.entries()[state.entry].text + " is reached";
    }
  }
  return {};
}

bool Induction::wanted(const FlowState& state) const {
  return any_entry(c_.model.entries(), state.entry, [&](const EntryInfo& e) {
    return claim_.entry_state.empty() || e.state == claim_.entry_state;
  });
}

// track: entries may stand, but lead the initiator's packets elsewhere than asked for.
void Induction::entries_lead_elsewhere() {
  for (const auto& [state, flows] : invariant_) {
    if (!wanted(state) || flows.empty()) continue;
    const PathEncoder::Led led = c_.path(FlowEnd::kInitiator, state.nat).led();
    const std::array goal{c_.translator.term(flows), led.possible,
                          c_.encoder.predicate(*claim_.to, led.packet)};
    c_.violation(c_.solver.all(goal), "the goal state " + c_.model.entries()[state.entry].text +
                                          " leads where it was asked for");
  }
}

Set Induction::flows_in(FlowState state) const {
  const auto at = invariant_.find(state);
  return at == invariant_.end() ? kNothing : at->second;
}

// `flows`, whatever their connmark is afterwards, are in the state afterwards.
bool Induction::always_in(Set flows, FlowState after) {
  constexpr std::array kConnmark{Axis::kConnmark};
  return bdd_.subset(space_.exists(flows, kConnmark), space_.forall(flows_in(after), kConnmark));
}

void Induction::expiry(FlowState state, Set flows) {
  if (state.entry == 0) return;
  const Automaton::Parts all = c_.model.automaton().parts(state.entry);
  for (std::uint8_t k = 0; k < all.size(); ++k) {
    Automaton::Parts rest = all;
    rest[k] = 0;
    const auto left = c_.model.automaton().find(rest);
    if (all[k] == 0 || left == std::optional<std::uint16_t>{0}) continue;
    if (!left || !bdd_.subset(flows, flows_in({*left, state.reached, 0}))) {
      c_.violation(c_.translator.term(flows),
                   "expiry of one of " + c_.model.entries()[state.entry].text);
    }
  }
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

void Induction::steps(FlowState state, Set flows, FlowEnd sender) {
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
    const Case one =
        untouched({state, flows, sender, kind,
                   fmt::format("{} {} by the {}", info.text, text(kind),
                               sender == FlowEnd::kInitiator ? "initiator" : "responder"),
                   nullptr, state.nat});
    met(premise, early.unmodelled, one.what);
    if (!track() && sender == FlowEnd::kInitiator) in_pieces(premise, path, one.what);
    if (track()) {
      after(premise, early.dropped, one, *one.entry, EntryEffect::none(*one.entry), {}, state.nat);
    }
    const Term live = c_.solver.both(premise, early.live);
    const bool never = c_.tracking && kind == PacketKind::kIcmpUntracked;
    const Term marked = never ? Solver::kTrue : early.untracked;
    outcome(c_.solver.both(live, marked), one, path.end(Seen::untracked()),
            EntryEffect::none(*one.entry), " UNTRACKED");
    // (What is never tracked is INVALID all the same where its checksum is wrong.)
    const Term unmarked = c_.solver.both(live, c_.solver.negate(early.untracked));
    if (!c_.tracking) {
      outcome(unmarked, one, path.end(Seen{CtState::kInvalid}), EntryEffect::none(*one.entry), "");
      continue;
    }
    without_own_entry(unmarked, one);
    for (std::uint8_t zone = 0; zone < early.zones.size(); ++zone) {
      const Term here = c_.solver.both(unmarked, early.zones[zone]);
      if (here == Solver::kFalse) continue;
      for (const Case& met : meetings(one, sender, zone)) tracked(here, met);
      if (hides() && turns_invalid(kind)) hidden_first(here, one);
    }
  }
}

// Answers to an entry that NAT has bound. What the same end sends to the opener's own address is
// of no entry: the state without one has these steps, and is in the invariant (expiry).
void Induction::answers(FlowState state, Set flows, FlowEnd sender) {
  const EntryInfo& info = c_.model.entries()[state.entry];
  PathEncoder& path = c_.path(sender, state.nat);
  const PathEncoder::Early& early = path.early();
  for (const auto& [kind, condition] : c_.kinds(sender)) {
    const Term premise = c_.premise(flows, sender, condition, state.nat);
    if (premise == Solver::kFalse || kind == PacketKind::kIcmpUntracked) continue;
    const Case one = untouched(
        {state, flows, sender, kind, info.text + " answered under NAT", nullptr, state.nat});
    met(premise, early.unmodelled, one.what);
    const std::array parts{premise, early.live, c_.solver.negate(early.untracked)};
    const Term live = c_.solver.all(parts);
    for (std::uint8_t zone = 0; zone < early.zones.size(); ++zone) {
      const Term here = c_.solver.both(live, early.zones[zone]);
      if (here == Solver::kFalse) continue;
      meetings(one, sender, zone).front().entry->present ? answered(here, one) : astray(here, one);
    }
  }
}

void Induction::answered(Term live, const Case& one) {
  const std::vector<AbstractStep> ways = c_.ways(*one.entry, one.sender, one.kind);
  if (ways.empty()) impossible(live, one);
  for (const AbstractStep& step : ways) {
    if (step.created) continue;  // another flow's entry, once this one is gone
    if (step.state == CtState::kInvalid) {
      after(live, Solver::kTrue, one, step.entry(false), EntryEffect::of(step), {}, one.state.nat);
      if (claim_.path == Path::kLoopback) lost_again(live, one, step);
    } else {
      outcome(live, one, c_.path(one.sender, one.state.nat).end(Seen::of(step, *one.entry)),
              EntryEffect::of(step), fmt::format(" {}", text(step.state)), true);
    }
  }
}

void Induction::tracked(Term live, const Case& one) {
  if (live == Solver::kFalse) return;
  PathEncoder& path = c_.path(one.sender);
  const std::vector<AbstractStep> ways = c_.ways(*one.entry, one.sender, one.kind);
  if (ways.empty()) return impossible(live, one);
  for (const AbstractStep& step : ways) {
    const std::string name = fmt::format(" {}", text(step.state));
    if (step.created && zoned(live, one, step)) continue;
    const bool bound = one.state.nat != 0 && !step.created && step.state != CtState::kInvalid;
    Case now = one;
    if (step.created) now.nat = 0;
    PathEncoder& as_bound = bound ? c_.path(one.sender, one.state.nat) : path;
    outcome(live, now, as_bound.end(Seen::of(step, *one.entry)), EntryEffect::of(step), name);
    if (step.created) newly_bound(live, one, step, name);
    if (step.created) announced(live, now, step);
    if (claim_.path == Path::kLoopback && step.state == CtState::kInvalid) {
      looked_up_again(live, one, step, name);
    }
  }
}

// Packets that carry another flow's entry, or the one of another path.
void Induction::without_own_entry(Term live, const Case& one) {
  if (live == Solver::kFalse) return;
  PathEncoder& path = c_.path(one.sender);
  // What is INVALID to an entry that another path has comes this way.
  const bool stray = turns_invalid(one.kind) && one.state.entry == 0 &&
                     one.sender == FlowEnd::kInitiator && !c_.strays.empty();
  if (stray) {
    outcome(c_.solver.both(live, c_.translator.term(c_.strays)), one,
            path.end(Seen{CtState::kInvalid}), EntryEffect::none(*one.entry), " INVALID elsewhere");
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

// An ICMP error may quote another flow, however that is bound, which it finds in its own zones.
void Induction::related(Term live, const Case& one) {
  if (one.kind != PacketKind::kIcmpOther || one.state.entry != 0 ||
      one.sender != FlowEnd::kInitiator) {
    return;
  }
  const auto& zones = c_.path(one.sender).early().zones;
  for (const auto& [nat, flows] : claim_.related) {
    for (std::uint8_t zone = 0; zone < zones.size(); ++zone) {
      const Set found = bdd_.restrict(flows, space_.class_is(Axis::kZone, zone));
      const std::array parts{live, zones[zone], c_.translator.term(found)};
      outcome(c_.solver.all(parts), one, c_.path(one.sender, nat).end(Seen{CtState::kRelated}),
              EntryEffect::none(*one.entry), nat == 0 ? " RELATED" : " RELATED under NAT");
      if (nat == 0 && claim_.path == Path::kLoopback) related_again(live, one, zone, found);
    }
  }
}

// A new flow may be bound in any way that its sender's packets can meet.
void Induction::newly_bound(Term live, const Case& one, const AbstractStep& step,
                            const std::string& name) {
  for (std::size_t i = 0; i < c_.variants().size(); ++i) {
    if (c_.variants()[i].originator != one.sender || c_.variants()[i].follows_master()) continue;
    Case now = one;
    now.nat = static_cast<std::uint16_t>(i + 1);
    if (stands(one.beside)) {
      aside(live, one, Seen::of(step, *one.entry), now.nat);
      continue;
    }
    outcome(live, now, c_.path(one.sender, now.nat).end(Seen::of(step, *one.entry)),
            EntryEffect::of(step), name + " under NAT");
  }
}

// A new flow may be one that a helper had announced to the packet's zone.
void Induction::announced(Term live, const Case& one, const AbstractStep& created, bool again) {
  const Seen seen = c_.announced(created, *one.entry);
  for (const auto& [nat, flows] : c_.announced_as(one.sender, one.zone)) {
    const bool by_rule = nat != 0 && !c_.variants()[nat - 1].follows_master();
    if (again && by_rule) continue;
    Case now = one;
    now.nat = nat;
    PathEncoder& path = c_.path(one.sender, nat);
    if (stands(one.beside) && (nat != 0 || one.state.nat != 0 || clashes(one))) {
      aside(c_.solver.both(live, c_.translator.term(flows)), one, seen, nat, again);
      continue;
    }
    outcome(c_.solver.both(live, c_.translator.term(flows)), now,
            again ? path.end_again(seen) : path.end(seen),
            EntryEffect::of(postern::announced(created)),
            again ? ", looked up again: RELATED as announced" : " RELATED as announced");
  }
}

// No flow of the state has such packets.
void Induction::impossible(Term live, const Case& one) {
  c_.violation(live, one.what + ": no packet of such a flow");
}

void Induction::met(Term premise, Term unmodelled, const std::string& what) {
  c_.violation(c_.solver.both(premise, unmodelled), what + ": meets something unmodelled");
}

// Delivered, but put together before INPUT.
void Induction::in_pieces(Term premise, PathEncoder& path, const std::string& what) {
  const Term as_asked =
      claim_.to == nullptr ? Solver::kTrue : c_.encoder.predicate(*claim_.to, path.early().packet);
  const std::array goal{premise, path.together(), c_.translator.term(claim_.impossible), as_asked};
  c_.violation(c_.solver.all(goal), what + ": delivers it in pieces");
}

void Induction::outcome(Term live, const Case& one, const PathEncoder::End& end,
                        const EntryEffect& effect, const std::string& seen, bool translated) {
  if (live == Solver::kFalse) return;
  Case now = one;
  now.what += seen;
  met(live, end.unmodelled, now.what);
  const std::uint16_t kept = one.nat, before = one.state.nat;
  after(live, end.dropped, now, effect.lost, effect, end.connmark_bits, before);
  after(live, end.reset, now, effect.reset, effect, end.connmark_bits, before);
  after(live, end.dropped_confirmed, now, effect.lost_confirmed, effect, end.connmark_bits, kept);
  after(live, end.reset_confirmed, now, effect.reset_confirmed, effect, end.connmark_bits, kept);
  if (!effect.attached) {
    found_by_reset(live, end.reset, now, effect.reset, before);
    found_by_reset(live, end.reset_confirmed, now, effect.reset_confirmed, kept);
  }
  if (!track() && one.sender == FlowEnd::kInitiator && translated) now.state.reached = true;
  if (!track() && one.sender == FlowEnd::kInitiator && !translated) {
    const Term wanted = c_.translator.term(claim_.impossible);
    const Term as_asked =
        claim_.to == nullptr ? Solver::kTrue : c_.encoder.predicate(*claim_.to, end.packet);
    const std::array goal{live, end.delivered, wanted, as_asked};
    c_.violation(c_.solver.all(goal), now.what + ": delivers the packet");
    if (effect.heard) now.state.reached = true;
  }
  after(live, end.delivered, now, effect.delivered, effect, end.connmark_bits, kept);
}

void Induction::found_by_reset(Term live, Term ends_so, const Case& one, const AbstractEntry& entry,
                               std::uint16_t nat) {
  if (ends_so == Solver::kFalse) return;
  const FlowEnd other =
      one.sender == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator;
  const auto own = c_.model.entry_index(entry);
  for (std::uint8_t pair = 0; own && pair < one.beside.size(); ++pair) {
    Case reset = one;
    reset.what += ", its reset";
    reset.beside[one.pair] = *own;
    const AbstractEntry met = c_.model.entries()[std::exchange(reset.beside[pair], 0)].entry;
    reset.pair = pair;
    if (!met.present || met.tracker != Tracker::kTcp) continue;
    for (const AbstractStep& step : c_.ways(met, other, PacketKind::kTcpRst)) {
      after(live, ends_so, reset, step.entry(false), EntryEffect::none(met), {}, nat);
    }
  }
}

// The packet ends so: the entry that stands then must be in the invariant.
void Induction::after(Term live, Term ends_so, const Case& one, const AbstractEntry& entry,
                      const EntryEffect& effect, const std::vector<Term>& connmark_bits,
                      std::uint16_t nat) {
  if (ends_so == Solver::kFalse) return;
  const auto index = c_.standing(one.beside, one.pair, entry);
  FlowState next{index.value_or(0), one.state.reached || track(), nat};
  if (next.entry == 0) next.nat = 0;
  Term inside = Solver::kFalse;
  if (index && always_in(one.flows, next)) return;
  if (index) {
    const std::vector<Term> none(space_.layout(Axis::kConnmark).bits.size(), Solver::kFalse);
    inside = next.entry == 0 ? c_.translator.term_after(flows_in(next), none)
             : effect.attached && entry.present
                 ? c_.translator.term_after(flows_in(next), connmark_bits)
                 : c_.translator.term(flows_in(next));
  }
  const std::array broken{live, ends_so, c_.solver.negate(inside)};
  c_.violation(c_.solver.all(broken),
               fmt::format("{}: then {}", one.what,
                           index ? c_.model.entries()[*index].text : "an entry without number"));
}

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
    // (Where it was asked for a destination, the search leaves out what NAT cannot lead there.)
    const bool led = context.meets_nat || claim.to != nullptr;
    if (led && result.verdict == Verification::kRefuted) {
      result.verdict = Verification::kNotChecked;
      result.why = "some of these flows meet NAT, and Z3 cannot exclude that one " + result.why;
    }
    return result;
  } catch (const EncodingBudgetEnded&) {
    return {Verification::kNotChecked, "the ruleset is too large to encode for this question", 0};
  } catch (const NotListable&) {
    return {Verification::kNotChecked, "a mask with holes splits the addresses too finely", 0};
  } catch (const BudgetEnded& ended) {
    return {Verification::kNotChecked, std::string(why(ended)), 0};
  }
}

}  // namespace postern
