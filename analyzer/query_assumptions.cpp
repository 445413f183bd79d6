// What a no takes for granted, and lists: only where the answer hangs on it.
// Covered by tests/unit/query_test.cpp, unusual_sockets_test.cpp, surroundings_test.cpp.
#include <algorithm>
#include <array>

#include "analyzer/query_ask.hpp"
#include "analyzer/world_assumptions.hpp"
#include "symbolic/rules/interleaved.hpp"

namespace postern {

void Asking::assume() {
  if (question_.verb == Verb::kConnect) {
    answer_.assumptions.push_back("the far end does not itself open (no simultaneous open)");
  }
  if (model_.moves_destination(answer_.path)) {
    answer_.assumptions.push_back(
        "addresses and ports are those of the first packet as it is sent, before DNAT");
  }
  if (!model_.tracking()) {
    answer_.assumptions.push_back("nothing outside this ruleset switches connection tracking on");
  }
  if (space_.classes().marks_are_read && answer_.path != Path::kForward) {
    answer_.assumptions.push_back(
        "no local process marks its packets (SO_MARK), but for what the question says with -m "
        "mark");
  }
}

// MASQUERADE gives no address of lo, and drops what it has none for.
bool Asking::masquerades_over_lo() const {
  const Translations& all = model_.translations();
  return std::ranges::any_of(all.by_rules(Path::kLoopback), [&](const NatVariant& nat) {
    if (nat.source == 0 || nat.source == all.clash()) return false;
    const EndRange& range = all.range(nat.source);
    return !range.address && !range.keeps_address;
  });
}

// (A conversation is held in order.)
bool Asking::hangs_on_order() const {
  if (question_.verb == Verb::kConnect || !model_.tracking()) return false;
  if (!reads_what_others_change(program_)) return false;
  ModelOptions how = model_options(options_);
  how.deadline = deadline_;
  how.interleaved = true;
  const std::array cuts{full_predicate(question_)};
  const auto model = Model::build(program_, cuts, how);
  if (!model) return true;
  Answer there;
  there.path = answer_.path;
  try {
    return Asking(**model, program_, options_, question_, deadline_, there).may_win();
  } catch (const BudgetEnded&) {
    return true;
  }
}

bool Asking::take_for_granted() {
  if (question_.verb == Verb::kTrack && !model_.tracking()) return true;
  const PredicatePtr m = to_ == nullptr ? full_predicate(question_) : question_.predicate();
  const Denied denied = question_.verb == Verb::kConnect ? Denied::kConversation
                        : question_.verb == Verb::kTrack ? Denied::kEntry
                                                         : Denied::kPacket;
  const Surroundings needed = take(model_.surroundings(answer_.path, m, denied));
  if (needed.sent_by) {
    answer_.assumptions.clear();
    answer_.reasons.push_back(rule_text(*needed.sent_by) +
                              " sends packets of its own through OUTPUT, which are not followed "
                              "(docs/fidelity.md 18)");
    return false;
  }
  for (const std::string_view assumed : said_of(needed)) answer_.assumptions.emplace_back(assumed);
  if (hangs_on_order()) {
    answer_.assumptions.emplace_back(
        "no packet of a flow changes its connmark or status between two hooks of another");
  }
  return true;
}

}  // namespace postern
