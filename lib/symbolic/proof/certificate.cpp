#include "symbolic/proof/certificate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "scenario/result.hpp"
#include "symbolic/entries/abstract_entry_sctp.hpp"
#include "symbolic/explore/explore.hpp"
#include "symbolic/proof/certificate_connect.hpp"
#include "symbolic/proof/certificate_context.hpp"
#include "symbolic/proof/certificate_effect.hpp"

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
    if (track() && claim_.to != nullptr) entries_lead_elsewhere();
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
    if (!track() || claim_.to != nullptr) return {};
    for (const auto& [state, flows] : invariant_) {
      if (wanted(state) && !flows.empty()) {
        return "the goal state " + c_.model.entries()[state.entry].text + " is reached";
      }
    }
    return {};
  }

  bool wanted(const FlowState& state) const {
    return any_entry(c_.model.entries(), state.entry, [&](const EntryInfo& e) {
      return claim_.entry_state.empty() || e.state == claim_.entry_state;
    });
  }

  // track: entries may stand, but lead the initiator's packets elsewhere than asked for.
  void entries_lead_elsewhere() {
    for (const auto& [state, flows] : invariant_) {
      if (!wanted(state) || flows.empty()) continue;
      const PathEncoder::Led led = c_.path(FlowEnd::kInitiator, state.nat).led();
      const std::array goal{c_.translator.term(flows), led.possible,
                            c_.encoder.predicate(*claim_.to, led.packet)};
      c_.violation(c_.solver.all(goal), "the goal state " + c_.model.entries()[state.entry].text +
                                            " leads where it was asked for");
    }
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
    // The entries that it does not meet, and in which pair of zones it meets or makes one.
    Automaton::Parts beside = {};
    std::uint8_t pair = 0;
    std::uint8_t zone = 0;  // the packet's own pair
  };

  // The case of a packet that meets the entry of that pair; nullopt: none of them.
  Case meeting(Case one, std::optional<std::uint8_t> pair) {
    static const AbstractEntry kNone;
    one.beside = c_.model.automaton().parts(one.state.entry);
    one.entry = &kNone;
    one.pair = pair.value_or(one.zone);
    if (pair) one.entry = &c_.model.entries()[std::exchange(one.beside[*pair], 0)].entry;
    return one;
  }

  // Those of the entries that such a packet may meet.
  std::vector<Case> meetings(const Case& one, FlowEnd sender, std::uint8_t zone) {
    const Automaton& automaton = c_.model.automaton();
    Case from = one;
    from.zone = zone;
    const auto parts = automaton.parts(one.state.entry);
    std::vector<Case> result;
    for (const std::uint8_t pair :
         automaton.zones().found(automaton.openers(parts), sender, zone)) {
      result.push_back(meeting(from, pair));
    }
    if (result.empty()) result.push_back(meeting(from, std::nullopt));
    return result;
  }

  // The case of a packet that leaves them all alone.
  Case untouched(const Case& one) {
    const Automaton::Parts parts = c_.model.automaton().parts(one.state.entry);
    for (std::uint8_t k = 0; k < parts.size(); ++k) {
      if (parts[k] != 0) return meeting(one, k);
    }
    return meeting(one, std::nullopt);
  }

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
      const Case one =
          untouched({state, flows, sender, kind,
                     fmt::format("{} {} by the {}", info.text, text(kind),
                                 sender == FlowEnd::kInitiator ? "initiator" : "responder"),
                     nullptr, state.nat});
      met(premise, early.unmodelled, one.what);
      if (track()) {
        after(premise, early.dropped, one, *one.entry, EntryEffect::none(*one.entry), {},
              state.nat);
      }
      const Term live = c_.solver.both(premise, early.live);
      const bool never = c_.tracking && kind == PacketKind::kIcmpUntracked;
      const Term marked = never ? Solver::kTrue : early.untracked;
      outcome(c_.solver.both(live, marked), one, path.end(Seen::untracked()),
              EntryEffect::none(*one.entry), " UNTRACKED");
      const Term unmarked = c_.solver.both(live, c_.solver.negate(marked));
      if (!c_.tracking) {
        outcome(unmarked, one, path.end(Seen{CtState::kInvalid}), EntryEffect::none(*one.entry),
                "");
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
  void answers(FlowState state, Set flows, FlowEnd sender) {
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
        meetings(one, sender, zone).front().entry->present ? answered(here, one)
                                                           : astray(here, one);
      }
    }
  }

  void answered(Term live, const Case& one) {
    const std::vector<AbstractStep> ways = c_.ways(*one.entry, one.sender, one.kind);
    if (ways.empty()) impossible(live, one);
    for (const AbstractStep& step : ways) {
      if (step.created) continue;  // another flow's entry, once this one is gone
      if (step.state == CtState::kInvalid) {
        after(live, Solver::kTrue, one, step.entry(false), EntryEffect::of(step), {},
              one.state.nat);
        if (claim_.path == Path::kLoopback) lost_again(live, one, step);
      } else {
        outcome(live, one, c_.path(one.sender, one.state.nat).end(Seen::of(step, *one.entry)),
                EntryEffect::of(step), fmt::format(" {}", text(step.state)), true);
      }
    }
  }

  // An answer in zones where its entry is not found is another flow's; over lo it may be found in
  // PREROUTING, which is not followed.
  void astray(Term live, const Case& one) {
    if (claim_.path != Path::kLoopback) return;
    const auto invalid = [](const AbstractStep& step) { return step.state == CtState::kInvalid; };
    const auto ways = c_.ways(AbstractEntry{}, one.sender, one.kind);
    if (!turns_invalid(one.kind) && std::ranges::none_of(ways, invalid)) return;
    for (std::uint8_t zone = 0; zone < c_.model.automaton().pairs(); ++zone) {
      if (!meetings(one, one.sender, zone).front().entry->present) continue;
      c_.violation(live, one.what + ": finds its entry in another zone later");
    }
  }

  // Loopback: an INVALID answer is looked up once more.
  void lost_again(Term live, const Case& one, const AbstractStep& first) {
    const AbstractEntry stands = first.entry(false);
    for (const AbstractStep& step : c_.ways(stands, one.sender, one.kind)) {
      if (!step.created && step.condition == first.condition) {
        after(live, Solver::kTrue, one, step.entry(false), EntryEffect::of(step), {},
              one.state.nat);
      }
    }
  }

  void tracked(Term live, const Case& one) {
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

  // A new entry where the flow may have others: its pair of zones is the packet's.
  bool zoned(Term live, const Case& one, const AbstractStep& step) {
    if (c_.model.automaton().pairs() == 1) return false;
    Case now = one;
    now.pair = one.zone;
    now.nat = 0;
    // Once the one is gone it finds another: as in the state without the one (expiry).
    if (one.beside[one.zone] != 0) return true;
    const bool clash = clashes(one), another = stands(one.beside);
    const std::string name = fmt::format(" {} in another zone", text(step.state));
    if (clash && !c_.model.translations().some()) {
      const AbstractEntry gone = step.entry(false);
      after(live, Solver::kTrue, now, gone, EntryEffect::none(gone), {}, one.state.nat);
      return true;
    }
    if (clash || (another && one.state.nat != 0)) {
      aside(live, one, Seen::of(step, *one.entry), 0);
    } else {
      outcome(live, now, c_.path(one.sender).end(Seen::of(step, *one.entry)), EntryEffect::of(step),
              name);
    }
    newly_bound(live, now, step, name);
    announced(live, now, step);
    return true;
  }

  bool clashes(const Case& one) const {
    const Automaton& all = c_.model.automaton();
    return all.zones().clashes(all.openers(one.beside), one.sender, one.zone);
  }
  static bool stands(const Automaton::Parts& parts) {
    return std::ranges::any_of(parts, [](std::uint16_t number) { return number != 0; });
  }

  // A new entry beside others under NAT (edges_zones.cpp): they are left alone, and the state
  // without one has its own steps, and is in the invariant (expiry).
  void aside(Term live, const Case& one, const Seen& seen, std::uint16_t nat, bool again = false) {
    Case same = untouched(one);
    same.nat = one.state.nat;
    PathEncoder& path = c_.path(one.sender, nat);
    outcome(live, same, again ? path.end_again(seen) : path.end(seen),
            EntryEffect::none(*same.entry), " beside others");
  }

  // Loopback: may a packet be INVALID to an entry that is not in the state?
  bool hides() const {
    return claim_.path == Path::kLoopback && c_.model.automaton().pairs() > 1 &&
           (!c_.variants().empty() || !c_.strays.empty());
  }

  void hidden_first(Term live, const Case& one) {
    const auto& again = c_.path(one.sender).again();
    const std::string name = " INVALID to another entry";
    live = tracked_again(c_.solver.both(live, again.live), one, *one.entry, name);
    for (std::uint8_t zone = 0; zone < again.zones.size(); ++zone) {
      const Term here = c_.solver.both(live, again.zones[zone]);
      if (here == Solver::kFalse) continue;
      for (const Case& met : meetings(one, one.sender, zone)) {
        found_again(here, met, c_.ways(*met.entry, one.sender, one.kind), name);
      }
    }
  }

  // Packets that carry another flow's entry, or the one of another path.
  void without_own_entry(Term live, const Case& one) {
    if (live == Solver::kFalse) return;
    PathEncoder& path = c_.path(one.sender);
    // What is INVALID to an entry that another path has comes this way.
    const bool stray = turns_invalid(one.kind) && one.state.entry == 0 &&
                       one.sender == FlowEnd::kInitiator && !c_.strays.empty();
    if (stray) {
      outcome(c_.solver.both(live, c_.translator.term(c_.strays)), one,
              path.end(Seen{CtState::kInvalid}), EntryEffect::none(*one.entry),
              " INVALID elsewhere");
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
              c_.path(one.sender, nat).end(Seen{CtState::kRelated}), EntryEffect::none(*one.entry),
              nat == 0 ? " RELATED" : " RELATED under NAT");
    }
  }

  // A new flow may be bound in any way that its sender's packets can meet.
  void newly_bound(Term live, const Case& one, const AbstractStep& step, const std::string& name) {
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
  void announced(Term live, const Case& one, const AbstractStep& created, bool again = false) {
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

  // Those of what comes to PREROUTING so that are not marked UNTRACKED there.
  Term tracked_again(Term live, const Case& one, const AbstractEntry& stands,
                     const std::string& name) {
    PathEncoder& path = c_.path(one.sender);
    const Term marked = path.again().untracked;
    outcome(c_.solver.both(live, marked), one, path.end_again(Seen::untracked()),
            EntryEffect::none(stands), name + ", then UNTRACKED");
    return c_.solver.both(live, c_.solver.negate(marked));
  }

  // Loopback: what was INVALID in OUTPUT comes to PREROUTING with nothing attached. The same packet
  // meets the same entry in the same way, unless the first lookup changed it.
  void looked_up_again(Term live, const Case& one, const AbstractStep& first,
                       const std::string& name) {
    const auto& again = c_.path(one.sender).again();
    live = c_.solver.both(live, again.live);
    const AbstractEntry stands = first.entry(false);
    live = tracked_again(live, one, stands, name);
    const auto between = c_.standing(one.beside, one.pair, stands);
    if (!between) {
      c_.violation(live, one.what + name + ": then an entry without number");
      return;
    }
    Case then = one;
    then.state.entry = *between;
    for (std::uint8_t zone = 0; zone < again.zones.size(); ++zone) {
      const Term here = c_.solver.both(live, again.zones[zone]);
      if (here == Solver::kFalse) continue;
      for (const Case& met : meetings(then, one.sender, zone)) {
        const bool same = *between == one.state.entry && met.beside == one.beside &&
                          met.entry->present == one.entry->present;
        auto ways = same ? std::vector{first} : c_.ways(*met.entry, one.sender, one.kind);
        // What the first lookup made of an SCTP entry does not make its packet's tag right.
        const bool own = sctp_kind(one.kind) && met.beside == one.beside && met.entry->present;
        if (own) std::erase_if(ways, [](const auto& s) { return s.state != CtState::kInvalid; });
        found_again(here, met, ways, name);
      }
    }
  }

  void found_again(Term live, const Case& one, const std::vector<AbstractStep>& ways,
                   const std::string& name) {
    PathEncoder& path = c_.path(one.sender);
    for (const AbstractStep& step : ways) {
      Case now = one;
      if (step.created) now.pair = one.zone;
      if (step.created && one.beside[one.zone] != 0) continue;
      const std::string seen = fmt::format("{}, then {}", name, text(step.state));
      const bool clash = step.created && clashes(one);
      if (clash && !c_.model.translations().some()) {
        const AbstractEntry gone = step.entry(false);
        after(live, Solver::kTrue, now, gone, EntryEffect::none(gone), {}, one.state.nat);
        continue;
      }
      if (bound_again(live, one, step, seen)) continue;
      if (step.created) now.nat = 0;
      if (clash || (step.created && one.state.nat != 0 && stands(one.beside))) {
        aside(live, one, Seen::of(step, *one.entry), 0, true);
        now.beside.assign(now.beside.size(), 0);
      }
      outcome(live, now, path.end_again(Seen::of(step, *one.entry)), EntryEffect::of(step), seen);
      if (step.created) announced(live, now, step, true);
    }
  }

  // What is bound in PREROUTING, or found bound there, is not followed where there are zones.
  bool bound_again(Term live, const Case& one, const AbstractStep& step, const std::string& seen) {
    if (c_.model.automaton().pairs() == 1) return false;
    const bool found = one.state.nat != 0 && one.entry->present && !step.created &&
                       step.state != CtState::kInvalid;
    const std::uint8_t clash = c_.model.translations().clash();
    const bool other = step.created && std::ranges::any_of(c_.variants(), [&](const auto& nat) {
                         return nat.originator == one.sender && clash != 0 && nat.source == clash;
                       });
    if (found || other) c_.violation(live, one.what + seen + ": bound later");
    return found || other;
  }

  // No flow of the state has such packets.
  void impossible(Term live, const Case& one) {
    c_.violation(live, one.what + ": no packet of such a flow");
  }

  void met(Term premise, Term unmodelled, const std::string& what) {
    c_.violation(c_.solver.both(premise, unmodelled), what + ": meets something unmodelled");
  }

  void outcome(Term live, const Case& one, const PathEncoder::End& end, const EntryEffect& effect,
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
      const Term as_asked =
          claim_.to == nullptr ? Solver::kTrue : c_.encoder.predicate(*claim_.to, end.packet);
      const std::array goal{live, end.delivered, wanted, as_asked};
      c_.violation(c_.solver.all(goal), now.what + ": delivers the packet");
      now.state.reached = true;
    }
    after(live, end.delivered, now, effect.delivered, effect, end.connmark_bits, kept);
  }

  // The packet ends so: the entry that stands then must be in the invariant.
  void after(Term live, Term ends_so, const Case& one, const AbstractEntry& entry,
             const EntryEffect& effect, const std::vector<Term>& connmark_bits, std::uint16_t nat) {
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
