// TPROXY: a socket takes the packet, with a mark, or it is dropped; it never goes on to the next
// rule, and ip_forward drops what has a socket (measured: tests/kernel/harness_test.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

constexpr const char* kTproxy =
    "-i lan0 -p udp -m udp --dport 80 -j TPROXY --on-port 3129 --on-ip 0.0.0.0 "
    "--tproxy-mark 0x1/0x1\n";

LoadedRuleset rules(const std::string& more, const std::string& filter) {
  return {"tproxy.rules", std::string("*mangle\n:PREROUTING ACCEPT\n-A PREROUTING ") + kTproxy +
                              more + "COMMIT\n*filter\n" + filter + "COMMIT\n"};
}

const char* const kIn = "deliver -i lan0 -p udp --dport 80 --path in";
const char* const kForward = "deliver -i lan0 -o wan0 -p udp --dport 80";

TEST(ToSocket, NeverGoesOnToTheNextRule) {
  const LoadedRuleset marked =
      rules("-A PREROUTING -p udp -m udp --dport 80 -j MARK --set-xmark 0x7/0xffffffff\n",
            ":INPUT DROP\n-A INPUT -m mark --mark 0x7 -j ACCEPT\n");
  const Answer a = ask_one(marked, kIn);
  EXPECT_EQ(a.truth, Truth::kNo) << to_text(a);
  EXPECT_EQ(ask_one(marked, "deliver -i eth0 -p udp --dport 80 --path in").truth, Truth::kYes);
}

TEST(ToSocket, WritesTheMarkOfWhatASocketTakes) {
  const std::string policy = ":INPUT DROP\n-A INPUT -m mark --mark ";
  const Answer unmarked = ask_one(rules("", policy + "0x0 -j ACCEPT\n"), kIn);
  EXPECT_EQ(unmarked.truth, Truth::kNo) << to_text(unmarked);
  const Answer marked = ask_one(rules("", policy + "0x1 -j ACCEPT\n"), kIn);
  ASSERT_EQ(marked.truth, Truth::kYes) << to_text(marked);
  EXPECT_TRUE(marked.conditional);
  EXPECT_THAT(
      marked.assumptions,
      testing::Contains("`TPROXY: a socket for the packet` of mangle PREROUTING 1 is there"));
}

// In a chain that others call, too.
TEST(ToSocket, EndsTheTableFromAChainOfTheUser) {
  const LoadedRuleset called(
      "called.rules",
      std::string("*mangle\n:PREROUTING ACCEPT\n:divert -\n-A PREROUTING -j divert\n"
                  "-A PREROUTING -p udp -m mark --mark 0x1/0x1 -j DROP\n-A divert ") +
          kTproxy +
          "COMMIT\n*filter\n:INPUT DROP\n-A INPUT -m mark --mark 0x1 -j ACCEPT\nCOMMIT\n");
  const Answer a = ask_one(called, kIn);
  EXPECT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(ask_one(called, "deliver -i lan0 -p udp --dport 81 --path in").truth, Truth::kNo);
}

TEST(ToSocket, NobodyForwardsWhatASocketHasTaken) {
  for (const char* policy : {":FORWARD DROP\n", ":FORWARD ACCEPT\n"}) {
    const Answer a = ask_one(rules("", policy), kForward);
    EXPECT_EQ(a.truth, Truth::kNo) << policy << to_text(a);
  }
  EXPECT_EQ(
      ask_one(rules("", ":FORWARD ACCEPT\n"), "deliver -i lan0 -o wan0 -p udp --dport 81").truth,
      Truth::kYes);
}

// ... but a bridge, which is no router: assumed not to be there.
TEST(ToSocket, ABridgePassesOnWhatASocketHasTaken) {
  const LoadedRuleset all(
      "bridge.rules",
      "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -p udp -m udp --dport 80 -j TPROXY --on-port "
      "3129 "
      "--on-ip 0.0.0.0 --tproxy-mark 0x1/0x1\nCOMMIT\n*filter\n:FORWARD ACCEPT\nCOMMIT\n");
  const Answer a = ask_one(
      all, "deliver -i br0 -o br0 -s 192.168.1.5 -d 192.168.1.6 -p udp --dport 80 --path forward");
  EXPECT_EQ(a.truth, Truth::kNo) << to_text(a);
  EXPECT_THAT(a.assumptions, testing::Contains("no bridge hands its packets to these rules"));
}

// A packet for another host's address, which an `ip rule` for the mark keeps here, comes to INPUT.
TEST(ToSocket, WhatAnotherTableOfRoutesKeepsHereArrives) {
  const std::string filter =
      ":INPUT DROP\n-A INPUT -d 93.184.216.34 -m mark --mark 0x1 -j ACCEPT\n";
  const Answer a = ask_one(rules("", filter), std::string(kIn) + " -d 93.184.216.34");
  EXPECT_NE(a.truth, Truth::kNo) << to_text(a);
}

}  // namespace
}  // namespace postern
