// What a NAT rule may make true is never called impossible, or taken by earlier rules; what no rule
// of the ruleset translates still is.
#include "lint_fixture.hpp"

namespace postern {
namespace {

std::string nat_table(const std::string& rules) {
  return "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n" + rules + "COMMIT\n";
}

const std::string kDnat =
    nat_table("-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080\n");
const std::string kMasquerade = nat_table("-A POSTROUTING -o eth0 -j MASQUERADE\n");
const std::string kByState = filter_table("-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT\n");

TEST(LintTranslation, AStateThatADnatRuleMakesIsPossible) {
  const Linted linted(kDnat + kByState);
  EXPECT_TRUE(linted.of("PST103").empty());
  EXPECT_FALSE(linted.open("PST103"));
}

// A router that forwards ports to twenty hosts.
TEST(LintTranslation, ManyForwardedPortsLeaveNothingOpen) {
  std::string rules;
  for (int host = 1; host <= 20; ++host) {
    const std::string number = std::to_string(host);
    rules += "-A PREROUTING -i eth0 -p tcp --dport " + std::to_string(8000 + host) +
             " -j DNAT --to-destination 10.0.0." + number + ":80\n";
  }
  const std::string nat = nat_table(rules + "-A POSTROUTING -o eth0 -j MASQUERADE\n");
  const Linted linted(
      nat + filter_table("-A FORWARD -i eth0 -m conntrack --ctstate DNAT -j ACCEPT\n"
                         "-A FORWARD -i eth0 -d 10.0.0.20 -p tcp --dport 80 -j ACCEPT\n"));
  for (const char* id : {"PST101", "PST103", "PST305"}) EXPECT_FALSE(linted.open(id)) << id;
  EXPECT_TRUE(linted.of("PST103").empty());
}

TEST(LintTranslation, AStateThatNoRuleMakesIsNot) {
  EXPECT_EQ(Linted(kByState).of("PST103").size(), 1u);
  EXPECT_EQ(Linted(kMasquerade + kByState).of("PST103").size(), 1u);
  const Linted masked(kMasquerade +
                      filter_table("-A FORWARD -m conntrack --ctstate SNAT -j ACCEPT\n"));
  EXPECT_TRUE(masked.of("PST103").empty());
}

TEST(LintTranslation, WhatAnInvertedStateLeavesOverIsNotTaken) {
  const std::string rules =
      "-A FORWARD -i eth0 -m conntrack ! --ctstate DNAT -j DROP\n"
      "-A FORWARD -i eth0 -p tcp --dport 8080 -j ACCEPT\n";
  const Linted linted(kDnat + filter_table(rules));
  EXPECT_TRUE(linted.of("PST101").empty());
  EXPECT_FALSE(linted.open("PST101"));
  EXPECT_EQ(Linted(kMasquerade + filter_table(rules)).of("PST101").size(), 1u);
}

TEST(LintTranslation, NorIsItBehindAJump) {
  const Linted linted(kDnat +
                      "*filter\n:FORWARD DROP [0:0]\n:check - [0:0]\n"
                      "-A FORWARD -j check\n"
                      "-A FORWARD -p tcp --dport 8080 -j ACCEPT\n"
                      "-A check -m conntrack ! --ctstate DNAT -j DROP\n"
                      "COMMIT\n");
  EXPECT_TRUE(linted.of("PST101").empty());
}

TEST(LintTranslation, WhatHasNothingToDoWithNatIsStillFound) {
  const Linted linted(kDnat + filter_table("-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT\n"
                                           "-A FORWARD -p tcp --dport 22 -j ACCEPT\n"
                                           "-A FORWARD -p tcp --dport 22 -j ACCEPT\n"
                                           "-A FORWARD -i lo -j ACCEPT\n"));
  EXPECT_EQ(linted.of("PST101").size(), 1u);
}

// Behind a template that is not followed, rules of raw see NEW (kernel-facts 19).
TEST(LintTranslation, BehindATemplateThatIsNotFollowedNothingIsCalledDead) {
  const Linted linted(
      "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A PREROUTING -p tcp -j CT --helper ftp\n"
      "-A OUTPUT -m conntrack --ctstatus CONFIRMED -j CT --zone-orig 1\n"
      "-A PREROUTING -i eth+ -m conntrack --ctstate NEW -j CT --zone 2\nCOMMIT\n" +
      kMasquerade);
  EXPECT_TRUE(linted.of("PST103").empty());
}

// ... and let pass what is INVALID without the template.
TEST(LintTranslation, BehindSuchATemplateRulesOfRawTakeOrLeaveWhatTheyAskOfIt) {
  const Linted linted(
      "*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j CT --helper irc\n"
      "-A OUTPUT -m state --state INVALID -j DROP\n"
      "-A OUTPUT -p tcp --dport 22 -j NOTRACK\n"
      "-A OUTPUT -m conntrack --ctstatus SEEN_REPLY,CONFIRMED -m connmark --mark 0x3 -j RETURN\n"
      "COMMIT\n" +
      filter_table("-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"));
  EXPECT_TRUE(linted.of("PST101").empty());
  EXPECT_TRUE(linted.of("PST103").empty());
}

// What comes to a chain is walked as NAT has bound it, so that what comes there is known.
TEST(LintTranslation, WhatNatHasMadeOfAPacketIsFollowed) {
  const auto dead = [](const std::string& to) {
    const Linted linted(kDnat + "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d " + to +
                        " -j DROP\nCOMMIT\n" +
                        filter_table("-A FORWARD -i eth0 -p tcp -d " + to + " -j ACCEPT\n"));
    EXPECT_FALSE(linted.open("PST101"));
    return linted.of("PST101").size() == 1;
  };
  // Behind mangle some packets are led to 10.0.0.2, and none to 10.0.0.3.
  EXPECT_FALSE(dead("10.0.0.2"));
  EXPECT_TRUE(dead("10.0.0.3"));
  // What REDIRECT keeps here never comes to POSTROUTING.
  const Linted redirected(
      nat_table("-A PREROUTING -i eth0 -p tcp --dport 80 -j REDIRECT --to-ports 8080\n"
                "-A POSTROUTING -m conntrack --ctstate DNAT -j SNAT --to-source 10.0.0.1\n"));
  EXPECT_FALSE(redirected.open("PST103"));
  EXPECT_FALSE(redirected.open("PST305"));
  EXPECT_EQ(redirected.of("PST103").size() + redirected.of("PST101").size() +
                redirected.of("PST305").size(),
            1u);
}

// A policy that drops lets nothing in by default, whatever NAT does; what is done behind the chain
// does not matter to it either.
TEST(LintTranslation, NatDoesNotHideWhatADefaultAccepts) {
  const std::string rules = "-A FORWARD -i eth0 -p tcp --dport 22 -j DROP\n";
  EXPECT_FALSE(Linted(kDnat + filter_table(rules)).open("PST201"));
  EXPECT_TRUE(Linted(kDnat + filter_table(rules)).of("PST201").empty());
  EXPECT_EQ(Linted(kMasquerade + filter_table(rules, "DROP", "ACCEPT")).of("PST201").size(), 1u);
  const std::string drops = "-A FORWARD -m conntrack --ctstate DNAT -j DROP\n";
  EXPECT_EQ(Linted(kDnat + filter_table(drops, "DROP", "ACCEPT")).of("PST201").size(), 1u);
}

// What comes to the chain is what DNAT has made of it.
TEST(LintTranslation, ADefaultAcceptsOnlyWhatIsTranslated) {
  const std::string others = "-A FORWARD -m conntrack ! --ctstate DNAT -j DROP\n";
  EXPECT_EQ(Linted(kDnat + filter_table(others, "DROP", "ACCEPT")).of("PST201").size(), 1u);
  const std::string both = others + "-A FORWARD -p tcp -d 10.0.0.2 --dport 8080 -j DROP\n";
  const Linted none(kDnat + filter_table(both, "DROP", "ACCEPT"));
  EXPECT_TRUE(none.of("PST201").empty());
  EXPECT_FALSE(none.open("PST201"));
}

// What is INVALID beside NAT does get to this host; whether anybody can connect is asked of the way
// that NAT leads the flow as well. From 127.0.0.1 nobody can (no wire carries that): a finding that
// Linux confirms.
TEST(LintTranslation, APortThatNatTakesElsewhereIsAskedOfThatWay) {
  const Linted linted(
      "*nat\n:OUTPUT ACCEPT [0:0]\n"
      "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -p tcp --dport 5000 -j DNAT "
      "--to-destination 172.17.0.2:5000\nCOMMIT\n" +
      filter_table("-A INPUT -m conntrack --ctstate DNAT -j DROP\n", "ACCEPT", "ACCEPT"));
  EXPECT_TRUE(linted.of("PST206").empty());  // a container, as far as one can tell
  EXPECT_FALSE(linted.open("PST206"));
}

// What is not followed on the way leaves a chain open only where it drops something.
TEST(LintTranslation, AChainThatDropsNothingIsNotLeftOpen) {
  const std::string unfollowed =
      "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 81 -j DNAT --to-destination "
      "224.0.0.5\nCOMMIT\n";
  const auto open = [&](const std::string& rules) {
    return Linted(unfollowed + filter_table(rules, "ACCEPT")).open("PST201");
  };
  EXPECT_FALSE(open(""));
  EXPECT_FALSE(open("-A INPUT -p tcp --dport 22 -j ACCEPT\n"));
  EXPECT_TRUE(open("-A INPUT -m conntrack --ctstate DNAT -j DROP\n"));
}

}  // namespace
}  // namespace postern
