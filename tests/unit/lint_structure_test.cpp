// Which of PST101, PST103 and PST305 a rule belongs to, given what is known of it: never two of
// them.
#include <gtest/gtest.h>

#include "analyzer/checks/structure.hpp"
#include "lint_fixture.hpp"

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

// Who writes what a rule asks for is named, and nobody whose packets are others.
TEST(Unreachable, NamesTheRuleThatRewrites) {
  const Linted linted(
      "*mangle\n:FORWARD ACCEPT\n:POSTROUTING ACCEPT\n-A POSTROUTING -j DSCP --set-dscp 0x00\n"
      "-A POSTROUTING -m dscp --dscp 0x2e -j MARK --set-xmark 0x1/0xff\nCOMMIT\n"
      "*filter\n:FORWARD ACCEPT\n-A FORWARD -p tcp --dport 25 -j DROP\nCOMMIT\n");
  const auto found = linted.of("PST101");
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found[0].related.size(), 1U);
  EXPECT_EQ(found[0].related[0].place.chain, "POSTROUTING");
  EXPECT_EQ(found[0].related[0].message, "it changes what this rule asks for");
}

}  // namespace
}  // namespace postern
