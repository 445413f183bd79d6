// Which flows a NOTRACK rule untracks in one direction only (PST301), and which rules change
// nothing (PST302).
#include "analyzer/checks/notrack.hpp"
#include "lint_fixture.hpp"

namespace postern {
namespace {

std::string raw(const std::string& rules) {
  return "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n" + rules + "COMMIT\n" +
         filter_table("-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n", "ACCEPT");
}
const char* const kThere = "-A PREROUTING -i eth0 -p udp --dport 53 -j NOTRACK\n";
const char* const kBack = "-A OUTPUT -o eth0 -p udp --sport 53 -j NOTRACK\n";

TEST(Notrack, KnowsBothSpellings) {
  const Bound bound = bound_text(raw(std::string(kThere) + "-A OUTPUT -j CT --notrack\n"));
  const auto program = Program::compile(bound.ruleset);
  EXPECT_EQ(notrack_rules(*program), (std::vector<RuleId>{0, 1}));
}

TEST(Notrack, OneWayIsFoundWithItsHalfOpenEntry) {
  const Linted linted(raw(kThere));
  const auto found = linted.of("PST301");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].place.number, 1U);
  ASSERT_FALSE(found[0].related.empty());
  EXPECT_EQ(found[0].related[0].id, "PST309");
  EXPECT_FALSE(found[0].answer->witness.back().entries.empty());
}

TEST(Notrack, BothWaysAreRight) {
  const Linted linted(raw(std::string(kThere) + kBack));
  EXPECT_TRUE(linted.of("PST301").empty());
  EXPECT_TRUE(linted.of("PST302").empty());
}

TEST(Notrack, OverLoOnlyOutputCounts) {
  const Linted linted(raw("-A PREROUTING -i lo -p udp --dport 53 -j NOTRACK\n"));
  ASSERT_EQ(linted.of("PST302").size(), 1U);
  EXPECT_EQ(linted.of("PST302")[0].severity, Severity::kWarning);
  EXPECT_TRUE(linted.of("PST301").empty());
}

TEST(Notrack, WhatNobodyTracksIsANote) {
  const Linted linted("*raw\n:PREROUTING ACCEPT [0:0]\n" + std::string(kThere) + "COMMIT\n" +
                      filter_table("-A INPUT -p udp -j ACCEPT\n"));
  const auto found = linted.of("PST302");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kInfo);
  ASSERT_EQ(found[0].reasons.size(), 1U);
  EXPECT_EQ(found[0].reasons[0], "nothing in this ruleset switches connection tracking on");
}

TEST(Notrack, WhatIsUntrackedAlreadyIsANote) {
  const Linted linted(raw(std::string(kThere) + kBack + kThere));
  // Of two equal rules either may go.
  ASSERT_EQ(linted.of("PST302").size(), 2U);
  EXPECT_EQ(linted.of("PST302")[0].severity, Severity::kInfo);
  EXPECT_EQ(linted.of("PST302")[1].severity, Severity::kInfo);
}

// A process of this host may set any mark (SO_MARK), and a coin fall either way.
TEST(Notrack, WhatTheTextDoesNotDecideUntracks) {
  for (const char* match : {"-m mark --mark 0xa00", "-m mark ! --mark 0",
                            "-m statistic --mode random --probability 0.5"}) {
    const Linted linted(raw(std::string("-A OUTPUT -o eth0 ") + match + " -j NOTRACK\n"));
    EXPECT_TRUE(linted.of("PST302").empty()) << match;
  }
}

// ... also where that decides whether a packet comes to the rule, or past a rule of filter.
TEST(Notrack, AMarkOnTheWayCounts) {
  const Linted before(
      raw("-A OUTPUT -m mark ! --mark 0xa00 -j ACCEPT\n-A OUTPUT -o eth0 -j NOTRACK\n"));
  EXPECT_TRUE(before.of("PST302").empty());
  const Linted behind(
      "*raw\n:OUTPUT ACCEPT\n-A OUTPUT -o eth0 -j NOTRACK\nCOMMIT\n"
      "*filter\n:INPUT DROP\n:OUTPUT DROP\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
      "-A OUTPUT -m mark --mark 0xa00 -j ACCEPT\nCOMMIT\n");
  EXPECT_TRUE(behind.of("PST302").empty());
}

// A kill switch of filter makes no rule of raw useful that is not.
TEST(Notrack, AMarkThatDecidesNothingHidesNothing) {
  const Linted linted(
      "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -i lo -p tcp --dport 1234 -j NOTRACK\nCOMMIT\n"
      "*filter\n:OUTPUT ACCEPT\n-A OUTPUT ! -o wg0 -m mark ! --mark 0xca6c -m addrtype ! "
      "--dst-type "
      "LOCAL -j REJECT\n-A OUTPUT -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(linted.of("PST302").size(), 1U);
}

}  // namespace
}  // namespace postern
