// What takes an unusual socket or an unusual host, but may be on any: a socket that is bound to a
// device sends by it whatever the destination is, a raw one writes any source, and of a network on
// lo every address is LOCAL, of which IPv4 takes packets off a wire. Each was seen with `replay
// --on-kernel` on Linux 6.18. Where others get through as well, nobody is asked to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.hpp"

namespace postern {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Family k4 = Family::kIpv4, k6 = Family::kIpv6;

struct Row {
  const char* name;
  Family family;
  const char* hook;  // all is dropped there, but for
  const char* rule;
  const char* question;
  Truth truth;
  const char* why;  // in the assumptions of a yes, the reasons of an unknown
};

const Row kRows[] = {
    {"BroadcastOverLo", k4, "INPUT", "-i lo -d 255.255.255.255", "deliver -i lo -p udp",
     Truth::kYes, "127.0.0.1 to 255.255.255.255 over lo"},
    {"BroadcastTypeOverLo", k4, "INPUT", "-i lo -m addrtype --dst-type BROADCAST",
     "deliver -i lo -p udp", Truth::kYes, "over lo"},
    {"AllHostsOverLo", k4, "INPUT", "-i lo -d 224.0.0.1", "deliver -i lo -p udp", Truth::kYes,
     "to 224.0.0.1 over lo"},
    {"GroupOverLo", k4, "INPUT", "-i lo -d 224.0.0.251", "deliver -i lo -p udp", Truth::kUnknown,
     "which groups it has joined"},
    {"GroupOverLo6", k6, "INPUT", "-i lo -d ff02::1", "deliver -i lo -p udp", Truth::kUnknown,
     "which groups it has joined"},
    {"NobodyAnswersABroadcast", k4, "INPUT", "-i lo -d 255.255.255.255", "connect -i lo -p udp",
     Truth::kNo, ""},
    {"NobodysAddressOverLo", k4, "INPUT", "-i lo -d 0.0.0.0", "deliver -i lo -p udp", Truth::kYes,
     "to 0.0.0.0 over lo"},
    {"AnothersAddressOverLo", k4, "INPUT", "-i lo -m addrtype --dst-type UNICAST",
     "deliver -i lo -p udp", Truth::kYes, "over lo"},
    {"ForeignSourceOverLo", k4, "INPUT", "-i lo -m addrtype ! --src-type LOCAL",
     "deliver -i lo -p udp", Truth::kYes, "over lo"},
    {"ForeignSourceOverLo6", k6, "INPUT", "-i lo -m addrtype ! --src-type LOCAL",
     "deliver -i lo -p udp", Truth::kYes, "over lo"},
    {"GroupAsASourceOverLo", k4, "INPUT", "-s 224.0.0.0/4", "deliver -i lo -p udp", Truth::kYes,
     "to 127.0.0.1 over lo"},
    {"FromNobodyOverLo", k4, "INPUT", "-s 0.0.0.0", "deliver -i lo -p udp", Truth::kUnknown,
     "whether it has no address at all"},
    {"FromNobodyOut", k4, "OUTPUT", "-s 0.0.0.0", "deliver -o eth0 -p udp -d 198.51.100.9",
     Truth::kYes, "from 0.0.0.0 to 198.51.100.9 by eth0"},
    {"ForeignSourceOut", k4, "OUTPUT", "-m addrtype --src-type UNICAST", "deliver -o eth0 -p udp",
     Truth::kYes, "raw socket"},
    {"ForeignSourceOutIsNotAnswered", k4, "OUTPUT", "-m addrtype --src-type UNICAST",
     "connect -o eth0 -p udp", Truth::kNo, ""},
    {"GroupAsASourceOut", k4, "OUTPUT", "-s 224.0.0.5", "deliver -o eth0 -p udp", Truth::kYes,
     "from 224.0.0.5"},
    {"GroupAsASourceOut6", k6, "OUTPUT", "-s ff02::5", "deliver -o eth0 -p udp", Truth::kYes,
     "from ff02::5"},
    {"OwnDestinationByAWire", k4, "OUTPUT", "-o eth1 -m addrtype --dst-type LOCAL",
     "deliver -o eth1 -p udp --path out", Truth::kYes, "bound to a device"},
    {"OwnDestinationByAWire6", k6, "OUTPUT", "-o eth1 -m addrtype --dst-type LOCAL",
     "deliver -o eth1 -p udp --path out", Truth::kYes, "bound to a device"},
    {"LoopbackByAWire", k4, "OUTPUT", "-o eth1 -d 127.0.0.1", "deliver -o eth1 -p udp --path out",
     Truth::kYes, "bound to a device"},
    {"LoopbackByAWire6", k6, "OUTPUT", "-o eth1 -d ::1", "deliver -o eth1 -p udp --path out",
     Truth::kYes, "bound to a device"},
    {"ToItselfByAWire", k4, "OUTPUT", "-o eth0 -s 192.0.2.1 -d 192.0.2.1",
     "deliver -o eth0 -p udp --path out", Truth::kUnknown, "whether a socket is bound to a wire"},
    {"LocalSource", k4, "INPUT", "-m addrtype --src-type LOCAL", "deliver -i eth0 -p udp --path in",
     Truth::kYes, "192.0.2.9 is an address of a network on lo"},
    {"LocalSourceIsNotAnswered", k4, "INPUT", "-m addrtype --src-type LOCAL",
     "connect -i eth0 -p udp --path in", Truth::kUnknown, "answers go over lo"},
    {"LocalSourceIsForwarded", k4, "FORWARD", "-m addrtype --src-type LOCAL",
     "deliver -i eth0 -o eth1 -p udp", Truth::kYes, "is an address of a network on lo"},
    {"KeptHereByIpRule", k4, "INPUT", "-m addrtype --dst-type UNICAST",
     "deliver -i eth0 -p udp --path in", Truth::kUnknown, "ip rule"},
    {"ToItselfIsNotForwarded", k4, "FORWARD", "-m addrtype --dst-type LOCAL",
     "deliver -i eth0 -o eth1 -p udp", Truth::kNo, ""},
    {"LinkLocalOfAnotherDevice", k6, "FORWARD", "-m addrtype --dst-type LOCAL",
     "deliver -i eth0 -o eth0 -p udp", Truth::kUnknown, "which of its devices has a link-local"},
    {"LinkLocalStaysOnItsLink", k6, "FORWARD", "-m addrtype --dst-type LOCAL",
     "deliver -i eth0 -o eth1 -p udp", Truth::kNo, ""},
};

class UnusualSocket : public ::testing::TestWithParam<Row> {};

TEST_P(UnusualSocket, IsNotDenied) {
  const Row& row = GetParam();
  std::string text = "*filter\n";
  for (const std::string hook : {"INPUT", "FORWARD", "OUTPUT"}) {
    text += ":" + hook + (hook == row.hook ? " DROP\n" : " ACCEPT\n");
  }
  const LoadedRuleset rules(
      row.name, text + "-A " + row.hook + " " + row.rule + " -j ACCEPT\nCOMMIT\n", row.family);
  const Answer a = expect_answer(rules, row.truth, row.question);
  if (row.truth == Truth::kYes) {
    EXPECT_THAT(a.assumptions, Contains(HasSubstr(row.why))) << to_text(a);
  } else if (row.truth == Truth::kUnknown) {
    EXPECT_THAT(a.reasons, Contains(HasSubstr(row.why))) << to_text(a);
  }
}

INSTANTIATE_TEST_SUITE_P(Of, UnusualSocket, ::testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

// The rules do not tell the odd ones apart, or let others in as well: the answer speaks of those.
TEST(UnusualSockets, AreNobodysFirstChoice) {
  const LoadedRuleset rules("all.rules",
                            "*filter\n:INPUT ACCEPT\n:OUTPUT DROP\n"
                            "-A OUTPUT -m addrtype --src-type UNICAST,LOCAL -j ACCEPT\nCOMMIT\n");
  for (const char* question : {"deliver -o eth0 -p udp", "deliver -i lo -p udp"}) {
    const Answer a = expect_answer(rules, Truth::kYes, question);
    EXPECT_THAT(a.assumptions, Not(Contains(HasSubstr("raw socket")))) << to_text(a);
  }
}

// wg-quick's kill switch: past it goes by a wire what is for this host itself, as it sees it. No
// `nc` is bound to a device.
TEST(UnusualSockets, WhoseDestinationMustBeTheHostsOwnSayItIs) {
  const LoadedRuleset rules("kill.rules",
                            "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"
                            "-A OUTPUT ! -o wg0 -m mark ! --mark 0xca6c -m addrtype ! --dst-type "
                            "LOCAL -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n");
  const Answer a = expect_answer(rules, Truth::kYes, "deliver -o eth0 -p tcp -d 198.51.100.9");
  EXPECT_THAT(a.assumptions, Contains("192.0.2.1 and 198.51.100.9 are addresses of this host"));
  EXPECT_TRUE(reproduction(a).empty()) << to_text(a);
  const Answer usual = expect_answer(rules, Truth::kYes, "deliver -o wg0 -p tcp");
  EXPECT_FALSE(reproduction(usual).empty()) << to_text(usual);
}

// What DNAT leads away again may be sent to an own address by any program.
TEST(UnusualSockets, AreNotNeededWhereNatLeadsOn) {
  const LoadedRuleset rules = nat_and_filter(
      "-A OUTPUT -o lo -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\n",
      ":OUTPUT DROP\n-A OUTPUT -d 172.17.0.2 -p tcp -m conntrack --ctstate DNAT -j ACCEPT\n");
  const Answer a =
      expect_answer(rules, Truth::kYes, "deliver -p tcp -d 203.0.113.5 --dport 8080 --path out");
  EXPECT_THAT(a.assumptions, Contains("203.0.113.5 is an address of this host"));
  EXPECT_FALSE(reproduction(a).empty()) << to_text(a);
}

TEST(UnusualSockets, DoNotCountForEvery) {
  const LoadedRuleset rules("some.rules",
                            "*filter\n:INPUT DROP\n"
                            "-A INPUT -i lo -p udp --dport 53 ! -d 224.0.0.0/4 -j ACCEPT\n"
                            "COMMIT\n");
  const QuestionDefaults defaults{.path = {}, .find = {"sport"}, .every = {"dst"}};
  Prover prover(rules.program());
  const auto answers =
      prover.ask(question_of("deliver -i lo -p udp --dport 53", Family::kIpv4, defaults));
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].truth, Truth::kYes) << to_text(answers[0]);
}

