// The questions of the NOTRACK and the p2p story, asked as an administrator asks them: every "it
// holds when" line of the stories is a test here.
#include "analyzer/query.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "query_fixture.hpp"

namespace postern {
namespace {

const std::string kHole = "connect -i lo -p tcp --sport 1234 --dport 80";

IntervalList ports(u128 lo, u128 hi) { return {{lo, hi}}; }

TEST(Query, LockdownHasTheHoleWithItsPackets) {
  const auto rules = LoadedRuleset::corpus("notrack/test3-lockdown.rules");
  const Answer a = ask_one(rules, kHole);
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(a.path, Path::kLoopback);
  EXPECT_TRUE(a.replayed);
  EXPECT_FALSE(a.conditional);
  ASSERT_EQ(a.witness.size(), 5U);
  EXPECT_EQ(a.witness[0].packet.source.text(), "127.0.0.1");
  EXPECT_EQ(a.witness[0].packet.flags, tcp_flag::kSyn);
  EXPECT_EQ(a.witness[0].verdict, Verdict::kDelivered);
  EXPECT_EQ(a.witness[0].ctstate.at(Hook::kInput), CtState::kUntracked);
  EXPECT_TRUE(a.witness[4].entries.empty());
  ASSERT_FALSE(a.witness[0].rules.empty());
  EXPECT_EQ(a.witness[0].rules[0].text, "-A OUTPUT -o lo -p tcp -m tcp --sport 1234 -j NOTRACK");
  EXPECT_EQ(a.witness[0].rules[0].number, 1U);
  EXPECT_EQ(a.generalised.at(Field::kDestinationPort), ports(0, 65535));
  EXPECT_EQ(a.generalised.at(Field::kSourcePort), ports(1234, 1234));
  EXPECT_EQ(a.within_question.at(Field::kDestinationPort), ports(80, 80));
  EXPECT_EQ(reproduction(a), std::vector<std::string>{"nc -p 1234 127.0.0.1 80"});
}

// Linux chooses the source that a program does not: over loopback it must be asked for another one.
TEST(Query, TryNamesASourceThatLinuxWouldNotChoose) {
  Answer a;
  a.path = Path::kLoopback;
  a.witness.resize(1);
  Packet& p = a.witness[0].packet;
  p.protocol = protocol::kTcp;
  p.flags = tcp_flag::kSyn;
  p.source_port = 1234;
  p.destination_port = 80;
  p.source = *Address::parse("192.0.2.1");
  p.destination = *Address::parse("127.0.0.1");
  EXPECT_EQ(reproduction(a)[0], "nc -s 192.0.2.1 -p 1234 127.0.0.1 80");
  p.flags = tcp_flag::kAck;
  EXPECT_EQ(reproduction(a)[0], "nmap -sA -Pn -S 192.0.2.1 -e lo -g 1234 -p 80 127.0.0.1");
  p.destination = p.source;
  EXPECT_EQ(reproduction(a)[0], "nmap -sA -Pn -g 1234 -p 80 192.0.2.1");
  a.path = Path::kIn;
  p.source = *Address::parse("192.0.2.9");
  EXPECT_EQ(reproduction(a)[0], "nmap -sA -Pn -g 1234 -p 80 192.0.2.1");
}

TEST(Query, OneSourcePortReachesEveryDestinationPort) {
  const std::string words = "--find sport --every dport connect -i lo -p tcp";
  const QuestionDefaults defaults{.path = {}, .find = {"sport"}, .every = {"dport"}};
  const auto open = LoadedRuleset::corpus("notrack/test3-lockdown.rules");
  Prover prover(open.program());
  const auto answers = prover.ask(question_of("connect -i lo -p tcp", Family::kIpv4, defaults));
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_EQ(answers[0].truth, Truth::kYes) << to_text(answers[0]);
  EXPECT_EQ(answers[0].found.at(Field::kSourcePort), 1234U);
  EXPECT_EQ(answers[0].query, words);
  const auto closed = LoadedRuleset::corpus("notrack/test4.rules");
  Prover other(closed.program());
  const auto none = other.ask(question_of("connect -i lo -p tcp", Family::kIpv4, defaults));
  EXPECT_EQ(none[0].truth, Truth::kNo) << to_text(none[0]);
}

// A rule like docker's: what goes to an address of this host is translated (to where nobody gets),
// a broadcast is not. Whether 10.0.0.1 is some subnet's broadcast address is nobody's to say.
TEST(Query, AnAddressThatMayBeABroadcastAddressIsNotDelivered) {
  const LoadedRuleset rules("docker.rules",
                            "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -m addrtype --dst-type LOCAL "
                            "-j DNAT --to-destination 127.0.0.1\nCOMMIT\n*filter\n:OUTPUT "
                            "DROP\nCOMMIT\n");
  const Answer one = ask_one(rules, "deliver -i wlan0 --path in -p udp --dport 53 -d 10.0.0.1");
  ASSERT_EQ(one.truth, Truth::kUnknown) << to_text(one);
  EXPECT_NE(one.reasons.at(0).find("broadcast address"), std::string::npos) << to_text(one);
  const Answer all = ask_one(rules, "deliver -i wlan0 --path in -p udp --dport 53");
  ASSERT_EQ(all.truth, Truth::kYes) << to_text(all);
  EXPECT_EQ(all.witness.at(0).packet.destination.text(), "255.255.255.255");
  EXPECT_TRUE(all.assumptions.empty());
}

// A process may mark what it sends (SO_MARK): a question that names no mark leaves that out, and
// says so.
TEST(Query, ANoOnTheWayOutListsThatNobodySetsTheMark) {
  const LoadedRuleset rules(
      "mark.rules", "*filter\n:OUTPUT DROP\n-A OUTPUT -m mark --mark 0xcafe -j ACCEPT\nCOMMIT\n");
  const Answer none = ask_one(rules, "deliver -o eth0 -p udp");
  ASSERT_EQ(none.truth, Truth::kNo) << to_text(none);
  EXPECT_NE(to_text(none).find("no local process marks its packets"), std::string::npos);
  const Answer marked = ask_one(rules, "deliver -o eth0 -p udp -m mark --mark 0xcafe");
  ASSERT_EQ(marked.truth, Truth::kYes) << to_text(marked);
  EXPECT_EQ(marked.witness.at(0).packet.mark, 0xcafeU);
}

// From 0.0.0.0 to 0.0.0.0 is a broadcast to Linux: it reaches every host.
TEST(Query, NobodyToNobodyIsABroadcast) {
  const LoadedRuleset rules(
      "nobody.rules", "*filter\n:INPUT DROP\n-A INPUT -s 0.0.0.0 -d 0.0.0.0 -j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(ask_one(rules, "deliver -i eth0 --path in -p udp").truth, Truth::kYes);
  EXPECT_EQ(ask_one(rules, "deliver -i eth0 --path forward -p udp -s 0.0.0.0").truth, Truth::kNo);
  EXPECT_EQ(ask_one(rules, "deliver -i eth0 --path in -p udp -s 0.0.0.0 ! -d 0.0.0.0").truth,
            Truth::kNo);
}

// Only 0.0.0.0 itself is nobody's (since Linux 5.3), and a link-local packet may be sent back by
// the device that it came in by. Both seen on the kernel.
TEST(Query, OddAddressesAreRouted) {
  const LoadedRuleset low("low.rules",
                          "*filter\n:INPUT DROP\n-A INPUT -s 0.0.0.5 -j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(ask_one(low, "deliver -i eth0 --path in -p udp").truth, Truth::kYes);
  const LoadedRuleset narrow("narrow.rules",
                             "*filter\n:FORWARD DROP\n-A FORWARD -s fe80::/10 -j ACCEPT\nCOMMIT\n");
  const Answer back = ask_one(narrow, "deliver -i eth0 --path forward -p udp");
  ASSERT_EQ(back.truth, Truth::kYes) << to_text(back);
  EXPECT_EQ(ask_one(narrow, "deliver -i eth0 -o eth1 -p udp").truth, Truth::kNo);
}

// ICMP's id, type and code stand where other tuples have ports; protocols without any have 0.
TEST(Query, PortsOfATupleWithoutPorts) {
  const auto answer = [](const std::string& rule, const std::string& protocol) {
    // (Without the pieces that a raw socket sends past conntrack.)
    const LoadedRuleset rules(
        "tuple.rules", "*filter\n:OUTPUT ACCEPT\n-A OUTPUT -f -j DROP\n-A OUTPUT -m conntrack " +
                           rule + " -j DROP\nCOMMIT\n");
    return ask_one(rules, "deliver -o eth0 -p " + protocol).truth;
  };
  EXPECT_EQ(answer("--ctorigdstport 0", "253"), Truth::kNo);
  EXPECT_EQ(answer("! --ctorigdstport 0", "253"), Truth::kYes);
  EXPECT_EQ(answer("--ctorigdstport 53", "253"), Truth::kYes);
  EXPECT_NE(answer("--ctorigdstport 53", "icmp"), Truth::kNo);
}

TEST(Query, Test4ClosesTheHole) {
  const auto rules = LoadedRuleset::corpus("notrack/test4.rules");
  const Answer a = ask_one(rules, "connect -i lo -p tcp --sport 1234 ! --dport 1234");
  EXPECT_EQ(a.truth, Truth::kNo) << to_text(a);
  ASSERT_TRUE(a.completeness.has_value());
  EXPECT_EQ(a.completeness->kind, "any-length");
  EXPECT_TRUE(a.completeness->certified);
}

TEST(Query, Test4LeavesTheAckScan) {
  const auto rules = LoadedRuleset::corpus("notrack/test4.rules");
  const Answer scan = ask_one(rules, "deliver -i lo -p tcp --sport 1234 --dport 80");
  ASSERT_EQ(scan.truth, Truth::kYes) << to_text(scan);
  EXPECT_EQ(scan.witness.size(), 1U);
  EXPECT_NE(scan.witness[0].packet.flags & tcp_flag::kAck, 0);
  const Answer syn = ask_one(rules, "deliver -i lo -p tcp --sport 1234 --dport 80 --syn");
  EXPECT_EQ(syn.truth, Truth::kNo) << to_text(syn);
  EXPECT_TRUE(syn.completeness && syn.completeness->by == "fixpoint");
}

TEST(Query, WhatTheNotrackRulesetsTrack) {
  const auto one = LoadedRuleset::corpus("notrack/test1.rules");
  const Answer a = ask_one(one, "track --entry-state ESTABLISHED -i lo -p tcp --dport 1234");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(a.witness.back().entries.at(0).state, "ESTABLISHED");
  const auto two = LoadedRuleset::corpus("notrack/test2.rules");
  const Answer b = ask_one(two, "track --entry-state SYN_SENT -i lo -p tcp --dport 1234");
  ASSERT_EQ(b.truth, Truth::kYes) << to_text(b);
  const auto three = LoadedRuleset::corpus("notrack/test3.rules");
  const Answer c = ask_one(three, "track -i lo -p tcp --dport 1234");
  EXPECT_EQ(c.truth, Truth::kNo) << to_text(c);
  EXPECT_TRUE(c.completeness && c.completeness->certified);
}

// The wires of a witness hold its packets.
TEST(Query, AWitnessMayBeLong) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const LoadedRuleset rules("long.rules",
                              "*filter\n:FORWARD DROP\n-A FORWARD -p udp -m length --length "
                              "3000:3100 -j ACCEPT\nCOMMIT\n",
                              family);
    const Answer a = ask_one(rules, "deliver -i eth0 -o eth1 -p udp");
    ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
    EXPECT_TRUE(a.replayed);
  }
}

// Over lo raw is asked twice. What PREROUTING drops has been tracked in OUTPUT.
TEST(Query, WhatRawDropsOnTheWayInIsTracked) {
  const LoadedRuleset rules("raw.rules",
                            "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -p udp --sport 5 -j DROP\n"
                            "-A PREROUTING -j DROP\nCOMMIT\n*nat\n:OUTPUT ACCEPT\n"
                            "-A OUTPUT -d 10.0.0.1 -j DNAT --to-destination 127.0.0.1\nCOMMIT\n");
  const Answer a = ask_one(rules, "track -i lo -p udp -d 127.0.0.1");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(a.witness.size(), 1U);
}

// No forwarded flow has an entry here, but the host's own have: errors about those may be
// forwarded.
TEST(Query, AForwardedErrorMayQuoteAFlowToTheHost) {
  const LoadedRuleset rules("related.rules",
                            "*filter\n:INPUT ACCEPT\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
                            "-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n");
  const Answer a = ask_one(rules, "deliver --path forward -p icmp --icmp-type 3");
  EXPECT_EQ(a.truth, Truth::kYes) << to_text(a);
  const Answer b = ask_one(rules, "deliver --path forward -p udp");
  EXPECT_EQ(b.truth, Truth::kNo) << to_text(b);
}

// The connmark goes from 1 to 2 to 3 with the packets of one flow, and only then the door opens.
TEST(Query, TheConnmarkCountsPackets) {
  const LoadedRuleset rules(
      "count.rules",
      "*mangle\n:PREROUTING ACCEPT\n"
      "-A PREROUTING -m connmark --mark 2 -j CONNMARK --set-mark 3\n"
      "-A PREROUTING -m connmark --mark 1 -j CONNMARK --set-mark 2\n"
      "-A PREROUTING -m connmark --mark 0 -j CONNMARK --set-mark 1\nCOMMIT\n"
      "*filter\n:INPUT DROP\n:OUTPUT ACCEPT\n"
      "-A INPUT -p udp --dport 54 -j ACCEPT\n"
      "-A INPUT -p udp -s 192.0.2.9 -m ttl --ttl-eq 9 -m connmark --mark 3 -j ACCEPT\n"
      "-A INPUT -p udp -s 192.0.2.9 -m ttl ! --ttl-eq 9 -j ACCEPT\nCOMMIT\n");
  const Answer a =
      ask_one(rules, "deliver -i eth0 --path in -p udp -s 192.0.2.9 --dport 53 -m ttl --ttl-eq 9");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(a.witness.size(), 3U);
}

// A first packet that raw drops meets no lookup, but the far end may speak now.
TEST(Query, TrackedByTheOtherSideAfterAPacketThatRawDropped) {
  const LoadedRuleset rules("raw.rules",
                            "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -i eth0 -p tcp -j DROP\n"
                            "COMMIT\n*filter\n:INPUT ACCEPT\n"
                            "-A INPUT -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n");
  const Answer a = ask_one(rules, "track -i eth0 --path in -p tcp --dport 80");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  ASSERT_EQ(a.witness.size(), 2U);
  EXPECT_EQ(a.witness[0].packet.destination_port, 80);
  EXPECT_EQ(a.witness[0].verdict, Verdict::kDropped);
  EXPECT_TRUE(a.witness[0].entries.empty());
  EXPECT_EQ(a.witness[1].packet.source_port, 80);
  EXPECT_EQ(a.witness[1].entries.at(0).state, "SYN_SENT");
  EXPECT_TRUE(a.replayed);
}

TEST(Query, P2pByTheAnswerWithSwappedRoles) {
  const auto rules = LoadedRuleset::corpus("p2p/in.rules");
  const auto answers = ask(rules, "track -i eth0 -p udp --dport 33333");
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].path, Path::kIn);
  ASSERT_EQ(answers[0].truth, Truth::kYes) << to_text(answers[0]);
  const auto& last = answers[0].witness.back();
  EXPECT_EQ(last.path, Path::kOut);
  EXPECT_EQ(last.entries.at(0).original.source, answers[0].witness[0].packet.destination);
  EXPECT_EQ(expect_status(answers, Truth::kYes, false), 0);
}

