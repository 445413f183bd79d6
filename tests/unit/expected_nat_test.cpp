// Helpers together with NAT in the sets: what is announced where the master, or the announced flow,
// is translated. Truths are the engine's, which agrees with Linux (tests/kernel/helper_test.cpp,
// corpus/stories/ftp-active-snat.md).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "answer_fixture.hpp"

namespace postern {
namespace {

std::string ruleset(const std::string& raw, const std::string& nat, const std::string& filter) {
  return "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n" + raw +
         "COMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
         ":POSTROUTING ACCEPT [0:0]\n" +
         nat + "COMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n" +
         filter + "COMMIT\n";
}

const std::string kFtp = "-A PREROUTING -i eth0 -p tcp -m tcp --dport 21 -j CT --helper ftp\n";
const std::string kSnat = "-A POSTROUTING -o eth1 -j SNAT --to-source 198.51.100.1\n";
const std::string kMasquerade = "-A POSTROUTING -o eth1 -j MASQUERADE\n";
const std::string kControl =
    "-A FORWARD -i eth0 -o eth1 -s 192.0.2.0/24 -p tcp -m tcp --dport 21 -m conntrack --ctstate "
    "NEW -j ACCEPT\n"
    "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n";
const std::string kRelated = "-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT\n";

std::string reasons(const Answer& a) {
  std::string all;
  for (const std::string& reason : a.reasons) all += reason + "\n";
  return all;
}
Answer expect(const std::string& text, const std::string& words, Truth truth,
              std::optional<Family> family = std::nullopt) {
  SCOPED_TRACE(text);
  Answer a = expect_answer(LoadedRuleset("helpers.rules", text, family), truth, words);
  EXPECT_FALSE(a.truth == Truth::kYes && a.conditional) << words;
  return a;
}

TEST(ExpectedNat, TheServerCallsBackThroughSnat) {
  const std::string text = ruleset(kFtp, kSnat, kControl + kRelated);
  for (const std::string verb : {"deliver", "connect", "track"}) {
    const Answer a = expect(text,
                            verb +
                                " -i eth1 -o eth0 -d 198.51.100.1 -p tcp --syn --sport 20"
                                " --dport 5001 --path forward",
                            Truth::kYes);
    EXPECT_TRUE(has_master(a)) << verb;
  }
  // To no other address, and with no other protocol.
  expect(text, "deliver -i eth1 -o eth0 -d 198.51.100.2 -p tcp --dport 5001 --path forward",
         Truth::kNo);
  expect(text, "deliver -i eth1 -p udp --dport 5001 --path forward", Truth::kNo);
  expect(ruleset("", kSnat, kControl + kRelated),
         "deliver -i eth1 -p tcp --dport 5001 --path forward", Truth::kNo);
  expect(ruleset(kFtp, kSnat, kControl), "deliver -i eth1 -p tcp --dport 5001 --path forward",
         Truth::kNo);
}

TEST(ExpectedNat, TheStoryIsAnswered) {
  const Answer a = ask_one(LoadedRuleset::corpus("stories/ftp-active-snat.rules"),
                           "connect -i eth1 -d 198.51.100.1 -p tcp --sport 20 --dport 5001 --path "
                           "forward");
  EXPECT_EQ(a.truth, Truth::kYes) << reasons(a);
  EXPECT_TRUE(has_master(a));
}

TEST(ExpectedNat, MasqueradeIsAsSnat) {
  const std::string text = ruleset(kFtp, kMasquerade, kControl + kRelated);
  expect(text, "connect -i eth1 -o eth0 -p tcp --dport 5001 --path forward", Truth::kYes);
  // Passive: the client's data connection is masqueraded with its master.
  const Answer a =
      expect(text, "connect -i eth0 -o eth1 -p tcp --dport 5001 --path forward", Truth::kYes);
  EXPECT_TRUE(has_master(a));
  expect(text, "deliver -i eth1 -p udp --path forward", Truth::kNo);
  expect(text, "deliver -i eth1 -p tcp --dport 22 --path in", Truth::kNo);
}

TEST(ExpectedNat, AServerBehindDnatAnnouncesItself) {
  const std::string dnat =
      "-A PREROUTING -i eth0 -p tcp -m tcp --dport 21 -j DNAT --to-destination "
      "10.0.0.2\n";
  const std::string control =
      "-A FORWARD -i eth0 -d 10.0.0.2 -p tcp -m tcp --dport 21 -m conntrack --ctstate NEW -j "
      "ACCEPT\n"
      "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n";
  const std::string words =
      "deliver -i eth0 -o eth1 -d 203.0.113.5 -p tcp --syn --dport 5001 --path forward";
  expect(ruleset(kFtp, dnat, control + kRelated), words, Truth::kYes);
  // It is bound to where its master is.
  const std::string to = "-p tcp -m conntrack --ctstate RELATED -j ACCEPT\n";
  expect(ruleset(kFtp, dnat, control + "-A FORWARD -d 10.0.0.2 " + to), words, Truth::kYes);
  expect(ruleset(kFtp, dnat, control + "-A FORWARD -d 10.0.0.3 " + to), words, Truth::kNo);
  expect(ruleset(kFtp, dnat, control), words, Truth::kNo);
}

TEST(ExpectedNat, RulesOfNatTakeWhatFollowsNoMaster) {
  const std::string input =
      "-A INPUT -i eth0 -p tcp -m tcp --dport 21 -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
  // The control flow is not translated, the data connection is redirected to port 80.
  const std::string redirect =
      "-A PREROUTING -p tcp -m tcp --dport 5001 -j REDIRECT --to-ports 80\n";
  expect(ruleset(kFtp, redirect, input), "deliver -i eth0 -p tcp --syn --dport 5001 --path in",
         Truth::kYes);
  const std::string only80 =
      "-A INPUT -i eth0 -p tcp -m tcp --dport 21 -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
      "-A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate RELATED -j "
      "ACCEPT\n";
  expect(ruleset(kFtp, redirect, only80), "deliver -i eth0 -p tcp --syn --dport 5001 --path in",
         Truth::kYes);
}

TEST(ExpectedNat, NatOfAnotherProtocolChangesNothing) {
  const std::string input =
      "-A INPUT -i eth0 -p tcp -m tcp --dport 21 -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
  const std::string udp = "-A POSTROUTING -p udp -j MASQUERADE\n";
  expect(ruleset(kFtp, udp, input), "connect -i eth0 -p tcp --dport 5001 --path in", Truth::kYes);
  expect(ruleset(kFtp, udp, "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"),
         "deliver -i eth0 -p tcp --dport 5001 --path in", Truth::kNo);
  expect(ruleset(kFtp, udp, kControl + kRelated),
         "deliver -i eth1 -p udp --dport 5001 --path forward", Truth::kNo);
}

TEST(ExpectedNat, TftpAnswersComeToThePortThatSnatGave) {
  const std::string tftp = "-A PREROUTING -i eth0 -p udp -m udp --dport 69 -j CT --helper tftp\n";
  const std::string filter =
      "-A FORWARD -i eth0 -o eth1 -p udp -m udp --dport 69 -m conntrack --ctstate NEW -j ACCEPT\n"
      "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
  const std::string text = ruleset(tftp, kSnat, filter);
  expect(text, "connect -i eth1 -o eth0 -d 198.51.100.1 -p udp --dport 4000 --path forward",
         Truth::kYes);
  expect(text, "deliver -i eth1 -d 198.51.100.2 -p udp --dport 4000 --path forward", Truth::kNo);
  expect(text, "deliver -i eth1 -p tcp --dport 4000 --path forward", Truth::kNo);
}

TEST(ExpectedNat, IrcIsExpectedFromAnywhere) {
  const std::string irc = "-A PREROUTING -i eth0 -p tcp -m tcp --dport 6667 -j CT --helper irc\n";
  const std::string filter =
      "-A FORWARD -i eth0 -o eth1 -d 203.0.113.66 -p tcp -m tcp --dport 6667 -j ACCEPT\n"
      "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
  const std::string text = ruleset(irc, kSnat, filter);
  expect(text,
         "deliver -i eth1 -o eth0 -s 203.0.113.5 -d 198.51.100.1 -p tcp --syn --dport 5000 --path "
         "forward",
         Truth::kYes);
  expect(text, "deliver -i eth1 -p udp --dport 5000 --path forward", Truth::kNo);
}

TEST(ExpectedNat, WhatItsMasterBindsIsSeenByRules) {
  const std::string words =
      "deliver -i eth1 -o eth0 -d 198.51.100.1 -p tcp --syn --dport 5001 --path forward";
  const auto with = [&](const std::string& nat, const std::string& filter) {
    return ask_one(LoadedRuleset("helpers.rules", ruleset(kFtp, nat, kControl + filter)), words);
  };
  // FORWARD sees the client's own address already: any, to the sets.
  const Answer other = with(kSnat, "-A FORWARD -d 198.51.100.1 -j DROP\n" + kRelated);
  EXPECT_EQ(other.truth, Truth::kYes) << reasons(other);
  EXPECT_TRUE(other.conditional);
  // ... and that it goes elsewhere than it was sent.
  EXPECT_NE(with(kSnat, "-A FORWARD -m conntrack --ctstate DNAT -j DROP\n" + kRelated).truth,
            Truth::kYes);
  EXPECT_EQ(with(kSnat, "-A FORWARD -m conntrack --ctstate DNAT,RELATED -j ACCEPT\n").truth,
            Truth::kYes);
  // No rule of nat is asked.
  const std::string dnat = "-A PREROUTING -i eth1 -p tcp -j DNAT --to-destination 10.9.9.9\n";
  const Answer passed = with(kSnat + dnat, "-A FORWARD -d 10.9.9.9 -j DROP\n" + kRelated);
  EXPECT_EQ(passed.truth, Truth::kYes) << reasons(passed);
}

// ... also where the rule of the control connection names no device, so that some are not bound.
TEST(ExpectedNat, TheControlConnectionMayLeaveByAnyDevice) {
  for (const std::string& nat : {kMasquerade, kSnat}) {
    const std::string rules =
        ruleset(kFtp, nat,
                "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
                "-A FORWARD -p tcp -m tcp --dport 21 -j ACCEPT\n");
    expect(rules, "deliver -i eth1 -o eth0 -p tcp --syn --dport 5000", Truth::kYes);
  }
}

// What MASQUERADE gives is an address that a device may have.
TEST(ExpectedNat, MasqueradeGivesADevicesAddress) {
  const std::string rules =
      ruleset(kFtp, kMasquerade,
              "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
              "-A FORWARD -o eth1 -p tcp -m tcp --dport 21 -j ACCEPT\n");
  const std::string to = "deliver -i eth1 -o eth0 -p tcp --syn --dport 5000 -d ";
  expect(rules, to + "192.0.2.1", Truth::kYes);
  for (const char* nobodys : {"0.0.0.0", "127.5.5.5"}) {
    const LoadedRuleset loaded("helpers.rules", rules);
    EXPECT_NE(ask_one(loaded, to + nobodys).truth, Truth::kYes) << nobodys;
  }
}

// What is announced to this host is forwarded only where NAT takes it elsewhere: not on port 50000.
TEST(ExpectedNat, WhatIsAnnouncedToThisHostIsNotForwarded) {
  const LoadedRuleset rules(
      "helpers.rules", ruleset("-A OUTPUT -p tcp -m tcp --dport 21 -j CT --helper ftp\n",
                               "-A PREROUTING -i wan0 -p tcp -m tcp --dport 21 -j DNAT "
                               "--to-destination 192.168.1.21\n",
                               "-A INPUT -j ACCEPT\n"
                               "-A FORWARD -p tcp -m conntrack --ctstate RELATED -j ACCEPT\n"));
  const Answer a = ask_one(rules,
                           "deliver -i wan0 -o lan0 -p tcp -s 198.51.100.7 -d 203.0.113.2 "
                           "--dport 50000");
  EXPECT_NE(a.truth, Truth::kYes) << to_text(a);
  EXPECT_THAT(reasons(a), testing::HasSubstr("it should be forwarded, and was delivered"));
}

// A control connection that comes in by another interface than the one that leads to its client.
TEST(ExpectedNat, AnAsymmetricRouteIsListed) {
  const std::string rules =
      ruleset("-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\n",
              "-A PREROUTING -i eth0 -d 203.0.113.2 -p tcp -m tcp --dport 80 -j DNAT "
              "--to-destination 10.10.10.5\n",
              "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
              "-A FORWARD -i eth1 -o eth0 -j ACCEPT\n");
  const std::string to = " -p tcp -d 10.10.10.5 --dport 443";
  EXPECT_THAT(expect(rules, "deliver -i eth0 -o dmz0" + to, Truth::kYes).assumptions,
              testing::Contains("10.10.10.5 sends by eth1, though it is reached by dmz0 "
                                "(asymmetric routes)"));
  EXPECT_THAT(expect(rules, "deliver -i eth0 -o eth1" + to, Truth::kYes).assumptions,
              testing::Not(testing::Contains(testing::HasSubstr("asymmetric"))));
}

}  // namespace
}  // namespace postern
