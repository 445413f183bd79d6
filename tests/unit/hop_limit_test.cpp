// TTL and hop limit 0 and 1: PREROUTING's rules and conntrack see such packets, and only then
// nobody forwards them; this host takes them, and its processes may send them (kernel-facts 13).
// Each ruleset was run on Linux (`query --on-kernel`).
#include <gtest/gtest.h>

#include <algorithm>

#include "query_fixture.hpp"

namespace postern {
namespace {

struct Row {
  const char* name;
  const char* rules;  // of IPv6 where they begin with 6
  const char* question;
  Truth truth;
  int ttl = -1;  // some packet of the witness has it
};

const Row kRows[] = {
    {"ARuleMayRaiseIt",
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -m ttl --ttl-gt 1 -j DROP\n"
     "-A PREROUTING -i eth0 -j TTL --ttl-inc 1\nCOMMIT\n",
     "deliver -i eth0 -p udp --path forward", Truth::kYes},
    {"ARuleMayRaiseIt6",
     "6*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -p udp -m hl --hl-eq 1 -j MARK --set-mark 1\n"
     "-A PREROUTING -p udp -m hl --hl-eq 1 -j HL --hl-set 64\nCOMMIT\n"
     "*filter\n:FORWARD DROP\n-A FORWARD -m mark --mark 1 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path forward", Truth::kYes},
    {"NobodyForwardsIt",
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -m ttl --ttl-lt 2 -j MARK --set-mark 1\nCOMMIT\n"
     "*filter\n:FORWARD DROP\n-A FORWARD -m mark --mark 1 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path forward", Truth::kNo},
    {"NobodyForwardsIt6",
     "6*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -m hl --hl-lt 2 -j MARK --set-mark 1\nCOMMIT\n"
     "*filter\n:FORWARD DROP\n-A FORWARD -m mark --mark 1 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path forward", Truth::kNo},
    // The first packet of a flow that dies there leaves no entry.
    {"ItLeavesNoEntry",
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -m ttl --ttl-eq 1 -j CONNMARK --set-mark "
     "1\nCOMMIT\n*filter\n:FORWARD DROP\n-A FORWARD -p tcp -m connmark --mark 1 -j ACCEPT\n"
     "COMMIT\n",
     "track -i eth0 -p tcp --path forward", Truth::kNo},
    {"ItMarksTheFlow",
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -p udp -m ttl --ttl-eq 1 -j CONNMARK --set-mark "
     "1\nCOMMIT\n*filter\n:FORWARD DROP\n"
     "-A FORWARD -p udp -m udp --dport 53 -m length --length 28 -j ACCEPT\n"
     "-A FORWARD -p udp -m connmark --mark 1 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --dport 53 -m length --length 100 --path forward", Truth::kYes, 1},
    {"ItMarksTheFlow6",
     "6*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -p udp -m hl --hl-eq 1 -j CONNMARK --set-mark "
     "1\nCOMMIT\n*filter\n:FORWARD DROP\n"
     "-A FORWARD -p udp -m udp --dport 53 -m length --length 48 -j ACCEPT\n"
     "-A FORWARD -p udp -m connmark --mark 1 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --dport 53 -m length --length 100 --path forward", Truth::kYes, 1},
    // No rule asks for it: it matters that FORWARD's rules do not see the packet.
    {"ItKeepsAMarkThatForwardTakesAway",
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -m connmark --mark 1 -j MARK --set-mark 7\n"
     "-A PREROUTING -p udp -j CONNMARK --set-mark 1\nCOMMIT\n"
     "*filter\n:FORWARD DROP\n-A FORWARD -j CONNMARK --set-mark 0\n"
     "-A FORWARD -p udp -m mark --mark 7 -j ACCEPT\n"
     "-A FORWARD -p udp -m udp --dport 53 -m length --length 28 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --dport 53 -m length --length 100 --path forward", Truth::kYes},
    // Only an answer that dies on its way back is tracked.
    {"AnAnswerWithItIsSeen",
     "*raw\n-A PREROUTING -i eth1 -m ttl ! --ttl-eq 1 -j NOTRACK\nCOMMIT\n"
     "*filter\n:FORWARD DROP\n-A FORWARD -i eth0 -p tcp --syn -j ACCEPT\n"
     "-A FORWARD -i eth0 -p tcp -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p tcp --tcp-flags SYN NONE --path forward", Truth::kYes, 1},
    {"AProcessSendsZero", "*filter\n:OUTPUT ACCEPT\n-A OUTPUT -m ttl --ttl-gt 0 -j DROP\nCOMMIT\n",
     "deliver -o eth0 -p udp --path out", Truth::kYes, 0},
    {"AProcessSendsZero6", "6*filter\n:OUTPUT ACCEPT\n-A OUTPUT -m hl --hl-gt 0 -j DROP\nCOMMIT\n",
     "deliver -o eth0 -p udp --path out", Truth::kYes, 0},
    {"AProcessSendsZeroOverLo",
     "*filter\n:INPUT DROP\n-A INPUT -i lo -m ttl --ttl-eq 0 -j ACCEPT\nCOMMIT\n",
     "deliver -i lo -p udp", Truth::kYes, 0},
    {"ThisHostTakesZero", "*filter\n:INPUT DROP\n-A INPUT -m ttl --ttl-eq 0 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path in", Truth::kYes, 0},
    {"ForwardSeesItDecremented",
     "*filter\n:FORWARD DROP\n-A FORWARD -m ttl --ttl-eq 0 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path forward", Truth::kNo},
    {"EveryTtlIsEveryOneThatIsForwarded",
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -m udp --sport 53 -j ACCEPT\nCOMMIT\n",
     "deliver --find sport --every ttl -i eth0 -p udp --path forward", Truth::kYes},
    {"EveryTtlIsEveryOne",
     "*filter\n:INPUT DROP\n-A INPUT -p udp -m udp --sport 53 -m ttl --ttl-gt 1 -m conntrack "
     "--ctstate NEW -j ACCEPT\nCOMMIT\n",
     "deliver --find sport --every ttl -i eth0 -p udp --path in", Truth::kNo},
};

class HopLimit : public ::testing::TestWithParam<Row> {};

TEST_P(HopLimit, IsLookedAtByForwardingAlone) {
  const Row& row = GetParam();
  const bool six = row.rules[0] == '6';
  const LoadedRuleset rules(row.name, six ? row.rules + 1 : row.rules,
                            six ? Family::kIpv6 : Family::kIpv4);
  const Answer a = ask_one(rules, row.question);
  EXPECT_EQ(a.truth, row.truth) << to_text(a);
  if (row.ttl < 0) return;
  EXPECT_TRUE(std::ranges::any_of(a.witness, [&](const WitnessStep& step) {
    return step.packet.ttl == row.ttl;
  })) << to_text(a);
}

INSTANTIATE_TEST_SUITE_P(Of, HopLimit, ::testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace postern
