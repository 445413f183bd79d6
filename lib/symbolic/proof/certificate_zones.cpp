// Packets of a flow that may have entries in several zones, as obligations: which entry a packet
// meets, what it makes beside others, and over lo what its second lookup finds.
//
// Idea: as edges_zones.cpp does it on the search's side, and with nothing of it but the automaton.
// Covered by tests/unit/zones_nat_test.cpp and tests/agreement/adversary_test.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "scenario/result.hpp"
#include "symbolic/entries/abstract_entry_sctp.hpp"
#include "symbolic/explore/explore.hpp"
#include "symbolic/proof/certificate_induction.hpp"

namespace postern {

// The case of a packet that meets the entry of that pair; nullopt: none of them.
Induction::Case Induction::meeting(Case one, std::optional<std::uint8_t> pair) {
  static const AbstractEntry kNone;
  one.beside = c_.model.automaton().parts(one.state.entry);
  one.entry = &kNone;
  one.pair = pair.value_or(one.zone);
  if (pair) one.entry = &c_.model.entries()[std::exchange(one.beside[*pair], 0)].entry;
  return one;
}

// Those of the entries that such a packet may meet.
std::vector<Induction::Case> Induction::meetings(const Case& one, FlowEnd sender,
                                                 std::uint8_t zone) {
  const Automaton& automaton = c_.model.automaton();
  Case from = one;
  from.zone = zone;
  const auto parts = automaton.parts(one.state.entry);
  std::vector<Case> result;
  for (const std::uint8_t pair : automaton.zones().found(automaton.openers(parts), sender, zone)) {
    result.push_back(meeting(from, pair));
  }
  if (result.empty()) result.push_back(meeting(from, std::nullopt));
  return result;
}

// The case of a packet that leaves them all alone.
Induction::Case Induction::untouched(const Case& one) {
  const Automaton::Parts parts = c_.model.automaton().parts(one.state.entry);
  for (std::uint8_t k = 0; k < parts.size(); ++k) {
    if (parts[k] != 0) return meeting(one, k);
  }
  return meeting(one, std::nullopt);
}

// An answer in zones where its entry is not found is another flow's; over lo it may be found in
// PREROUTING, which is not followed.
void Induction::astray(Term live, const Case& one) {
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
void Induction::lost_again(Term live, const Case& one, const AbstractStep& first) {
  const AbstractEntry stands = first.entry(false);
  for (const AbstractStep& step : c_.ways(stands, one.sender, one.kind)) {
    if (!step.created && step.condition == first.condition) {
      after(live, Solver::kTrue, one, step.entry(false), EntryEffect::of(step), {}, one.state.nat);
    }
  }
}

// A new entry where the flow may have others: its pair of zones is the packet's.
bool Induction::zoned(Term live, const Case& one, const AbstractStep& step) {
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

bool Induction::clashes(const Case& one) const {
  const Automaton& all = c_.model.automaton();
  return all.zones().clashes(all.openers(one.beside), one.sender, one.zone);
}

// A new entry beside others under NAT (edges_zones.cpp): they are left alone, and the state
// without one has its own steps, and is in the invariant (expiry).
void Induction::aside(Term live, const Case& one, const Seen& seen, std::uint16_t nat, bool again) {
  Case same = untouched(one);
  same.nat = one.state.nat;
  PathEncoder& path = c_.path(one.sender, nat);
  outcome(live, same, again ? path.end_again(seen) : path.end(seen), EntryEffect::none(*same.entry),
          " beside others");
}

// Loopback: may a packet be INVALID to an entry that is not in the state?
bool Induction::hides() const {
  return claim_.path == Path::kLoopback && !c_.several_zones.empty() &&
         (!c_.variants().empty() || !c_.strays.empty());
}

void Induction::hidden_first(Term live, const Case& one) {
  const auto& again = c_.path(one.sender).again();
  const std::string name = " INVALID to another entry";
  live = c_.solver.both(live, c_.translator.term(c_.several_zones));
  live = tracked_again(c_.solver.both(live, again.live), one, *one.entry, name);
  for (std::uint8_t zone = 0; zone < again.zones.size(); ++zone) {
    const Term here = c_.solver.both(live, again.zones[zone]);
    if (here == Solver::kFalse) continue;
    for (const Case& met : meetings(one, one.sender, zone)) {
      found_again(here, met, c_.ways(*met.entry, one.sender, one.kind), name);
    }
  }
}

// Those of what comes to PREROUTING so that are not marked UNTRACKED there.
Term Induction::tracked_again(Term live, const Case& one, const AbstractEntry& stands,
                              const std::string& name) {
  PathEncoder& path = c_.path(one.sender);
  const Term marked = path.again().untracked;
  EntryEffect effect = EntryEffect::none(stands);
  effect.heard = one.kind != PacketKind::kCut;
  outcome(c_.solver.both(live, marked), one, path.end_again(Seen::untracked()), effect,
          name + ", then UNTRACKED");
  return c_.solver.both(live, c_.solver.negate(marked));
}

// Loopback: what was INVALID in OUTPUT comes to PREROUTING with nothing attached. The same packet
// meets the same entry in the same way, unless the first lookup changed it.
void Induction::looked_up_again(Term live, const Case& one, const AbstractStep& first,
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

void Induction::found_again(Term live, const Case& one, const std::vector<AbstractStep>& ways,
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
    const Term followed = bound_again(live, one, step, seen);
    if (followed == Solver::kFalse) continue;
    if (step.created) now.nat = 0;
    if (clash || (step.created && one.state.nat != 0 && stands(one.beside))) {
      aside(followed, one, Seen::of(step, *one.entry), 0, true);
      now.beside.assign(now.beside.size(), 0);
    }
    outcome(followed, now, path.end_again(Seen::of(step, *one.entry)), EntryEffect::of(step), seen);
    if (step.created) announced(followed, now, step, true);
  }
}

// What is bound in PREROUTING, or found bound there, is not followed where the flow may come in
// several zones. What is left.
Term Induction::bound_again(Term live, const Case& one, const AbstractStep& step,
                            const std::string& seen) {
  if (c_.several_zones.empty()) return live;
  const bool found =
      one.state.nat != 0 && one.entry->present && !step.created && step.state != CtState::kInvalid;
  const std::uint8_t clash = c_.model.translations().clash();
  const bool other = step.created && std::ranges::any_of(c_.variants(), [&](const auto& nat) {
                       return nat.originator == one.sender && clash != 0 && nat.source == clash;
                     });
  if (!found && !other) return live;
  const Term several = c_.translator.term(c_.several_zones);
  c_.violation(c_.solver.both(live, several), one.what + seen + ": bound later");
  return c_.solver.both(live, c_.solver.negate(several));
}

void Induction::related_again(Term live, const Case& one, std::uint8_t zone, Set found) {
  if (c_.model.automaton().pairs() == 1) return;
  PathEncoder& path = c_.path(one.sender);
  const PathEncoder::Early& again = path.again();
  const std::array parts{live,
                         c_.solver.negate(path.early().zones[zone]),
                         again.live,
                         c_.solver.negate(again.untracked),
                         again.zones[zone],
                         c_.translator.term(found)};
  outcome(c_.solver.all(parts), one, path.end_again(Seen{CtState::kRelated}),
          EntryEffect::none(*one.entry), ", looked up again: RELATED");
}

}  // namespace postern
