// IPv6 counts a packet's payload in 16 bits, not its header: the longest has 65575 bytes, more than
// `-m length` has words for. Seen with `replay --on-kernel` on Linux 6.18.
#include <gtest/gtest.h>

#include "answer_fixture.hpp"

namespace postern {
namespace {

constexpr Family k4 = Family::kIpv4, k6 = Family::kIpv6;

Answer through(const char* length, const char* question, Family family, const char* more = "") {
  const std::string rules = std::string("-A INPUT -p udp -m length ") + length + " -j ACCEPT\n";
  return ask_one(LoadedRuleset("long.rules", raw_and_filter("", rules + more), family), question);
}

TEST(LongPackets, NoLengthCanBeGivenFor) {
  for (const char* tracked : {"", "-A FORWARD -m conntrack --ctstate NEW\n"}) {
    const char* lo = "deliver -i lo -p udp";
    const Answer a = through("! --length 0:65535", lo, k6, tracked);
    ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
    EXPECT_NE(to_text(a).find("65536"), std::string::npos) << to_text(a);
    EXPECT_EQ(through("! --length 0:65535", lo, k4, tracked).truth, Truth::kNo);
    EXPECT_EQ(through("--length 65535:65535", lo, k6, tracked).truth, Truth::kYes);
    EXPECT_EQ(through("--length 65535:65535", lo, k4, tracked).truth, Truth::kYes);
    EXPECT_NE(through("! --length 0:65535", "deliver -i eth0 -p udp --path in", k6, tracked).truth,
              Truth::kNo);
  }
}

TEST(LongPackets, NoWirePassesThemOnWhole) {
  const std::string rules =
      "*filter\n:FORWARD ACCEPT\n-A FORWARD -m length --length 0:65535 -j DROP\nCOMMIT\n";
  const Answer a =
      ask_one(LoadedRuleset("long.rules", rules, k6), "deliver -i eth0 -o eth1 -p udp");
  ASSERT_EQ(a.truth, Truth::kUnknown) << to_text(a);
  EXPECT_NE(to_text(a).find("no interface sends more than 65535 bytes"), std::string::npos)
      << to_text(a);
}

}  // namespace
}  // namespace postern
