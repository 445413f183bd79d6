#include "symbolic/explore/unmatched.hpp"

#include <algorithm>

namespace postern {
namespace {

// More ways to a rule than these are not followed: then it has no explanation.
constexpr std::size_t kMostLevels = 256;
// More takers than these are all named.
constexpr std::size_t kMostTakers = 128;

const Effect* effect_of(const Rule& rule) { return std::get_if<Effect>(&rule.action); }

template <class... Kinds>
bool is_one_of(const Rule& rule) {
  const Effect* effect = effect_of(rule);
  return effect != nullptr && (std::holds_alternative<Kinds>(*effect) || ...);
}

bool names(const Rule& rule, std::initializer_list<Field> fields) {
  return std::ranges::any_of(rule.clauses, [&](const Clause& clause) {
    return std::ranges::any_of(fields,
                               [&](Field field) { return mentions(*clause.predicate, field); });
  });
}

void add(std::vector<RuleId>& rules, RuleId rule) {
  if (std::ranges::find(rules, rule) == rules.end()) rules.push_back(rule);
}

}  // namespace

Unmatched::Unmatched(Model::Impl& model, const ChainRuns& runs)
    : model_(model),
      runs_(runs),
      space_(model.space),
      bdd_(model.bdd()),
      callers_of_(model.program.chains().size()) {
  const std::array marks{Axis::kMark, Axis::kConnmark, Axis::kConnmarkBefore, Axis::kUntracked,
                         Axis::kZone, Axis::kTtlNow,   Axis::kTosNow};
  const std::array conntrack{Axis::kState,     Axis::kDirection, Axis::kFirst,
                             Axis::kSeenReply, Axis::kAssured,   Axis::kExpected};
  marks_ = space_.cube(marks);
  conntrack_ = space_.cube(conntrack);
  const auto rules = model.program.rules();
  for (RuleId r = 0; r < rules.size(); ++r) {
    if (rules[r].callee) callers_of_[*rules[r].callee].push_back(r);
  }
}

void Unmatched::explain(RuleId rule, RuleFacts& facts) {
  losses_.clear();
  earlier_.clear();
  untracked_by_.clear();
  can_be_ = other_state_ = comes_changed_ = false;
  if (!levels(rule)) return;
  for (const Level& level : levels_) {
    for (const std::size_t i : runs_.of[level.chain]) look_at(level, runs_.all[i]);
    if (level.conditions.size() > 1) add(facts.jumps, level.conditions.back());
  }
  if (comes_changed_ && names(*model_.program.rules()[rule].rule, {Field::kTtl, Field::kTos})) {
    losses_.clear();
    earlier_.clear();
  }
  facts.taken_by = few();
  if (facts.taken_by.empty() && !other_state_) facts.taken_by = earlier_;
  facts.excluded = !can_be_;
  facts.wrong_state = can_be_ && facts.taken_by.empty() && other_state_;
  if (facts.wrong_state) facts.untracked_by = untracked_by_;
  std::ranges::sort(facts.taken_by);
  std::ranges::sort(facts.jumps);
  std::ranges::sort(facts.untracked_by);
}

// Every way up from the rule, one level for each jump on it.
bool Unmatched::levels(RuleId rule) {
  const auto rules = model_.program.rules();
  levels_ = {{rules[rule].chain, rule, {rule}}};
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    for (const RuleId jump : callers_of_[levels_[i].chain]) {
      if (levels_.size() == kMostLevels) return false;
      Level up{rules[jump].chain, jump, levels_[i].conditions};
      up.conditions.push_back(jump);
      levels_.push_back(std::move(up));
    }
  }
  return true;
}

Set Unmatched::without_state(RuleId rule, const Binding& binding) {
  Set result = kEverything;
  for (const Clause& clause : model_.program.rules()[rule].rule->clauses) {
    if (mentions(*clause.predicate, Field::kCtState)) continue;
    result = bdd_.both(result, model_.reader.read(clause.predicate, binding).may);
  }
  return result;
}

Set Unmatched::conditions(const Level& level, const Binding& binding, bool states) {
  Set result = kEverything;
  for (const RuleId rule : level.conditions) {
    const Set one =
        states ? model_.chains.condition(rule, binding).may : without_state(rule, binding);
    result = bdd_.both(result, bdd_.exists(one, marks_));
  }
  return result;
}

void Unmatched::look_at(const Level& level, const ChainRun& run) {
  const Set asked = conditions(level, run.context.binding, true);
  const AtRule& top = run.rules.front();
  const Set arriving = bdd_.both_exists(top.among, top.reaching, marks_);
  const Set wanted = bdd_.both(asked, bdd_.exists(run.possible, marks_));
  note_loss(run, bdd_.both(wanted, arriving), level.stop);
  if (!model_.program.chains()[level.chain].chain->builtin()) return;
  can_be_ = can_be_ || !bdd_.disjoint(asked, run.universe);
  // The same packets in other states.
  const bool named = std::ranges::any_of(level.conditions, [&](RuleId rule) {
    return names(*model_.program.rules()[rule].rule, {Field::kCtState});
  });
  const Set headers = conditions(level, run.context.binding, false);
  const Set there = bdd_.both(bdd_.both(headers, arriving), bdd_.exists(run.possible, marks_));
  if (named && !there.empty() && bdd_.disjoint(wanted, arriving)) {
    other_state_ = true;
    lost_before(level, run, bdd_.exists(there, conntrack_));
  } else {
    lost_before(level, run, bdd_.exists(bdd_.minus(wanted, arriving), conntrack_));
  }
}