TEST(Query, P2pBothDirectionsAndNewOnly) {
  const auto both = LoadedRuleset::corpus("p2p/both.rules");
  const auto tracked = ask(both, "track -i eth0 -p udp --dport 33333");
  EXPECT_EQ(expect_status(tracked, Truth::kNo, false), 0)
      << to_text(tracked[0]) << to_text(tracked[1]);
  const auto strict = LoadedRuleset::corpus("p2p/new-only.rules");
  const auto delivered = ask(strict, "deliver -i eth0 -p udp --dport 33333");
  EXPECT_EQ(expect_status(delivered, Truth::kNo, false), 0)
      << to_text(delivered[0]) << to_text(delivered[1]);
}

// Masquerading, a forwarded port, and nothing else from outside.
constexpr const char* kHomeRouter =
    "*nat\n:PREROUTING ACCEPT\n:POSTROUTING ACCEPT\n"
    "-A PREROUTING -i wan -p tcp --dport 8080 -j DNAT --to-destination 192.168.1.10:80\n"
    "-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
    "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    "-A INPUT -i lan -p tcp --dport 22 -j ACCEPT\n"
    "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -i lan -o wan -j ACCEPT\n"
    "-A FORWARD -i wan -o lan -d 192.168.1.10 -p tcp --dport 80 -j ACCEPT\nCOMMIT\n";

