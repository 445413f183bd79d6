// Packets that are not of the question's flow but carry its entry (ICMP errors about it, the
// host's own REJECT replies) or another flow's (errors that the outsider sends): no `no` may
// overlook what they do to the connmark, or what their entry shows.
#include <gtest/gtest.h>

#include "../unit/query_fixture.hpp"
#include "engine/engine.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

std::string rules_with(const std::string& mangle, const std::string& input) {
  return "*mangle\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n" + mangle +
         "COMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n" + input + "COMMIT\n";
}
const std::string kSmallOrMarked =
    "-A INPUT -m connmark --mark 0x1/0x1 -j ACCEPT\n"
    "-A INPUT -p udp -m udp --sport 1000 -m length --length 0:100 -j ACCEPT\n";
constexpr const char* kLong =
    "deliver -i eth0 --path in -p udp --sport 1000 -m length --length 200";

class Host {
 public:
  explicit Host(const LoadedRuleset& rules)
      : engine_(world(), &rules.program(), nullptr, chooser_) {}
  static Scenario world() {
    Scenario s;
    s.interfaces = {{"lo", {{*Address::parse("127.0.0.1"), 8}}, 65536},
                    {"eth0", {{*Address::parse("192.0.2.1"), 24}}, 1500}};
    return s;
  }
  static Packet datagram(std::size_t payload) {
    Packet p;
    p.in = "eth0";
    p.protocol = protocol::kUdp;
    p.source = *Address::parse("192.0.2.9");
    p.destination = *Address::parse("192.0.2.1");
    p.source_port = 1000;
    p.destination_port = 53;
    p.payload.assign(payload, 0x61);
    return p;
  }
  // From the outsider, about an answer of the host.
  static Packet error() {
    Packet inner = datagram(8);
    inner.in.clear();
    std::swap(inner.source, inner.destination);
    std::swap(inner.source_port, inner.destination_port);
    Packet p;
    p.in = "eth0";
    p.protocol = protocol::kIcmp;
    p.source = *Address::parse("192.0.2.9");
    p.destination = *Address::parse("192.0.2.1");
    p.type = p.code = 3;
    p.inner = std::make_shared<const Packet>(std::move(inner));
    return p;
  }
  bool accepts(const Packet& packet) { return engine_.inject(packet).verdict != Verdict::kDropped; }

 private:
  ListChooser chooser_;
  Engine engine_;
};

TEST(OtherPackets, AnErrorAboutTheFlowMayMarkIt) {
  const LoadedRuleset rules(
      "other.rules",
      rules_with("-A PREROUTING -p icmp -m conntrack --ctstate RELATED -j CONNMARK --set-xmark "
                 "0x1/0x1\n",
                 kSmallOrMarked));
  Host host(rules);
  EXPECT_FALSE(host.accepts(Host::datagram(172)));
  EXPECT_TRUE(host.accepts(Host::datagram(8)));
  host.accepts(Host::error());
  ASSERT_TRUE(host.accepts(Host::datagram(172)));
  EXPECT_NE(ask_one(rules, kLong).truth, Truth::kNo);
}

TEST(OtherPackets, TheHostsOwnRejectMayMarkTheFlow) {
  const LoadedRuleset rules(
      "other.rules",
      rules_with("-A OUTPUT -p icmp -m conntrack --ctstate RELATED -j CONNMARK --set-xmark "
                 "0x1/0x1\n",
                 kSmallOrMarked + "-A INPUT -p udp -m udp --sport 1000 -j REJECT\n"));
  Host host(rules);
  EXPECT_TRUE(host.accepts(Host::datagram(8)));
  EXPECT_FALSE(host.accepts(Host::datagram(172)));
  ASSERT_TRUE(host.accepts(Host::datagram(172)));
  EXPECT_NE(ask_one(rules, kLong).truth, Truth::kNo);
}

// Marks that such packets only keep are no reason to give up.
TEST(OtherPackets, RestoringMarksLeavesTheProof) {
  const LoadedRuleset rules(
      "other.rules", rules_with("-A PREROUTING -j CONNMARK --restore-mark\n"
                                "-A PREROUTING -m mark ! --mark 0 -j ACCEPT\n"
                                "-A PREROUTING -m conntrack --ctstate NEW -j MARK --set-mark 2\n"
                                "-A PREROUTING -j CONNMARK --save-mark\n",
                                kSmallOrMarked));
  EXPECT_EQ(ask_one(rules, kLong).truth, Truth::kNo);
}

TEST(OtherPackets, AnErrorShowsTheProtocolOfTheFlowThatItQuotes) {
  const LoadedRuleset rules(
      "other.rules",
      rules_with("",
                 "-A INPUT -p udp -j ACCEPT\n-A INPUT -p icmp -m conntrack --ctproto 17 -j "
                 "ACCEPT\n"));
  Host host(rules);
  EXPECT_TRUE(host.accepts(Host::datagram(8)));
  ASSERT_TRUE(host.accepts(Host::error()));
  EXPECT_NE(ask_one(rules, "deliver -i eth0 --path in -p icmp --icmp-type 3").truth, Truth::kNo);
}

// Its witness begins with the flow that it quotes.
TEST(OtherPackets, AnErrorThatOnlyRelatedLetsIn) {
  const LoadedRuleset rules("other.rules",
                            rules_with("",
                                       "-A INPUT -p udp -j ACCEPT\n-A INPUT -m conntrack --ctstate "
                                       "RELATED,ESTABLISHED -j ACCEPT\n"));
  Host host(rules);
  EXPECT_FALSE(host.accepts(Host::error()));
  EXPECT_TRUE(host.accepts(Host::datagram(8)));
  ASSERT_TRUE(host.accepts(Host::error()));
  const Answer quoting = ask_one(rules, "deliver -i eth0 --path in -p icmp --icmp-type 3");
  EXPECT_EQ(quoting.truth, Truth::kYes);
  ASSERT_EQ(quoting.witness.size(), 2u);
  EXPECT_EQ(quoting.witness.front().packet.protocol, protocol::kUdp);
  EXPECT_NE(quoting.witness.back().packet.inner, nullptr);
  const LoadedRuleset open("other.rules", rules_with("",
                                                     "-A INPUT -p icmp -j ACCEPT\n-A INPUT -p "
                                                     "udp -m conntrack --ctstate NEW -j "
                                                     "ACCEPT\n"));
  EXPECT_EQ(ask_one(open, "deliver -i eth0 --path in -p icmp --icmp-type 3").truth, Truth::kYes);
}

// A witness on a wire has two addresses where it can; an address behind two wires has no world.
TEST(OtherPackets, AForwardedWitnessHasTwoAddresses) {
  const LoadedRuleset rules("other.rules",
                            "*filter\n:FORWARD DROP\n-A FORWARD -o eth1 -d 192.0.2.9 -j "
                            "ACCEPT\nCOMMIT\n");
  EXPECT_EQ(ask_one(rules, "deliver -p tcp --dport 1024 --path forward").truth, Truth::kYes);
  EXPECT_EQ(ask_one(rules, "deliver -p tcp -i eth0 -s 192.0.2.9 --path forward").truth,
            Truth::kUnknown);
}

}  // namespace
}  // namespace postern