// Which rules of earlier tables have met these packets, and untracked or dropped them.
void Unmatched::lost_before(const Level& level, const ChainRun& run, Set lost) {
  if (lost.empty()) return;
  for (const ChainRun& before : runs_.all) {
    if (&before == &run) break;
    if (before.path != run.path || before.unrouted != run.unrouted ||
        before.context.binding.sender != run.context.binding.sender ||
        model_.program.chains()[before.chain].table == model_.program.chains()[level.chain].table) {
      continue;
    }
    const RuleId first = model_.program.chains()[before.chain].first;
    for (std::size_t k = 0; k < before.rules.size(); ++k) {
      const RuleId rule = first + static_cast<RuleId>(k);
      const bool untracks = is_one_of<NoTrack>(*model_.program.rules()[rule].rule);
      const bool drops = is_one_of<Drop, Reject>(*model_.program.rules()[rule].rule);
      if (!untracks && !drops) continue;
      const Set taken = bdd_.both_exists(before.rules[k].among, before.rules[k].matching, marks_);
      if (bdd_.disjoint(bdd_.exists(taken, conntrack_), lost)) continue;
      add(untracks ? untracked_by_ : earlier_, rule);
    }
  }
}

void Unmatched::note_loss(const ChainRun& run, Set wanted, RuleId stop) {
  if (wanted.empty()) return;
  Loss loss{&run, wanted, {}};
  const RuleId first = model_.program.chains()[run.chain].first;
  Set left = wanted;
  for (std::size_t k = 0; first + k < stop && !left.empty(); ++k) {
    Set next = kNothing;
    if (k + 1 < run.rules.size()) {
      const AtRule& at = run.rules[k + 1];
      next = bdd_.both_exists(bdd_.both(left, at.among), at.reaching, marks_);
    }
    if (next != left) {
      loss.by.push_back({first + static_cast<RuleId>(k), bdd_.minus(left, next)});
    }
    left = next;
  }
  // Some come to the rule, and have another TTL or TOS by then (or mark).
  if (stop == levels_.front().stop && !left.empty()) comes_changed_ = true;
  loss.wanted = bdd_.minus(wanted, left);
  if (!loss.wanted.empty()) losses_.push_back(std::move(loss));
}

// What an earlier rule would take of them by itself: all that its conditions hold for, where it
// ends the way through the chain and looks at nothing that changes on it.
bool Unmatched::ends(RuleId rule, Set& part, const ChainRun& run) {
  const Rule& here = *model_.program.rules()[rule].rule;
  if (!is_one_of<Accept, Drop, Reject, Return>(here)) return false;
  if (names(here, {Field::kMark, Field::kCtMark})) return false;
  part = model_.chains.condition(rule, run.context.binding).must;
  return true;
}

// As few of the rules as take all of it: one if one does, else none that the others make up for.
std::vector<RuleId> Unmatched::few() {
  std::vector<RuleId> rules;
  for (const Loss& loss : losses_) {
    for (const auto& [rule, part] : loss.by) add(rules, rule);
  }
  std::ranges::sort(rules);
  if (rules.size() < 2 || rules.size() > kMostTakers) return rules;
  // parts[loss][candidate]
  std::vector<std::vector<Set>> parts;
  for (const Loss& loss : losses_) {
    auto& of = parts.emplace_back(rules.size(), kNothing);
    for (std::size_t k = 0; k < rules.size(); ++k) {
      // The rule's own chain comes last on the way: what gets lost there need not be named before.
      const ChainId chain = model_.program.rules()[rules[k]].chain;
      Set part = kNothing;
      if (chain != loss.run->chain && chain != levels_.front().chain) continue;
      if (!ends(rules[k], part, *loss.run) && chain == loss.run->chain) {
        const auto found = std::ranges::find(loss.by, rules[k], &std::pair<RuleId, Set>::first);
        if (found != loss.by.end()) part = found->second;
      }
      of[k] = bdd_.both(part, loss.wanted);
    }
  }
  for (std::size_t k = 0; k < rules.size(); ++k) {
    bool all = true;
    for (std::size_t l = 0; all && l < losses_.size(); ++l) all = parts[l][k] == losses_[l].wanted;
    if (all) return {rules[k]};
  }
  // From the first on: a rule is left out when those kept so far and those behind take its part.
  std::vector<std::vector<Set>> behind(losses_.size(),
                                       std::vector<Set>(rules.size() + 1, kNothing));
  for (std::size_t l = 0; l < losses_.size(); ++l) {
    for (std::size_t k = rules.size(); k-- > 0;) {
      behind[l][k] = bdd_.either(behind[l][k + 1], parts[l][k]);
    }
  }
  std::vector<Set> kept(losses_.size(), kNothing);
  std::vector<RuleId> result;
  for (std::size_t k = 0; k < rules.size(); ++k) {
    bool needed = false;
    for (std::size_t l = 0; !needed && l < losses_.size(); ++l) {
      needed = !bdd_.subset(losses_[l].wanted, bdd_.either(kept[l], behind[l][k + 1]));
    }
    if (!needed) continue;
    result.push_back(rules[k]);
    for (std::size_t l = 0; l < losses_.size(); ++l) kept[l] = bdd_.either(kept[l], parts[l][k]);
  }
  return result;
}

}  // namespace postern
