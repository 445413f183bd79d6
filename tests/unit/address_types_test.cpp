// Which addresses are a subnet's broadcast address, or of another type that only routes give, is
// the host's affair: every verb says `unknown` where that alone lets something through.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.hpp"

namespace postern {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

void expect_open(const LoadedRuleset& rules, const std::string& question) {
  const Answer a = ask_one(rules, question);
  EXPECT_EQ(a.truth, Truth::kUnknown) << to_text(a);
  EXPECT_THAT(a.reasons, Contains(HasSubstr("it depends on this host"))) << to_text(a);
}

// What is sent to this host itself is never tracked.
TEST(AddressTypes, AreOpenToDeliverAndTrack) {
  const LoadedRuleset rules("types.rules",
                            "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
                            "-A PREROUTING -m addrtype --dst-type LOCAL -j NOTRACK\n"
                            "-A OUTPUT -j NOTRACK\nCOMMIT\n*filter\n:INPUT ACCEPT\n"
                            "-A INPUT -m conntrack --ctstate UNTRACKED -j DROP\nCOMMIT\n");
  for (const char* verb : {"deliver", "track"}) {
    expect_open(rules, std::string(verb) + " -i eth0 -p udp -s 192.0.2.9 -d 192.0.2.1 --path in");
  }
}

TEST(AddressTypes, AreOpenToConnect) {
  const LoadedRuleset rules("types.rules",
                            "*filter\n:INPUT ACCEPT\n:OUTPUT DROP\n"
                            "-A OUTPUT -m addrtype --dst-type BROADCAST -j ACCEPT\nCOMMIT\n");
  expect_open(rules, "connect -i eth0 -p udp --path in");
}

// The answer is tracked, whose destination is another's.
TEST(AddressTypes, OfThisHostAreKnown) {
  const LoadedRuleset rules("types.rules",
                            "*raw\n:PREROUTING ACCEPT\n"
                            "-A PREROUTING -m addrtype --dst-type LOCAL -j NOTRACK\nCOMMIT\n"
                            "*filter\n:INPUT ACCEPT\n"
                            "-A INPUT -m conntrack --ctstate UNTRACKED -j DROP\nCOMMIT\n");
  const Answer a = expect_answer(rules, Truth::kYes, "track -i eth0 -p udp -d 192.0.2.1 --path in");
  EXPECT_EQ(a.witness.size(), 2U) << to_text(a);
}

}  // namespace
}  // namespace postern
