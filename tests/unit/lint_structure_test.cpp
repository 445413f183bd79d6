// Which of PST101, PST103 and PST305 a rule belongs to, given what is known of it: never two of
// them.
#include <gtest/gtest.h>

#include "analyzer/checks/structure.hpp"

namespace postern {
namespace {

Rule rule_with(PredicatePtr predicate) {
  Rule rule;
  Clause clause;
  clause.predicate = std::move(predicate);
  rule.clauses.push_back(clause);
  return rule;
}

const Rule kPlain = rule_with(equals(Field::kDestinationPort, 80));
const Rule kState = rule_with(equals(Field::kCtState, 1));

RuleFacts live() {
  RuleFacts facts;
  facts.alone = facts.called = facts.reached = facts.matched = true;
  return facts;
}

TEST(RuleFate, ARuleThatMatchesIsLive) { EXPECT_EQ(fate_of(kPlain, live()), RuleFate::kLive); }

TEST(RuleFate, OwnConditionsThatExcludeEachOtherNeedNothingElse) {
  RuleFacts facts = live();
  facts.alone = facts.matched = false;
  EXPECT_EQ(fate_of(kPlain, facts), RuleFate::kImpossible);
  facts.unmodelled = true;
  EXPECT_EQ(fate_of(kPlain, facts), RuleFate::kImpossible);
}

TEST(RuleFate, AStateThatCannotOccurIsBlamedOnlyWhereARuleNamesStates) {
  RuleFacts facts = live();
  facts.matched = false;
  facts.wrong_state = true;
  EXPECT_EQ(fate_of(kState, facts), RuleFate::kImpossibleState);
  EXPECT_EQ(fate_of(kPlain, facts), RuleFate::kTaken);
}

TEST(RuleFate, WhatIsTakenEarlierIsTaken) {
  RuleFacts facts = live();
  facts.matched = false;
  EXPECT_EQ(fate_of(kPlain, facts), RuleFate::kTaken);
  EXPECT_EQ(fate_of(kState, facts), RuleFate::kTaken);
}

TEST(RuleFate, AChainThatNothingEntersIsNotTheRulesFault) {
  RuleFacts facts = live();
  facts.matched = facts.called = facts.reached = false;
  EXPECT_EQ(fate_of(kPlain, facts), RuleFate::kNotCalled);
}

TEST(RuleFate, WhatTheJumpsExcludeIsImpossible) {
  RuleFacts facts = live();
  facts.matched = false;
  facts.excluded = true;
  EXPECT_EQ(fate_of(kPlain, facts), RuleFate::kImpossible);
}

TEST(RuleFate, WhatIsNotModelledProvesNothing) {
  RuleFacts facts = live();
  facts.matched = false;
  facts.unmodelled = true;
  EXPECT_EQ(fate_of(kPlain, facts), RuleFate::kUnmodelled);
  facts.wrong_state = true;
  EXPECT_EQ(fate_of(kState, facts), RuleFate::kUnmodelled);
}

}  // namespace
}  // namespace postern
