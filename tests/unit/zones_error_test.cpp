// ICMP errors where there are several zones: one looks the flow that it quotes up in its own zones
// (kernel-facts 40; tests/kernel/zone_cases.inc has Linux's word). Every yes is replayed, every no
// proved.
#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

struct Row {
  const char* name;
  std::string raw;
  const char* question;
  Truth truth;
};

void ask(const std::vector<Row>& rows, const std::string& others) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const LoadedRuleset rules(row.name, "*raw\n" + row.raw + "COMMIT\n" + others);
    const Answer a = ask_one(rules, row.question);
    EXPECT_EQ(a.truth, row.truth) << to_text(a);
    EXPECT_FALSE(a.conditional);
    if (row.truth == Truth::kNo) {
      EXPECT_TRUE(a.completeness && a.completeness->certified);
    }
  }
}

constexpr const char* kToResponder =
    "deliver -i eth0 -o eth1 -s 192.0.2.9 -d 198.51.100.9 -p icmp --icmp-type 3/3 --path forward";
constexpr const char* kToOpener =
    "deliver -i eth1 -o eth0 -s 198.51.100.9 -d 192.0.2.9 -p icmp --icmp-type 3/3 --path forward";

// Datagrams from eth0 to eth1, and errors about them.
const std::string kRouter =
    "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n"
    "-A FORWARD -i eth0 -o eth1 -s 192.0.2.0/24 -d 198.51.100.0/24 -p udp -j ACCEPT\n"
    "-A FORWARD -p icmp -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n";

TEST(ZonesError, FindsAFlowOfItsOwnZone) {
  const std::string wire = "-A PREROUTING -i eth0 -j CT --zone 1\n";
  const std::string udp = "-A PREROUTING -p udp -j CT --zone 1\n";
  ask({{"one zone for a wire", wire, kToResponder, Truth::kYes},
       {"... and the other one", wire, kToOpener, Truth::kNo},
       {"one for a protocol", udp, kToResponder, Truth::kNo},
       {"... either way", udp, kToOpener, Truth::kNo},
       {"... and errors", udp + "-A PREROUTING -p icmp -j CT --zone 1\n", kToOpener, Truth::kYes},
       {"in two zones", "-A PREROUTING -p udp --dport 53 -j CT --zone 1\n", kToOpener,
        Truth::kYes}},
      kRouter);
}

TEST(ZonesError, OneDirection) {
  const std::string original = "-A PREROUTING -p udp -j CT --zone-orig 1\n";
  const std::string reply = "-A PREROUTING -p udp -j CT --zone-reply 1\n";
  ask({{"original", original, kToResponder, Truth::kNo},
       {"... as an answer", original, kToOpener, Truth::kYes},
       {"... in that zone", original + "-A PREROUTING -p icmp -j CT --zone-orig 1\n", kToResponder,
        Truth::kYes},
       {"reply", reply, kToResponder, Truth::kYes},
       {"... as an answer", reply, kToOpener, Truth::kNo},
       {"... in that zone", reply + "-A PREROUTING -p icmp -j CT --zone-reply 1\n", kToOpener,
        Truth::kYes},
       {"... in both", reply + "-A PREROUTING -p icmp -j CT --zone 1\n", kToOpener, Truth::kYes}},
      kRouter);
}

// The flow that a witness begins with is in the error's zone.
TEST(ZonesError, AWitnessQuotesTheRightFlow) {
  const LoadedRuleset rules("right",
                            "*raw\n-A PREROUTING -p udp --dport 53 -j CT --zone 1\n"
                            "-A PREROUTING -p icmp -j CT --zone 1\nCOMMIT\n" +
                                kRouter);
  const Answer yes = ask_one(rules, kToOpener);
  ASSERT_EQ(yes.truth, Truth::kYes) << to_text(yes);
  ASSERT_EQ(yes.witness.size(), 2U);
  EXPECT_EQ(yes.witness.front().packet.destination_port, 53);
}

// (What else it may be about is left open beside DNAT, as without zones.)
TEST(ZonesError, AboutABoundFlow) {
  const std::string others =
      "*nat\n-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080\n"
      "COMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
      "-A FORWARD -d 10.0.0.2/32 -p tcp -m conntrack --ctstate NEW -j ACCEPT\n"
      "-A FORWARD -d 10.0.0.2/32 -p icmp -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n";
  constexpr const char* kError =
      "deliver -i eth0 -o eth1 -s 192.0.2.9 -d 198.51.100.9 -p icmp --icmp-type 3/3 --path forward";
  ask({{"its zone", "-A PREROUTING -i eth0 -j CT --zone 1\n", kError, Truth::kYes},
       {"another", "-A PREROUTING -p tcp -j CT --zone 1\n", kError, Truth::kUnknown},
       {"one direction", "-A PREROUTING -p tcp -j CT --zone-orig 1\n", kError, Truth::kUnknown},
       {"the other", "-A PREROUTING -p tcp -j CT --zone-reply 1\n", kError, Truth::kYes}},
      others);
}

// Over lo what is INVALID in OUTPUT may be RELATED in PREROUTING.
TEST(ZonesError, LookedUpAgain) {
  const std::string others =
      "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n"
      "-A OUTPUT -p udp -j ACCEPT\n-A INPUT -p udp -j ACCEPT\n"
      "-A OUTPUT -p icmp -m conntrack --ctstate INVALID,RELATED -j ACCEPT\n"
      "-A INPUT -p icmp -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n";
  constexpr const char* kError = "deliver -i lo -s 127.0.0.1 -d 127.0.0.2 -p icmp --icmp-type 3/3";
  const std::string udp = "-A OUTPUT -p udp -j CT --zone 1\n";
  ask({{"in no zone of its own", udp, kError, Truth::kNo},
       {"in the flow's", udp + "-A OUTPUT -p icmp -j CT --zone 1\n", kError, Truth::kYes}},
      others);
  const LoadedRuleset later(
      "later", "*raw\n" + udp + "-A PREROUTING -i lo -p icmp -j CT --zone 1\nCOMMIT\n" + others);
  EXPECT_EQ(ask_one(later, kError).truth, Truth::kUnknown);
}

}  // namespace
}  // namespace postern
