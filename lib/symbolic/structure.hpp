// How each rule lives: whether its packets can be, get to it, and still be there (PST101, 103,
// 305).
//
// Idea: walk every path in both directions once, with what conntrack says left open, and note at
// each rule who comes and who matches; then ask whether any of those points is possible. Where
// something is not modelled the walk lets packets pass changed, so that "never" stays proved.
// Covered by tests/unit/structure_test.cpp.
#pragma once

#include <vector>

#include "symbolic/model_impl.hpp"

namespace postern {

class StructureFinder {
 public:
  explicit StructureFinder(Model::Impl& model);
  Structure find();

 private:
  // One run of one chain in one walk.
  struct Run {
    TableContext context;
    ChainId chain = 0;
    Path path = Path::kIn;
    Set universe = kNothing;              // what can be sent, with any state that goes together
    Set possible = kNothing;              // ... with the states that come about
    std::vector<Set> reaching, matching;  // by rule, from its first on
  };
  void walk(Path path);
  void note(const TableContext& context, Path path, RuleId rule, Set reaching, Set matching);
  void find_possible(Run& run);
  void judge(const Run& run);
  bool host_reply_matches(RuleId rule, const Binding& binding);
  void never_called();
  void takers(RuleId rule, RuleFacts& facts);
  Set stateless_condition(RuleId rule, const Binding& binding);

  Model::Impl& model_;
  Space& space_;
  Bdd& bdd_;
  bool loose_ = false;
  std::vector<RuleFacts> facts_;
  std::vector<bool> called_;
  std::vector<Run> runs_;
  std::vector<std::vector<std::size_t>> runs_of_;  // by chain
  std::map<std::pair<Path, FlowEnd>, std::array<Set, 3>>
      points_;  // before the lookup, any, possible
};

}  // namespace postern
