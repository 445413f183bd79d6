// Per-rule facts on small rulesets whose truth is plain, and on the stories.
#include <gtest/gtest.h>

#include "lint_fixture.hpp"
#include "symbolic_fixture.hpp"

namespace postern {
namespace {

// Facts by line of the text (1-based), for the ruleset `text`.
class Facts {
 public:
  explicit Facts(const std::string& text) : under_("t", text, {}) { find(); }
  static Facts of_file(const std::string& file) {
    return Facts(file_text(std::string(POSTERN_SOURCE_DIR) + "/" + file));
  }
  // The facts of the rule whose text begins like this.
  const RuleFacts& of(const std::string& text) const {
    const auto& program = under_.program();
    for (RuleId r = 0; r < program.rules().size(); ++r) {
      const auto line = program.ruleset().source->slice(program.rules()[r].rule->span);
      if (line.find(text) != std::string_view::npos) return facts_->rules[r];
    }
    throw std::runtime_error("no rule like " + text);
  }
  RuleId id(const std::string& text) const {
    return static_cast<RuleId>(&of(text) - facts_->rules.data());
  }
  Model& model() { return under_.model(); }

 private:
  void find() {
    under_.question(Path::kIn, {});
    facts_ = under_.model().structure().value();
  }
  ModelUnderTest under_;
  const Structure* facts_ = nullptr;
};

TEST(Structure, ShadowedRulesNameTheirTakers) {
  const Facts f(
      "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A INPUT -s 10.0.0.0/9 -j DROP\n"
      "-A INPUT -s 10.128.0.0/9 -j ACCEPT\n"
      "-A INPUT -s 10.1.0.0/16 -p tcp -j ACCEPT\n"
      "-A INPUT -s 10.0.0.0/8 -p udp -j ACCEPT\n"
      "-A INPUT -s 11.0.0.0/8 -j ACCEPT\nCOMMIT\n");
  EXPECT_TRUE(f.of("10.0.0.0/9").matched);
  EXPECT_FALSE(f.of("10.1.0.0/16").matched);
  EXPECT_TRUE(f.of("10.1.0.0/16").alone);
  EXPECT_EQ(f.of("10.1.0.0/16").taken_by, std::vector<RuleId>{f.id("10.0.0.0/9")});
  EXPECT_FALSE(f.of("10.0.0.0/8 ").matched);
  EXPECT_EQ(f.of("10.0.0.0/8 ").taken_by,
            (std::vector<RuleId>{f.id("10.0.0.0/9"), f.id("10.128.0.0/9")}));
  EXPECT_TRUE(f.of("11.0.0.0/8").matched);
}

// Measured: a network that is routed to lo is forwarded there, and what comes back by lo once more;
// a raw socket with IP_NODEFRAG sends fragments past conntrack. Nothing is a fragment behind it.
TEST(Structure, OddRoutesAndSocketsKeepRulesAlive) {
  const Facts f(
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A FORWARD -o lo -p udp -j ACCEPT\n"
      "-A FORWARD -i lo -p tcp -j ACCEPT\n"
      "-A FORWARD -f -p icmp -j ACCEPT\n"
      "-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT\n"
      "-A OUTPUT -f -j DROP\n"
      "-A INPUT -f -j ACCEPT\nCOMMIT\n");
  EXPECT_TRUE(f.of("-o lo").matched);
  EXPECT_TRUE(f.of("-i lo").matched);
  EXPECT_TRUE(f.of("OUTPUT -f").matched);
  EXPECT_FALSE(f.of("FORWARD -f").matched);
  EXPECT_FALSE(f.of("INPUT -f").matched);
}

TEST(Structure, JumpsOnTheWayComeInTheOrderOfTheText) {
  const Facts f(
      "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n"
      ":b - [0:0]\n:c - [0:0]\n"
      "-A INPUT -i eth0 -j a\n"
      "-A a -p tcp -j b\n"
      "-A b -s 10.0.0.0/8 -j c\n"
      "-A c -i eth1 -j ACCEPT\nCOMMIT\n");
  EXPECT_TRUE(f.of("-i eth1").excluded);
  EXPECT_EQ(f.of("-i eth1").jumps, (std::vector<RuleId>{f.id("-j a"), f.id("-j b"), f.id("-j c")}));
}

TEST(Structure, ImpossibleMatchesAndUncalledChains) {
  const Facts f(
      "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:unused - [0:0]\n"
      ":lan - [0:0]\n"
      "-A INPUT -i eth0 -j lan\n"
      "-A lan -i eth1 -j ACCEPT\n"
      "-A lan -p tcp --dport 22 -j ACCEPT\n"
      "-A INPUT -f -s 224.0.0.1 -m conntrack --ctstate NEW -j ACCEPT\n"
      "-A unused -p udp -j ACCEPT\nCOMMIT\n");
  EXPECT_FALSE(f.of("-i eth1").matched);
  EXPECT_TRUE(f.of("-i eth1").alone);
  EXPECT_TRUE(f.of("-i eth1").excluded);
  EXPECT_EQ(f.of("-i eth1").jumps, std::vector<RuleId>{f.id("-j lan")});
  EXPECT_TRUE(f.of("--dport 22").matched);
  EXPECT_FALSE(f.of("224.0.0.1").alone);
  EXPECT_EQ(f.of("224.0.0.1").at_odds.size(), 1u);
  EXPECT_FALSE(f.of("-A unused").called);
  EXPECT_TRUE(f.of("-A unused").alone);
}

TEST(Structure, ImpossibleStates) {
  const Facts f(
      "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -j NOTRACK\n"
      "-A OUTPUT -j NOTRACK\nCOMMIT\n"
      "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A INPUT -m conntrack --ctstate NEW -p tcp -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate UNTRACKED -p tcp -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate INVALID,ESTABLISHED -p udp -j DROP\nCOMMIT\n");
  EXPECT_TRUE(f.of("NEW").wrong_state);
  EXPECT_EQ(f.of("NEW").untracked_by,
            (std::vector<RuleId>{f.id("-A PREROUTING -j NOTRACK"), f.id("-A OUTPUT -j NOTRACK")}));
  EXPECT_TRUE(f.of("UNTRACKED").matched);
  EXPECT_TRUE(f.of("INVALID").wrong_state);
}

// A socket may set any mark (SO_MARK), and a rule save it: later packets of the flow have it back.
// Measured; wg-quick's rules do so.
TEST(Structure, MarksOfSocketsAreNotFollowedButCounted) {
  const Facts f(
      "*mangle\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
      "-A PREROUTING -p udp -j CONNMARK --restore-mark\n"
      "-A POSTROUTING -p udp -m mark --mark 0xca6c -j CONNMARK --save-mark\nCOMMIT\n"
      "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A INPUT -i eth0 -m mark --mark 0xca6c -j ACCEPT\n"
      "-A INPUT -i eth1 -m connmark --mark 0xca6c -j ACCEPT\n"
      "-A INPUT -i eth2 -m connmark ! --mark 0xca6c -j DROP\n-A INPUT -i eth2 -p udp -j ACCEPT\n"
      "-A FORWARD -m mark --mark 0xca6c -j DROP\n"
      "-A OUTPUT ! -o wg0 -m mark ! --mark 0xca6c -j REJECT\n-A OUTPUT -o eth0 -p udp -j ACCEPT\n"
      "COMMIT\n");
  for (const char* alive : {"-i eth0", "-i eth1", "-i eth2 -p udp", "-o eth0 -p udp"}) {
    EXPECT_TRUE(f.of(alive).matched) << alive;
  }
  EXPECT_FALSE(f.of("-A FORWARD").matched);
}

// Measured: UDP that a process sends with IP_PKTINFO by eth1 to an own address, which mangle has
// routed again, is received over lo.
TEST(Structure, WhatIsRoutedAgainLeavesByAnotherDeviceThanOutputSees) {
  const std::string filter =
      "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -o lo -p udp -j DROP\n"
      "-A INPUT -i lo -p udp -j DROP\nCOMMIT\n";
  const Facts f("*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j TOS --set-tos 0x10/0xff\nCOMMIT\n" +
                filter);
  EXPECT_TRUE(f.of("-A INPUT -i lo").matched);
  EXPECT_FALSE(Facts(filter).of("-A INPUT -i lo").matched);
}

// Measured: TEE's copies are UNTRACKED in OUTPUT, SYNPROXY's segments carry an entry into raw.
TEST(Structure, WhatTargetsSendMeetsTheRulesOfOutput) {
  const std::string untracked =
      "*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m conntrack --ctstate UNTRACKED -j LOG\nCOMMIT\n"
      "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A OUTPUT -p udp -m conntrack --ctstate UNTRACKED -j ACCEPT\n"
      "-A INPUT -i eth0 -m conntrack --ctstate UNTRACKED -j DROP\nCOMMIT\n";
  const Facts copied(
      "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth1 -j TEE --gateway "
      "192.0.2.99\nCOMMIT\n" +
      untracked);
  const Facts alone(untracked);
  for (const char* rule : {"UNTRACKED -j LOG", "UNTRACKED -j ACCEPT"}) {
    EXPECT_TRUE(copied.of(rule).matched) << rule;
    EXPECT_FALSE(alone.of(rule).matched) << rule;
  }
  EXPECT_FALSE(copied.of("UNTRACKED -j DROP").matched);
  const std::string raw =
      "*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m conntrack --ctstate ESTABLISHED -j LOG\nCOMMIT\n";
  const std::string proxy =
      "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i eth0 -p tcp -m tcp --dport 443 -m conntrack "
      "--ctstate INVALID,UNTRACKED,NEW -j SYNPROXY --mss 1460\nCOMMIT\n";
  EXPECT_TRUE(Facts(raw + proxy).of("ESTABLISHED -j LOG").matched);
  EXPECT_FALSE(Facts(raw).of("ESTABLISHED -j LOG").matched);
}

// Measured: neighbour discovery and multicast reports of this host.
TEST(Structure, WhatTheKernelSendsOfItselfShowsItsDeviceInPostrouting) {
  const Facts f(
      "*mangle\n:POSTROUTING ACCEPT [0:0]\n:X - [0:0]\n-A POSTROUTING -j X\n"
      "-A X -i eth0 -p igmp -j DROP\n-A X -i eth0 -m ttl --ttl-eq 255 -p udp -j DROP\nCOMMIT\n");
  EXPECT_TRUE(f.of("-p igmp").matched);
  EXPECT_TRUE(f.of("-p igmp").alone);
}

// Seen on Linux 6.18 (docs/fidelity.md 10): over lo, rules behind POSTROUTING meet pieces of what
// OUTPUT has seen whole, and IPv6's packets without the bytes behind their end.
TEST(Structure, WhatLoCarriesInPiecesMeetsRulesOfInput) {
  const auto dead = [](const std::string& text, Family family) {
    return Linted(text, family).of("PST101").size() + Linted(text, family).of("PST103").size();
  };
  const std::string lengths =
      "*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n-A INPUT -m conntrack --ctstate INVALID,UNTRACKED "
      "-j DROP\n-A INPUT -i lo -p udp -m length --length 0:999 -j DROP\n"
      "-A OUTPUT -p udp -m length --length 0:999 -j DROP\nCOMMIT\n";
  EXPECT_EQ(dead(lengths, Family::kIpv6), 0u);
  EXPECT_EQ(dead(lengths, Family::kIpv4), 1u);
  const std::string ports =
      "*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n-A INPUT -m conntrack --ctstate INVALID,UNTRACKED "
      "-j DROP\n-A INPUT -p tcp -m tcp ! --sport 1 -j ACCEPT\n-A INPUT -p tcp -m tcp --sport 1 -j "
      "ACCEPT\n-A INPUT -p tcp -j DROP\nCOMMIT\n";
  EXPECT_EQ(dead(ports, Family::kIpv6), 0u);
  EXPECT_EQ(dead(ports, Family::kIpv4), 1u);
  const std::string untracked =
      "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n-A PREROUTING -i lo -p udp -m length --length "
      "0:999 -j DROP\n-A OUTPUT -j NOTRACK\n-A OUTPUT -p udp -m length --length 0:999 -j "
      "DROP\nCOMMIT\n";
  EXPECT_EQ(dead(untracked, Family::kIpv4), 0u);
}

// What has another TTL or TOS by then is not what an earlier rule takes.
TEST(Structure, NobodyTakesWhatIsRewritten) {
  const Facts f(
      "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j TTL --ttl-set 64\nCOMMIT\n"
      "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p udp -j ACCEPT\n"
      "-A FORWARD -m ttl --ttl-gt 100 -j ACCEPT\n"
      "-A FORWARD -p udp -m ttl --ttl-eq 63 -j DROP\nCOMMIT\n");
  EXPECT_FALSE(f.of("--ttl-gt").matched);
  EXPECT_TRUE(f.of("--ttl-gt").taken_by.empty());
  EXPECT_EQ(f.of("--ttl-eq").taken_by, std::vector<RuleId>{f.id("-p udp -j ACCEPT")});
}

// Nor is it what a rule of an earlier table takes of others.
TEST(Structure, NobodyTakesWhatItsOwnChainRewrites) {
  const Facts f(
      "*mangle\n:FORWARD ACCEPT\n:POSTROUTING ACCEPT\n-A POSTROUTING -j DSCP --set-dscp 0x00\n"
      "-A POSTROUTING -m dscp --dscp 0x2e -j MARK --set-xmark 0x1/0xff\nCOMMIT\n"
      "*filter\n:FORWARD ACCEPT\n-A FORWARD -p tcp --dport 25 -j DROP\nCOMMIT\n");
  EXPECT_FALSE(f.of("--dscp 0x2e").matched);
  EXPECT_TRUE(f.of("--dscp 0x2e").taken_by.empty());
}

// All measured: PREROUTING comes before routing; 0.0.0.0 to itself is a broadcast; a socket may set
// a mark (SO_MARK).
TEST(Structure, WhatOnlyRoutingKeepsOutIsNoImpossibleMatch) {
  const Facts f(
      "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A PREROUTING -d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 32773 -j DROP\n"
      "-A PREROUTING -s 127.0.0.0/8 ! -i lo -j DROP\n"
      "-A PREROUTING -d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 32773 -j ACCEPT\nCOMMIT\n"
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A INPUT -d 0.0.0.0/32 -j DROP\n"
      "-A INPUT -s 127.0.0.1 ! -i lo -j DROP\n"
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
      "-A FORWARD -d 236.49.232.75/32 -j ACCEPT\n"
      "-A OUTPUT -o lo -m mark --mark 0x539 -j RETURN\nCOMMIT\n");
  EXPECT_TRUE(f.of("--dport 32773 -j DROP").matched);
  EXPECT_TRUE(f.of("-s 127.0.0.0/8 ! -i lo").matched);
  EXPECT_FALSE(f.of("--dport 32773 -j ACCEPT").matched);
  EXPECT_EQ(f.of("--dport 32773 -j ACCEPT").taken_by,
            std::vector<RuleId>{f.id("--dport 32773 -j DROP")});
  EXPECT_TRUE(f.of("-d 0.0.0.0/32").matched);
  EXPECT_FALSE(f.of("-s 127.0.0.1 ! -i lo").matched) << "raw has dropped it";
  EXPECT_EQ(f.of("-s 127.0.0.1 ! -i lo").taken_by.back(), f.id("-s 127.0.0.0/8 ! -i lo"));
  EXPECT_TRUE(f.of("236.49.232.75").matched);
  EXPECT_TRUE(f.of("0x539").matched);
}

TEST(Structure, FewTakersAreNamedAndThoseInCallersToo) {
  const Facts f(
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:ssh - [0:0]\n"
      "-A INPUT -i vshit -p udp -m udp --dport 53 -j ACCEPT\n"
      "-A INPUT -p icmp -j ACCEPT\n"
      "-A INPUT -i lmd -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
      "-A INPUT -p tcp -m tcp --dport 22 -j ssh\n"
      "-A INPUT -p udp -m udp --sport 53 -m state --state ESTABLISHED -j ACCEPT\n"
      "-A INPUT -i lmd -j DROP\n"
      "-A ssh -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
      "-A ssh -j DROP\nCOMMIT\n");
  const std::vector<RuleId> states{f.id("RELATED,ESTABLISHED -j")};
  EXPECT_EQ(f.of("--sport 53").taken_by, states);
  EXPECT_EQ(f.of("-i lmd -j DROP").taken_by, std::vector<RuleId>{f.id("-i lmd -j ACCEPT")});
  EXPECT_EQ(f.of("-A ssh -m").taken_by, states);
  EXPECT_FALSE(f.of("-A ssh -m").wrong_state);
}

// Of two pairs that take all of it, always the same one is named: without the first that the others
// make up for, in the order of the text.
TEST(Structure, OfSeveralTakersTheFirstIsLeftOut) {
  const Facts f(
      "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      ":called - [0:0]\n"
      "-A INPUT -p tcp --dport 1:99 -j DROP\n"
      "-A INPUT -j called\n"
      "-A called -p tcp --dport 50:110 -j DROP\n"
      "-A called -p tcp --dport 100:200 -j DROP\n"
      "-A called -p tcp --dport 50:150 -j ACCEPT\nCOMMIT\n");
  EXPECT_FALSE(f.of("50:150").matched);
  EXPECT_EQ(f.of("50:150").taken_by, (std::vector<RuleId>{f.id("50:110"), f.id("100:200")}));
}

TEST(Structure, WhoUntracksIsNamedWhereAJumpAsksForAState) {
  const Facts f = Facts::of_file("corpus/p2p/in.rules");
  EXPECT_TRUE(f.of("-A tcp -p tcp").wrong_state);
  EXPECT_EQ(f.of("-A tcp -p tcp").untracked_by, std::vector<RuleId>{f.id("-j NOTRACK")});
  EXPECT_TRUE(f.of("-A udp -p udp").taken_by.empty());
}

TEST(Structure, EveryOrdinaryRuleOfAStatefulFirewallLives) {
  const Facts f(
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A INPUT -i lo -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate INVALID -p udp -j DROP\n"
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate NEW -p tcp --syn --dport 22 -j ACCEPT\n"
      "-A OUTPUT -m conntrack --ctstate RELATED -p icmp -j ACCEPT\nCOMMIT\n");
  for (const char* rule : {"-i lo", "INVALID", "RELATED,ESTABLISHED", "NEW", "-A OUTPUT"}) {
    EXPECT_TRUE(f.of(rule).matched) << rule;
  }
}

TEST(Structure, NothingBehindNatIsCalledDead) {
  const Facts f(
      "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      ":POSTROUTING ACCEPT [0:0]\n"
      "-A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.2:80\n"
      "-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"
      "*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
      ":OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
      "-A PREROUTING -d 10.0.0.0/8 -j DROP\nCOMMIT\n"
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A FORWARD -m conntrack --ctstate ESTABLISHED -p udp -j ACCEPT\n"
      "-A FORWARD -d 10.0.0.2 -p tcp --dport 80 -j ACCEPT\nCOMMIT\n");
  EXPECT_TRUE(f.of("ESTABLISHED").matched);
  EXPECT_TRUE(f.of("-d 10.0.0.2").matched);
}

// An ICMP error to this host's own address, which is one to an opener behind it, goes on with the
// mark that it got there (as on Linux).
TEST(Structure, ErrorsToAnOpenerBehindNatAreForwarded) {
  const Facts f(
      "*raw\n:PREROUTING ACCEPT [0:0]\n"
      "-A PREROUTING -p icmp -m addrtype --dst-type LOCAL -j MARK --set-mark 1\nCOMMIT\n"
      "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n"
      "-A FORWARD -p icmp -m mark --mark 1 -m conntrack --ctstate RELATED -j ACCEPT\n"
      "-A FORWARD -p udp -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n");
  EXPECT_TRUE(f.of("--ctstate RELATED").matched);
}

// TCPMSS makes a SYN four bytes longer, in a chain of its own as well.
TEST(Structure, WhatAUserChainChangesStaysChanged) {
  const Facts f(
      "*mangle\n:FORWARD ACCEPT\n:M -\n-A FORWARD -m length ! --length 40 -j DROP\n"
      "-A FORWARD -j M\n-A FORWARD -m length --length 44 -j ACCEPT\n"
      "-A M -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300\nCOMMIT\n");
  EXPECT_TRUE(f.of("--length 44").matched);
}

TEST(Structure, TheSourcePortRuleOfTest1IsAlive) {
  const Facts f = Facts::of_file("corpus/notrack/test1.rules");
  EXPECT_TRUE(f.of("--sport 1234").matched);
  EXPECT_TRUE(f.of("--dport 1234 -j ACCEPT").matched);
}

TEST(SameEntries, NotrackOnLoopbackInPreroutingChangesNothing) {
  Facts one = Facts::of_file("corpus/notrack/test1.rules");
  EXPECT_TRUE(one.model().same_entries_without(one.id("-j NOTRACK")).value());
  Facts two = Facts::of_file("corpus/notrack/test2.rules");
  EXPECT_FALSE(two.model().same_entries_without(two.id("--sport 1234 -j NOTRACK")).value());
}

}  // namespace
}  // namespace postern