// Where NAT leads what is sent to this host to an address that may be a whole subnet's.
TEST(UnusualSockets, ABroadcastAddressThatNatLeadsTo) {
  for (const char* range : {"192.0.2.255", "192.0.2.1-192.0.2.255"}) {
    const LoadedRuleset rules(
        "dnat.rules", "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p udp -j DNAT --to-destination " +
                          std::string(range) +
                          "\nCOMMIT\n*filter\n:INPUT DROP\n-A INPUT -m addrtype --dst-type "
                          "BROADCAST -m conntrack --ctstate DNAT -j ACCEPT\nCOMMIT\n");
    const Answer a = ask_one(rules, "deliver -i eth0 -p udp -d 203.0.113.7 --path in");
    EXPECT_EQ(a.truth, Truth::kUnknown) << to_text(a);
  }
}

TEST(UnusualSockets, ABroadcastFromNobodyThatNatMakesOne) {
  const LoadedRuleset rules("dnat.rules",
                            "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -s 0.0.0.0 -d 192.0.2.1 "
                            "-j DNAT --to-destination 255.255.255.255\nCOMMIT\n"
                            "*filter\n:INPUT DROP\n-A INPUT -s 0.0.0.0 -j ACCEPT\nCOMMIT\n");
  const Answer a = ask_one(rules, "deliver -p udp -i eth0 -d 192.0.2.1 --path in");
  EXPECT_EQ(a.truth, Truth::kUnknown) << to_text(a);
}

}  // namespace
}  // namespace postern
