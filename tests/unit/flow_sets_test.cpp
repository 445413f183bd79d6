// The NOTRACK story told by sets: every expectation of the two stories (corpus/notrack, corpus/p2p)
// that speaks of flows, read from the files themselves.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "ir/bind.hpp"
#include "symbolic/explore/model.hpp"
#include "symbolic_fixture.hpp"

namespace postern {
namespace {

TEST(NotrackStory, LockdownHasTheSourcePortHole) {
  ModelUnderTest m("corpus/notrack/test3-lockdown.rules");
  EXPECT_EQ(
      m.connect(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1234", "--dport", "80"}),
      "yes");
  EXPECT_EQ(
      m.connect(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1235", "--dport", "80"}),
      "no");
  EXPECT_EQ(
      m.connect(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1235", "--dport", "1234"}),
      "yes");
}

TEST(NotrackStory, Test4ClosesItForConnectionsButNotForScans) {
  ModelUnderTest m("corpus/notrack/test4.rules");
  EXPECT_EQ(m.connect(Path::kLoopback,
                      {"-i", "lo", "-p", "tcp", "--sport", "1234", "!", "--dport", "1234"}),
            "no");
  EXPECT_EQ(
      m.deliver(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1234", "--dport", "80"}),
      "yes");
  EXPECT_EQ(m.deliver(Path::kLoopback,
                      {"-i", "lo", "-p", "tcp", "--sport", "1234", "--dport", "80", "--syn"}),
            "no");
  EXPECT_EQ(
      m.connect(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "4000", "--dport", "1234"}),
      "yes");
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

TEST(FlowSets, AnIcmpErrorIsRelatedOnlyToAFlowThatTheOutsiderCanOpen) {
  const std::string head =
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
  const std::vector<std::string> m{"-i", "eth0", "-p", "icmp"};
  ModelUnderTest closed("closed", head + "COMMIT\n", {});
  EXPECT_EQ(closed.deliver(Path::kIn, m), "no");
  ModelUnderTest open("open", head + "-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n", {});
  EXPECT_EQ(open.deliver(Path::kIn, m), "yes");
}

TEST(FlowSets, StatefulFirewallLetsNothingInUnasked) {
  ModelUnderTest m("t",
                   "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
                   "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
                   "-A INPUT -p tcp --dport 22 -m limit --limit 5/min -j ACCEPT\n"
                   "-A INPUT -p tcp --dport 80 -j ACCEPT\nCOMMIT\n",
                   {});
  EXPECT_EQ(m.deliver(Path::kIn, {"-i", "eth0", "-p", "tcp", "--dport", "23"}), "no");
  EXPECT_EQ(m.connect(Path::kIn, {"-i", "eth0", "-p", "tcp", "--dport", "80"}), "yes");
  EXPECT_EQ(m.connect(Path::kIn, {"-i", "eth0", "-p", "tcp", "--dport", "22"}), "conditional");
  EXPECT_EQ(m.connect(Path::kOut, {"-o", "eth0", "-p", "udp", "--dport", "53"}), "yes");
  EXPECT_EQ(m.track(Path::kForward, {"-i", "eth0", "-p", "udp"}), "no");
}

TEST(FlowSets, WhatDependsOnTheHostIsUnknown) {
  ModelUnderTest m("t",
                   "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
                   "-A INPUT -p tcp -j DROP\nCOMMIT\n",
                   {});
  EXPECT_EQ(m.deliver(Path::kIn, {"-i", "eth0", "-p", "udp", "-d", "224.0.0.251"}), "unknown");
  EXPECT_EQ(m.deliver(Path::kIn, {"-i", "eth0", "-p", "udp", "-d", "224.0.0.1"}), "yes");
  EXPECT_EQ(m.deliver(Path::kIn, {"-i", "eth0", "-p", "tcp", "-d", "224.0.0.251"}), "no");
  // It may be a subnet's broadcast address.
  EXPECT_EQ(m.deliver(Path::kIn, {"-i", "eth0", "-p", "udp", "-s", "192.0.2.9", "-d", "192.0.2.9"}),
            "unknown");
}

TEST(FlowSets, WhatMakesAPacketLongerIsUnknownWhereLengthsAreRead) {
  const auto answer = [](const std::string& rule) {
    ModelUnderTest m("t",
                     "*mangle\n:FORWARD ACCEPT\n-A FORWARD -p tcp --syn -j TCPMSS --set-mss 1000\n"
                     "COMMIT\n*filter\n:FORWARD DROP\n" +
                         rule + "COMMIT\n",
                     {});
    return m.deliver(Path::kForward, {"-i", "eth0", "-p", "tcp", "--syn", "--sport", "1000"});
  };
  EXPECT_EQ(answer("-A FORWARD -p tcp -m length --length 44 -j ACCEPT\n"), "unknown");
  EXPECT_EQ(answer("-A FORWARD -p tcp --sport 1001 -j ACCEPT\n"), "no");
  EXPECT_EQ(answer("-A FORWARD -p tcp --sport 1000 -j ACCEPT\n"), "yes");
}

// Structure lets such packets pass, whatever they become; what follows must not take that over.
TEST(FlowSets, WhatMakesAPacketLongerStaysUnknownBehindStructure) {
  ModelUnderTest m("t",
                   "*mangle\n:FORWARD ACCEPT\n-A FORWARD -p tcp --syn -j TCPMSS --set-mss 1000\n"
                   "-A FORWARD -p udp -j ACCEPT\nCOMMIT\n*filter\n:FORWARD DROP\n"
                   "-A FORWARD -p tcp -m length --length 44 -j ACCEPT\nCOMMIT\n",
                   {});
  const Set asked = m.question(Path::kForward, {"-i", "eth0", "-p", "tcp", "--syn"});
  ASSERT_TRUE(m.model().structure().has_value());
  const auto answer = m.model().deliver(Path::kForward, asked);
  ASSERT_TRUE(answer.has_value());
  EXPECT_FALSE(answer->packets.unmodelled.empty());
}

TEST(FlowSets, NatAndHelpersAreFollowed) {
  const std::string filter =
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n";
  ModelUnderTest nat("nat",
                     "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
                     ":POSTROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -p tcp --dport 8080 -j "
                     "DNAT --to-destination 10.0.0.2\nCOMMIT\n" +
                         filter,
                     {});
  EXPECT_EQ(nat.deliver(Path::kIn, {"-i", "eth0", "-p", "tcp", "--dport", "8080"}), "no");
  EXPECT_EQ(nat.deliver(Path::kIn, {"-i", "eth0", "-p", "tcp", "--dport", "80"}), "no");
  ModelUnderTest helper("helper",
                        "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
                        "-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n" +
                            filter,
                        {});
  // No control flow is let in, so nothing can be announced (expected_flows_test.cpp).
  EXPECT_EQ(helper.deliver(Path::kIn, {"-i", "eth0", "-p", "tcp", "--dport", "5000"}), "no");
}

TEST(NotrackStory, TheHoleInPackets) {
  ModelUnderTest m("corpus/notrack/test3-lockdown.rules");
  const Set asked =
      m.question(Path::kLoopback, {"-i", "lo", "-p", "tcp", "--sport", "1234", "--dport", "80"});
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
