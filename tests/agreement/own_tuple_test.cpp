// A loopback flow from an address and port to themselves: conntrack takes every packet of it after
// the first for an answer (the engine's table, after Linux), even when none arrived. The sets must
// not say `no` to what the engine delivers, nor lose other answers over it.
#include <gtest/gtest.h>

#include "../unit/query_fixture.hpp"
#include "engine/engine.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

std::string filter(const std::string& input) {
  return "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n" + input +
         "-A INPUT -i lo -j DROP\nCOMMIT\n";
}

const std::string kEstablished = "-A INPUT -i lo -m conntrack --ctstate ESTABLISHED -j ACCEPT\n";

TEST(OwnTuple, ASecondPacketIsAnAnswerThoughTheFirstWasDropped) {
  const LoadedRuleset rules("own.rules", filter(kEstablished));
  Scenario world;
  world.interfaces.push_back({"lo", {{*Address::parse("127.0.0.1"), 8}}, 1500});
  ListChooser chooser;
  Engine engine(world, &rules.program(), nullptr, chooser);
  Packet packet;
  packet.protocol = protocol::kUdp;
  packet.source = packet.destination = *Address::parse("127.0.0.1");
  packet.source_port = packet.destination_port = 1000;
  ASSERT_EQ(engine.inject(packet).verdict, Verdict::kDropped);
  ASSERT_EQ(engine.inject(packet).verdict, Verdict::kDelivered);
  EXPECT_EQ(ask_one(rules, "deliver -i lo -p udp --sport 1000 --dport 1000").truth,
            Truth::kUnknown);
  EXPECT_EQ(ask_one(rules, "deliver -i lo -p udp").truth, Truth::kUnknown);
  EXPECT_EQ(ask_one(rules, "deliver -i lo -p udp --sport 1000 --dport 1001").truth, Truth::kNo);
  EXPECT_EQ(ask_one(rules,
                    "deliver -i lo -p udp --sport 1000 --dport 1000 -s 127.0.0.1 -d "
                    "127.0.0.2")
                .truth,
            Truth::kNo);
}

TEST(OwnTuple, OneNamedAddressLeavesNoQuestionOpen) {
  const LoadedRuleset rules(
      "own.rules", "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n-A OUTPUT -j NOTRACK\nCOMMIT\n" +
                       filter("-A INPUT -s 127.0.0.1/32 -p udp -j LOG\n" + kEstablished));
  EXPECT_EQ(ask_one(rules, "deliver -i lo -p udp --sport 1000 --dport 1000").truth, Truth::kNo);
  EXPECT_EQ(ask_one(rules, "track -i lo -p udp --dport 1000").truth, Truth::kNo);
  EXPECT_EQ(ask_one(rules, "connect -i lo -p udp --dport 1000").truth, Truth::kNo);
}

// An ICMP query has no ports: who has opened it is told by its type.
TEST(OwnTuple, WhoAskedIsToldByTheType) {
  const LoadedRuleset rules("icmp.rules",
                            "*filter\n:INPUT DROP\n"
                            "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n");
  const Answer a = ask_one(rules, "track -i lo -p icmp --icmp-type 0");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(a.witness.size(), 2U) << to_text(a);
}

// A witness is of another flow where there is one.
TEST(OwnTuple, AWitnessHasTwoEnds) {
  const LoadedRuleset rules("own.rules", filter("-A INPUT -p gre -j ACCEPT\n" + kEstablished));
  EXPECT_EQ(ask_one(rules, "connect -i lo -p gre").truth, Truth::kYes);
  const LoadedRuleset open("own.rules",
                           "*filter\n:INPUT ACCEPT\n-A INPUT -m conntrack --ctstate INVALID "
                           "-j DROP\nCOMMIT\n");
  EXPECT_EQ(ask_one(open, "connect -i lo -p tcp --sport 1000 --dport 1000").truth, Truth::kYes);
}

}  // namespace
}  // namespace postern
