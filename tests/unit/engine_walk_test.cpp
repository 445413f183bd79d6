// lib/engine/walk: the order of rules, jumps, gotos and returns (kernel-facts 9), counters, effects
// on mark and entry, NOTRACK and templates (kernel-facts 20, 22, 23), opaque targets, trace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "engine/walk.hpp"

namespace postern {
namespace {

struct RuleOf {
  Rule rule;
  RuleOf(Action action) { rule.action = std::move(action); }
  RuleOf&& when(PredicatePtr predicate) && {
    Clause clause;
    clause.predicate = std::move(predicate);
    rule.clauses.push_back(std::move(clause));
    return std::move(*this);
  }
};
RuleOf counting() { return RuleOf(NoTarget{}); }
RuleOf rule(Effect effect) { return RuleOf(Action(std::move(effect))); }
RuleOf jump(std::size_t chain) { return RuleOf(Jump{chain}); }
RuleOf go(std::size_t chain) { return RuleOf(Goto{chain}); }

// One table with INPUT as chain 0; the others are user chains "c1", "c2", ...
class Chains {
 public:
  explicit Chains(std::vector<std::vector<RuleOf>> chains, Policy policy = Policy::kAccept) {
    Table table;
    for (std::size_t i = 0; i < chains.size(); ++i) {
      Chain chain;
      chain.name = i == 0 ? "INPUT" : "c" + std::to_string(i);
      if (i == 0) chain.policy = policy;
      for (RuleOf& one : chains[i]) chain.rules.push_back(std::move(one.rule));
      table.chains.push_back(std::move(chain));
    }
    ruleset_.tables.push_back(std::move(table));
    program_ = std::move(*Program::compile(ruleset_));
    world_.emplace(Scenario{});
    walker_.emplace(*program_, *world_, Backend::kLegacy);
    packet_.view.length = 40;
  }

  bool walk(Hook hook = Hook::kInput) {
    verdict_ = walker_->walk(hook, TableName::kFilter, packet_, chooser_, &trace_);
    return verdict_.accepted;
  }
  // Counters of every rule, in order, then of INPUT's policy.
  std::vector<std::uint64_t> counts() {
    Hits hits;
    std::vector<std::uint64_t> out(program_->rules().size() + 1);
    // collect() prints rules; here only numbers are wanted
    for (const TraceStep& step : trace_) {
      if (step.kind == TraceStep::Kind::kRule && step.matched) ++out[step.rule];
      if (step.kind == TraceStep::Kind::kPolicy) ++out.back();
    }
    return out;
  }
  // Packets that met a policy, by chain.
  std::map<std::string, std::uint64_t> policies() const {
    Hits hits;
    walker_->collect(hits, std::nullopt);
    std::map<std::string, std::uint64_t> out;
    for (const RuleHit& hit : hits.policies) out[hit.chain] += hit.packets;
    return out;
  }
  Traveller& packet() { return packet_; }
  ListChooser& chooser() { return chooser_; }
  const WalkVerdict& verdict() const { return verdict_; }
  const Trace& trace() const { return trace_; }

