// DCCP has no tracker of its own since Linux 6.16: its flows share one entry whatever their ports,
// and NAT leaves the ports alone. What Linux does with these rulesets: tests/kernel/found/dccp-*.
#include "query_fixture.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {
namespace {

constexpr std::string_view kHead = "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n";

LoadedRuleset forward(const std::string& rules) {
  return {"dccp.rules", std::string(kHead) + rules + "COMMIT\n"};
}

// The answer on the path of a router.
Answer routed(const LoadedRuleset& rules, const std::string& words) {
  return ask_one(rules, words + " --path forward");
}

const std::string kPort80 = "-A FORWARD -p dccp -m dccp --dport 80 -j ACCEPT\n";
// (A flow from an address to itself is another matter.)
const std::string kEnds = "-s 192.0.2.0/24 -d 198.51.100.0/24";
const std::string kBack = "-A FORWARD -i eth1 -j ACCEPT\n";
const std::string kEstablished = "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n";

TEST(Dccp, AnEntryOfAnotherPortLeavesTheAnswerOpen) {
  const LoadedRuleset rules = forward(kPort80 + kBack + kEstablished);
  for (const std::string verb : {"deliver", "connect"}) {
    const Answer other = routed(rules, verb + " -i eth0 -p dccp --dport 22");
    EXPECT_EQ(other.truth, Truth::kUnknown) << verb;
    ASSERT_EQ(other.reasons.size(), 1u);
    EXPECT_NE(other.reasons.front().find("no ports of DCCP"), std::string::npos);
    EXPECT_EQ(routed(rules, verb + " -i eth0 -p dccp --dport 80").truth, Truth::kYes) << verb;
    EXPECT_EQ(routed(rules, verb + " -i eth0 -p udp --dport 22").truth, Truth::kNo) << verb;
    EXPECT_EQ(routed(rules, verb + " -i eth0 -p esp").truth, Truth::kNo) << verb;
  }
  const LoadedRuleset one_way = forward(kPort80 + kEstablished);
  const std::string track = "track -i eth0 -p dccp --sport 1000 --dport 22";
  EXPECT_EQ(routed(one_way, track).truth, Truth::kUnknown);
  EXPECT_EQ(routed(rules, "deliver -i eth0 -p dccp --find dport --every sport").truth, Truth::kYes);
  EXPECT_EQ(routed(rules, "deliver -i eth0 -p dccp --find sport --every dport").truth,
            Truth::kUnknown);
}

TEST(Dccp, NothingIsOpenWhereItsPortsHaveOneFate) {
  const LoadedRuleset all = forward("-A FORWARD -p tcp --dport 80 -j ACCEPT\n" + kBack);
  const Answer no = routed(all, "deliver -i eth0 -p dccp --dport 22");
  EXPECT_EQ(no.truth, Truth::kNo);
  EXPECT_TRUE(no.completeness->certified);
  // No entry of port 80 helps where rules ask for the ports of each packet.
  const LoadedRuleset each =
      forward("-A FORWARD -m conntrack --ctstate INVALID -j DROP\n" + kPort80 + kBack);
  const Answer closed = routed(each, "deliver -i eth0 " + kEnds + " -p dccp --dport 22");
  EXPECT_EQ(closed.truth, Truth::kNo);
  EXPECT_FALSE(closed.completeness->certified);  // Z3 follows each flow by its ports
  const LoadedRuleset one_way = forward(kPort80 + kEstablished);
  EXPECT_EQ(routed(one_way, "connect -i eth0 -p dccp --dport 80").truth, Truth::kYes);
  const LoadedRuleset unanswered =
      forward("-A FORWARD -m conntrack --ctstate INVALID -j DROP\n" + kPort80);
  EXPECT_EQ(routed(unanswered, "connect -i eth0 " + kEnds + " -p dccp --sport 22 --dport 80").truth,
            Truth::kNo);
}

TEST(Dccp, ConnmarksCrossBetweenPorts) {
  const LoadedRuleset rules(
      "dccp.rules",
      "*mangle\n:FORWARD ACCEPT\n-A FORWARD -p dccp -m dccp --dport 80 -j CONNMARK --set-mark 1\n"
      "COMMIT\n" +
          std::string(kHead) + "-A FORWARD -p dccp -m dccp --dport 80 -j ACCEPT\n" +
          "-A FORWARD -m connmark --mark 1 -j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(routed(rules, "deliver -i eth0 -p dccp --dport 22").truth, Truth::kUnknown);
  EXPECT_EQ(routed(rules, "deliver -i eth0 -p udp --dport 22").truth, Truth::kNo);
}

TEST(Dccp, ErrorsMayQuoteAnEntryOfAnotherPort) {
  const std::string out = "-A FORWARD -i eth0 -o eth1 -p dccp -m dccp ";
  const LoadedRuleset rules(
      "dccp.rules", "*mangle\n:FORWARD ACCEPT\n" + out +
                        "--dport 22 -m conntrack --ctstate ESTABLISHED -j CONNMARK --set-mark 1\n"
                        "COMMIT\n" +
                        std::string(kHead) + out + "--dport 80 -j ACCEPT\n" +
                        "-A FORWARD -p icmp -m conntrack --ctstate RELATED -m connmark --mark 1 "
                        "-j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(routed(rules, "deliver -i eth0 -p icmp --icmp-type 3/1").truth, Truth::kUnknown);
  EXPECT_EQ(routed(rules, "deliver -i eth0 -p icmp --icmp-type 8/0").truth, Truth::kNo);
}

TEST(Dccp, RulesThatAnotherPortsEntryMeetsAreNotDead) {
  const LoadedRuleset rules = forward(
      "-A FORWARD -p dccp -m dccp --dport 80 -m conntrack --ctstate NEW -j ACCEPT\n"
      "-A FORWARD -i eth1 -p dccp -m dccp --sport 80 -j ACCEPT\n"
      "-A FORWARD -p dccp -m dccp --dport 22 -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
      "-A FORWARD -p udp --dport 22 -m conntrack --ctstate ESTABLISHED -j ACCEPT\n");
  auto model = Model::build(rules.program(), {}, {});
  const Structure& facts = **(*model)->structure();
  EXPECT_TRUE(facts.rules[2].matched);
  EXPECT_FALSE(facts.rules[3].matched);
}

// Behind the NAT rules; the first packets alone are let through.
LoadedRuleset under_nat(const std::string& nat, const std::string& filter) {
  return {"dccp.rules",
          "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n" + nat +
              "COMMIT\n" + std::string(kHead) + filter + "COMMIT\n"};
}

TEST(Dccp, NatLeavesItsPortsAlone) {
  const std::string dnat =
      "-A PREROUTING -i eth0 -p dccp -m dccp --dport 80 -j DNAT --to-destination "
      "198.51.100.9:8080\n";
  const std::string words = "deliver -i eth0 -p dccp --dport 80";
  const LoadedRuleset kept = under_nat(dnat, kPort80);
  EXPECT_EQ(routed(kept, words + " --to-destination 198.51.100.9").truth, Truth::kYes);
  EXPECT_EQ(routed(kept, words + " --to-port 80").truth, Truth::kYes);
  EXPECT_NE(routed(kept, words + " --to-port 8080").truth, Truth::kYes);
  const LoadedRuleset changed =
      under_nat(dnat, "-A FORWARD -p dccp -m dccp --dport 8080 -j ACCEPT\n");
  EXPECT_NE(routed(changed, words).truth, Truth::kYes);
  const LoadedRuleset redirected =
      under_nat("-A PREROUTING -p dccp -m dccp --dport 80 -j REDIRECT --to-ports 8080\n",
                "-A INPUT -p dccp -m dccp --dport 80 -j ACCEPT\n");
  EXPECT_EQ(ask_one(redirected, words + " --path in").truth, Truth::kYes);
}

TEST(Dccp, MasqueradeLeavesItsPortsAlone) {
  const LoadedRuleset rules(
      "dccp.rules",
      "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -i eth1 -p dccp -m dccp --dport 1000 -j DROP\n"
      "COMMIT\n*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -o eth1 -p dccp -j MASQUERADE --to-ports "
      "1000\nCOMMIT\n");
  const std::string words = "connect -i eth0 -o eth1 " + kEnds + " -p dccp --dport 80 --sport ";
  EXPECT_EQ(routed(rules, words + "2000").truth, Truth::kYes);
  EXPECT_NE(routed(rules, words + "1000").truth, Truth::kYes);
}

}  // namespace
}  // namespace postern
