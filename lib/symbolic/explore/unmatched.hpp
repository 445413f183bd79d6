// Why a rule whose own conditions can hold never matches: which earlier rules take its packets, in
// its chain, in the chains that lead there or in earlier tables; which jumps to it exclude them; or
// that they arrive, but in no state that it names, and who untracks them.
//
// Idea: go up from the rule through the jumps to the built-in chains, with the packets that all
// conditions on the way ask for, and see in each run where they disappear. Of the rules between
// which they do, as few are named as take them all. Marks may change on the way: they are left
// open, so an explanation may be missing, never the fact. Covered by tests/unit/structure_test.cpp.
#pragma once

#include "symbolic/explore/model_impl.hpp"

namespace postern {

// One run of one chain in one walk.
struct ChainRun {
  TableContext context;
  ChainId chain = 0;
  Path path = Path::kIn;
  bool unrouted = false;      // in the walk of what routing would not let pass
  bool errors = false;        // in the walk of RELATED packets of others, where NAT is followed
  Set universe = kNothing;    // what can be sent, with any state that goes together
  Set possible = kNothing;    // ... with the states that come about
  std::vector<AtRule> rules;  // from its first on
};

// The runs of all walks in their order, and which of them are a chain's.
struct ChainRuns {
  std::vector<ChainRun> all;
  std::vector<std::vector<std::size_t>> of;  // by chain
};

class Unmatched {
 public:
  Unmatched(Model::Impl& model, const ChainRuns& runs);
  // Fills in `excluded`, `wrong_state`, `jumps`, `taken_by` and `untracked_by`.
  void explain(RuleId rule, RuleFacts& facts);

 private:
  // A chain on the way to the rule: the packets wanted are those for which all `conditions` hold;
  // they must get as far as `stop`.
  struct Level {
    ChainId chain = 0;
    RuleId stop = 0;
    std::vector<RuleId> conditions;  // the rule, then the jumps that lead to it
  };
  // Packets that get to a chain of the way and disappear there, run by run.
  struct Loss {
    const ChainRun* run = nullptr;
    Set wanted = kNothing;
    std::vector<std::pair<RuleId, Set>> by;  // who took them there, and what
  };

  bool levels(RuleId rule);
  void look_at(const Level& level, const ChainRun& run);
  void lost_before(const Level& level, const ChainRun& run, Set lost);
  void note_loss(const ChainRun& run, Set wanted, RuleId stop);
  Set conditions(const Level& level, const Binding& binding, bool states);
  Set without_state(RuleId rule, const Binding& binding);
  bool ends(RuleId rule, Set& part, const ChainRun& run);
  std::vector<RuleId> few();

  Model::Impl& model_;
  const ChainRuns& runs_;
  Space& space_;
  Bdd& bdd_;
  Set marks_, conntrack_;                        // cubes
  std::vector<std::vector<RuleId>> callers_of_;  // by chain: the jumps to it
  std::vector<Level> levels_;
  std::vector<Loss> losses_;
  bool can_be_ = false, other_state_ = false, comes_changed_ = false;
  std::vector<RuleId> earlier_, untracked_by_;
};

}  // namespace postern
