// What is not followed before routing (an unknown target, a NAT rule or a helper) may lead a packet
// to another end than it was sent to: then the packet's path is not where routing sends it as it
// is, and there is no `no`. In these rulesets what routing would send that way is dropped early.
#include <gtest/gtest.h>

#include "answer_fixture.hpp"

namespace postern {
namespace {

// Only what is sent to this host gets in by eth0.
const std::string kToThisHost =
    "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
    "-A PREROUTING -i eth0 -m addrtype ! --dst-type LOCAL -j DROP\n";
// ... only what is sent to others.
const std::string kToOthers =
    "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
    "-A PREROUTING -i eth0 -m addrtype ! --dst-type UNICAST -j DROP\n";

std::string table(const std::string& name, const std::string& rules) {
  return "*" + name + "\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n" + rules +
         "COMMIT\n";
}

const std::string kForwarded = "deliver -i eth0 -o eth1 -p tcp --dport 80";
const std::string kDelivered = "deliver -i eth0 -p tcp -d 203.0.113.7 --dport 80 --path in";

TEST(QueryElsewhere, AnUnknownTargetOfNatMayForwardIt) {
  const std::string rest = table("nat", "-A PREROUTING -p tcp --dport 80 -j FULLCONENAT\n");
  const LoadedRuleset rules("unknown.rules", kToThisHost + "COMMIT\n" + rest);
  EXPECT_EQ(ask_one(rules, kForwarded).truth, Truth::kUnknown);
  expect_answer(rules, Truth::kNo, "deliver -i eth0 -o eth1 -p tcp --dport 81");
}

TEST(QueryElsewhere, AnUnknownTargetOfMangleMayKeepItHere) {
  const std::string rest = table("mangle", "-A PREROUTING -p tcp --dport 80 -j DIVERT2\n");
  for (const char* tracked : {"", "-A PREROUTING -j NOTRACK\n"}) {
    const LoadedRuleset rules("unknown.rules", kToOthers + tracked + "COMMIT\n" + rest);
    EXPECT_EQ(ask_one(rules, kDelivered).truth, Truth::kUnknown) << tracked;
    expect_answer(rules, Truth::kNo, "deliver -i eth0 -p tcp -d 203.0.113.7 --dport 81 --path in");
  }
}

// ... or mark it, which the engine's does not.
TEST(QueryElsewhere, AnUnknownTargetMayMarkIt) {
  const LoadedRuleset rules(
      "mark.rules", table("mangle", "-A PREROUTING -p udp -j FOO\n") +
                        "*filter\n:FORWARD DROP\n-A FORWARD -m mark --mark 1 -j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(ask_one(rules, "deliver -i eth0 -o eth1 -p udp").truth, Truth::kUnknown);
  expect_answer(rules, Truth::kNo, "deliver -i eth0 -o eth1 -p tcp");
}

// Behind routing it cannot.
TEST(QueryElsewhere, AnUnknownTargetBehindRoutingDoesNot) {
  const std::string rest = table("mangle", "-A POSTROUTING -p tcp --dport 80 -j DIVERT2\n");
  const LoadedRuleset rules("unknown.rules", kToThisHost + "COMMIT\n" + rest);
  expect_answer(rules, Truth::kNo, kForwarded);
}

// To a group that routing treats apart: a rule that is not followed.
TEST(QueryElsewhere, ANatRuleThatIsNotFollowedMayForwardIt) {
  const std::string rest =
      table("nat", "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 224.1.2.3\n");
  const LoadedRuleset rules("group.rules", kToThisHost + "COMMIT\n" + rest);
  EXPECT_EQ(ask_one(rules, kForwarded).truth, Truth::kUnknown);
  expect_answer(rules, Truth::kNo, "deliver -i eth0 -o eth1 -p tcp --dport 81");
}

// A rule of raw reads the entry behind a template, so that helpers are not followed. What tftp
// announces about a masqueraded flow goes to this host's address, and is forwarded (found by the
// adversary, seed 456979943).
TEST(QueryElsewhere, WhatAHelperAnnouncedInAWayThatIsNotFollowedIsForwarded) {
  const std::string help =
      "-A PREROUTING -i eth1 -p udp --dport 69 -j CT --helper tftp\n"
      "-A OUTPUT -m mark --mark 0x1/0x1 -j CONNMARK --restore-mark\nCOMMIT\n";
  const std::string rest = table("nat", "-A POSTROUTING -o eth0 -j MASQUERADE\n") +
                           "*filter\n:FORWARD DROP\n-A FORWARD -i eth1 -j ACCEPT\n"
                           "-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n";
  const LoadedRuleset rules("helper.rules", kToThisHost + help + rest);
  EXPECT_EQ(ask_one(rules, "deliver -i eth0 -o eth1 -p udp --dport 5002").truth, Truth::kUnknown);
}

}  // namespace
}  // namespace postern
