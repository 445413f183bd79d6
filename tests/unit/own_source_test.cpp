// IPv4 takes no packet off a wire that comes from an address of this host, but one from any other
// address of a network that is assigned to lo, which is LOCAL as well; IPv6 asks none, be it for
// this host or for others (measured on Linux 6.18: `replay --on-kernel`). Rules that test the
// source's type see it. Its answers go over lo: no conversation is held so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.hpp"

namespace postern {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// Only what comes from an address of this host gets in by eth0.
LoadedRuleset from_this_host(Family family) {
  return LoadedRuleset("own.rules",
                       "*raw\n:PREROUTING ACCEPT\n"
                       "-A PREROUTING -i eth0 -m addrtype ! --src-type LOCAL -j DROP\nCOMMIT\n",
                       family);
}

TEST(OwnSource, IsTakenOffAWireByIpv6) {
  const LoadedRuleset rules = from_this_host(Family::kIpv6);
  const Answer in = expect_answer(rules, Truth::kYes, "deliver -i eth0 -p udp --path in");
  EXPECT_THAT(in.assumptions, Contains("2001:db8::9 is an address of this host"));
  const Answer on = expect_answer(rules, Truth::kYes, "deliver -i eth0 -o eth1 -p udp");
  EXPECT_THAT(on.assumptions, Contains(HasSubstr("comes by eth0, is an address of this host")));
}

TEST(OwnSource, IsTakenByIpv4FromANetworkOnLoOnly) {
  const LoadedRuleset rules = from_this_host(Family::kIpv4);
  for (const char* question :
       {"deliver -i eth0 -p udp -d 203.0.113.7 --path in", "deliver -i eth0 -o eth1 -p udp"}) {
    const Answer a = expect_answer(rules, Truth::kYes, question);
    EXPECT_THAT(a.assumptions, Contains(HasSubstr("an address of a network on lo")));
  }
  const Answer martian =
      ask_one(rules, "deliver -i eth0 -p udp -s 127.0.0.1 -d 203.0.113.7 --path in");
  EXPECT_EQ(martian.truth, Truth::kNo) << to_text(martian);
}

TEST(OwnSource, IsAnsweredOverLo) {
  const LoadedRuleset rules = from_this_host(Family::kIpv6);
  const Answer a = ask_one(rules, "connect -i eth0 -o eth1 -p udp");
  EXPECT_EQ(a.truth, Truth::kUnknown) << to_text(a);
  EXPECT_THAT(a.reasons, Contains(HasSubstr("answers go over lo")));
}

// A process of this host writes what it likes (IP_HDRINCL), and IPv6 lets any socket do so; what
// answers it comes to nobody.
TEST(OwnSource, LoopbackGoesOutByAWire) {
  for (const auto& [family, address] :
       {std::pair{Family::kIpv4, "127.0.0.1"}, std::pair{Family::kIpv6, "::1"}}) {
    const LoadedRuleset rules("lo.rules",
                              "*filter\n:INPUT ACCEPT\n:OUTPUT DROP\n-A OUTPUT -s " +
                                  std::string(address) + " -j ACCEPT\nCOMMIT\n",
                              family);
    expect_answer(rules, Truth::kYes, "deliver -o eth0 -p udp");
    expect_answer(rules, Truth::kNo, "connect -o eth0 -p udp");
  }
}

// Where others may connect, nobody is asked to.
TEST(OwnSource, IsNobodysFirstChoice) {
  const LoadedRuleset rules("some.rules",
                            "*filter\n:FORWARD ACCEPT\n"
                            "-A FORWARD -m addrtype --src-type LOCAL -p tcp --dport 22 -j DROP\n"
                            "COMMIT\n",
                            Family::kIpv6);
  expect_answer(rules, Truth::kYes, "connect -i eth0 -o eth1 -p tcp --dport 22");
  expect_answer(rules, Truth::kYes, "connect -i eth0 -o eth1 -p tcp --dport 80");
}

}  // namespace
}  // namespace postern