 private:
  Ruleset ruleset_;
  std::optional<Program> program_;
  std::optional<World> world_;
  std::optional<Walker> walker_;
  Traveller packet_;
  ListChooser chooser_;
  WalkVerdict verdict_;
  Trace trace_;
};

using testing::ElementsAre;

std::vector<RuleOf> list(auto... rules) {
  std::vector<RuleOf> out;
  (out.push_back(std::move(rules)), ...);
  return out;
}

TEST(EngineWalk, CallsReturnToTheNextRule) {
  Chains chains({list(jump(1), rule(Drop{})), list(counting(), jump(2), rule(Accept{})),
                 list(counting(), rule(Return{}), counting())});
  EXPECT_TRUE(chains.walk());
  EXPECT_THAT(chains.counts(), ElementsAre(1, 0, 1, 1, 1, 1, 1, 0, 0));
}

TEST(EngineWalk, GotoReturnsToTheCallersCaller) {
  Chains chains({list(jump(1), counting()), list(go(2), rule(Drop{})), list(counting())});
  EXPECT_TRUE(chains.walk());
  EXPECT_THAT(chains.counts(), ElementsAre(1, 1, 1, 0, 1, 1));
}

TEST(EngineWalk, EndOfAGotoFromABuiltinIsThePolicy) {
  Chains chains({list(go(1), rule(Accept{})), list(counting())}, Policy::kDrop);
  EXPECT_FALSE(chains.walk());
  EXPECT_EQ(chains.verdict().reject, nullptr);
  EXPECT_THAT(chains.counts(), ElementsAre(1, 0, 1, 1));
}

TEST(EngineWalk, ReturnInABuiltinIsThePolicy) {
  Chains chains({list(rule(Return{}), rule(Accept{}))}, Policy::kDrop);
  EXPECT_FALSE(chains.walk());
  EXPECT_THAT(chains.counts(), ElementsAre(1, 0, 1));
}

// iptables-legacy makes all chains of a table that it is given, and their policies count.
TEST(EngineWalk, AChainThatTheTextLeavesOutHasAPolicyThatCounts) {
  Chains chains({list(counting())});
  EXPECT_TRUE(chains.walk());
  EXPECT_TRUE(chains.walk(Hook::kForward));
  EXPECT_TRUE(chains.walk(Hook::kForward));
  EXPECT_EQ(chains.policies(),
            (std::map<std::string, std::uint64_t>{{"INPUT", 1}, {"FORWARD", 2}}));
}

TEST(EngineWalk, RejectIsReportedWithItsKind) {
  Chains chains({list(rule(Reject{true, 0, 0}))});
  EXPECT_FALSE(chains.walk());
  ASSERT_NE(chains.verdict().reject, nullptr);
  EXPECT_TRUE(chains.verdict().reject->tcp_reset);
}

TEST(EngineWalk, MarkIsSeenByLaterRules) {
  Chains chains({list(rule(SetMark{0x12, 0xff}), rule(SetMark{0x30, 0xf0}),
                      rule(Drop{}).when(equals(Field::kMark, 0xab0032)))});
  chains.packet().set_mark(0xab00ff);
  EXPECT_FALSE(chains.walk());
  EXPECT_EQ(chains.packet().view.mark, 0xab0032U);
}

TEST(EngineWalk, ConnmarkNeedsAnEntry) {
  const SetConnmark set{SetConnmark::Op::kSet, 5, 0xffffffff, 0xffffffff};
  const SetConnmark restore{SetConnmark::Op::kRestore, 0, 0xffffffff, 0xffffffff};
  Chains without({list(rule(set), rule(restore))});
  EXPECT_TRUE(without.walk());
  EXPECT_EQ(without.packet().view.mark, 0U);
  EXPECT_THAT(without.counts(), ElementsAre(1, 1, 1));
  Chains with({list(rule(set), rule(restore), rule(Drop{}).when(equals(Field::kCtMark, 5)))});
  with.packet().attachment.entry = std::make_shared<ConntrackEntry>();
  EXPECT_FALSE(with.walk());
  EXPECT_EQ(with.packet().view.mark, 5U);
  EXPECT_EQ(with.packet().attachment.entry->mark, 5U);
}

TEST(EngineWalk, NotrackOnlyWhereNothingIsAttached) {
  const auto untracked = [](auto prepare) {
    Chains chains({list(rule(AttachTemplate{}).when(equals(Field::kMark, 1)), rule(NoTrack{}))});
    prepare(chains.packet());
    chains.walk();
    return chains.packet().attachment.untracked();
  };
  EXPECT_TRUE(untracked([](Traveller&) {}));
  EXPECT_FALSE(untracked([](Traveller& p) { p.set_mark(1); }));
  EXPECT_FALSE(untracked([](Traveller& p) { p.has_template = true; }));
  EXPECT_FALSE(
      untracked([](Traveller& p) { p.attachment.entry = std::make_shared<ConntrackEntry>(); }));
}

TEST(EngineWalk, WhatIsNotModelledIsSaidLoudly) {
  AttachTemplate helped;
  helped.helper = "sip";
  EXPECT_THROW(Chains({list(rule(helped))}).walk(), Unmodelled);
}

TEST(EngineWalk, OpaqueTargetsAskTheChooser) {
  for (const std::uint64_t choice : {0, 1, 2, 3}) {
    Chains chains(
        {list(jump(1), rule(Drop{})), list(rule(OpaqueTarget{"NFQUEUE"}), rule(Accept{}))});
    chains.chooser() = ListChooser({choice});
    EXPECT_EQ(chains.walk(), choice < 2) << choice;
    ASSERT_EQ(chains.chooser().made().size(), 1U);
    EXPECT_EQ(chains.chooser().made()[0].rule, "filter c1 1");
  }
}

TEST(EngineWalk, TraceSaysWhatTheFailedClauseRead) {
  Chains chains({list(
      rule(Drop{}).when(equals(Field::kProtocol, 6)).when(equals(Field::kDestinationPort, 80)))});
  chains.packet().reading[Field::kProtocol] = 6;
  chains.packet().reading[Field::kDestinationPort] = 22;
  EXPECT_TRUE(chains.walk());
  ASSERT_EQ(chains.trace().size(), 2U);
  const TraceStep& step = chains.trace()[0];
  EXPECT_FALSE(step.matched);
  EXPECT_EQ(step.failed, 1U);
  ASSERT_EQ(step.values.size(), 1U);
  EXPECT_EQ(step.values[0].first, Field::kDestinationPort);
  EXPECT_EQ(step.values[0].second, u128{22});
  EXPECT_EQ(chains.trace()[1].kind, TraceStep::Kind::kPolicy);
  EXPECT_TRUE(chains.trace()[1].matched);  // ACCEPT
}

}  // namespace
}  // namespace postern
