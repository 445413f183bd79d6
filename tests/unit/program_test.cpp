// lib/flow/program: numbering, built-in entries, call order, loops, and what switches tracking on.
#include "flow/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern {
namespace {

Rule jump_to(std::size_t chain) {
  Rule rule;
  rule.action = Jump{chain};
  return rule;
}
Rule plain(Effect effect = Accept{}) {
  Rule rule;
  rule.action = std::move(effect);
  return rule;
}
Chain chain(std::string name, std::vector<Rule> rules,
            std::optional<Policy> policy = std::nullopt) {
  Chain made;
  made.name = std::move(name);
  made.rules = std::move(rules);
  made.policy = policy;
  return made;
}

// mangle with one empty chain before filter: ids in filter are offset.
Ruleset two_tables(std::vector<Chain> filter_chains) {
  Ruleset ruleset;
  ruleset.tables.push_back({TableName::kMangle, {chain("PREROUTING", {}, Policy::kAccept)}, {}});
  ruleset.tables.push_back({TableName::kFilter, std::move(filter_chains), {}});
  return ruleset;
}

TEST(Program, NumbersRulesAndFindsEntries) {
  const Ruleset ruleset =
      two_tables({chain("INPUT", {plain(), jump_to(1)}, Policy::kDrop), chain("user", {plain()})});
  const auto program = Program::compile(ruleset);
  ASSERT_TRUE(program);
  EXPECT_EQ(program->entry(Hook::kInput, TableName::kFilter), ChainId{1});
  EXPECT_EQ(program->entry(Hook::kPrerouting, TableName::kMangle), ChainId{0});
  EXPECT_EQ(program->entry(Hook::kForward, TableName::kFilter), std::nullopt);
  ASSERT_EQ(program->rules().size(), 3U);
  EXPECT_EQ(program->rules()[1].number, 2U);
  EXPECT_EQ(program->rules()[1].callee, ChainId{2});
  EXPECT_EQ(program->rules()[2].chain, ChainId{2});
  EXPECT_EQ(program->rules()[2].number, 1U);
}

TEST(Program, CallersStandBeforeCallees) {
  // a diamond declared callee-first, and a deep chain
  std::vector<Chain> chains{chain("d", {plain()}), chain("b", {jump_to(0)}),
                            chain("c", {jump_to(0)}),
                            chain("INPUT", {jump_to(1), jump_to(2)}, Policy::kAccept)};
  for (std::size_t i = 0; i < 50000; ++i)
    chains.push_back(chain("x", {jump_to(chains.size() - 1)}));
  const Ruleset ruleset = two_tables(std::move(chains));
  const auto program = Program::compile(ruleset);
  ASSERT_TRUE(program);
  std::vector<std::size_t> place(program->chains().size());
  ASSERT_EQ(program->callers_first().size(), place.size());
  for (std::size_t i = 0; i < place.size(); ++i) place[program->callers_first()[i]] = i;
  std::size_t calls = 0;
  for (const ProgramRule& rule : program->rules()) {
    if (!rule.callee) continue;
    ++calls;
    EXPECT_LT(place[rule.chain], place[*rule.callee]);
  }
  EXPECT_EQ(calls, 50004U);
}

TEST(Program, RefusesLoopsEachOnce) {
  const Ruleset ruleset =
      two_tables({chain("INPUT", {jump_to(1)}, Policy::kAccept), chain("a", {jump_to(2)}),
                  chain("b", {jump_to(1)}), chain("self", {jump_to(3)})});
  const auto program = Program::compile(ruleset);
  ASSERT_FALSE(program);
  ASSERT_EQ(program.error().size(), 2U);
  EXPECT_EQ(program.error()[0].code, "loop");
  EXPECT_THAT(program.error()[0].message, testing::HasSubstr("chain a"));
  EXPECT_THAT(program.error()[1].message, testing::HasSubstr("chain self"));
}

TEST(Program, AnyRuleThatNeedsItSwitchesTrackingOn) {
  Rule by_clause = plain();
  by_clause.clauses.emplace_back();
  by_clause.clauses.back().switches_on_tracking = true;
  Rule by_target = plain(SetConnmark{});
  by_target.switches_on_tracking = true;
  const auto tracks = [](std::vector<Rule> rules) {
    const Ruleset ruleset = two_tables({chain("unused", std::move(rules))});
    return Program::compile(ruleset)->tracks();
  };
  EXPECT_FALSE(tracks({plain(), plain(NoTrack{})}));
  EXPECT_TRUE(tracks({plain(), by_clause}));
  EXPECT_TRUE(tracks({by_target}));
}

}  // namespace
}  // namespace postern
