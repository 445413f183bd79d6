// Stateless segments (PST206): two kinds of causes, each of them once.
#include "analyzer/checks/conversation.hpp"
#include "lint_fixture.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

const char* const kAnswers = "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n";

TEST(StatelessSegment, AnAckScanIsTheRulesOwnFault) {
  const Linted linted(filter_table("-A INPUT -p tcp --sport 1234 --tcp-flags ACK ACK -j ACCEPT\n"));
  const auto found = linted.of("PST206");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].place.number, 1U);
  EXPECT_EQ(found[0].answer->witness.front().packet.flags & tcp_flag::kSyn, 0);
}

// A later fragment, which no rule for ports sees, is no segment to a port.
TEST(StatelessSegment, ALaterFragmentIsNone) {
  const Linted linted(
      "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"
      "-A FORWARD -p tcp --dport 22 --syn -j DROP\nCOMMIT\n");
  EXPECT_FALSE(linted.open("PST206"));
  EXPECT_EQ(linted.of("PST206").size(), 1u);
}

TEST(StatelessSegment, OneRuleIsOneFindingOnAllItsPaths) {
  const Linted linted(filter_table("-A INPUT -p tcp --tcp-flags FIN,ACK ACK -j ACCEPT\n"));
  ASSERT_EQ(linted.of("PST206").size(), 1U);
  // in; and once more for loopback, however many segments there are
  EXPECT_EQ(linted.of("PST206")[0].reasons.size(), 2U);
}

TEST(StatelessSegment, WhatDropsTheAnswersIsNamedOnce) {
  const Linted linted(filter_table(std::string(kAnswers) +
                                       "-A INPUT -i eth0 -p tcp --dport 80 -j ACCEPT\n"
                                       "-A INPUT -i eth0 -p tcp --dport 443 -j ACCEPT\n",
                                   "DROP", "DROP", "DROP"));
  const auto found = linted.of("PST206");
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found[0].related.size(), 2U);
  EXPECT_EQ(found[0].related[0].place.chain, "OUTPUT");
  EXPECT_EQ(found[0].related[0].message, "the server's SYN,ACK is dropped here");
  EXPECT_EQ(found[0].related[1].place.number, 3U);
}

TEST(StatelessSegment, ARuleMayHaveACauseOfEachKind) {
  // Port 80 is open but for the answers; everything else is open for ACKs.
  const Linted linted(
      filter_table("-A INPUT -i eth0 -p tcp --dport 80 --syn -j ACCEPT\n"
                   "-A INPUT -i eth0 -p tcp --tcp-flags ACK ACK -j ACCEPT\n"
                   "-A OUTPUT -p tcp --sport 80 -j DROP\n"));
  EXPECT_EQ(linted.of("PST206").size(), 2U);
}

TEST(StatelessSegment, NobodyConnectsFromNoAddress) {
  const Linted linted(
      "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A INPUT -s 2001:db8::5 -p udp -j DROP\nCOMMIT\n");
  EXPECT_TRUE(linted.of("PST206").empty());
}

TEST(StatelessSegment, APortBehindARateLimitIsNotClosed) {
  const Linted linted(
      filter_table(std::string(kAnswers) +
                   "-A INPUT -p tcp --dport 22 --syn -m limit --limit 3/min -j ACCEPT\n"));
  EXPECT_TRUE(linted.of("PST206").empty());
  EXPECT_FALSE(linted.open("PST206"));
}

// Answers to a broadcast address are dropped: that an outsider may have such an address on some
// host is no reason to call port 22 closed.
TEST(StatelessSegment, NobodysAddressIsABroadcastAddress) {
  const Linted linted(
      filter_table("-N BASE\n-A INPUT -j BASE\n-A OUTPUT -j BASE\n"
                   "-A BASE -m addrtype --dst-type BROADCAST -j DROP\n" +
                       std::string("-A BASE -m conntrack --ctstate ESTABLISHED "
                                   "-j ACCEPT\n-A INPUT -p tcp --dport 22 -j "
                                   "ACCEPT\n"),
                   "DROP", "DROP", "DROP"));
  EXPECT_TRUE(linted.of("PST206").empty());
  EXPECT_FALSE(linted.open("PST206"));
}

