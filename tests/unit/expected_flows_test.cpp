// RELATED through expectations in the sets: which flows a helper may have announced, the proof that
// no other is let in, and witnesses with the flow that announces them. What the engine (and Linux)
// make of helpers: engine_helper_test.cpp, tests/kernel/helper_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>

#include "answer_fixture.hpp"

namespace postern {
namespace {

const std::string kHelper = "-A PREROUTING -i eth0 -p tcp -m tcp --dport 21 -j CT --helper ftp\n";
const std::string kRelated = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
const std::string kControl = "-A INPUT -i eth0 -p tcp -m tcp --dport 21 -j ACCEPT\n";

Answer answer(const std::string& text, const std::string& words) {
  return ask_one(LoadedRuleset("helpers.rules", text), words);
}
std::string reasons(const Answer& a) {
  std::string all;
  for (const std::string& reason : a.reasons) all += reason + "\n";
  return all;
}
void expect(const std::string& text, const std::string& words, Truth truth) {
  const Answer a = answer(text, words);
  EXPECT_EQ(a.truth, truth) << words << "\n" << text << reasons(a);
  if (truth == Truth::kNo) {
    EXPECT_TRUE(a.completeness && a.completeness->certified);
  } else if (truth == Truth::kYes) {
    EXPECT_TRUE(a.replayed);
  }
}

TEST(ExpectedFlows, AControlFlowIsAsAnyOther) {
  const std::string text = raw_and_filter(kHelper, kRelated + kControl);
  expect(text, "connect -i eth0 -p tcp --dport 21 --path in", Truth::kYes);
  EXPECT_FALSE(has_master(answer(text, "connect -i eth0 -p tcp --dport 21 --path in")));
  expect(text, "connect -i eth1 -p tcp --dport 21 --path in", Truth::kYes);  // announced
  expect(text, "track -i eth0 -p tcp --dport 21 --path in", Truth::kYes);
}

TEST(ExpectedFlows, WhatIsAnnouncedIsLetIn) {
  const std::string text = raw_and_filter(kHelper, kRelated + kControl);
  for (const char* verb : {"deliver", "connect"}) {
    const Answer a =
        answer(text, std::string(verb) + " -i eth0 -p tcp --syn --dport 5000 --path in");
    ASSERT_EQ(a.truth, Truth::kYes) << verb << reasons(a);
    EXPECT_TRUE(a.replayed);
    EXPECT_TRUE(has_master(a));
    EXPECT_FALSE(a.conditional);
    EXPECT_EQ(a.beginning().ctstate.at(Hook::kInput), CtState::kRelated);
    EXPECT_NE(a.assumptions, std::vector<std::string>{});
  }
}

TEST(ExpectedFlows, WithoutAControlFlowThereIsNoExpectation) {
  const std::string closed = raw_and_filter(kHelper, kRelated);
  expect(closed, "deliver -i eth0 -p tcp --dport 5000 --path in", Truth::kNo);
  expect(closed, "connect -i eth0 -p tcp --dport 5000 --path in", Truth::kNo);
  // Neither without a helper, nor where the first CT rule wins.
  expect(raw_and_filter("", kRelated + kControl), "deliver -i eth0 -p tcp --dport 5000 --path in",
         Truth::kNo);
  expect(raw_and_filter("-A PREROUTING -p tcp -j NOTRACK\n" + kHelper, kRelated + kControl),
         "deliver -i eth0 -p tcp --dport 5000 --path in", Truth::kNo);
  // ... which an ESTABLISHED control flow needs, too.
  expect(raw_and_filter(kHelper, "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT\n" + kControl +
                                     "-A OUTPUT -p tcp --sport 21 -j DROP\n"),
         "deliver -i eth0 -p tcp --dport 5000 --path in", Truth::kNo);
}

TEST(ExpectedFlows, AMasterMustBeReadToTheEnd) {
  const std::string filter = "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT\n" + kControl;
  for (const char* answers : {"NOTRACK", "CT --zone 1", "CT --zone-reply 1"}) {
    const std::string raw =
        kHelper + "-A OUTPUT -p tcp -m tcp --sport 21 -j " + std::string(answers) + "\n";
    expect(raw_and_filter(raw, filter), "deliver -i eth0 -p tcp --dport 5000 --path in",
           Truth::kNo);
  }
  // Its answers are looked up in the default zone.
  expect(
      raw_and_filter(kHelper + "-A OUTPUT -p tcp -m tcp --sport 21 -j CT --zone-orig 1\n", filter),
      "deliver -i eth0 -p tcp --dport 5000 --path in", Truth::kYes);
}

// A control flow that is picked up in its midst: no honest conversation, but read all the same.
TEST(ExpectedFlows, AMasterNeedNotBeginAsItShould) {
  const std::string picked_up = "-A INPUT -i eth0 -p tcp -m tcp --dport 21 ! --syn -j ACCEPT\n";
  constexpr const char* kQuestion =
      "deliver -i eth0 -s 192.0.2.9 -d 192.0.2.1 -p tcp --syn --dport 5000 --path in";
  const std::string related = "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT\n";
  expect(raw_and_filter(kHelper, related + picked_up), kQuestion, Truth::kUnknown);
  expect(raw_and_filter(kHelper, related + picked_up + "-A OUTPUT -p tcp --sport 21 -j DROP\n"),
         kQuestion, Truth::kNo);
}

TEST(ExpectedFlows, AreInTheZoneOfTheirMaster) {
  const std::string filter = kRelated + kControl, zone = "-A PREROUTING -i eth1 -j CT --zone 1\n";
  for (const std::string& raw : {kHelper + zone, zone + kHelper}) {
    const std::string text = raw_and_filter(raw, filter);
    expect(text, "deliver -i eth0 -p tcp --dport 5000 --path in", Truth::kYes);
    expect(text, "connect -i eth0 -p tcp --dport 5000 --path in", Truth::kYes);
    expect(text, "deliver -i eth1 -p tcp --dport 5000 --path in", Truth::kNo);
    expect(text, "deliver -i eth2 -p tcp --dport 5000 --path in", Truth::kYes);
  }
  // The first template wins.
  expect(raw_and_filter("-A PREROUTING -j CT --zone-orig 1\n" + kHelper, filter),
         "deliver -i eth0 -p tcp --dport 5000 --path in", Truth::kNo);
  expect(
      raw_and_filter(kHelper + "-A PREROUTING -i eth0 -p tcp --dport 21 -j CT --zone 1\n", filter),
      "deliver -i eth0 -p tcp --dport 5000 --path in", Truth::kYes);
}

TEST(ExpectedFlows, AreBetweenTheEndsOfTheirMaster) {
  const std::string text = raw_and_filter(
      kHelper, kRelated + "-A INPUT -i eth0 -s 192.0.2.9 -p tcp -m tcp --dport 21 -j ACCEPT\n");
  expect(text, "deliver -i eth0 -s 192.0.2.9 -p tcp --dport 5000 --path in", Truth::kYes);
  expect(text, "deliver -i eth0 -s 192.0.2.10 -p tcp --dport 5000 --path in", Truth::kNo);
  expect(text, "deliver -i eth0 -s 192.0.2.9 -p udp --dport 5000 --path in", Truth::kNo);
}

TEST(ExpectedFlows, TftpAnswersGoToThePortThatAsked) {
  const std::string text =
      raw_and_filter("-A OUTPUT -p udp -m udp --dport 69 -j CT --helper tftp\n",
                     kRelated +
                         "-A OUTPUT -p udp -m udp --sport 4000 --dport 69 -j ACCEPT\n"
                         "-A OUTPUT -p udp -j DROP\n");
  expect(text, "deliver -i eth0 -p udp --dport 4000 --path in", Truth::kYes);
  expect(text, "deliver -i eth0 -p udp --dport 4001 --path in", Truth::kNo);
  expect(text, "deliver -i eth0 -p tcp --dport 4000 --path in", Truth::kNo);
}

TEST(ExpectedFlows, IrcIsExpectedFromAnywhere) {
  const std::string text = raw_and_filter(
      "-A OUTPUT -d 192.0.2.66 -p tcp -m tcp --dport 6667 -j CT "
      "--helper irc\n",
      kRelated);
  expect(text, "deliver -i eth0 -s 203.0.113.5 -p tcp --syn --dport 5000 --path in", Truth::kYes);
  expect(text, "deliver -i eth0 -p udp --dport 5000 --path in", Truth::kNo);
}

TEST(ExpectedFlows, TheStatusOfAnExpectedFlowIsKnown) {
  const std::string text = raw_and_filter(
      kHelper, "-A INPUT -m conntrack --ctstatus EXPECTED -j DROP\n" + kRelated + kControl);
  expect(text, "deliver -i eth0 -p tcp --dport 5000 --path in", Truth::kNo);
  const std::string only = raw_and_filter(
      kHelper, "-A INPUT -m conntrack --ctstatus EXPECTED -j ACCEPT\n" + kControl +
                   "-A INPUT -m conntrack --ctstate ESTABLISHED -p tcp --dport 21 -j ACCEPT\n");
  expect(only, "connect -i eth0 -p tcp --dport 5000 --path in", Truth::kYes);
}

TEST(ExpectedFlows, Ipv6SpeaksEprtAndEpsv) {
  const LoadedRuleset rules("helpers.rules", raw_and_filter(kHelper, kRelated + kControl),
                            Family::kIpv6);
  const Answer a = ask_one(rules, "connect -i eth0 -p tcp --dport 5000 --path in");
  EXPECT_EQ(a.truth, Truth::kYes) << reasons(a);
}

TEST(ExpectedFlows, WhatIsNotFollowedIsUnknownNeverNo) {
  for (const char* rule : {"-A PREROUTING -p tcp -m tcp --dport 1723 -j CT --helper pptp\n",
                           "-A PREROUTING -m connmark --mark 1\n"
                           "-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\n",
                           "-A PREROUTING -p tcp -m tcp --dport 21 -j MYHELPER\n"}) {
    const Answer a = answer(raw_and_filter(rule, kRelated + kControl),
                            "deliver -i eth0 -p tcp --dport 5000 --path in");
    EXPECT_EQ(a.truth, Truth::kUnknown) << rule;
    EXPECT_FALSE(a.reasons.empty());
  }
  // A control flow may meet NAT that is not followed.
  const std::string nat =
      "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      ":POSTROUTING ACCEPT [0:0]\n"
      "-A PREROUTING -p tcp -j DNAT --to-destination 224.0.0.9\nCOMMIT\n";
  expect(nat + raw_and_filter(kHelper, kRelated + kControl),
         "deliver -i eth0 -p tcp --dport 5000 --path in", Truth::kUnknown);
}

// netbios-ns expects answers to this host's own broadcasts alone: off a wire it expects nothing.
TEST(ExpectedFlows, NothingIsExpectedOfWhatComesInToNetbios) {
  const std::string help = "-p udp -m udp --dport 137 -j CT --helper netbios-ns\n";
  constexpr const char* kQuestion = "deliver -i eth0 -p udp --sport 137 --path in";
  expect(raw_and_filter("-A PREROUTING " + help, kRelated), kQuestion, Truth::kNo);
  expect(raw_and_filter("-A OUTPUT " + help, kRelated), kQuestion, Truth::kUnknown);
  expect(raw_and_filter(":BOTH - [0:0]\n-A PREROUTING -j BOTH\n-A OUTPUT -j BOTH\n-A BOTH " + help,
                        kRelated),
         kQuestion, Truth::kUnknown);
  // A forwarded port is no other matter.
  const std::string forwarded =
      "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      ":POSTROUTING ACCEPT [0:0]\n"
      "-A PREROUTING -i eth1 -p tcp -m tcp --dport 8080 -j DNAT --to-destination "
      "198.51.100.9:80\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n";
  expect(forwarded + raw_and_filter("-A PREROUTING " + help, kRelated), kQuestion, Truth::kNo);
  // NAT may make a host that is answered a broadcast address.
  const std::string nat =
      "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      ":POSTROUTING ACCEPT [0:0]\n-A INPUT -j SNAT --to-source 192.0.2.255\nCOMMIT\n";
  expect(nat + raw_and_filter("-A PREROUTING " + help, kRelated), kQuestion, Truth::kUnknown);
}

// Whether the flow that an error quotes is EXPECTED is open: no witness may rest on it.
TEST(ExpectedFlows, AnErrorAboutAnotherFlowIsNotSurelyExpected) {
  const std::string text = raw_and_filter("-A OUTPUT -p tcp -m tcp --syn -j CT --helper ftp\n",
                                          "-A INPUT -m conntrack --ctstatus EXPECTED -j ACCEPT\n"
                                          "-A OUTPUT -m conntrack --ctstate RELATED -j ACCEPT\n"
                                          "-A OUTPUT -p tcp -m tcp --dport 21 -j ACCEPT\n"
                                          "-A OUTPUT -m conntrack --ctstate NEW -j DROP\n");
  expect(text, "deliver -p icmp -s 192.0.2.1 --path loopback", Truth::kUnknown);
}

// An error may quote a flow that a helper announced. No witness is made of such a one.
TEST(ExpectedFlows, AnErrorMayQuoteOne) {
  const std::string announced = "-A OUTPUT -p tcp -m tcp --dport 6667 -j CT --helper irc\n";
  constexpr const char* kQuestion = "deliver -i eth0 -p icmp --path in";
  // No other flow comes in.
  expect(raw_and_filter("", kRelated), kQuestion, Truth::kNo);
  expect(raw_and_filter(announced, kRelated), kQuestion, Truth::kUnknown);
  expect(raw_and_filter(announced, "-A INPUT -p tcp -j DROP\n" + kRelated), kQuestion, Truth::kNo);
  // Not surely announced (picked up in its midst), nor surely let in.
  expect(raw_and_filter(announced, kRelated + "-A OUTPUT -p tcp --syn -j DROP\n"), kQuestion,
         Truth::kUnknown);
  expect(raw_and_filter(announced, "-A INPUT -p tcp -m limit --limit 1/hour -j DROP\n" + kRelated),
         kQuestion, Truth::kUnknown);
}

// Linux's helper drops the EPSV answer that names port 0.
TEST(ExpectedFlows, NobodyAnnouncesPort0OverIpv6) {
  const LoadedRuleset rules(
      "ftp6.rules",
      "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\n"
      "COMMIT\n*filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j "
      "ACCEPT\n-A FORWARD -p tcp -m tcp --dport 21 -j ACCEPT\nCOMMIT\n",
      Family::kIpv6);
  const std::string packet = " -i eth0 -o eth1 -p tcp --syn --dport ";
  EXPECT_NE(ask_one(rules, "deliver" + packet + "0:20 --every dport").truth, Truth::kYes);
  EXPECT_EQ(ask_one(rules, "deliver" + packet + "1:20 --every dport").truth, Truth::kYes);
  const Answer one = ask_one(rules, "deliver" + packet + "0:20");
  ASSERT_EQ(one.truth, Truth::kYes);
  EXPECT_EQ(one.within_question.at(Field::kDestinationPort).front().first, 1U);
}

}  // namespace
}  // namespace postern
