// The NOTRACK story told by sets: every expectation of the two stories (corpus/notrack, corpus/p2p)
// that speaks of flows, read from the files themselves.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "ir/bind.hpp"
#include "symbolic/model.hpp"
#include "symbolic_fixture.hpp"

namespace postern {
namespace {

TEST(NotrackStory, LockdownHasTheSourcePortHole) {
  ModelUnderTest m("corpus/notrack/test3-lockdown.rules");
  EXPECT_EQ(m.connect(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1234", "--dport", "80"}), "yes");
  EXPECT_EQ(m.connect(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1235", "--dport", "80"}), "no");
  EXPECT_EQ(m.connect(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1235", "--dport", "1234"}), "yes");
}

TEST(NotrackStory, Test4ClosesItForConnectionsButNotForScans) {
  ModelUnderTest m("corpus/notrack/test4.rules");
  EXPECT_EQ(m.connect(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1234", "!", "--dport", "1234"}), "no");
  EXPECT_EQ(m.deliver(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1234", "--dport", "80"}), "yes");
  EXPECT_EQ(m.deliver(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1234", "--dport", "80", "--syn"}), "no");
  EXPECT_EQ(m.connect(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "4000", "--dport", "1234"}), "yes");
}

TEST(NotrackStory, WhatIsTracked) {
  ModelUnderTest one("corpus/notrack/test1.rules"), two("corpus/notrack/test2.rules"),
      three("corpus/notrack/test3.rules");
  const std::vector<std::string> m{"-i", "lo", "-p", "tcp", "--dport", "1234"};
  EXPECT_EQ(one.track(Path::kLoopback, m, "ESTABLISHED"), "yes");
  EXPECT_EQ(two.track(Path::kLoopback, m, "SYN_SENT"), "yes");
  EXPECT_EQ(three.track(Path::kLoopback, m), "no");
  EXPECT_EQ(three.track(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--dport", "80"}), "yes");
}

TEST(P2pStory, WhatIsTrackedAndDelivered) {
  ModelUnderTest in("corpus/p2p/in.rules"), both("corpus/p2p/both.rules"),
      new_only("corpus/p2p/new-only.rules");
  const std::vector<std::string> m{"-i", "eth0", "-p", "udp", "--dport", "33333"};
  EXPECT_EQ(in.track(Path::kIn, m), "yes");
  EXPECT_EQ(both.track(Path::kIn, m), "no");
  EXPECT_EQ(new_only.deliver(Path::kIn, m), "no");
  EXPECT_EQ(in.deliver(Path::kIn, m), "yes");
}

TEST(P2pStory, RolesAreSwapped) {
  ModelUnderTest in("corpus/p2p/in.rules");
  const Set m = in.question(Path::kIn, {"-i", "eth0", "-p", "udp", "--dport", "33333"});
  const auto answer = in.model().track(Path::kIn, m);
  ASSERT_TRUE(answer);
  for (const Reached& r : answer->may.states) {
    if (r.state.entry == 0) continue;
    EXPECT_TRUE(in.model().entries()[r.state.entry].by_responder);
  }
  const auto steps = in.model().track_steps(Path::kIn, m, "", answer->flows.must, true);
  ASSERT_TRUE(steps);
  ASSERT_EQ(steps->size(), 2u);
  EXPECT_FALSE((*steps)[0].reply);
  EXPECT_EQ((*steps)[0].state, CtState::kUntracked);
  EXPECT_TRUE((*steps)[1].reply);
  EXPECT_EQ((*steps)[1].state, CtState::kNew);
}

TEST(NotrackStory, TheHoleInPackets) {
  ModelUnderTest m("corpus/notrack/test3-lockdown.rules");
  const Set asked = m.question(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1234", "--dport", "80"});
  const auto answer = m.model().connect(Path::kLoopback, asked);
  ASSERT_TRUE(answer);
  const auto steps = m.model().connect_steps(Path::kLoopback, asked, answer->flows.must, true);
  ASSERT_TRUE(steps);
  ASSERT_EQ(steps->size(), 5u);
  for (const FlowStep& step : *steps) {
    EXPECT_FALSE(step.packets.empty());
    EXPECT_TRUE(step.accepted);
  }
  EXPECT_EQ((*steps)[0].kind, PacketKind::kTcpSyn);
}

}  // namespace
}  // namespace postern
