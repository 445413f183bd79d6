// Which address NAT gives where the host chooses it, and what --every speaks of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.hpp"

namespace postern {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

Answer asked(const std::string& nat, const std::string& filter, const char* words) {
  const LoadedRuleset rules("addresses.rules", nat + filter);
  return ask_one(rules, words);
}

const std::string kRedirect =
    "*nat\n:PREROUTING ACCEPT\n"
    "-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080\nCOMMIT\n";

bool assumes(const Answer& answer, const std::string& line) {
  return std::ranges::find(answer.assumptions, line) != answer.assumptions.end();
}

// Rules behind REDIRECT ask for the address that the device has.
TEST(GivenAddress, OfRedirectIsOneThatRulesAskFor) {
  for (const char* rule : {"-A INPUT -d 192.0.2.1/32 -p tcp -m tcp --dport 8080 -j ACCEPT\n",
                           "-A INPUT ! -d 192.0.2.1/32 -p tcp -j DROP\n-A INPUT -p tcp -m tcp "
                           "--dport 8080 -j ACCEPT\n",
                           "-A INPUT ! -d 10.1.0.0/16 -p tcp -j DROP\n-A INPUT -p tcp -m tcp "
                           "--dport 8080 -j ACCEPT\n"}) {
    const Answer answer =
        asked(kRedirect, std::string("*filter\n:INPUT DROP\n") + rule + "COMMIT\n",
              "deliver -i eth0 -p tcp --syn --dport 80 --path in");
    EXPECT_EQ(answer.truth, Truth::kYes) << rule << to_text(answer);
    EXPECT_TRUE(answer.conditional) << rule;
    EXPECT_TRUE(assumes(answer, "192.0.2.1 is the first address of eth0, which NAT takes") ||
                assumes(answer, "10.1.0.1 is the first address of eth0, which NAT takes"))
        << to_text(answer);
  }
}

TEST(GivenAddress, OfMasqueradeIsOneThatRulesAskFor) {
  const Answer answer = asked(
      "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n",
      "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -i eth0 ! -d 203.0.113.5/32 -j DROP\nCOMMIT\n"
      "*filter\n:FORWARD DROP\n-A FORWARD -i eth1 -o eth0 -j ACCEPT\n"
      "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n",
      "connect -i eth1 -o eth0 -p tcp --dport 80");
  EXPECT_EQ(answer.truth, Truth::kYes) << to_text(answer);
  EXPECT_TRUE(assumes(answer, "203.0.113.5 is the first address of eth0, which NAT takes"));
}

// DNAT may lead a packet to the address that it has.
TEST(GivenAddress, OfDnatMayBeTheOneThatItWasSentTo) {
  for (const char* words : {"deliver -i eth0 -p tcp --syn --dport 80 --path in",
                            "connect -i eth0 -p tcp -d 192.0.2.1 --dport 80 --path in",
                            "track -i eth0 -p tcp -d 192.0.2.1 --dport 80 --path in"}) {
    const Answer answer = asked(
        "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT "
        "--to-destination 192.0.2.1:8080\nCOMMIT\n",
        "*filter\n:INPUT DROP\n-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT\nCOMMIT\n", words);
    EXPECT_EQ(answer.truth, Truth::kYes) << to_text(answer);
  }
}

// An address that is named for one end is taken for the other only where there is no other.
TEST(EveryAddress, EndsOnWiresHaveTwo) {
  const LoadedRuleset open("open.rules", "*filter\n:FORWARD ACCEPT\nCOMMIT\n");
  const Answer a = ask_one(open, "deliver -i eth0 -o eth1 -p tcp -s 198.51.100.9 --path forward");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(box_exception(a, a.generalised), "src = dst");
}

// Among every port is the one that makes it a flow to itself, which fares otherwise.
TEST(EveryAddress, SpeaksOfAFlowToItself) {
  const LoadedRuleset rules("own.rules",
                            "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctdir ORIGINAL -j "
                            "ACCEPT\nCOMMIT\n");
  const std::string one = "deliver -i lo -p tcp -s 127.0.0.1 -d 127.0.0.1 --tcp-flags ALL FIN,ACK";
  EXPECT_NE(ask_one(rules, one + " --find sport --every dport").truth, Truth::kYes);
  const Answer a = ask_one(rules, one);
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(box_exception(a, a.within_question), "src = dst with sport = dport");
}

// "Every source" is every source that a host may have.
TEST(EveryAddress, LeavesOutWhatNoHostSends) {
  const std::string rules =
      "*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n"
      "-A INPUT -j DROP\nCOMMIT\n";
  const LoadedRuleset loaded("every.rules", rules);
  for (const char* find : {"dst", "sport", "dport", "dst,sport"}) {
    const Answer answer = ask_one(
        loaded, std::string("connect --path in -i eth0 -p tcp --find ") + find + " --every src");
    EXPECT_EQ(answer.truth, Truth::kYes) << find << to_text(answer);
  }
}

// MASQUERADE drops over lo where the host has no other address than those of lo (seen on Linux).
TEST(MasqueradeOverLo, TakesAnAddressOfAnotherDevice) {
  for (const char* rule : {"-j MASQUERADE", "-p udp -m udp ! --dport 80 -j MASQUERADE"}) {
    const LoadedRuleset rules("masquerade.rules", "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING " +
                                                      std::string(rule) + "\nCOMMIT\n");
    for (const char* question : {"connect -i lo -p udp --dport 53", "deliver -i lo -p udp",
                                 "track -i lo -p udp --dport 53"}) {
      const Answer a = ask_one(rules, question);
      EXPECT_EQ(a.truth, Truth::kYes) << to_text(a);
      EXPECT_EQ(
          std::ranges::count(a.assumptions, "this host has an address on another device than lo"),
          1)
          << to_text(a);
    }
  }
}

// Over lo both ends are this host's; 127.0.0.0/8 is every host's.
TEST(OwnAddress, OfAFlowOverLoIsListed) {
  const LoadedRuleset rules("lo.rules",
                            "*filter\n:INPUT DROP\n-A INPUT -s 203.0.113.66/32 -j DROP\n"
                            "-A INPUT -i lo -j ACCEPT\nCOMMIT\n");
  const auto listed = [&](const char* question) {
    return expect_answer(rules, Truth::kYes, question).assumptions;
  };
  EXPECT_THAT(listed("deliver -i lo -d 203.0.113.66"),
              Contains("203.0.113.66 is an address of this host"));
  EXPECT_THAT(listed("deliver -i lo -s 203.0.113.5 -d 203.0.113.66"),
              Contains("203.0.113.5 and 203.0.113.66 are addresses of this host"));
  EXPECT_THAT(listed("connect -i lo -p tcp -s 203.0.113.5 -d 203.0.113.5"),
              Contains("203.0.113.5 is an address of this host"));
  EXPECT_THAT(listed("deliver -i lo"), Not(Contains(HasSubstr("of this host"))));
}

// docker's way: only what is sent to an own address is led on.
TEST(OwnAddress, OfAPacketThatNatLeadsOnIsListed) {
  const LoadedRuleset rules = nat_and_filter(
      "-A PREROUTING -i eth0 -p tcp -m addrtype --dst-type LOCAL --dport 8080 -j DNAT "
      "--to-destination 172.17.0.2:80\n",
      ":FORWARD DROP\n-A FORWARD -o docker0 -d 172.17.0.2 -j ACCEPT\n");
  const Answer a = expect_answer(rules, Truth::kYes,
                                 "deliver -i eth0 -o docker0 -p tcp -d 203.0.113.5 --dport 8080");
  EXPECT_THAT(a.assumptions, Contains("203.0.113.5 is an address of this host"));
}

}  // namespace
}  // namespace postern
