// Source port holes (PST202): what is one, what is none, and what chance has to do with it.
#include "analyzer/checks/port_blind.hpp"
#include "analyzer/checks/port_hole.hpp"
#include "lint_fixture.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

const char* const kAnswers = "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n";

TEST(PortHole, NamesTheIntervalsThatASourcePortOpens) {
  const Linted linted(
      filter_table("-A INPUT -p tcp --dport 22 -j ACCEPT\n"
                   "-A INPUT -p tcp --sport 1234 -j ACCEPT\n"));
  const auto found = linted.of("PST202");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].place.number, 2U);
  EXPECT_EQ(text(found[0].hole->sport), "1234");
  EXPECT_EQ(text(found[0].hole->opens), "0-65535");
  EXPECT_EQ(text(found[0].hole->opens_only_thus), "0-21,23-65535");
  EXPECT_EQ(found[0].severity, Severity::kError);
  EXPECT_TRUE(found[0].answer->replayed);
  EXPECT_FALSE(found[0].answer->conditional);
}

TEST(PortHole, AFixedPairIsNone) {
  const Linted linted(
      filter_table(std::string(kAnswers) + "-A INPUT -p udp --sport 67 --dport 68 -j ACCEPT\n"));
  EXPECT_TRUE(linted.of("PST202").empty());
  EXPECT_FALSE(linted.open("PST202"));
}

TEST(PortHole, TwoPortsAreOne) {
  const Linted linted(
      filter_table(std::string(kAnswers) + "-A INPUT -p udp --sport 67 --dport 68:69 -j ACCEPT\n"));
  ASSERT_EQ(linted.of("PST202").size(), 1U);
  EXPECT_EQ(text(linted.of("PST202")[0].hole->opens), "68-69");
}

TEST(PortHole, ARangeThatMostClientsUseOpensNothing) {
  const Linted linted(
      filter_table(std::string(kAnswers) + "-A INPUT -p tcp --sport 1024:65535 -j ACCEPT\n"));
  EXPECT_TRUE(linted.of("PST202").empty());
}

TEST(PortHole, BlockingOnePortIsNoHoleOfAllOthers) {
  const Linted linted(filter_table(std::string(kAnswers) +
                                   "-A INPUT -p tcp --sport 5000 -j DROP\n"
                                   "-A INPUT -p tcp --dport 22 -j ACCEPT\n"));
  EXPECT_TRUE(linted.of("PST202").empty());
}

TEST(PortHole, TheRuleThatTestsThePortIsToBlame) {
  // Not INPUT's rule lets only source port 80 and 443 connect: OUTPUT drops all other answers.
  const Linted linted(filter_table(std::string(kAnswers) +
                                       "-A INPUT -p tcp --dport 22:23 -j ACCEPT\n"
                                       "-A OUTPUT -p tcp --dport 80 -j ACCEPT\n",
                                   "DROP", "DROP", "DROP"));
  ASSERT_EQ(linted.of("PST202").size(), 1U);
  EXPECT_EQ(linted.of("PST202")[0].place.chain, "OUTPUT");
}

TEST(PortHole, ChanceTreatsAllSourcePortsAlike) {
  const Linted linted(
      filter_table(std::string(kAnswers) +
                   "-A INPUT -i eth0 -p tcp --dport 22:23 -m limit --limit 3/min -j ACCEPT\n"
                   "-A INPUT -p udp --sport 67 --dport 68 -j ACCEPT\n"));
  EXPECT_TRUE(linted.of("PST202").empty());
  EXPECT_FALSE(linted.open("PST202"));
}

TEST(PortHole, PastARateLimitIsAHoleUnderConditions) {
  const Linted linted(filter_table(std::string(kAnswers) +
                                   "-A INPUT -p tcp -m limit --limit 3/min -j ACCEPT\n"
                                   "-A INPUT -p tcp --sport 53 -j ACCEPT\n"));
  const auto found = linted.of("PST202");
  ASSERT_FALSE(found.empty());
  EXPECT_TRUE(found[0].answer->conditional);
  EXPECT_EQ(found[0].severity, Severity::kWarning);
  EXPECT_EQ(text(found[0].hole->sport), "53");
}

TEST(PortHole, ASetThatWasNotGivenMayKnowPorts) {
  const Linted linted(filter_table(std::string(kAnswers) +
                                   "-A INPUT -p tcp -m set --match-set s src,src -j ACCEPT\n"
                                   "-A INPUT -p udp --sport 67 --dport 68 -j ACCEPT\n"));
  EXPECT_TRUE(linted.open("PST202"));
}

// A rule tells ports apart only of packets that come to it: answers are accepted before.
TEST(PortHole, ARuleThatNoConversationComesToTellsNothingApart) {
  const std::string limited =
      "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
      "-A INPUT -p tcp --dport 80:90 -m limit --limit 1/s -j ACCEPT\n";
  const std::string answers = "-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n";
  const std::string closed = "-A OUTPUT -p tcp --dport 99 -m limit --limit 2/s -j DROP\n";
  const std::string nat =
      "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -p tcp --dport "
      "8080 -j REDIRECT --to-ports 80\nCOMMIT\n";
  for (const std::string& before : {std::string(), nat}) {
    EXPECT_FALSE(Linted(before + filter_table(limited + answers + closed)).open("PST202"));
    EXPECT_TRUE(Linted(before + filter_table(limited + closed + answers)).open("PST202"));
  }
}

// By class of port, on the path `in`.
std::vector<std::string> ports_apart(const std::string& rules, std::uint8_t protocol) {
  const Bound bound = bound_text(filter_table(rules));
  const auto program = Program::compile(bound.ruleset);
  const auto model = Model::build(*program, {}, {});
  const FieldClasses& ports = (*model)->space().classes().port;
  const auto apart = told_apart(*program, ports, Path::kIn, protocol, *ports.of(40000));
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < ports.count(); ++i) {
    if (apart[i]) names.push_back(to_decimal(ports.classes[i].canonical));
  }
  return names;
}

TEST(ToldApart, ByTheRulesOfTheProtocolOnTheWayThereAndBack) {
  const std::string rules =
      "-A INPUT -p tcp --sport 53 -j ACCEPT\n"
      "-A INPUT -p udp --sport 67 -j ACCEPT\n"
      "-A INPUT -p tcp --dport 80 -j ACCEPT\n"
      "-A OUTPUT -p tcp --dport 99 -j DROP\n"
      "-A FORWARD -p tcp --sport 21 -j ACCEPT\n";
  EXPECT_EQ(ports_apart(rules, protocol::kTcp), (std::vector<std::string>{"53", "99"}));
  EXPECT_EQ(ports_apart(rules, protocol::kUdp), (std::vector<std::string>{"67"}));
}

}  // namespace
}  // namespace postern
