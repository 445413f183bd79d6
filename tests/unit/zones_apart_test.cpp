// Zones that stand for some flows alone, beside NAT over lo: nothing is left open for the others
// (Model::zones). Every no is proved, which flows come in one zone included (certificate_context).
#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

const std::string kNat =
    "*nat\n-A OUTPUT -p tcp -d 127.0.0.53 --dport 53 -j REDIRECT --to-ports 15053\n"
    "-A OUTPUT -p udp -d 127.0.0.53 --dport 53 -j REDIRECT --to-ports 15053\nCOMMIT\n";

Answer ask_with(const std::string& raw, const char* question) {
  const LoadedRuleset rules("apart", "*raw\n" + raw + "COMMIT\n" + kNat +
                                         "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
                                         "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                                         "-A INPUT -i lo -p tcp --dport 15053 --syn -j ACCEPT\n"
                                         "-A INPUT -i lo -p udp --dport 15053 -j ACCEPT\n"
                                         "COMMIT\n");
  return ask_one(rules, question);
}

void expect_proved(const Answer& answer) {
  EXPECT_EQ(answer.truth, Truth::kNo) << to_text(answer);
  EXPECT_TRUE(answer.completeness && answer.completeness->certified) << to_text(answer);
}

constexpr const char* kTcp = "deliver -i lo -p tcp -d 127.0.0.1 --sport 4000 --dport 22";
constexpr const char* kDatagrams = "deliver -i lo -p udp -d 127.0.0.1 --sport 4000 --dport 20:60";
constexpr const char* kAnswers =
    "deliver -i lo -p tcp -s 127.0.0.53 -d 127.0.0.1 --sport 53 --dport 4000";

const std::string kOfUdp = "-A OUTPUT -p udp --dport 53 -j CT --zone 1\n";

TEST(ZonesApart, OfAnotherProtocol) {
  expect_proved(ask_with(kOfUdp, kTcp));
  expect_proved(ask_with(kOfUdp, kAnswers));
}

TEST(ZonesApart, BothInOneQuestion) { expect_proved(ask_with(kOfUdp, kDatagrams)); }

TEST(ZonesApart, OneForAllThatAFlowSends) {
  const std::string everywhere =
      "-A OUTPUT -p tcp -j CT --zone 1\n-A PREROUTING -i lo -p tcp -j CT --zone 1\n";
  expect_proved(ask_with(everywhere + kOfUdp, kTcp));
}

TEST(ZonesApart, HeldAllTheSame) {
  const Answer yes =
      ask_with(kOfUdp, "connect -i lo -p tcp -s 127.0.0.1 -d 127.0.0.53 --sport 4000 --dport 53");
  EXPECT_EQ(yes.truth, Truth::kYes) << to_text(yes);
  expect_proved(ask_with(kOfUdp, "connect -i lo -p tcp -d 127.0.0.1 --sport 4000 --dport 22"));
}

// What is INVALID in OUTPUT, in one zone, may be NEW in PREROUTING, in the other.
TEST(ZonesApart, SeveralStayOpen) {
  for (const char* raw : {"-A OUTPUT -p tcp --dport 22 -j CT --zone 1\n",
                          "-A PREROUTING -p tcp --dport 22 -j CT --zone 1\n",
                          "-A OUTPUT -p tcp --dport 22 -j CT --zone-orig 1\n"}) {
    const Answer open = ask_with(raw, kTcp);
    EXPECT_EQ(open.truth, Truth::kUnknown) << raw << to_text(open);
  }
}

}  // namespace
}  // namespace postern