TEST(QueryNat, AnswersComeBackThroughMasquerade) {
  const LoadedRuleset rules("home.rules", kHomeRouter);
  const Answer a = ask_one(rules, "connect -i lan -o wan -p tcp --dport 443");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_FALSE(a.conditional);
  // The answer is sent to the router, and arrives at the client.
  EXPECT_NE(a.witness.at(1).packet.destination, a.witness.at(0).packet.source);
  EXPECT_EQ(a.witness.at(1).verdict, Verdict::kForwarded);
  const Answer out = ask_one(rules, "connect -o wan -p udp --dport 53 --path out");
  EXPECT_EQ(out.truth, Truth::kYes) << to_text(out);
}

TEST(QueryNat, AForwardedPortIsReachedAndNothingBesideIt) {
  const LoadedRuleset rules("home.rules", kHomeRouter);
  const Answer a = ask_one(rules, "connect -i wan -o lan -p tcp --dport 8080");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(a.witness.at(1).packet.source.text(), "192.168.1.10");
  EXPECT_EQ(a.witness.at(1).packet.source_port, 80);
  for (const char* no :
       {"deliver -i wan -o lan -p tcp --dport 8081", "deliver -i wan -o lan -p udp",
        "deliver -i wan -p tcp --dport 22 --path in",
        "deliver -i wan -p tcp --dport 8080 --path in",
        "deliver -i wan -o lan -p tcp --dport 80 -d 192.168.1.11",
        "connect -i wan -o lan -p tcp --dport 22"}) {
    const Answer b = ask_one(rules, no);
    EXPECT_EQ(b.truth, Truth::kNo) << to_text(b);
  }
  // The rule of FORWARD does not ask whether the packet came by the forwarded port.
  const Answer c = ask_one(rules, "deliver -i wan -o lan -p tcp --dport 80 -d 192.168.1.10");
  EXPECT_EQ(c.truth, Truth::kYes) << to_text(c);
}

