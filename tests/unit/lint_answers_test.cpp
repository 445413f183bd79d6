// No rule is called dead that the host's own answers meet: in raw OUTPUT they carry an entry, or
// are INVALID about what was UNTRACKED, whatever NOTRACK says (nf_ct_attach; kernel-facts 19, 43).
#include <gtest/gtest.h>

#include "lint_fixture.hpp"

namespace postern {
namespace {

struct Row {
  const char* name;
  const char* raw;  // rules of OUTPUT
  bool dead;        // the last of them
};

const Row kRows[] = {
    {"InvalidBehindNotrack", "-A OUTPUT -j NOTRACK\n-A OUTPUT -m state --state INVALID -j RETURN\n",
     false},
    {"BehindAllThatIsUntracked",
     "-A OUTPUT -j NOTRACK\n-A OUTPUT -m state --state UNTRACKED -j ACCEPT\n-A OUTPUT -p icmp -j "
     "DROP\n",
     false},
    {"RelatedInRaw", "-A OUTPUT -m state --state RELATED -j DROP\n", false},
    {"BehindEverything", "-A OUTPUT -j NOTRACK\n-A OUTPUT -j ACCEPT\n-A OUTPUT -p icmp -j DROP\n",
     true},
    {"NewInRaw", "-A OUTPUT -m state --state NEW -j DROP\n", true},
};

class HostAnswers : public ::testing::TestWithParam<Row> {};

TEST_P(HostAnswers, MeetRulesOfRaw) {
  const Linted linted(std::string("*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
                                  "-A PREROUTING -p udp -j NOTRACK\n") +
                      GetParam().raw +
                      "COMMIT\n*filter\n:INPUT ACCEPT\n-A INPUT -m state --state NEW -j ACCEPT\n"
                      "-A INPUT -p udp -j REJECT\nCOMMIT\n");
  const std::size_t dead =
      linted.of("PST101").size() + linted.of("PST103").size() + linted.of("PST305").size();
  EXPECT_EQ(dead != 0, GetParam().dead);
}

// Each of these rules counts a packet on Linux.
TEST(HostAnswers, KeepRulesAlive) {
  const std::string raw = "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n";
  const std::string filter = "COMMIT\n*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n";
  for (const std::string& rules :
       // An answer is RELATED in raw OUTPUT already.
       {raw + "-A OUTPUT -m conntrack --ctstate INVALID -j ACCEPT\n-A OUTPUT -p icmp -j DROP\n" +
            filter + "-A INPUT -j REJECT\n",
        // The reset of a new flow asks nat.
        "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -m conntrack --ctstate RELATED -j ACCEPT\n" +
            filter + "-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n",
        "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -m conntrack --ctstate NEW -j ACCEPT\n"
        "-A POSTROUTING -m conntrack --ctdir REPLY -j ACCEPT\n" +
            filter + "-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n",
        // About an UNTRACKED segment it finds the flow.
        raw + "-A PREROUTING -p tcp --tcp-flags ACK ACK -j NOTRACK\n-A OUTPUT -p tcp -j NOTRACK\n" +
            filter +
            "-A INPUT -p tcp --tcp-flags ACK ACK -j REJECT --reject-with tcp-reset\n"
            "-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n",
        // Over lo it comes back.
        raw + "-A OUTPUT -j NOTRACK\n" + filter +
            "-A INPUT -i lo -m conntrack --ctstate INVALID -j DROP\n"
            "-A INPUT -i lo -p tcp -m tcp --dport 53 -j REJECT --reject-with tcp-reset\n",
        // ... also where raw lets nothing else through, about a protocol that nobody listens to.
        raw + "-A OUTPUT -p 200 -j ACCEPT\n-A OUTPUT -m conntrack --ctstate INVALID -j DROP\n" +
            filter + "-A INPUT -i lo -p icmp -m conntrack --ctstate RELATED -j ACCEPT\n",
        // ... in a chain that others come to at another hook.
        raw +
            "-A OUTPUT -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n*mangle\n"
            ":PREROUTING ACCEPT\n:OUTPUT ACCEPT\n:u0 -\n-A PREROUTING -p udp -j u0\n"
            "-A OUTPUT -j u0\n-A u0 -p icmp\n" +
            filter + "-A INPUT -j REJECT\n",
        "*nat\n:PREROUTING ACCEPT\n:POSTROUTING ACCEPT\n:u0 -\n-A PREROUTING -j u0\n"
        "-A POSTROUTING -m conntrack --ctstate RELATED -j u0\n-A u0 -o eth0 -p tcp\n" +
            filter + "-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n"}) {
    const Linted linted(rules + "COMMIT\n");
    for (const char* id : {"PST101", "PST103", "PST305"}) {
      EXPECT_TRUE(linted.of(id).empty()) << id << " in\n" << rules;
    }
  }
}

// Neighbour discovery is UNTRACKED of itself: the error about one that is forwarded with no hop
// left.
TEST(HostAnswers, AboutNeighbourDiscoveryAreInvalid) {
  const Linted linted(
      "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n-A OUTPUT -j CT --zone 1\n"
      "-A OUTPUT -p ipv6-icmp -m conntrack --ctstate INVALID -j ACCEPT\n"
      "-A OUTPUT -p tcp -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
      Family::kIpv6);
  ASSERT_EQ(linted.of("PST305").size() + linted.of("PST101").size(), 1U);
}

// IPv6 takes packets with its own source off a wire; the error about one without a hop left comes
// over lo.
TEST(HostAnswers, ComeOverLoAboutWhatIsForwarded) {
  const Linted linted(
      "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
      "-A OUTPUT -m conntrack --ctstate INVALID,UNTRACKED -j DROP\nCOMMIT\n*filter\n"
      ":INPUT ACCEPT\n-A INPUT -i lo -p ipv6-icmp -m conntrack --ctstate RELATED -j ACCEPT\n"
      "-A INPUT -i lo -p tcp -j ACCEPT\nCOMMIT\n",
      Family::kIpv6);
  const auto dead = linted.of("PST103");
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_TRUE(dead.front().related.empty());
  EXPECT_NE(dead.front().reasons.front().find("-i lo"), std::string::npos);
}

// ... and what an earlier rule takes of them, later ones do not get.
TEST(HostAnswers, AreTakenByTheFirstRuleOfNat) {
  const Linted linted(
      "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.1\n"
      "-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n*filter\n:INPUT ACCEPT\n"
      "-A INPUT -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n");
  EXPECT_EQ(linted.of("PST101").size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Of, HostAnswers, ::testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace postern
