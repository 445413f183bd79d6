// How each rule lives: whether its packets can be, get to it, and still be there (PST101, 103,
// 305).
//
// Idea: walk every path in both directions once, with what conntrack says left open, and note at
// each rule who comes and who matches; then ask whether any of those points is possible. Where
// something is not modelled the walk lets packets pass changed, so that "never" stays proved. NAT
// that is followed takes a walk for each binding, and one for RELATED packets of others (ICMP
// errors, resets), which it may have changed in any way.
// Covered by tests/unit/structure_test.cpp and tests/agreement/adversary_test.cpp.
#pragma once

#include <set>
#include <vector>

#include "symbolic/explore/unmatched.hpp"

namespace postern {

class StructureFinder {
 public:
  explicit StructureFinder(Model::Impl& model);
  Structure find();

 private:
  void walk_all();
  void walk(Path path);
  void walk(Path path, WalkOptions how, bool errors);
  Set sent(Path path, FlowEnd sender);
  Set flows(Path path);
  void note(const TableContext& context, Path path, RuleId rule, const AtRule& at);
  void find_possible(ChainRun& run);
  Set of_others(Path path, FlowEnd sender);
  void judge(const ChainRun& run);
  bool host_reply_matches(RuleId rule, const ChainRun& run);
  Set left_over(RuleId rule, const Binding& binding, Set packets);
  bool errs_over_lo();
  bool socket_mark_matches(RuleId rule, const ChainRun& run, const AtRule& at, Set possible);
  void answered(const ChainRun& run);
  void answered_below(RuleId jump, const ChainRun& run);
  void where_only_answers_come();
  void never_called();
  void at_odds(RuleId rule);
  bool can_hold(RuleId rule, const std::vector<std::size_t>& clauses);

  Model::Impl& model_;
  Space& space_;
  Bdd& bdd_;
  bool follows_ = false;  // NAT is followed, binding by binding
  bool loose_ = false;
  std::vector<RuleFacts> facts_;
  std::vector<bool> called_;
  bool untracks_ = false;  // some rule is NOTRACK
  bool raw_asks_ = false;  // some rule of raw names states
  bool errs_ = false;      // errs_over_lo()
  bool saves_marks_ = false;
  bool segments_ = false;     // of SYNPROXY, which come through OUTPUT
  bool interleaved_ = false;  // rules read of entries what others change meanwhile
  bool cut_over_lo_ = false;  // rules behind POSTROUTING may see pieces of what goes over lo
  bool more_sent_ = false;  // those, copies, or what is routed again: OUTPUT sees more than is sent
  bool unrouted_ = false;
  std::set<std::tuple<ChainId, Path, Binding>> answered_;  // chains that were asked, and for whom
  ChainRuns runs_;
  std::map<std::tuple<Path, FlowEnd, bool>, std::array<Set, 3>>
      points_;  // by `errors` as well: before the lookup, any, possible
};

}  // namespace postern