TEST(StatelessSegment, NobodysAddressIsNoAddressAtAll) {
  const Linted router(filter_table("-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                                   "-A FORWARD -i eth0 -o eth1 -j ACCEPT\n",
                                   "DROP", "DROP", "DROP"),
                      Family::kIpv6);
  EXPECT_TRUE(router.report.findings.empty());
  EXPECT_TRUE(router.report.open.empty());
}

TEST(StatelessSegment, WithoutAFilterTableNothingIsCalledAPolicy) {
  const Linted linted(
      "*mangle\n:POSTROUTING ACCEPT [0:0]\n"
      "-A POSTROUTING -o eth0 -p tcp -m tcp --sport 80 -j DROP\nCOMMIT\n");
  const auto found = linted.of("PST206");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].message.starts_with("nothing in the filter table stops TCP segments"));
  EXPECT_EQ(found[0].related.at(0).place.chain, "POSTROUTING");
}

// NAT beside it does not make a socket's talk with itself an open question.
TEST(StatelessSegment, ASocketThatTalksToItselfIsNoQuestionUnderNat) {
  const std::string nat =
      "*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
      "-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.5\n"
      "-A OUTPUT -d 203.0.113.1 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.5\n"
      "-A POSTROUTING -s 10.0.0.0/8 -o eth0 -j MASQUERADE\nCOMMIT\n";
  const Linted linted(nat + filter_table(std::string(kAnswers) +
                                         "-A INPUT -i lo -j ACCEPT\n"
                                         "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED "
                                         "-j ACCEPT\n-A FORWARD -p tcp --syn -j ACCEPT\n"));
  EXPECT_TRUE(linted.of("PST206").empty());
  EXPECT_FALSE(linted.open("PST206"));
}

std::string redirected(const std::string& input) {
  return "*nat\n:PREROUTING ACCEPT [0:0]\n"
         "-A PREROUTING -i tun0 -p tcp --syn -j REDIRECT --to-ports 9040\nCOMMIT\n" +
         filter_table(std::string(kAnswers) +
                          "-A FORWARD -i tun0 -p tcp -j ACCEPT\n"
                          "-A FORWARD -o tun0 -p tcp -j ACCEPT\n" +
                          input,
                      "DROP", "DROP", "ACCEPT");
}

// SYNs are redirected to this host: whether one can connect is decided there, though an ACK is
// forwarded as it is.
TEST(StatelessSegment, APortThatIsRedirectedIsOpenWhereItLeads) {
  const Linted open(redirected("-A INPUT -i tun0 -p tcp --dport 9040 -j ACCEPT\n"));
  EXPECT_TRUE(open.of("PST206").empty());
  EXPECT_FALSE(open.open("PST206"));
}

// So it is for the segments of which only NAT's ways are unknown: a SYN that is INVALID to the
// entry of the redirected flow is forwarded as it is.
TEST(StatelessSegment, WhatComesBesideARedirectedFlowIsNoQuestion) {
  const std::string redirect =
      "*nat\n:PREROUTING ACCEPT [0:0]\n"
      "-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 3000\nCOMMIT\n";
  const auto linted = [&](const char* input) {
    return Linted(redirect +
                  filter_table(std::string(kAnswers) + input, "DROP", "ACCEPT", "ACCEPT"));
  };
  const Linted open = linted("-A INPUT -p tcp --dport 3000 -j ACCEPT\n");
  EXPECT_TRUE(open.of("PST206").empty());
  EXPECT_FALSE(open.open("PST206"));
  EXPECT_EQ(linted("").of("PST206").size(), 1U);
}

// One address that a rule names is not both ends of a conversation by a wire.
TEST(StatelessSegment, AnAddressThatTalksToItselfIsNoQuestion) {
  for (const auto& [family, address] :
       {std::pair{Family::kIpv4, "203.0.113.6"}, std::pair{Family::kIpv6, "2001:db8::6"}}) {
    const Linted linted(std::string("*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
                                    "-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 3000\n"
                                    "-A OUTPUT -s ") +
                            address + " -j RETURN\nCOMMIT\n",
                        family);
    EXPECT_TRUE(linted.of("PST206").empty());
    EXPECT_FALSE(linted.open("PST206")) << address;
  }
}

