// Packets of one flow may be dealt with at the same time: what a no, and lint, make of it.
// Measured on Linux 6.18: a card's batch passes PREROUTING before any of it comes to INPUT; over lo
// another processor's packet comes between OUTPUT and INPUT of one.
#include <gtest/gtest.h>

#include <algorithm>

#include "lint_fixture.hpp"
#include "query_fixture.hpp"

namespace postern {
namespace {

// A short packet behind a long one: between its own two hooks the entry is marked.
const std::string kMarked =
    "*mangle\n:PREROUTING ACCEPT\n"
    "-A PREROUTING -p udp -m length --length 100:65535 -j CONNMARK --set-mark 1\n"
    "-A PREROUTING -p udp -m connmark --mark 1 -m length --length 0:49 -j DROP\nCOMMIT\n"
    "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
    "-A INPUT -p udp -m connmark --mark 1 -m length --length 0:49 -j ACCEPT\n"
    "-A INPUT -p udp -m length --length 50:99 -j ACCEPT\nCOMMIT\n";

// NEW in OUTPUT and replied to before INPUT.
const std::string kReplied =
    "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
    "-A INPUT -p udp -m udp --sport 4000 -m conntrack --ctstate NEW --ctstatus SEEN_REPLY "
    "-j ACCEPT\n-A INPUT -p udp -m udp --sport 80 -j ACCEPT\n"
    "-A INPUT -p udp -m length --length 300:400 -j ACCEPT\nCOMMIT\n";

bool lists_order(const std::string& rules, const std::string& question) {
  const Answer answer = ask_one(LoadedRuleset("interleaved.rules", rules), question);
  EXPECT_EQ(answer.truth, Truth::kNo) << question;
  return std::ranges::any_of(answer.assumptions, [](const std::string& assumed) {
    return assumed.find("between two hooks of another") != std::string::npos;
  });
}

TEST(Interleaved, ANoListsThatPacketsComeOneAfterAnother) {
  EXPECT_TRUE(lists_order(kMarked, "deliver -i eth0 -p udp -m length --length 0:49 --path in"));
  EXPECT_TRUE(lists_order(kMarked,
                          "deliver -i eth0 -p udp -s 192.0.2.9 -m length --length 33 "
                          "--path in"));
  EXPECT_TRUE(lists_order(
      kReplied, "deliver -i lo -p udp --sport 4000 -m length --length 33 --path loopback"));
}

// What no order of packets lets through.
TEST(Interleaved, NothingIsListedThatNoOrderChanges) {
  EXPECT_FALSE(lists_order(kMarked, "deliver -i eth0 -p udp -m length --length 100:200 --path in"));
  EXPECT_FALSE(lists_order(kMarked, "deliver -i eth0 -p tcp --path in"));
  // A mark that no rule gives, and one that is kept whole.
  const std::string kept =
      "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -i eth1 -j CONNMARK --set-mark 2\nCOMMIT\n"
      "*filter\n:INPUT DROP\n-A INPUT -m connmark --mark 7 -j ACCEPT\nCOMMIT\n";
  EXPECT_FALSE(lists_order(kept, "deliver -i eth0 -p udp --path in"));
  const std::string restored =
      "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -j CONNMARK --restore-mark\n"
      "-A PREROUTING -i eth1 -j MARK --set-mark 2\n"
      "-A PREROUTING -j CONNMARK --save-mark\nCOMMIT\n"
      "*filter\n:INPUT DROP\n-A INPUT -m mark ! --mark 0/0xfffffffd -j ACCEPT\nCOMMIT\n";
  EXPECT_FALSE(lists_order(restored, "deliver -i eth0 -p udp --path in"));
}

TEST(Interleaved, RulesThatOthersMakeMatchAreNotDead) {
  for (const std::string& rules : {kMarked, kReplied}) {
    const Linted linted(rules);
    EXPECT_TRUE(linted.of("PST101").empty());
    EXPECT_TRUE(linted.of("PST103").empty());
  }
  std::string other = kMarked;
  other.replace(other.rfind("connmark --mark 1"), 17, "connmark --mark 7");
  const Linted linted(other);
  EXPECT_EQ(linted.of("PST101").size() + linted.of("PST103").size(), 1U);
}

}  // namespace
}  // namespace postern