TEST(QueryNat, AForwardedPortIsToldByItsStatus) {
  const LoadedRuleset rules(
      "status.rules",
      "*nat\n:PREROUTING ACCEPT\n"
      "-A PREROUTING -i wan -p tcp --dport 8080 -j DNAT --to-destination 192.168.1.10:80\n"
      "COMMIT\n*filter\n:FORWARD DROP\n"
      "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
      "-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT\nCOMMIT\n");
  const Answer a = ask_one(rules, "connect -i wan -o lan -p tcp --dport 8080");
  EXPECT_EQ(a.truth, Truth::kYes) << to_text(a);
  const Answer b = ask_one(rules, "connect -i wan -o lan -p tcp --dport 80");
  EXPECT_EQ(b.truth, Truth::kNo) << to_text(b);
}

TEST(QueryNat, RedirectMovesAFlowToThisHost) {
  const LoadedRuleset rules("redirect.rules",
                            "*nat\n:PREROUTING ACCEPT\n"
                            "-A PREROUTING -i lan -p udp --dport 53 -j REDIRECT --to-ports 5353\n"
                            "COMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
                            "-A INPUT -p udp --dport 5353 -j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(ask_one(rules, "connect -i lan -p udp --dport 53 --path in").truth, Truth::kYes);
  EXPECT_EQ(ask_one(rules, "connect -i wan -p udp --dport 53 --path in").truth, Truth::kNo);
  EXPECT_EQ(ask_one(rules, "connect -i lan -p udp --dport 54 --path in").truth, Truth::kNo);
}

// raw and mangle PREROUTING see an answer as it arrives: sent to the translated address.
TEST(QueryNat, EarlyHooksSeeTheTranslatedAnswer) {
  const auto with = [](const char* address) {
    return LoadedRuleset("early.rules",
                         std::string("*raw\n:PREROUTING ACCEPT\n-A PREROUTING -d ") + address +
                             " -j DROP\nCOMMIT\n*nat\n:POSTROUTING ACCEPT\n"
                             "-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.5\nCOMMIT\n"
                             "*filter\n:FORWARD ACCEPT\n-A FORWARD -m conntrack --ctstate INVALID "
                             "-j DROP\nCOMMIT\n");
  };
  const LoadedRuleset hit = with("203.0.113.5"), missed = with("203.0.113.6");
  const char* question = "connect -i lan -o wan -p tcp -s 192.168.1.0/24 -d 198.51.100.0/24";
  const Answer no = ask_one(hit, question);
  EXPECT_EQ(no.truth, Truth::kNo) << to_text(no);
  const Answer yes = ask_one(missed, question);
  EXPECT_EQ(yes.truth, Truth::kYes) << to_text(yes);
}

// A table without the chain binds nobody.
TEST(QueryNat, ARuleThatNoHookReachesMovesNothing) {
  const LoadedRuleset rules("unreached.rules",
                            "*nat\n:A - [0:0]\n-A A -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n");
  const Answer a = ask_one(rules, "deliver -i eth0 -p tcp -s 127.0.0.1 -d 192.0.2.9 --path in");
  EXPECT_EQ(a.truth, Truth::kNo) << to_text(a);
  const Answer b = ask_one(rules, "deliver -i eth0 -p tcp -d 192.0.2.9 --path in");
  EXPECT_TRUE(b.truth == Truth::kYes && !b.conditional) << to_text(b);
}

// DNAT takes the SYN away; what is INVALID to its entry stays as it was sent, and comes in.
TEST(QueryNat, WhatIsInvalidBesideAForwardedPortIsNotCalledDead) {
  const LoadedRuleset rules(
      "stray.rules",
      "*nat\n:PREROUTING ACCEPT\n"
      "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.10\nCOMMIT\n"
      "*filter\n:INPUT DROP\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"
      "-A INPUT -p tcp --dport 80 --tcp-flags ALL ACK -m conntrack --ctstate INVALID -j ACCEPT\n"
      "COMMIT\n");
  const Answer a = ask_one(rules, "deliver -i wan -p tcp --dport 80 --tcp-flags ALL ACK --path in");
  EXPECT_EQ(a.truth, Truth::kUnknown) << to_text(a);
  const Answer b = ask_one(rules, "deliver -i wan -p tcp --dport 81 --tcp-flags ALL ACK --path in");
  EXPECT_EQ(b.truth, Truth::kNo) << to_text(b);
}

// The port of a flow that no rule binds may be taken by one that another was given: its answers
// then go to another port, and early hooks see it.
TEST(QueryNat, AClashMayGiveAnyFlowAnotherPort) {
  const auto with = [](const char* nat) {
    return LoadedRuleset("clash.rules",
                         std::string(nat) +
                             "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n"
                             "*mangle\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
                             "-A PREROUTING -p udp --sport 53 --dport 1234 -j DROP\n"
                             "-A OUTPUT -p udp --sport 53 --dport 1234 -j DROP\nCOMMIT\n"
                             "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n"
                             "-A INPUT -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n");
  };
  const char* nat =
      "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -s 10.0.0.0/8 -o wan -j MASQUERADE\nCOMMIT\n";
  for (const char* path : {"in", "forward", "out"}) {
    const std::string question =
        std::string("connect -p udp -s 192.0.2.9 --sport 1234 --dport 53 --path ") + path;
    const Answer sure = ask_one(with(""), question.c_str());
    EXPECT_EQ(sure.truth, Truth::kNo) << to_text(sure);
    const Answer open = ask_one(with(nat), question.c_str());
    EXPECT_EQ(open.truth, Truth::kUnknown) << to_text(open);
  }
}

TEST(QueryNat, WhatIsNotFollowedIsUnknownNeverNo) {
  const LoadedRuleset rules("nat.rules",
                            "*nat\n:PREROUTING ACCEPT\n"
                            "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 224.0.0.5\n"
                            "COMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\nCOMMIT\n");
  const Answer a = ask_one(rules, "connect -i eth0 -p tcp --dport 80 --path in");
  EXPECT_EQ(a.truth, Truth::kUnknown) << to_text(a);
  ASSERT_FALSE(a.reasons.empty());
  EXPECT_NE(a.reasons[0].find("DNAT"), std::string::npos);
}

// The clauses of a rule are asked in order: -i keeps what comes from the lan away from the match.
TEST(Query, AnUnknownMatchDropsOnlyWhatGetsToIt) {
  const LoadedRuleset rules("unknown.rules",
                            "*filter\n:FORWARD DROP\n"
                            "-A FORWARD -i wan -m nobody --knows it -j ACCEPT\n"
                            "-A FORWARD -i lan -j ACCEPT\nCOMMIT\n");
  const Answer a = ask_one(rules, "deliver -i lan -o wan -p udp");
  EXPECT_TRUE(a.truth == Truth::kYes && !a.conditional) << to_text(a);
  const Answer b = ask_one(rules, "deliver -i wan -o lan -p udp");
  EXPECT_TRUE(b.truth == Truth::kYes && b.conditional) << to_text(b);
}

TEST(Query, OpaqueMatchesMakeAConditionalYes) {
  const LoadedRuleset rules("limit.rules",
                            "*filter\n:INPUT DROP\n:OUTPUT ACCEPT\n"
                            "-A INPUT -p udp --dport 53 -m limit --limit 1/sec -j ACCEPT\n"
                            "-A INPUT -p udp --dport 54 -j ACCEPT\nCOMMIT\n");
  const Answer a = ask_one(rules, "deliver -i eth0 -p udp --dport 53 --path in");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_TRUE(a.conditional);
  EXPECT_NE(a.assumptions.at(0).find("limit"), std::string::npos);
  EXPECT_EQ(expect_status({a}, Truth::kYes, false), 3);
  EXPECT_EQ(expect_status({a}, Truth::kYes, true), 0);
  const Answer b = ask_one(rules, "deliver -i eth0 -p udp --dport 54 --path in");
  EXPECT_TRUE(b.truth == Truth::kYes && !b.conditional) << to_text(b);
  EXPECT_EQ(b.witness[0].packet.source.text(), "192.0.2.9");
  EXPECT_EQ(b.witness[0].packet.destination.text(), "192.0.2.1");
  EXPECT_EQ(b.generalised.at(Field::kSourcePort), ports(0, 65535));
}

// What every packet of a conversation rests on is said once.
TEST(Query, AnAssumptionIsSaidOnce) {
  const LoadedRuleset rules("once.rules",
                            "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctexpire 100:200 "
                            "-j ACCEPT\nCOMMIT\n");
  Answer a = ask_one(rules, "connect -i eth0 -p tcp --path in");
  ASSERT_EQ(a.truth, Truth::kYes);
  std::ranges::sort(a.assumptions);
  EXPECT_EQ(std::ranges::adjacent_find(a.assumptions), a.assumptions.end());
}

TEST(Query, SequencesThatOpenTheDoorFirst) {
  // Only ESTABLISHED gets in; an entry is made by the packet that is dropped? No: dropped in INPUT
  // before its confirmation it leaves none, so nothing ever gets in.
  const LoadedRuleset shut("shut.rules",
                           "*filter\n:INPUT DROP\n:OUTPUT ACCEPT\n"
                           "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(ask_one(shut, "deliver -i eth0 -p udp --dport 53 --path in").truth, Truth::kNo);
  // A knock on the way: the SYN must pass, and a FIN is ESTABLISHED only after a reply.
  const LoadedRuleset knock(
      "knock.rules",
      "*filter\n:INPUT DROP\n:OUTPUT ACCEPT\n"
      "-A INPUT -m conntrack --ctstate ESTABLISHED -p tcp --tcp-flags ALL FIN,ACK -j ACCEPT\n"
      "-A INPUT -p tcp --syn -j ACCEPT\nCOMMIT\n");
  const Answer a =
      ask_one(knock, "deliver -i eth0 -p tcp --dport 53 --tcp-flags ALL FIN,ACK --path in");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(a.witness.size(), 3U);
}

TEST(Query, HonestEndsSendWholePackets) {
  // Without tracking a later fragment shows no port: no rule about ports stops it.
  const LoadedRuleset rules(
      "x", "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp --sport 80 -j DROP\nCOMMIT\n");
  const Answer a = ask_one(rules, "connect -i eth0 -p tcp --dport 80 --path in");
  EXPECT_EQ(a.truth, Truth::kNo) << to_text(a);
}

TEST(Query, AFirstPacketThatIsDroppedUnderNatBeginsTheFlow) {
  const LoadedRuleset rules("redirected", R"(*filter
:INPUT DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p udp -j REDIRECT --to-ports 53
COMMIT
)");
  EXPECT_EQ(ask_one(rules, "track -i eth0 -p udp --dport 1024 --path in").truth, Truth::kYes);
}

// UDP-Lite is INVALID on its way in, and so not translated back; MASQUERADE to the address that the
// packet has leaves nothing to translate.
TEST(Query, AnInvalidAnswerMayComeWhereNatChangedNothing) {
  const LoadedRuleset rules("masqueraded", R"(*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -j MASQUERADE
COMMIT
)");
  EXPECT_EQ(ask_one(rules, "connect -o eth0 -p udplite").truth, Truth::kUnknown);
  EXPECT_EQ(ask_one(rules, "connect -o eth0 -p udp").truth, Truth::kYes);
}

// Over lo nobody looks at a checksum, so that nothing of UDP-Lite is INVALID in OUTPUT.
// (One that is well-formed keeps its entry.)
TEST(Query, UdpLiteThatIsInvalidIsUntrackedOverLo) {
  const LoadedRuleset rules("untracked", R"(*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -j NOTRACK
COMMIT
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT
COMMIT
)");
  const Answer a = ask_one(rules, "deliver -p udplite --path loopback");
  ASSERT_EQ(a.truth, Truth::kYes);
  EXPECT_TRUE(a.witness.front().packet.raw_l4) << "its checksum covers a single byte";
  // (A header that is cut short is INVALID, too.)
  EXPECT_EQ(ask_one(rules, "deliver -p udp --dport 53 --path loopback").truth, Truth::kNo);
}

TEST(Query, IPv6AnswersItsOwnAddressOverLo) {
  const LoadedRuleset rules("own", R"(*filter
:INPUT ACCEPT [0:0]
:OUTPUT DROP [0:0]
-A OUTPUT -o eth+ -m conntrack --ctstate ESTABLISHED -j ACCEPT
COMMIT
)",
                            Family::kIpv6);
  const std::string flow = " --path in -i eth0 -p udp --sport 9 --dport 7 -d 2001:db8::1 -s ";
  EXPECT_EQ(ask_one(rules, "connect" + flow + "2001:db8::1").truth, Truth::kUnknown);
  EXPECT_EQ(ask_one(rules, "deliver" + flow + "2001:db8::1").truth, Truth::kYes);
  EXPECT_EQ(ask_one(rules, "connect" + flow + "2001:db8::9").truth, Truth::kYes);
}

// EngineCase.RoutedAgainToNobody6: a mark sends such a packet out by a wire.
TEST(Query, APacketToNobodyMayBeRoutedAgain) {
  const LoadedRuleset rules("marked", R"(*mangle
:OUTPUT ACCEPT [0:0]
-A OUTPUT -p udp -j MARK --set-mark 7
COMMIT
*filter
:OUTPUT ACCEPT [0:0]
-A OUTPUT -p tcp -j DROP
COMMIT
)",
                            Family::kIpv6);
  EXPECT_EQ(ask_one(rules, "deliver -o eth1 -d :: -p udp").truth, Truth::kUnknown);
  EXPECT_EQ(ask_one(rules, "deliver -o eth1 -d :: -p tcp").truth, Truth::kNo);
}

TEST(Query, JsonHasTheContractsKeys) {
  const auto rules = LoadedRuleset::corpus("notrack/test3-lockdown.rules");
  const auto json = to_json(ask_one(rules, kHole));
  for (const char* key : {"query", "answer", "conditional", "assumptions", "completeness",
                          "witness", "generalised", "within_question", "replayed", "path"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["generalised"]["dport"], nlohmann::json::parse("[[0,65535]]"));
  const auto& packet = json["witness"]["packets"][0];
  EXPECT_EQ(packet["sport"], 1234);
  EXPECT_EQ(packet["verdict"], "delivered");
  EXPECT_EQ(packet["rules"][0]["table"], "raw");
  EXPECT_EQ(packet["rules"][0]["line"], 6);
}

TEST(Query, SameAnswerOnEveryRun) {
  const auto rules = LoadedRuleset::corpus("notrack/test3-lockdown.rules");
  EXPECT_EQ(to_json(ask_one(rules, kHole)).dump(), to_json(ask_one(rules, kHole)).dump());
}

}  // namespace
}  // namespace postern
