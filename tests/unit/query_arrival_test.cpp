// What a packet has become where it arrives (--to-destination, --to-port), and what DNAT takes away
// from a flow: packets that the far end sends of its own accord, and those to 127.0.0.0/8. Every
// yes is replayed by the engine (which agrees with Linux), every no re-checked by Z3.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.hpp"

namespace postern {
namespace {

constexpr const char* kForwarded =
    "-A PREROUTING -i wan -p tcp --dport 8080 -j DNAT --to-destination 192.168.1.10:80\n"
    "-A PREROUTING -i wan -p udp --dport 53 -j DNAT --to-destination 192.168.1.10-192.168.1.12\n";
constexpr const char* kOpen =
    ":INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
    "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -i wan -o lan -m conntrack --ctstate NEW,DNAT -j ACCEPT\n";

TEST(QueryArrival, IsAskedOfTheDestinationThatNatGives) {
  const auto home = nat_and_filter(kForwarded, kOpen);
  const Answer a = expect_answer(
      home, Truth::kYes,
      "connect -i wan -o lan -p tcp --dport 8080 --to-destination 192.168.1.10 --to-port 80");
  EXPECT_FALSE(a.conditional);
  EXPECT_EQ(a.witness.at(1).packet.source.text(), "192.168.1.10");
  expect_answer(home, Truth::kYes, "deliver -i wan -o lan -p tcp --dport 8080 --to-port 80");
  expect_answer(home, Truth::kNo, "connect -i wan -o lan -p tcp --dport 8080 --to-port 8080");
  expect_answer(home, Truth::kNo,
                "connect -i wan -o lan -p tcp --dport 8080 --to-destination 192.168.1.11");
}

// A new entry gets its source behind every rule: what a clash may make of it is for later packets.
TEST(QueryArrival, AFirstPacketHasItsOldSource) {
  const auto with = [](const std::string& states) {
    return nat_and_filter(
        "-A PREROUTING -i wan -p tcp --dport 80 -j DNAT --to-destination 192.168.1.10\n",
        ":INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
        "-A FORWARD -m conntrack --ctstate INVALID -j DROP\n"
        "-A FORWARD -m conntrack --ctstate " +
            states + " -j ACCEPT\n");
  };
  const std::string to = " -i wan -o lan -p tcp --dport 80";
  expect_answer(with("SNAT"), Truth::kNo, "deliver" + to);
  expect_answer(with("ESTABLISHED,SNAT"), Truth::kNo, "connect" + to);
  expect_answer(with("ESTABLISHED,DNAT"), Truth::kYes, "connect" + to);
}

// ... of every other host or port, too.
TEST(QueryArrival, IsAskedInverted) {
  const auto home = nat_and_filter(
      "-A PREROUTING -i wan -p tcp --dport 8080 -j DNAT --to-destination 192.168.1.10:80\n",
      ":INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
      "-A FORWARD -i wan -o lan -m conntrack --ctstate DNAT -j ACCEPT\n");
  const std::string words = "deliver -i wan -o lan -p tcp ";
  EXPECT_NE(ask_one(home, words + "! --to-destination 192.168.1.10").truth, Truth::kYes);
  expect_answer(home, Truth::kYes, words + "! --to-destination 192.168.1.11");
  expect_answer(home, Truth::kNo, words + "! --dport 8080 ! --to-port 80");
  const Answer a = expect_answer(home, Truth::kYes, words + "! --to-port 8080 -s 192.0.2.9");
  EXPECT_THAT(a.query, ::testing::HasSubstr("! --to-port 8080"));
  const auto bad = read_question({"deliver", "!", "--path", "in"}, Family::kIpv4);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().front().message, "`--path` is not inverted");
}

// A limited broadcast is never forwarded; over lo it comes from a socket that is bound to it.
TEST(QueryArrival, ALimitedBroadcastStaysOnItsWire) {
  const LoadedRuleset open("open.rules", "*filter\n:FORWARD ACCEPT\nCOMMIT\n");
  const std::string words = "deliver -p udp -s 192.0.2.9 -d 255.255.255.255 ";
  EXPECT_EQ(ask_one(open, words + "-i eth0 -o eth1 --path forward").truth, Truth::kNo);
  expect_answer(open, Truth::kYes, words + "--path loopback");
  expect_answer(open, Truth::kYes, words + "-i eth0 --path in");
}

// A packet that nobody translates arrives as it was sent.
TEST(QueryArrival, WhatKeepsItsDestinationCountsAsWell) {
  const auto open =
      nat_and_filter(kForwarded,
                     ":INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
                     "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
                     "-A FORWARD -i wan -o lan -p tcp --dport 80:81 -j ACCEPT\n");
  const Answer direct = expect_answer(open, Truth::kYes,
                                      "connect -i wan -o lan -p tcp --to-destination 192.168.1.11");
  EXPECT_EQ(direct.witness.at(0).packet.destination.text(), "192.168.1.11");
  expect_answer(
      open, Truth::kYes,
      "connect -i wan -o lan -p tcp -d 203.0.113.1 --to-destination 192.168.1.10 --to-port 80");
  expect_answer(
      open, Truth::kNo,
      "connect -i wan -o lan -p tcp -d 203.0.113.1 --to-destination 192.168.1.10 --to-port 81");
  expect_answer(open, Truth::kNo, "connect -i wan -o lan -p tcp --to-port 82");
}

// Which address of a range the kernel takes is its own affair.
TEST(QueryArrival, ARangeLeavesItOpen) {
  const auto home = nat_and_filter(kForwarded, kOpen);
  const std::string question = "connect -i wan -o lan -p udp --dport 53 --to-destination ";
  expect_answer(home, Truth::kUnknown, question + "192.168.1.11");
  expect_answer(home, Truth::kYes, question + "192.168.1.0/24");
  expect_answer(home, Truth::kNo, question + "192.168.1.13");
}

TEST(QueryArrival, OfWhatTheHostSends) {
  const auto with =
      nat_and_filter("-A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 192.0.2.7:8080\n",
                     ":INPUT ACCEPT\n:OUTPUT ACCEPT\n");
  expect_answer(with, Truth::kYes, "connect -o eth0 -p tcp --dport 80 --to-port 8080 --path out");
  expect_answer(with, Truth::kNo, "connect -o eth0 -p tcp --dport 80 --to-port 80 --path out");
}

TEST(QueryArrival, WithFindAndEvery) {
  const auto home = nat_and_filter(kForwarded, kOpen);
  const std::string all = "-i wan -o lan -p tcp ";
  const Answer found =
      expect_answer(home, Truth::kYes,
                    "connect " + all + "--to-destination 192.168.1.10 --find dport --every sport");
  EXPECT_EQ(found.found.at(Field::kDestinationPort), 8080U);
  expect_answer(home, Truth::kYes, "deliver " + all + "--to-port 80 --find sport");
  expect_answer(home, Truth::kNo, "connect " + all + "--dport 8080 --to-port 81 --find sport");
  expect_answer(home, Truth::kNo,
                "deliver " + all + "--dport 8080:8081 --to-port 80 --every dport");
  const std::string udp = "deliver -i wan -o lan -p udp --dport 53 --every sport --to-destination ";
  expect_answer(home, Truth::kUnknown, udp + "192.168.1.11");
  expect_answer(home, Truth::kYes, udp + "192.168.1.0/24");
}

// --every speaks of what M allows, with NAT and without.
TEST(QueryArrival, EveryIsOfThePacketAsItIsSent) {
  const auto open = nat_and_filter("", ":INPUT DROP\n:FORWARD ACCEPT\n");
  const std::string all = "deliver -i wan -o lan -p tcp --to-port 80 --every ";
  expect_answer(open, Truth::kNo, all + "dport");
  expect_answer(open, Truth::kYes, all + "sport");
}

// An entry leads the initiator's packets to where NAT has bound the flow.
TEST(QueryArrival, OfAnEntry) {
  const auto home = nat_and_filter(kForwarded, kOpen);
  const std::string tcp = "track -i wan -o lan -p tcp --dport 8080 ";
  const Answer a =
      expect_answer(home, Truth::kYes, tcp + "--to-destination 192.168.1.10 --to-port 80");
  EXPECT_FALSE(a.conditional);
  ASSERT_EQ(a.witness.back().entries.size(), 1U);
  EXPECT_EQ(a.witness.back().entries[0].reply.source.text(), "192.168.1.10");
  expect_answer(home, Truth::kYes, tcp + "--to-port 80 --entry-state ESTABLISHED --every sport");
  expect_answer(home, Truth::kNo, tcp + "--to-port 8080");
  expect_answer(home, Truth::kNo, tcp + "--to-destination 192.168.1.11");
  const std::string udp = "track -i wan -o lan -p udp --dport 53 --to-destination ";
  expect_answer(home, Truth::kUnknown, udp + "192.168.1.11");
  expect_answer(home, Truth::kYes, udp + "192.168.1.0/24");
  expect_answer(home, Truth::kNo, udp + "192.168.1.13");
}

// An entry of the far end's leads the first end's packets to the far end itself.
TEST(QueryArrival, OfAnEntryThatTheFarEndOpens) {
  const auto with = nat_and_filter(
      "-A PREROUTING -i wan -p tcp --dport 8080 -j DNAT --to-destination "
      "192.168.1.10:80\n-A POSTROUTING -o wan -j MASQUERADE\n",
      ":FORWARD DROP\n-A FORWARD -i lan -o wan -j ACCEPT\n");
  const std::string all = "track -i wan -o lan -p tcp -d 192.168.1.9 --dport 7 --to-destination ";
  expect_answer(with, Truth::kYes, all + "192.168.1.9");
  expect_answer(with, Truth::kNo, all + "192.168.1.10");
}

TEST(QueryArrival, OfAnEntryOfWhatTheHostSends) {
  const auto with =
      nat_and_filter("-A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 192.0.2.7:8080\n",
                     ":INPUT ACCEPT\n:OUTPUT ACCEPT\n");
  expect_answer(with, Truth::kYes, "track -o eth0 -p tcp --dport 80 --to-port 8080 --path out");
  // The far end may open such a flow as well, and DNAT is not asked then.
  expect_answer(with, Truth::kYes, "track -o eth0 -p tcp --dport 80 --to-port 80 --path out");
  const auto closed =
      nat_and_filter("-A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 192.0.2.7:8080\n",
                     ":INPUT DROP\n:OUTPUT ACCEPT\n");
  expect_answer(closed, Truth::kNo, "track -o eth0 -p tcp --dport 80 --to-port 80 --path out");
}

// Short packets may open; long ones only answer what the far end has opened.
LoadedRuleset answers_only(const std::string& to) {
  return nat_and_filter("-A PREROUTING -p udp --dport 53 -j DNAT --to-destination " + to + "\n",
                        ":FORWARD DROP\n-A FORWARD -i eth1 -o eth0 -p udp -j ACCEPT\n"
                        "-A FORWARD -i eth0 -o eth1 -p udp -m length --length 0:60 -j ACCEPT\n"
                        "-A FORWARD -i eth0 -o eth1 -p udp -m conntrack --ctdir REPLY -j ACCEPT\n");
}
const std::string kLong =
    "deliver -i eth0 -o eth1 -p udp -s 192.0.2.9 -d 198.51.100.9 -m length --length 61:200 "
    "--dport 7 --sport ";

// What the far end opens and DNAT leads to another host is another flow: it opens nothing for the
// first end. Source port 53 is what the far end's packets go to.
TEST(QueryTurned, WhatTheFarEndOpensGoesElsewhere) {
  const auto with = answers_only("10.0.0.5");
  expect_answer(with, Truth::kYes, kLong + "54");
  expect_answer(with, Truth::kNo, kLong + "53");
}

// Where the range may hold the first end itself, it is the kernel's affair whether that is led
// away: a yes only where the kernel does otherwise, a no where it does not matter.
TEST(QueryTurned, AnEndWithinTheRangeMayStay) {
  const auto with = answers_only("192.0.2.1-192.0.2.20");
  expect_answer(with, Truth::kYes, kLong + "54");
  expect_answer(with, Truth::kUnknown, kLong + "53");
  const auto two = answers_only("192.0.2.9-192.0.2.10");
  const Answer a = expect_answer(two, Truth::kYes, kLong + "53");
  EXPECT_TRUE(a.conditional);
  const auto closed = nat_and_filter(
      "-A PREROUTING -p udp --dport 53 -j DNAT --to-destination "
      "192.0.2.1-192.0.2.20\n",
      ":FORWARD DROP\n-A FORWARD -i eth1 -o eth0 -p udp -j ACCEPT\n");
  expect_answer(closed, Truth::kNo, kLong + "53");
}

// One that is all of the range is led to itself: nothing changes.
TEST(QueryTurned, AnEndThatIsTheRangeStays) {
  const auto with = answers_only("192.0.2.9");
  expect_answer(with, Truth::kYes, kLong + "53");
  const auto to_port = answers_only("192.0.2.9:53");
  expect_answer(to_port, Truth::kYes, kLong + "53");
  const auto other_port = answers_only("192.0.2.9:54");
  expect_answer(other_port, Truth::kNo, kLong + "53");
}

// Others of its network are led away from where they stand.
TEST(QueryTurned, WhoStandsBesideTheRangeIsLedAway) {
  const auto with = answers_only("192.0.2.7");
  expect_answer(with, Truth::kNo, kLong + "53");
}

// The entry is one of the flow's, though.
TEST(QueryTurned, ItsEntryIsLeftOpen) {
  const auto with =
      nat_and_filter("-A PREROUTING -p udp --dport 53 -j DNAT --to-destination 10.0.0.5\n",
                     ":FORWARD DROP\n-A FORWARD -i eth1 -p udp -j ACCEPT\n");
  const std::string flow = "track -i eth0 -o eth1 -p udp -s 192.0.2.9 -d 198.51.100.9 --sport ";
  expect_answer(with, Truth::kUnknown, flow + "53 --dport 7");
  expect_answer(with, Truth::kYes, flow + "54 --dport 7");
}

constexpr const char* kToLo =
    "-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 127.0.0.1\n"
    "-A PREROUTING -i eth0 -p udp --dport 53 -j DNAT --to-destination 127.0.0.1-127.0.0.9:5353\n";

// Routing refuses 127.0.0.0/8 off a wire, also where DNAT made it (kernel-facts 13).
TEST(QueryNowhere, DnatToLoopbackLeadsNowhere) {
  const auto with = nat_and_filter(kToLo, ":INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n");
  expect_answer(with, Truth::kNo, "connect -i eth0 -p tcp --dport 80 --path in");
  expect_answer(with, Truth::kNo, "connect -i eth0 -p tcp --dport 80 --path forward");
  expect_answer(with, Truth::kYes, "connect -i eth0 -p tcp --dport 81 --path in");
  expect_answer(with, Truth::kYes, "connect -i eth1 -p tcp --dport 80 --path in");
  expect_answer(with, Truth::kNo, "deliver -i eth0 -p udp --dport 53 --path in");
  expect_answer(with, Truth::kYes, "deliver -i eth0 -p udp --dport 54 --path forward");
  // What is INVALID (a wrong checksum) stays as it was sent, and is forwarded.
  expect_answer(with, Truth::kYes, "deliver -i eth0 -p udp --dport 53 --path forward");
  const auto valid =
      nat_and_filter(kToLo, ":FORWARD ACCEPT\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n");
  expect_answer(valid, Truth::kNo, "deliver -i eth0 -p udp --dport 53 --path forward");
}

// What the far end sends of its own accord goes nowhere, either: Z3 follows that for `track`, too.
TEST(QueryNowhere, NeitherEndLeavesAnEntry) {
  const auto with = nat_and_filter("-A PREROUTING -j DNAT --to-destination 127.0.0.1\n",
                                   ":INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n");
  expect_answer(
      with, Truth::kNo,
      "track -p udp -m udp --sport 5001 --dport 23 -s 192.0.2.9 -d 198.51.100.9 --path forward");
}

TEST(QueryNowhere, WithRouteLocalnetItIsLeftOpen) {
  const auto with = nat_and_filter(kToLo, ":INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n");
  QueryOptions options;
  options.sysctl["net/ipv4/conf/all/route_localnet"] = "1";
  expect_answer(with, Truth::kUnknown, "connect -i eth0 -p tcp --dport 80 --path in", options);
}

// Nothing that this host sends comes to NAT, and what the far end opens is led elsewhere: Z3 leaves
// that open, where the search knows that it is not where was asked for.
TEST(QueryArrival, WhatIsLedElsewhereIsNoContradiction) {
  const LoadedRuleset rules("led.rules",
                            "*raw\n:OUTPUT ACCEPT\n-A OUTPUT -j DROP\nCOMMIT\n"
                            "*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
                            "-A OUTPUT -d 192.0.2.0/28 -j NETMAP --to 198.51.100.0/28\n"
                            "-A PREROUTING -m length --length 61:65535 -j REDIRECT\nCOMMIT\n");
  const Answer a =
      ask_one(rules, "track --to-destination 127.0.0.1 -p udp -d 192.0.2.9 --dport 80 --path out");
  EXPECT_EQ(a.truth, Truth::kUnknown) << to_text(a);
}

// DNAT that changes nothing sets no status (Linux: nf_nat_setup_info).
TEST(QueryArrival, DnatToWhereItWasSentIsNotSeen) {
  const std::string nat =
      "*nat\n:PREROUTING ACCEPT\n"
      "-A PREROUTING -i wan -p tcp --dport 443 -j DNAT --to-destination 192.168.1.10:443\n"
      "COMMIT\n*filter\n:FORWARD DROP\n";
  const std::string state = "-A FORWARD -i wan -m conntrack --ctstate ";
  const std::string words = "deliver -i wan -o lan -p tcp --dport 443 -d 192.168.1.1";
  const LoadedRuleset taken("taken.rules", nat + state + "DNAT -j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(ask_one(taken, words + "0").truth, Truth::kNo);
  EXPECT_EQ(ask_one(taken, words + "1").truth, Truth::kYes);
  const LoadedRuleset banned("banned.rules",
                             nat + state + "DNAT -j DROP\n" + state + "NEW -j ACCEPT\nCOMMIT\n");
  const Answer there = ask_one(banned, words + "0");
  EXPECT_EQ(there.truth, Truth::kYes);
  EXPECT_FALSE(there.conditional);
  EXPECT_EQ(ask_one(banned, words + "1").truth, Truth::kNo);
}

}  // namespace
}  // namespace postern
