// ICMP errors that are RELATED to another flow of the outsider, with and without NAT on the way:
// the witness begins with the flow that is quoted, and what NAT made of that flow's ends is what
// rules see of the error.
#include "query_fixture.hpp"

namespace postern {
namespace {

constexpr const char* kError =
    "deliver -i eth0 -o eth1 -p icmp --icmp-type destination-unreachable";

const std::string kDnat =
    "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
    "-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080\nCOMMIT\n";

LoadedRuleset forward(const std::string& rules, const std::string& nat = kDnat) {
  return {"error.rules", nat +
                             "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
                             "-A FORWARD -d 10.0.0.2/32 -p tcp -m conntrack --ctstate "
                             "NEW,ESTABLISHED -j ACCEPT\n" +
                             rules + "COMMIT\n"};
}

void expect_proved(const Answer& answer) {
  EXPECT_EQ(answer.truth, Truth::kNo) << to_text(answer);
  EXPECT_TRUE(answer.completeness && answer.completeness->certified) << to_text(answer);
}

// NOTRACK (and states) in raw OUTPUT do nothing to what carries an entry: the error writes the
// flow's connmark all the same (nf_ct_attach; seen on Linux: the second packet is forwarded).
TEST(RelatedError, WritesTheConnmarkBehindNotrack) {
  for (const char* raw :
       {"-A OUTPUT -j NOTRACK\n", "-A OUTPUT -m conntrack --ctstate INVALID -j DROP\n"}) {
    for (const char* reject :
         {"-A FORWARD -p udp -m dscp --dscp 1 -j REJECT\n", "-A FORWARD -p udp -j ACCEPT\n"}) {
      const LoadedRuleset rules(
          "marks.rules", std::string("*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n") + raw +
                             "COMMIT\n*mangle\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"
                             "-A FORWARD -p udp -m dscp --dscp 2 -m connmark ! --mark 1 -j DROP\n"
                             "-A FORWARD -p udp -m dscp --dscp 2 -m conntrack --ctstate "
                             "INVALID,UNTRACKED -j DROP\n"
                             "-A OUTPUT -m conntrack --ctstate RELATED -j CONNMARK --set-mark 1\n"
                             "COMMIT\n*filter\n:FORWARD ACCEPT\n" +
                             reject + "COMMIT\n");
      const Answer answer =
          ask_one(rules, "deliver -i eth0 -o eth1 -p udp --dport 53 -m dscp --dscp 2");
      EXPECT_NE(answer.truth, Truth::kNo) << to_text(answer);
    }
  }
}

TEST(RelatedError, IsDroppedWhereNoRuleTakesIt) { expect_proved(ask_one(forward(""), kError)); }

TEST(RelatedError, QuotesAFlowThatNatHasBound) {
  const Answer answer =
      ask_one(forward("-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT\n"), kError);
  ASSERT_EQ(answer.truth, Truth::kYes);
  EXPECT_FALSE(answer.conditional);
  ASSERT_EQ(answer.witness.size(), 2u);
  EXPECT_EQ(answer.witness[0].packet.destination_port, 80);
  ASSERT_NE(answer.witness[1].packet.inner, nullptr);
  EXPECT_EQ(answer.witness[1].packet.inner->source, answer.witness[1].packet.destination);
}

TEST(RelatedError, ShowsWhereNatHasSentTheFlow) {
  const std::string translated =
      "-A FORWARD -m conntrack --ctstate RELATED -d 10.0.0.2 -j ACCEPT\n";
  const std::string by_status =
      "-A FORWARD -m conntrack --ctstate RELATED -m conntrack --ctstate DNAT -j ACCEPT\n";
  for (const std::string& rules : {translated, by_status}) {
    const LoadedRuleset ruleset = forward(rules);
    EXPECT_EQ(ask_one(ruleset, std::string(kError) + " -d 198.51.100.9").truth, Truth::kYes)
        << rules;
  }
  // As it is sent its destination is another's.
  const LoadedRuleset as_sent =
      forward("-A FORWARD -m conntrack --ctstate RELATED -d 198.51.100.9 -j ACCEPT\n");
  EXPECT_NE(ask_one(as_sent, std::string(kError) + " -d 198.51.100.9").truth, Truth::kNo);
  const LoadedRuleset early = {"error.rules",
                               kDnat +
                                   "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -m conntrack "
                                   "--ctstate RELATED ! -d 198.51.100.9 -j DROP\nCOMMIT\n"
                                   "*filter\n:FORWARD ACCEPT\n-A FORWARD -p icmp -m conntrack "
                                   "! --ctstate RELATED -j DROP\nCOMMIT\n"};
  EXPECT_EQ(ask_one(early, std::string(kError) + " -d 198.51.100.9").truth, Truth::kYes);
  EXPECT_NE(ask_one(early, std::string(kError) + " -d 198.51.100.10").truth, Truth::kYes);
}

TEST(RelatedError, OfASourceThatOnlyItMayHave) {
  const LoadedRuleset rules =
      forward("-A FORWARD -s 203.0.113.7 -p icmp -m conntrack --ctstate RELATED -j ACCEPT\n", "");
  // No end of any flow.
  const LoadedRuleset none = {
      "error.rules",
      "*filter\n:INPUT DROP\n:FORWARD DROP\n-A FORWARD -s 203.0.113.0/24 -d 10.0.0.2 -p "
      "tcp -j ACCEPT\n-A FORWARD -p icmp -m conntrack --ctstate RELATED -d "
      "10.0.0.3 -j ACCEPT\nCOMMIT\n"};
  const Answer answer = ask_one(rules, kError);
  EXPECT_EQ(answer.truth, Truth::kYes);
  EXPECT_EQ(answer.witness.back().packet.source, *Address::parse("203.0.113.7"));
  EXPECT_EQ(ask_one(none, kError).truth, Truth::kNo);
}

// Who speaks with this host may be told that its packets do not arrive: the error is forwarded to
// it.
TEST(RelatedError, AboutAFlowWithThisHost) {
  const LoadedRuleset rules = {"error.rules",
                               "*filter\n:INPUT ACCEPT\n:FORWARD DROP\n-A FORWARD -m conntrack "
                               "--ctstate RELATED -j ACCEPT\nCOMMIT\n"};
  const Answer answer = ask_one(rules, kError);
  ASSERT_EQ(answer.truth, Truth::kYes);
  ASSERT_EQ(answer.witness.size(), 2u);
  EXPECT_EQ(answer.witness[0].path, Path::kIn);
  EXPECT_EQ(answer.witness[0].packet.source, answer.witness[1].packet.destination);
}

// An error carries the connmark of the flow that it quotes.
TEST(RelatedError, HasTheMarkOfTheFlowThatItQuotes) {
  const auto rules = [](const std::string& mark) {
    return LoadedRuleset{"error.rules",
                         "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -m tcp --dport 22 "
                         "-j CONNMARK --set-xmark 0x5/0xffffffff\nCOMMIT\n"
                         "*filter\n:INPUT DROP\n:OUTPUT ACCEPT\n"
                         "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
                         "-A INPUT -m conntrack --ctstate RELATED -m connmark --mark " +
                             mark + " -j ACCEPT\nCOMMIT\n"};
  };
  constexpr const char* kQuestion = "deliver -i eth0 -p icmp --path in";
  EXPECT_EQ(ask_one(rules("0x5"), kQuestion).truth, Truth::kYes);
  for (const char* never : {"0x6", "0x4"}) {
    const Answer no = ask_one(rules(never), kQuestion);
    EXPECT_EQ(no.truth, Truth::kNo) << never;
    EXPECT_TRUE(no.completeness && no.completeness->certified) << never;
  }
}

// Two flows are marked, each in its way: the witness quotes the one that the rule asks for.
TEST(RelatedError, QuotesTheFlowThatHasTheMark) {
  const LoadedRuleset rules{"error.rules",
                            "*mangle\n:PREROUTING ACCEPT\n"
                            "-A PREROUTING -p udp -m udp --dport 53 -j CONNMARK --set-mark 1\n"
                            "-A PREROUTING -p tcp -m tcp --dport 22 -j CONNMARK --set-mark 2\n"
                            "-A PREROUTING -p tcp -m tcp --dport 80 -j CONNMARK --set-mark 3\n"
                            "COMMIT\n*filter\n:INPUT DROP\n:OUTPUT ACCEPT\n"
                            "-A INPUT -p udp -j ACCEPT\n-A INPUT -p tcp -j ACCEPT\n"
                            "-A INPUT -m conntrack --ctstate RELATED -m connmark --mark 2 "
                            "-j ACCEPT\nCOMMIT\n"};
  const Answer yes = ask_one(rules, "deliver -i eth0 -p icmp --path in");
  ASSERT_EQ(yes.truth, Truth::kYes);
  EXPECT_FALSE(yes.conditional);
  EXPECT_EQ(yes.witness.front().packet.destination_port, 22);
}

// Only what OUTPUT leads away gets through; `rule` takes errors about it.
LoadedRuleset led_by_output(const std::string& to, const std::string& rule) {
  const std::string address = to.substr(0, to.find(':'));
  return {"error.rules",
          "*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p udp --dport 53 -j DNAT --to-destination " + to +
              "\nCOMMIT\n*filter\n:INPUT DROP\n:OUTPUT DROP\n-A OUTPUT -p udp -s 192.0.2.1 -d " +
              address + " -j ACCEPT\n" + rule + "COMMIT\n"};
}

// An error about such a flow goes where that goes.
TEST(RelatedError, GoesWhereOutputHasLedTheFlow) {
  constexpr const char* kOver =
      "deliver -i lo -p icmp --icmp-type 3/3 -s 198.51.100.1 -d 192.0.2.77";
  const std::string out = "-A OUTPUT -p icmp -m conntrack --ctstate RELATED -j ACCEPT\n";
  const auto over_lo = [&](const std::string& to) {
    return ask_one(led_by_output("127.0.0.1:5353", out +
                                                       "-A INPUT -p icmp -m conntrack --ctstate "
                                                       "RELATED -d " +
                                                       to + " -j ACCEPT\n"),
                   kOver);
  };
  const Answer yes = over_lo("127.0.0.1");
  EXPECT_EQ(yes.truth, Truth::kYes) << to_text(yes);
  const Answer no = over_lo("192.0.2.77");
  EXPECT_EQ(no.truth, Truth::kNo) << to_text(no);
  const auto by_wire = [&](const std::string& to) {
    return ask_one(
        led_by_output("203.0.113.7",
                      "-A OUTPUT -p icmp -m conntrack --ctstate RELATED -d " + to + " -j ACCEPT\n"),
        "deliver -o eth0 -p icmp --icmp-type 3/3 -s 192.0.2.1 -d 192.0.2.77 --path out");
  };
  const Answer sent = by_wire("203.0.113.7");
  EXPECT_EQ(sent.truth, Truth::kYes) << to_text(sent);
  const Answer never = by_wire("192.0.2.77");
  EXPECT_EQ(never.truth, Truth::kNo) << to_text(never);
}

// REJECT's reset of an INVALID segment has no entry with it: OUTPUT looks it up, and what rules do
// to it there is done to the flow's entry (as Linux does), also where it comes back over lo.
TEST(RelatedError, ResetsFindTheirFlowInOutput) {
  const auto rules = [](const std::string& mark, const std::string& filter) {
    return LoadedRuleset("reset.rules", "*mangle\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n" + mark +
                                            " -p tcp -m tcp --tcp-flags RST RST " +
                                            "-j CONNMARK --set-mark 1\nCOMMIT\n*filter\n" + filter +
                                            "COMMIT\n");
  };
  constexpr const char* kReset = " -j REJECT --reject-with tcp-reset\n";
  const auto forward = rules("-A OUTPUT -m conntrack --ctstate ESTABLISHED",
                             ":FORWARD DROP\n-A FORWARD -m connmark --mark 1 -j ACCEPT\n"
                             "-A FORWARD -i eth0 -p tcp --syn -j ACCEPT\n"
                             "-A FORWARD -i eth1 -p tcp -m tcp --tcp-flags ALL SYN,ACK -j ACCEPT\n"
                             "-A FORWARD -p tcp -m conntrack --ctstate INVALID" +
                                 std::string(kReset));
  EXPECT_NE(ask_one(forward, "deliver -i eth0 -o eth1 -p tcp --dport 22 --tcp-flags ALL ACK").truth,
            Truth::kNo);
  const auto out = rules("-A INPUT -i lo",
                         ":OUTPUT DROP\n-A OUTPUT -o lo -j ACCEPT\n"
                         "-A OUTPUT -m connmark --mark 1 -j ACCEPT\n"
                         "-A OUTPUT -p tcp --dport 22 --syn -j ACCEPT\n"
                         "-A OUTPUT -p tcp -m tcp --tcp-flags ALL PSH,ACK" +
                             std::string(kReset));
  EXPECT_NE(ask_one(out, "deliver -o eth0 -p tcp --dport 22 --tcp-flags ALL ACK").truth,
            Truth::kNo);
}

// An address is this host's, or another's that sends errors: no witness has both.
TEST(RelatedError, ComesFromNoAddressOfTheQuotedHost) {
  const auto rules = [](const std::string& answers) {
    return LoadedRuleset("source.rules",
                         "*raw\n:PREROUTING ACCEPT\n-A PREROUTING ! -p icmp -j NOTRACK\nCOMMIT\n"
                         "*filter\n:INPUT ACCEPT\n:FORWARD DROP\n:OUTPUT DROP\n"
                         "-A INPUT -p icmp -j DROP\n"
                         "-A FORWARD -s 192.0.2.1 -m conntrack --ctstate RELATED -j ACCEPT\n"
                         "-A OUTPUT " +
                             answers + "-j ACCEPT\nCOMMIT\n");
  };
  constexpr const char* kForwarded = "deliver -p icmp --path forward";
  const Answer other = ask_one(rules(""), kForwarded);
  EXPECT_EQ(other.truth, Truth::kYes) << to_text(other);
  const Answer own = ask_one(rules("-s 192.0.2.1 "), kForwarded);
  EXPECT_EQ(own.truth, Truth::kUnknown) << to_text(own);
}

// Another process of this host may send one to whoever has opened a flow that went out, over lo
// (as Linux does: `query --on-kernel`).
TEST(RelatedError, OverLoAboutWhatWentOut) {
  const std::string rules =
      "*filter\n:INPUT DROP\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"
      "-A OUTPUT -o lo ! -p icmp -j DROP\n"
      "-A OUTPUT -o lo -p icmp -m icmp ! --icmp-type 3 -j DROP\n"
      "-A INPUT -i lo -m conntrack --ctstate RELATED -j ACCEPT\n";
  constexpr const char* kOver =
      "deliver -i lo -p icmp --icmp-type 3/3 -s 198.51.100.1 -d 192.0.2.1";
  const Answer yes = ask_one({"out.rules", rules + "COMMIT\n"}, kOver);
  ASSERT_EQ(yes.truth, Truth::kYes) << to_text(yes);
  EXPECT_EQ(yes.witness.front().verdict, Verdict::kSent);
  const Answer no = ask_one({"shut.rules", rules + "-A OUTPUT ! -o lo -j DROP\nCOMMIT\n"}, kOver);
  expect_proved(no);
}

// One to its opener comes, over lo, from where the flow was sent to: NAT takes it for an answer (as
// Linux does).
TEST(RelatedError, ToTheOpenerItComesFromWhereTheFlowWasSent) {
  const Answer answer = ask_one(
      led_by_output("127.0.0.1:5353",
                    "-A OUTPUT -p icmp -j ACCEPT\n-A INPUT -p icmp -s 192.0.2.77 -m conntrack "
                    "--ctstate RELATED -j ACCEPT\n"),
      "deliver -i lo -p icmp --icmp-type 3/3 -s 198.51.100.1 -d 192.0.2.1");
  EXPECT_NE(answer.truth, Truth::kNo) << to_text(answer);
}

// Who masquerades makes errors about its packets come to an address of this host, from anywhere.
LoadedRuleset masquerading(const std::string& raw, const std::string& forward) {
  return {"error.rules",
          "*raw\n:PREROUTING ACCEPT\n" + raw +
              "COMMIT\n*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"
              "*filter\n:INPUT DROP\n:FORWARD DROP\n" +
              forward +
              "-A FORWARD -i eth1 -o eth0 -j ACCEPT\n"
              "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n"};
}

constexpr const char* kInwards = "deliver -i eth0 -o eth1 -p icmp";

// The opener's packet, and the error about it, which goes to what NAT made of the opener.
void expect_shown(const Answer& answer) {
  ASSERT_EQ(answer.truth, Truth::kYes) << to_text(answer);
  EXPECT_FALSE(answer.conditional) << to_text(answer);
  ASSERT_EQ(answer.witness.size(), 2u) << to_text(answer);
  const WitnessStep &first = answer.witness.front(), &error = answer.witness.back();
  EXPECT_EQ(first.sender, "opener");
  EXPECT_EQ(error.sender, "outsider");
  ASSERT_NE(error.packet.inner, nullptr);
  EXPECT_EQ(error.packet.inner->source, error.packet.destination);
  EXPECT_NE(error.packet.destination, first.packet.source);
  EXPECT_EQ(error.verdict, Verdict::kForwarded);
  EXPECT_EQ(error.ctstate.at(Hook::kForward), CtState::kRelated);
}

// Routing sends a packet to this host's own address on to another only because NAT has led it there
// (as Linux does).
TEST(RelatedError, ToAnAddressOfThisHostIsForwarded) {
  const std::string here = "-A PREROUTING -i eth0 -m addrtype ! --dst-type LOCAL -j DROP\n";
  expect_shown(ask_one(masquerading(here, ""), kInwards));
  // ... to that address which the question names.
  const Answer named = ask_one(masquerading(here, ""), std::string(kInwards) + " -d 203.0.113.77");
  expect_shown(named);
  EXPECT_EQ(named.witness.back().packet.destination, *Address::parse("203.0.113.77"));
  const std::string nowhere = "-A PREROUTING -i eth0 -p icmp -j DROP\n";
  expect_proved(ask_one(masquerading(nowhere, ""), kInwards));
}

// MASQUERADE gives addresses of this host only, but nothing says so of an address: left open.
TEST(RelatedError, ToAnotherHostsAddressIsNoYes) {
  const std::string elsewhere = "-A PREROUTING -i eth0 -m addrtype --dst-type LOCAL -j DROP\n";
  const Answer answer = ask_one(masquerading(elsewhere, ""), kInwards);
  EXPECT_EQ(answer.truth, Truth::kUnknown) << to_text(answer);
}

// NAT leaves its source alone until every rule has seen it.
TEST(RelatedError, KeepsItsSourceBehindMasquerade) {
  const std::string here = "-A PREROUTING -i eth0 -m addrtype ! --dst-type LOCAL -j DROP\n";
  const LoadedRuleset rules = masquerading(here, "-A FORWARD -i eth0 -s 192.0.2.0/24 -j DROP\n");
  expect_proved(ask_one(rules, std::string(kInwards) + " -s 192.0.2.9"));
  expect_shown(ask_one(rules, std::string(kInwards) + " -s 198.51.100.9"));
}

// Rules behind NAT see the opener, whoever that is: some opener will do.
TEST(RelatedError, GoesToAnOpenerThatRulesLetItTo) {
  const std::string here = "-A PREROUTING -i eth0 -m addrtype ! --dst-type LOCAL -j DROP\n";
  const Answer one =
      ask_one(masquerading(here, "-A FORWARD -i eth0 ! -d 10.0.0.3 -p icmp -j DROP\n"), kInwards);
  expect_shown(one);
  EXPECT_EQ(one.witness.front().packet.source, *Address::parse("10.0.0.3"));
  const Answer asked =
      ask_one(masquerading(here, ""), std::string(kInwards) + " --to-destination 10.0.0.7");
  expect_shown(asked);
  EXPECT_EQ(asked.witness.front().packet.source, *Address::parse("10.0.0.7"));
  // Errors are let to nobody: who is forwarded to is no address of this host.
  expect_proved(ask_one(masquerading(here,
                                     "-A FORWARD -i eth0 -p icmp -m addrtype ! --dst-type "
                                     "LOCAL -j DROP\n"),
                        kInwards));
  expect_proved(ask_one(masquerading(here, "-A FORWARD -i eth0 -p icmp -j DROP\n"), kInwards));
  expect_proved(ask_one(
      masquerading(here, "-A FORWARD -i eth0 -m conntrack --ctstate RELATED -j DROP\n"), kInwards));
}

// What a rule of SNAT says is where the error goes; of a range, what Linux takes of it.
TEST(RelatedError, ToTheAddressThatARuleGives) {
  const auto rules = [](const std::string& to) {
    return LoadedRuleset{"error.rules",
                         "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -o eth0 -j SNAT --to-source " +
                             to +
                             "\nCOMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\n"
                             "-A FORWARD -i eth1 -o eth0 -s 10.0.0.0/8 -j ACCEPT\n"
                             "-A FORWARD -i eth0 -d 10.0.0.0/8 -m conntrack --ctstate "
                             "RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n"};
  };
  const Answer one = ask_one(rules("203.0.113.5"), std::string(kInwards) + " ! -d 10.0.0.0/8");
  expect_shown(one);
  EXPECT_EQ(one.witness.back().packet.destination, *Address::parse("203.0.113.5"));
  expect_shown(
      ask_one(rules("203.0.113.4-203.0.113.7"), std::string(kInwards) + " ! -d 10.0.0.0/8"));
}

// A server behind DNAT whose clients are masqueraded, too.
LoadedRuleset both_ways(const std::string& related) {
  return {"error.rules",
          "*nat\n:PREROUTING ACCEPT\n:POSTROUTING ACCEPT\n"
          "-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2\n"
          "-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\n"
          "-A FORWARD -i eth0 -o eth1 -d 10.0.0.2/32 -p tcp -m conntrack --ctstate NEW,ESTABLISHED "
          "-j ACCEPT\n"
          "-A FORWARD " +
              related + " -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n"};
}

TEST(RelatedError, AboutWhatTheClientSent) {
  const Answer answer = ask_one(both_ways("-i eth1"), "deliver -i eth1 -o eth0 -p icmp");
  expect_shown(answer);
  EXPECT_EQ(answer.witness.back().packet.inner->destination, *Address::parse("10.0.0.2"));
  expect_proved(ask_one(both_ways("-i eth0"), "deliver -i eth1 -o eth0 -p icmp"));
}

// ... and about what the server answered, as it is on the wire: it goes to the public address.
TEST(RelatedError, AboutWhatTheServerAnswered) {
  const Answer answer = ask_one(both_ways("-i eth0"), std::string(kInwards) + " ! -d 10.0.0.0/8");
  ASSERT_EQ(answer.truth, Truth::kYes) << to_text(answer);
  const Packet &first = answer.witness.front().packet, &error = answer.witness.back().packet;
  ASSERT_NE(error.inner, nullptr);
  EXPECT_EQ(error.destination, first.destination);
  EXPECT_EQ(error.inner->source, first.destination);
  EXPECT_EQ(error.inner->destination, first.source);
  expect_proved(ask_one(both_ways("-i eth1"), kInwards));
}

// A rule that only chance decides is met: then it is a yes under that condition.
TEST(RelatedError, HangsOnWhatRulesLeaveOpen) {
  const std::string here = "-A PREROUTING -i eth0 -m addrtype ! --dst-type LOCAL -j DROP\n";
  const Answer answer = ask_one(masquerading(here,
                                             "-A FORWARD -i eth0 -m statistic --mode random "
                                             "--probability 0.5 -j DROP\n"),
                                kInwards);
  ASSERT_EQ(answer.truth, Truth::kYes) << to_text(answer);
  EXPECT_TRUE(answer.conditional);
  EXPECT_FALSE(answer.assumptions.empty());
}

// The quoted flow need not come by the error's own interface.
TEST(RelatedError, ByAnotherInterfaceThanTheFlowThatItQuotes) {
  const LoadedRuleset rules{"error.rules",
                            "*filter\n:INPUT DROP\n:FORWARD DROP\n-A INPUT -i eth1 -j ACCEPT\n"
                            "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
                            "-A FORWARD -i eth1 -o eth2 -j ACCEPT\n"
                            "-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n"};
  for (const char* to : {"deliver -i eth0 -p icmp --path in", "deliver -i eth0 -o eth2 -p icmp"}) {
    const Answer yes = ask_one(rules, to);
    ASSERT_EQ(yes.truth, Truth::kYes) << to_text(yes);
    EXPECT_EQ(yes.witness.front().packet.in, "eth1");
    EXPECT_EQ(yes.witness.back().packet.in, "eth0");
  }
}

}  // namespace
}  // namespace postern
