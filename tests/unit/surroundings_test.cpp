// What a no lists of the host around the rules, and what it does not where the rules let none of
// the packets in question through anyway.
#include <gtest/gtest.h>

#include <algorithm>

#include "query_fixture.hpp"

namespace postern {
namespace {

constexpr Family k4 = Family::kIpv4, k6 = Family::kIpv6;
constexpr const char* kRouter = "no multicast router runs on this host";
constexpr const char* kTunnel =
    "no tunnel of this host hands packets on with the mark of its own packets";
constexpr const char* kBound =
    "no socket is bound to a device by which it sends what OUTPUT turns to this host";
constexpr const char* kKept = "no `ip rule` keeps here what is for another host";
constexpr const char* kAnswers = "nobody sends answers as from a group or a broadcast address";
constexpr const char* kNodefrag =
    "no raw socket sends fragments past defragmentation (IP_NODEFRAG)";
constexpr const char* kScattered =
    "the pieces of one packet come by one interface and from one card";

constexpr const char* kForged =
    "nobody forges the address of the flow's other end (reverse-path filtering stops that)";
constexpr const char* kBridge = "no bridge hands its packets to these rules";
constexpr const char* kStateful =
    "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
    "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A INPUT -p tcp --dport 443 -j ACCEPT\n"
    "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n";
constexpr const char* kDhcp =
    "*filter\n:FORWARD DROP\n-A FORWARD -s 0.0.0.0 -d 255.255.255.255 -p udp -j ACCEPT\nCOMMIT\n";

struct Row {
  const char* name;
  Family family;
  std::string rules;
  const char* question;
  const char* assumption;
  bool listed;
};

constexpr const char* kForwardAny = "deliver -i eth0 -o eth1 -p udp --path forward";

const Row kRows[] = {
    // Somebody in eth0's network opens a flow to eth2 in the name of a host behind eth1, and then
    // sends what seems to answer it.
    {"ForgedAnswers", k4, std::string(kStateful) + "-A FORWARD -i eth0 -o eth2 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp --dport 22", kForged, true},
    {"ForgedAnswersOfNobody", k4,
     std::string(kStateful) + "-A FORWARD -i eth1 -o eth0 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp --dport 22", kForged, false},
    // ... in IPv6 also to this host, in whose name it then sends.
    {"ForgedAnswersOfTheHost6", k6,
     std::string(kStateful) + "-A FORWARD -i eth1 -o eth0 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp --dport 22", kForged, true},
    {"ForgedToTheHost", k4, std::string(kStateful) + "COMMIT\n",
     "deliver -i eth0 -p tcp --dport 22 --path in", kForged, false},
    {"ForgedToTheHost6", k6, std::string(kStateful) + "COMMIT\n",
     "deliver -i eth0 -p tcp --dport 22 --path in", kForged, true},
    // The answers to its own flow.
    {"ForgedAnswersToItself", k4,
     "*filter\n:INPUT DROP\n:OUTPUT DROP\n-A INPUT -p udp -m conntrack --ctstate ESTABLISHED -j "
     "ACCEPT\n"
     "-A INPUT -p udp -m length --length 100 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --dport 53 --sport 99 -m length --length 200 --path in", kForged,
     true},
    {"ForgedEntry", k4,
     "*filter\n:INPUT DROP\n:OUTPUT DROP\n-A INPUT -p tcp --syn -m conntrack "
     "--ctstate NEW -j ACCEPT\nCOMMIT\n",
     "track -i eth0 -p tcp --dport 22 --sport 99 --entry-state SYN_RECV --path in", kForged, true},
    {"ForgedWithoutTracking", k4,
     "*filter\n:FORWARD DROP\n-A FORWARD -i eth0 -o eth2 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp --dport 22", kForged, false},
    {"HonestEnds", k4, std::string(kStateful) + "-A FORWARD -i eth0 -o eth2 -j ACCEPT\nCOMMIT\n",
     "connect -i eth0 -o eth1 -p tcp --dport 22", kForged, false},
    {"Bridged", k4, kDhcp, "deliver -i br0 -o br0 -p udp", kBridge, true},
    {"BridgedElsewhere", k4, kDhcp, "deliver -i eth0 -o eth1 -p udp", kBridge, false},
    {"BridgedAndDropped", k4,
     "*filter\n:FORWARD DROP\n-A FORWARD -s 10.0.0.0/8 -d 10.0.0.0/8 -p tcp -j ACCEPT\nCOMMIT\n",
     "deliver -i br0 -o br0 -p udp", kBridge, false},
    {"Groups", k4, "*filter\n:FORWARD DROP\n-A FORWARD -d 224.0.0.0/4 -j ACCEPT\nCOMMIT\n",
     kForwardAny, kRouter, true},
    {"Groups6", k6, "*filter\n:FORWARD DROP\n-A FORWARD -d ff00::/8 -j ACCEPT\nCOMMIT\n",
     kForwardAny, kRouter, true},
    {"GroupsAlone", k4, "*filter\n:FORWARD ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -d 239.1.2.3 --path forward", kRouter, true},
    {"GroupsAloneTracked", k4, "*filter\n:FORWARD ACCEPT\nCOMMIT\n",
     "track -i eth0 -o eth1 -p udp -d 239.1.2.3 --path forward", kRouter, false},
    {"GroupsAreDropped", k4,
     "*filter\n:FORWARD DROP\n-A FORWARD -p tcp -d 10.0.0.0/8 -j ACCEPT\nCOMMIT\n", kForwardAny,
     kRouter, false},
    {"OtherGroups", k4, "*filter\n:FORWARD DROP\n-A FORWARD -d 239.0.0.0/8 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -d 238.0.0.0/8 --path forward", kRouter, false},
    {"GroupsOfOneLink", k4,
     "*filter\n:FORWARD DROP\n-A FORWARD -d 224.0.0.0/24 -j ACCEPT\nCOMMIT\n", kForwardAny, kRouter,
     false},
    {"GroupsOfOneLink6", k6, "*filter\n:FORWARD DROP\n-A FORWARD -d ff02::/16 -j ACCEPT\nCOMMIT\n",
     kForwardAny, kRouter, false},
    {"GroupsWithoutHop", k4,
     "*filter\n:FORWARD DROP\n-A FORWARD -d 239.0.0.0/8 -m ttl --ttl-eq 0 -j ACCEPT\nCOMMIT\n",
     kForwardAny, kRouter, false},
    {"GroupsBehindMasquerade", k4,
     "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n"
     "*filter\n:FORWARD DROP\n-A FORWARD -d 224.0.0.0/4 -j ACCEPT\nCOMMIT\n",
     kForwardAny, kRouter, true},
    {"GroupsThatDnatLeadsOff", k4,
     "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -d 224.0.0.0/4 -j DNAT --to-destination 10.0.0.5\n"
     "COMMIT\n*filter\n:FORWARD DROP\n-A FORWARD -d 224.0.0.0/4 -m conntrack --ctstate NEW -j "
     "ACCEPT\nCOMMIT\n",
     kForwardAny, kRouter, false},
    // (What is INVALID comes to no rule of NAT.)
    {"InvalidGroupsBesideDnat", k4,
     "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -d 224.0.0.0/4 -j DNAT --to-destination 10.0.0.5\n"
     "COMMIT\n*filter\n:FORWARD DROP\n-A FORWARD -d 224.0.0.0/4 -j ACCEPT\nCOMMIT\n",
     kForwardAny, kRouter, true},
    {"GroupsThatDnatGivesAPort", k4,
     "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p udp -j DNAT --to-destination :99\n"
     "COMMIT\n*filter\n:FORWARD DROP\n-A FORWARD -p udp -d 224.0.0.0/4 --dport 99 -j ACCEPT\n"
     "COMMIT\n",
     kForwardAny, kRouter, true},
    // Their entries stand once INPUT has taken them, and anybody may answer as from the group.
    {"GroupsThatInputTakes", k4,
     "*filter\n:INPUT ACCEPT\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate "
     "RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n",
     kForwardAny, kRouter, true},
    {"NobodyAnswersForGroups", k4,
     "*filter\n:INPUT DROP\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED "
     "-j ACCEPT\nCOMMIT\n",
     kForwardAny, kRouter, false},
    {"ATunnelsMark", k6,
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -i eth0 -p udp --dport 4789 -j MARK --set-mark 1\n"
     "COMMIT\n*filter\n:INPUT DROP\n-A INPUT -i vx0 -m mark --mark 1 -j ACCEPT\nCOMMIT\n",
     "deliver -i vx0 -p udp --path in", kTunnel, true},
    {"ATunnelsMarkIsOverwritten", k6,
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -j MARK --set-mark 0\n"
     "COMMIT\n*filter\n:INPUT DROP\n-A INPUT -i vx0 -m mark --mark 1 -j ACCEPT\nCOMMIT\n",
     "deliver -i vx0 -p udp --path in", kTunnel, false},
    {"ATunnelsMarkIsOfNoUse", k6,
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -i eth0 -p udp --dport 4789 -j MARK --set-mark 1\n"
     "COMMIT\n*filter\n:INPUT DROP\n-A INPUT -i vx0 -m mark --mark 1 -p tcp -j ACCEPT\nCOMMIT\n",
     "deliver -i vx0 -p udp --path in", kTunnel, false},
    {"ABoundSocket", k4,
     "*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p udp -j REDIRECT\nCOMMIT\n*filter\n:OUTPUT "
     "ACCEPT\nCOMMIT\n",
     "deliver -o eth1 -p udp --path out", kBound, true},
    {"ABoundSocketIsDropped", k4,
     "*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p udp -j REDIRECT\nCOMMIT\n"
     "*filter\n:OUTPUT ACCEPT\n-A OUTPUT -o eth1 -d 127.0.0.0/8 -j DROP\nCOMMIT\n",
     "deliver -o eth1 -p udp --path out", kBound, false},
    {"AnIpRuleBesideDnat", k4,
     "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.5\n"
     "COMMIT\n*filter\n:INPUT DROP\n-A INPUT -p udp -m addrtype --dst-type UNICAST -j "
     "ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path in", kKept, true},
    {"AnIpRuleIsOfNoUse", k4,
     "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.5\n"
     "COMMIT\n*filter\n:INPUT DROP\n-A INPUT -p tcp -m addrtype --dst-type UNICAST -j "
     "ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path in", kKept, false},
    {"AnAnswerAsFromAGroup", k4,
     "*filter\n:OUTPUT DROP\n-A OUTPUT -d 239.0.0.0/8 -p udp -m length --length 0:99 -j ACCEPT\n"
     "-A OUTPUT -d 239.0.0.0/8 -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n",
     "deliver -o eth1 -p udp -d 239.1.1.1 -m length --length 100 --path out", kAnswers, true},
    {"NoAnswerAsFromAGroupThatDnatLeadsOff", k4,
     "*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p udp -j REDIRECT\nCOMMIT\n*filter\n:OUTPUT "
     "ACCEPT\nCOMMIT\n",
     "deliver -o eth1 -p udp --path out", kAnswers, false},
    {"NoAnswerToAnythingElse", k4,
     "*filter\n:OUTPUT DROP\n-A OUTPUT -d 239.0.0.0/8 -p udp -m length --length 0:99 -j ACCEPT\n"
     "-A OUTPUT -d 239.0.0.0/8 -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n",
     "deliver -o eth1 -p udp -d 10.0.0.1 -m length --length 100 --path out", kAnswers, false},
    {"FragmentsPastDefragmentation", k4,
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -m socket\nCOMMIT\n"
     "*filter\n:OUTPUT DROP\n-A OUTPUT -f -j ACCEPT\nCOMMIT\n",
     "deliver -o eth1 -p udp --path out", kNodefrag, true},
    {"FragmentsPastDefragmentationAreDropped", k4,
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -m socket\nCOMMIT\n"
     "*filter\n:OUTPUT DROP\n-A OUTPUT -p tcp -f -j ACCEPT\nCOMMIT\n",
     "deliver -o eth1 -p udp --path out", kNodefrag, false},
    {"APieceByAnotherInterface", k4,
     "*filter\n:INPUT DROP\n-A INPUT -i eth0 -p udp -j ACCEPT\nCOMMIT\n",
     "deliver -i eth1 -p udp --path in", kScattered, true},
    {"PiecesOfWhatIsDropped", k4,
     "*filter\n:INPUT DROP\n-A INPUT -i eth0 -p tcp -j ACCEPT\nCOMMIT\n",
     "deliver -i eth1 -p udp --path in", kScattered, false},
};

class Surrounding : public ::testing::TestWithParam<Row> {};

TEST_P(Surrounding, IsListedWhereTheAnswerNeedsIt) {
  const Row& row = GetParam();
  const LoadedRuleset rules(row.name, row.rules, row.family);
  const Answer a = ask_one(rules, row.question);
  ASSERT_EQ(a.truth, Truth::kNo) << to_text(a);
  const bool listed = std::ranges::find(a.assumptions, row.assumption) != a.assumptions.end();
  EXPECT_EQ(listed, row.listed) << to_text(a);
}

INSTANTIATE_TEST_SUITE_P(Of, Surrounding, ::testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace postern
