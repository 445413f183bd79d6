// The abstract entry: that its automaton is finite and small, and its well-known paths.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "symbolic/entries/abstract_entry.hpp"

namespace postern {
namespace {

using enum FlowEnd;

constexpr std::array kTcpKinds{PacketKind::kTcpSyn, PacketKind::kTcpSynAck,
                               PacketKind::kTcpFin, PacketKind::kTcpAck,
                               PacketKind::kTcpRst, PacketKind::kTcpInvalid};

// Every entry that TCP segments of both ends can lead to, by breadth-first search.
std::set<AbstractEntry> reachable(const ConntrackConfig& config) {
  std::set<AbstractEntry> seen{AbstractEntry{}};
  std::deque<AbstractEntry> work{AbstractEntry{}};
  while (!work.empty()) {
    const AbstractEntry entry = work.front();
    work.pop_front();
    for (const auto end : {kInitiator, kResponder}) {
      for (const auto kind : kTcpKinds) {
        const auto steps = successors(entry, end, kind, config);
        EXPECT_FALSE(steps.empty());
        for (const auto& step : steps) {
          for (const bool confirmed : {false, true}) {
            if (seen.insert(step.entry(confirmed)).second) work.push_back(step.entry(confirmed));
          }
        }
      }
    }
    const AbstractEntry closed = closed_by_reset(entry);
    if (seen.insert(closed).second) work.push_back(closed);
  }
  return seen;
}

const AbstractStep& first(const std::vector<AbstractStep>& steps) { return steps.front(); }

TEST(AbstractEntry, IsFiniteAndSmall) {
  const auto entries = reachable({});
  RecordProperty("entries", static_cast<int>(entries.size()));
  EXPECT_GT(entries.size(), 100u);
  EXPECT_LT(entries.size(), 400u);
  std::set<TcpState> states;
  for (const auto& entry : entries) states.insert(entry.state);
  EXPECT_EQ(states.size(), kTcpStateCount);
}

TEST(AbstractEntry, HandshakeAndClose) {
  AbstractEntry entry;
  const auto pass = [&](FlowEnd end, PacketKind kind, CtState state, TcpState next) {
    const auto step = first(successors(entry, end, kind, {}));
    EXPECT_EQ(step.state, state) << text(entry);
    entry = step.entry(true);
    EXPECT_EQ(entry.state, next) << text(entry);
  };
  pass(kInitiator, PacketKind::kTcpSyn, CtState::kNew, TcpState::kSynSent);
  pass(kResponder, PacketKind::kTcpSynAck, CtState::kEstablished, TcpState::kSynRecv);
  EXPECT_FALSE(entry.assured);
  pass(kInitiator, PacketKind::kTcpAck, CtState::kEstablished, TcpState::kEstablished);
  EXPECT_TRUE(entry.assured);
  pass(kResponder, PacketKind::kTcpFin, CtState::kEstablished, TcpState::kFinWait);
  pass(kInitiator, PacketKind::kTcpAck, CtState::kEstablished, TcpState::kCloseWait);
  pass(kInitiator, PacketKind::kTcpFin, CtState::kEstablished, TcpState::kLastAck);
  pass(kResponder, PacketKind::kTcpAck, CtState::kEstablished, TcpState::kTimeWait);
  pass(kResponder, PacketKind::kTcpSyn, CtState::kNew, TcpState::kSynSent);
  EXPECT_EQ(entry.originator, kResponder);
}

TEST(AbstractEntry, AnyAckOfAnEstablishedFlowIsEstablishedOrInvalid) {
  AbstractEntry entry;
  entry = first(successors(entry, kInitiator, PacketKind::kTcpSyn, {})).entry(true);
  entry = first(successors(entry, kResponder, PacketKind::kTcpSynAck, {})).entry(true);
  entry = first(successors(entry, kInitiator, PacketKind::kTcpAck, {})).entry(true);
  for (const auto end : {kInitiator, kResponder}) {
    for (const auto kind : {PacketKind::kTcpAck, PacketKind::kTcpFin, PacketKind::kTcpRst}) {
      std::set<CtState> states;
      for (const auto& step : successors(entry, end, kind, {})) states.insert(step.state);
      EXPECT_EQ(states, (std::set{CtState::kInvalid, CtState::kEstablished})) << text(kind);
    }
  }
}

TEST(AbstractEntry, DroppedFirstPacketLeavesNothing) {
  const auto step = first(successors({}, kInitiator, PacketKind::kTcpSyn, {}));
  EXPECT_TRUE(step.created);
  EXPECT_EQ(step.entry(false), AbstractEntry{});
  EXPECT_TRUE(step.entry(true).present);
  EXPECT_EQ(step.status, 0);
}

TEST(AbstractEntry, NothingIsPickedUpWithoutLoose) {
  ConntrackConfig strict;
  strict.tcp_loose = false;
  for (const auto kind : kTcpKinds) {
    const auto step = first(successors({}, kInitiator, kind, strict));
    EXPECT_EQ(step.created, kind == PacketKind::kTcpSyn) << text(kind);
    EXPECT_EQ(step.state, step.created ? CtState::kNew : CtState::kInvalid);
  }
}

TEST(AbstractEntry, UdpBecomesAssuredOnlyLateAndAfterAReply) {
  AbstractEntry entry;
  const auto run = [&](FlowEnd end) {
    auto steps = successors(entry, end, PacketKind::kDatagram, {});
    std::erase_if(steps, [](const AbstractStep& step) { return unheard(step.condition); });
    return steps;
  };
  entry = first(run(kInitiator)).entry(true);
  EXPECT_EQ(first(run(kInitiator)).state, CtState::kNew);
  ASSERT_EQ(run(kResponder).size(), 1u);
  entry = first(run(kResponder)).entry(true);
  EXPECT_TRUE(entry.seen_reply);
  ASSERT_EQ(run(kInitiator).size(), 2u);
  EXPECT_EQ(run(kInitiator)[0].state, CtState::kEstablished);
  EXPECT_FALSE(run(kInitiator)[0].after.assured);
  EXPECT_TRUE(run(kInitiator)[1].after.assured);
}

}  // namespace
}  // namespace postern