// The SYN goes out translated, its answer comes untracked to an address that is not the client's.
TEST(StatelessSegment, AnAnswerToAStrangerOpensNothing) {
  const Linted linted(
      "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -i eth1 -p tcp --syn -j NOTRACK\nCOMMIT\n"
      "*nat\n:POSTROUTING ACCEPT\n"
      "-A POSTROUTING -o eth0 -p tcp -j SNAT --to-source 198.51.100.1\nCOMMIT\n" +
      filter_table("-A FORWARD -i eth1 -o eth0 -s 10.0.0.0/8 -j ACCEPT\n"
                   "-A FORWARD -i eth0 -o eth1 -d 10.0.0.0/8 -j ACCEPT\n",
                   "DROP", "DROP", "DROP"));
  const auto found = linted.of("PST206");
  ASSERT_FALSE(found.empty());
  EXPECT_NE(found[0].reasons.at(0).find("hears a stranger"), std::string::npos);
  EXPECT_FALSE(linted.open("PST206"));
}

TEST(StatelessSegment, APortThatIsRedirectedIntoNothingIsClosed) {
  const Linted closed(redirected(""));
  const auto found = closed.of("PST206");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].answer->path, Path::kForward);
  EXPECT_FALSE(closed.open("PST206"));
}

// A rule against a stranger is none against this host: nobody has that address on lo.
TEST(StatelessSegment, ABlocklistLeavesNoHoleOverLo) {
  const std::string ban = "-A INPUT -s 203.0.113.66/32 -j DROP\n-A INPUT -i lo -j ACCEPT\n" +
                          std::string(kAnswers) + "-A INPUT -p tcp --dport 22 -j ACCEPT\n";
  const std::string typed =
      "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -m addrtype --dst-type LOCAL -j RETURN\nCOMMIT\n";
  for (const std::string& text : {filter_table(ban), typed + filter_table(ban)}) {
    const Linted linted(text);
    EXPECT_TRUE(linted.of("PST206").empty());
    EXPECT_FALSE(linted.open("PST206"));
  }
  const Linted six(filter_table("-A INPUT -s 2001:db8::66 -j DROP\n-A INPUT -i lo -j ACCEPT\n"),
                   Family::kIpv6);
  EXPECT_TRUE(six.of("PST206").empty());
  // 127.0.0.1 is every host's.
  const Linted own(
      filter_table("-A INPUT -s 127.0.0.1 -p tcp --sport 22 -j DROP\n-A INPUT -i lo -j ACCEPT\n"));
  EXPECT_EQ(own.of("PST206").size(), 1U);
}

// A ban of source port 0 that the middle of a connection passes is no hole.
TEST(StatelessSegment, NobodyConnectsFromPortZero) {
  const Linted linted(
      "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper "
      "ftp\nCOMMIT\n"
      "*filter\n:FORWARD DROP\n"
      "-A FORWARD -p tcp -m tcp --sport 0 --tcp-flags FIN,SYN,RST,ACK SYN -j DROP\n"
      "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
      "-A FORWARD -i eth1 -o eth0 -j ACCEPT\nCOMMIT\n");
  EXPECT_TRUE(linted.of("PST206").empty());
}

// A port that docker publishes: OUTPUT leads this host's own flows to the container.
TEST(StatelessSegment, WhatIsLedToAContainerIsNoFlowOverLo) {
  const Linted linted(
      "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP\nCOMMIT\n"
      "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n:DOCKER - "
      "[0:0]\n"
      "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER\n"
      "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:80\n"
      "COMMIT\n*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n");
  for (const Finding& finding : linted.of("PST206")) {
    EXPECT_NE(finding.answer->path, Path::kLoopback);
  }
  EXPECT_FALSE(linted.open("PST206"));
}

// A SYN with a wrong checksum is INVALID, so that a rule for directions misses it, but opens
// nothing: the witness is another segment.
TEST(StatelessSegment, NobodyHearsAWrongChecksum) {
  const Linted linted(
      "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
      "-A FORWARD -i eth0 -p tcp -m conntrack --ctorigdstport 443 --ctdir ORIGINAL -j DROP\n"
      "-A FORWARD -i eth0 -o eth1 -p tcp --dport 443 -j ACCEPT\n"
      "-A FORWARD -i eth1 -o eth0 -j ACCEPT\nCOMMIT\n");
  EXPECT_FALSE(linted.open("PST206"));
  for (const Finding& finding : linted.of("PST206")) {
    EXPECT_FALSE(finding.answer->beginning().packet.bad_checksum);
  }
  EXPECT_FALSE(linted.of("PST206").empty());
}

}  // namespace
}  // namespace postern
