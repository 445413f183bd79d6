// Packets that conntrack takes apart in its own way, in the sets: IPv6 without a next header, GRE
// of version 1 without PPP, UDP-Lite whose checksum covers nothing, extension headers that are no
// protocol, redirects of IPv6. Linux does what the answers say (tests/kernel/odd_header_cases.inc).
#include <gtest/gtest.h>

#include "lint_fixture.hpp"
#include "query_fixture.hpp"

namespace postern {
namespace {

struct Row {
  const char* name;
  Family family;
  Truth truth;
  const char* rules;
  const char* question;
};

const Row kRows[] = {
    {"GreIsInvalid", Family::kIpv4, Truth::kYes,
     "*filter\n:INPUT DROP\n-A INPUT -p gre -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p gre --path in"},
    {"GreOverLo", Family::kIpv4, Truth::kYes,
     "*filter\n:INPUT DROP\n-A INPUT -p gre -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i lo -p gre"},
    {"GreHasNoEntryThen", Family::kIpv4, Truth::kNo,
     "*filter\n:INPUT DROP\n:OUTPUT DROP\n-A INPUT -p gre -m conntrack --ctstate INVALID -j "
     "ACCEPT\n"
     "COMMIT\n",
     "track -i eth0 -p gre --path in"},
    {"GreUnderDnat", Family::kIpv4, Truth::kYes,
     "*nat\n-A PREROUTING -i eth0 -j DNAT --to-destination 198.51.100.9\nCOMMIT\n",
     "deliver -i eth0 -p gre --path forward"},
    {"GreThatIsInvalidEscapesDnat", Family::kIpv4, Truth::kYes,
     "*nat\n-A PREROUTING -i eth0 -j DNAT --to-destination 198.51.100.9\nCOMMIT\n"
     "*filter\n:FORWARD DROP\nCOMMIT\n",
     "deliver -i eth0 -p gre --path in"},
    {"CallsOfPptpAreNewBothWays", Family::kIpv4, Truth::kUnknown,
     "*filter\n:FORWARD DROP\n-A FORWARD -p gre -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n",
     "connect -p gre --path forward"},
    {"CallsOfPptpNeedBothWays", Family::kIpv4, Truth::kNo,
     "*filter\n:FORWARD DROP\n-A FORWARD -i eth0 -p gre -m conntrack --ctstate NEW -j ACCEPT\n"
     "COMMIT\n",
     "connect -i eth0 -o eth1 -p gre --path forward"},
    {"NoNextHeaderIsInvalid", Family::kIpv6, Truth::kYes,
     "*filter\n:INPUT DROP\n-A INPUT -p 59 -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p 59 --path in"},
    {"NoNextHeaderIsNeverNew", Family::kIpv6, Truth::kNo,
     "*filter\n:INPUT DROP\n-A INPUT -p 59 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\n"
     "COMMIT\n",
     "deliver -i eth0 -p 59 --path in"},
    {"NoNextHeaderHasNoEntry", Family::kIpv6, Truth::kNo,
     "*filter\n-A INPUT -m conntrack --ctstate NEW\nCOMMIT\n", "track -i eth0 -p 59 --path in"},
    {"NoNextHeaderBothWays", Family::kIpv6, Truth::kYes,
     "*filter\n:FORWARD DROP\n-A FORWARD -p 59 -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "connect -p 59 --path forward"},
    {"InIpv4ItIsAsAnyOther", Family::kIpv4, Truth::kNo,
     "*filter\n:INPUT DROP\n-A INPUT -p 59 -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p 59 --path in"},
    {"AnExtensionHeaderIsNoProtocol", Family::kIpv6, Truth::kNo,
     "*filter\n-A INPUT -j ACCEPT\nCOMMIT\n", "deliver -i eth0 -p 60 --path in"},
    {"UdpliteOnItsWayOut", Family::kIpv4, Truth::kYes,
     "*filter\n:OUTPUT DROP\n-A OUTPUT -p udplite -m conntrack --ctstate INVALID -j "
     "ACCEPT\nCOMMIT\n",
     "deliver -o eth0 -p udplite --path out"},
    {"UdpliteOverLo", Family::kIpv4, Truth::kYes,
     "*filter\n:OUTPUT DROP\n-A OUTPUT -p udplite -m conntrack --ctstate INVALID -j "
     "ACCEPT\nCOMMIT\n",
     "deliver -i lo -p udplite"},
    {"RedirectIsRelated", Family::kIpv6, Truth::kYes,
     "*filter\n:INPUT DROP\n-A INPUT -p udp -j ACCEPT\n"
     "-A INPUT -p icmpv6 --icmpv6-type 137 -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p icmpv6 --icmpv6-type 137 --path in"},
    {"RedirectComesFromTheLink", Family::kIpv6, Truth::kNo,
     "*filter\n:INPUT DROP\n-A INPUT -p udp -j ACCEPT\n"
     "-A INPUT -p icmpv6 --icmpv6-type 137 -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -s 2001:db8::/32 -p icmpv6 --icmpv6-type 137 --path in"},
    {"RedirectIsForwarded", Family::kIpv6, Truth::kYes,
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -j ACCEPT\n"
     "-A FORWARD -p icmpv6 --icmpv6-type 137 -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p icmpv6 --icmpv6-type 137 --path forward"},
    {"RedirectMarksItsFlow", Family::kIpv6, Truth::kUnknown,
     "*mangle\n-A PREROUTING -p icmpv6 --icmpv6-type 137 -j CONNMARK --set-mark 1\nCOMMIT\n"
     "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n-A INPUT -p tcp --dport 22 --syn -j "
     "ACCEPT\n"
     "-A INPUT -p tcp -m connmark --mark 1 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p tcp --tcp-flags SYN,ACK ACK --path in"},
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class OddPackets : public ::testing::TestWithParam<Row> {};

TEST_P(OddPackets, AreAnsweredAsLinuxDoes) {
  const Row& row = GetParam();
  const LoadedRuleset rules(row.name, row.rules, row.family);
  const Answer a = ask_one(rules, row.question);
  EXPECT_EQ(a.truth, row.truth) << to_text(a);
}

// A rule behind one that drops the packets without tracking is no dead rule, nor is that one.
// A match of ESP or AH drops what has less of a header than it wants: a witness has it.
TEST(OddPackets, WitnessesHaveTheHeadersThatMatchesWant) {
  for (const char* rule : {"-p esp -m esp --espspi 0:100", "-p ah -m ah --ahspi 5"}) {
    const LoadedRuleset rules("spi.rules", "*filter\n:INPUT DROP\n-A INPUT " + std::string(rule) +
                                               "\n-A INPUT -j ACCEPT\nCOMMIT\n");
    const std::string question =
        std::string("deliver -i eth0 --path in ") + (rule[3] == 'e' ? "-p esp" : "-p ah");
    const Answer a = ask_one(rules, question);
    EXPECT_EQ(a.truth, Truth::kYes) << to_text(a);
  }
}

TEST(OddPacketsLint, DoesNotCallTheirRulesDead) {
  for (const char* match : {"-p gre", "-d 2001:db8::1 -p 47", "-p udplite"}) {
    const std::string rules = std::string("-A INPUT ") + match;
    const Linted linted(
        filter_table(rules + " -m conntrack --ctstate INVALID -j DROP\n" + rules + " -j ACCEPT\n"));
    for (const char* id : {"PST101", "PST103", "PST305"}) {
      EXPECT_TRUE(linted.of(id).empty()) << match << " " << id;
    }
  }
}

TEST(OddPacketsLint, NoNextHeaderIsInvalidAndNothingElse) {
  const std::string rule = "-A INPUT -d 2001:db8::1 -p 59";
  const Linted never(filter_table(rule + " -m conntrack --ctstate NEW -j ACCEPT\n"));
  EXPECT_FALSE(never.of("PST305").empty());
  const Linted always(
      filter_table(rule + " -m conntrack --ctstate INVALID -j DROP\n" + rule + " -j ACCEPT\n"));
  EXPECT_TRUE(always.of("PST305").empty());
  EXPECT_FALSE(always.of("PST101").empty());
}

INSTANTIATE_TEST_SUITE_P(Of, OddPackets, ::testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace postern
