// Helpers and zones together in the sets: an expectation is found by packets of its master's zone
// id alone (nf_ct_zone_equal_any), whatever the direction of either. Linux's word on that is
// tests/kernel/helper_zone_cases.inc.
#include <gtest/gtest.h>

#include <algorithm>

#include "answer_fixture.hpp"

namespace postern {
namespace {

const std::string kRelated = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
const std::string kControl = "-A INPUT -i eth0 -p tcp -m tcp --dport 21 -j ACCEPT\n";
// A server in zone 1, whose data connections come by other devices in zones of their own.
const std::string kServer = "-A OUTPUT -p tcp -m tcp --sport 21 -j CT --zone 1\n";
std::string ftp(const std::string& zone) {
  return "-A PREROUTING -i eth0 -p tcp -m tcp --dport 21 -j CT " + zone + " --helper ftp\n";
}

Answer expect(const std::string& text, const std::string& words, Truth truth) {
  SCOPED_TRACE(text);
  Answer a = expect_answer(LoadedRuleset("helpers.rules", text), truth, words);
  EXPECT_FALSE(a.truth == Truth::kYes && a.conditional) << words;
  return a;
}

TEST(ExpectedZones, InTheZoneOfTheMasterAndInNoOther) {
  const std::string text = raw_and_filter(ftp("--zone 1") +
                                              "-A PREROUTING -i eth1 -j CT --zone 1\n"
                                              "-A PREROUTING -i eth2 -j CT --zone 2\n"
                                              "-A OUTPUT -o eth1 -j CT --zone 1\n" +
                                              kServer,
                                          kRelated + kControl);
  for (const std::string verb : {"deliver", "connect"}) {
    EXPECT_TRUE(has_master(
        expect(text, verb + " -i eth1 -p tcp --syn --dport 5000 --path in", Truth::kYes)));
    for (const char* device : {"eth0", "eth2"}) {
      expect(text, verb + " -i " + device + " -p tcp --syn --dport 5000 --path in", Truth::kNo);
    }
  }
  // Its entry stands for a packet that is let through, and is not left in zone 2.
  const std::string only = " -m conntrack --ctstate NEW -j DROP\n";
  const std::string nothing_new = raw_and_filter(
      ftp("--zone 1") + "-A PREROUTING -i eth1 -j CT --zone 1\n-A PREROUTING -j CT --zone 2\n" +
          kServer + "-A OUTPUT -j CT --zone 2\n",
      kRelated + kControl + "-A OUTPUT" + only);
  expect(nothing_new, "track -i eth1 -p tcp --dport 5000 --path in", Truth::kYes);
  expect(nothing_new, "track -i eth2 -p tcp --dport 5000 --path in", Truth::kNo);
}

// Of a one-way zone the id counts, for the master as for what it announces.
TEST(ExpectedZones, TheDirectionOfAZoneDoesNotCount) {
  struct Row {
    std::string master, data;
    Truth truth;
  };
  for (const auto& [master, data, truth] : {Row{"--zone-orig 1", "--zone-reply 1", Truth::kYes},
                                            Row{"--zone-reply 1", "--zone 1", Truth::kYes},
                                            Row{"--zone 1", "--zone-orig 1", Truth::kYes},
                                            Row{"--zone-orig 1", "--zone-orig 2", Truth::kNo}}) {
    // Answers to a master with a zone of the original direction come in the default one.
    const std::string answers = master.starts_with("--zone-orig") ? "" : kServer;
    expect(raw_and_filter(ftp(master) + "-A PREROUTING -i eth1 -j CT " + data + "\n" + answers,
                          kRelated + kControl),
           "deliver -i eth1 -p tcp --dport 5000 --path in", truth);
  }
}

TEST(ExpectedZones, AMasterMustBeAnsweredInItsZone) {
  constexpr const char* kQuestion = "deliver -i eth1 -p tcp --dport 5000 --path in";
  const std::string zone = "-A PREROUTING -i eth1 -j CT --zone 1\n";
  expect(raw_and_filter(ftp("--zone 1") + zone, kRelated + kControl), kQuestion, Truth::kNo);
  expect(raw_and_filter(ftp("--zone 1") + zone + "-A OUTPUT -j CT --zone 2\n", kRelated + kControl),
         kQuestion, Truth::kNo);
  expect(raw_and_filter(ftp("--zone 1") + zone + "-A OUTPUT -j CT --zone-reply 1\n",
                        kRelated + kControl),
         kQuestion, Truth::kYes);
}

TEST(ExpectedZones, TheFirstTemplateWins) {
  constexpr const char* kQuestion = "deliver -i eth1 -p tcp --dport 5000 --path in";
  const std::string zone = "-A PREROUTING -j CT --zone 1\n";
  expect(raw_and_filter(zone + ftp("--zone 1") + kServer, kRelated + kControl), kQuestion,
         Truth::kNo);
  expect(raw_and_filter(ftp("--zone 1") + zone + kServer, kRelated + kControl), kQuestion,
         Truth::kYes);
  expect(raw_and_filter("-A PREROUTING -p tcp -j NOTRACK\n" + ftp("--zone 1") + kServer,
                        kRelated + kControl),
         kQuestion, Truth::kNo);
  // NOTRACK behind a template is void.
  expect(raw_and_filter(ftp("--zone 1") + "-A PREROUTING -i eth0 -j NOTRACK\n" + zone + kServer,
                        kRelated + kControl),
         kQuestion, Truth::kYes);
}

// Each helper announces to its masters' zones.
TEST(ExpectedZones, HelpersInSeveralZones) {
  const std::string text = raw_and_filter(
      ftp("--zone 1") +
          "-A PREROUTING -i eth0 -p udp -m udp --dport 69 -j CT --zone 2 --helper tftp\n"
          "-A PREROUTING -i eth1 -j CT --zone 1\n"
          "-A PREROUTING -i eth2 -j CT --zone 2\n"
          "-A OUTPUT -p tcp -m tcp --dport 6667 -j CT --helper irc\n" +
          kServer,
      kRelated + kControl +
          "-A INPUT -i eth0 -p udp -m udp --dport 69 -j ACCEPT\n"
          "-A FORWARD -i eth2 -m conntrack --ctstate RELATED -j ACCEPT\n"
          "-A FORWARD -p udp -m udp --dport 69 -j ACCEPT\n");
  expect(text, "deliver -i eth1 -p tcp --dport 5000 --path in", Truth::kYes);
  expect(text, "deliver -i eth2 -p tcp --dport 5000 --path in", Truth::kNo);
  expect(text, "deliver -i eth3 -p tcp --dport 5000 --path in", Truth::kYes);  // irc
  expect(text, "deliver -i eth2 -p udp --dport 5000 --path forward", Truth::kYes);
  expect(text, "deliver -i eth3 -p udp --dport 5000 --path forward", Truth::kNo);
}

TEST(ExpectedZones, AZoneFromTheMark) {
  const std::string text = raw_and_filter(
      "-A PREROUTING -i eth0 -j MARK --set-mark 1\n-A PREROUTING -i eth1 -j MARK --set-mark 1\n"
      "-A PREROUTING -i eth2 -j MARK --set-mark 2\n" +
          ftp("--zone mark") + "-A PREROUTING -j CT --zone mark\n" + kServer,
      kRelated + kControl);
  expect(text, "deliver -i eth1 -p tcp --dport 5000 --path in", Truth::kYes);
  expect(text, "deliver -i eth2 -p tcp --dport 5000 --path in", Truth::kNo);
}

// Over lo a master is found by its zone in OUTPUT; what was INVALID there is looked up again.
TEST(ExpectedZones, OverLo) {
  const std::string filter =
      "-A INPUT -i lo -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
      "-A INPUT -i lo -p tcp -m tcp --dport 21 -j ACCEPT\n";
  const std::string helper =
      "-A OUTPUT -o lo -p tcp -m tcp --dport 21 -j CT --zone 1 --helper ftp\n"
      "-A OUTPUT -p tcp -m tcp --sport 21 -j CT --zone 1\n";
  const std::string data = "-A OUTPUT -p tcp -m tcp --dport 5000 -j CT --zone ";
  constexpr const char* kQuestion = "deliver -i lo -p tcp --syn --sport 6000:65535 --dport 5000";
  const Answer same =
      ask_one(LoadedRuleset("lo.rules", raw_and_filter(helper + data + "1\n", filter)), kQuestion);
  EXPECT_NE(same.truth, Truth::kNo);
  expect(raw_and_filter(helper + data + "2\n", filter), kQuestion, Truth::kNo);
  expect(raw_and_filter(helper, filter), kQuestion, Truth::kNo);
}

TEST(ExpectedZones, UnderNat) {
  const std::string nat =
      "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      ":POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth1 -j SNAT --to-source 198.51.100.1\n"
      "COMMIT\n";
  const std::string filter =
      "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
      "-A FORWARD -i eth0 -o eth1 -s 192.0.2.0/24 -p tcp -m tcp --dport 21 -j ACCEPT\n";
  const std::string answers = "-A PREROUTING -i eth1 -p tcp -m tcp --sport 21 -j CT --zone 1\n";
  constexpr const char* kQuestion =
      "deliver -i eth1 -o eth0 -d 198.51.100.1 -p tcp --syn --sport 20 --dport 5001 --path forward";
  const auto data = [&](const char* zone) {
    return nat + raw_and_filter(ftp("--zone 1") + answers + "-A PREROUTING -i eth1 -j CT --zone " +
                                    zone + "\n",
                                filter);
  };
  expect(data("1"), kQuestion, Truth::kYes);
  expect(data("2"), kQuestion, Truth::kNo);
}

// An error may quote a flow that a helper announced, whatever its zone.
TEST(ExpectedZones, AnErrorMayQuoteOne) {
  const std::string announced =
      "-A OUTPUT -p tcp -m tcp --dport 6667 -j CT --zone 1 --helper irc\n"
      "-A PREROUTING -j CT --zone 1\n";
  expect(raw_and_filter(announced, kRelated), "deliver -i eth0 -p icmp --path in", Truth::kUnknown);
}

TEST(ExpectedZones, WhatIsNotFollowedIsUnknownNeverNo) {
  constexpr const char* kQuestion = "deliver -i eth1 -p tcp --dport 5000 --path in";
  const std::string zone = "-A PREROUTING -i eth1 -j CT --zone 1\n" + kServer;
  for (const std::string& rules : {
           // Too many bits of the mark; a template's mark is written, or looked at.
           "-A PREROUTING -m mark --mark 0xff -j ACCEPT\n-A PREROUTING -j MARK --set-mark 0xff\n" +
               ftp("--zone mark"),
           ftp("--zone 1") + "-A PREROUTING -j CONNMARK --set-mark 1\n",
           ftp("--zone 1") + "-A PREROUTING -m conntrack --ctstatus CONFIRMED -j ACCEPT\n",
           std::string("-A PREROUTING -p tcp -m tcp --dport 1723 -j CT --zone 1 --helper pptp\n"),
       }) {
    const Answer a =
        ask_one(LoadedRuleset("helpers.rules", raw_and_filter(rules + zone, kRelated + kControl)),
                kQuestion);
    EXPECT_EQ(a.truth, Truth::kUnknown) << rules;
    EXPECT_FALSE(a.reasons.empty());
  }
}

}  // namespace
}  // namespace postern
