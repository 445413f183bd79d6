// `connect` is held between honest ends: what NAT makes of a conversation's first packet, it makes
// of all of them, else one end hears a stranger. Every yes is replayed by the engine (which agrees
// with Linux), every no re-checked by Z3.
#include <gtest/gtest.h>

#include "answer_fixture.hpp"

namespace postern {
namespace {

const std::string kSnat =
    "*nat\n:POSTROUTING ACCEPT\n"
    "-A POSTROUTING -s 10.0.0.0/8 -o eth0 -j SNAT --to-source 198.51.100.1\nCOMMIT\n";

// The far end answers the address that it saw; untracked, the answer is nobody's.
TEST(QueryEnds, AnUntrackedAnswerToATranslatedPacketIsLost) {
  const LoadedRuleset rules("answer.rules",
                            "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -i eth0 -p tcp -j NOTRACK\n"
                            "COMMIT\n" +
                                kSnat);
  expect_answer(rules, Truth::kNo, "connect -i eth1 -o eth0 -p tcp -s 10.0.0.1 --path forward");
  expect_answer(rules, Truth::kYes, "connect -i eth1 -o eth0 -p udp -s 10.0.0.1 --path forward");
  expect_answer(rules, Truth::kYes, "connect -i eth1 -o eth0 -p tcp -s 192.0.2.9 --path forward");
}

// Its SYN comes from 10.0.0.1, what follows from 198.51.100.1.
TEST(QueryEnds, AFirstPacketThatNatLeavesAloneIsAnotherFlows) {
  const LoadedRuleset rules("syn.rules",
                            "*raw\n:PREROUTING ACCEPT\n"
                            "-A PREROUTING -i eth1 -p tcp --syn -j NOTRACK\nCOMMIT\n" +
                                kSnat);
  expect_answer(rules, Truth::kNo, "connect -i eth1 -o eth0 -p tcp -s 10.0.0.1 --path forward");
  expect_answer(rules, Truth::kYes, "connect -i eth1 -o eth0 -p tcp -s 192.0.2.9 --path forward");
}

// The server's last packet opens an entry of its own, which NAT gives another source.
TEST(QueryEnds, AnAnswerThatNatTakesForANewFlowComesFromAStranger) {
  const LoadedRuleset rules(
      "server.rules",
      "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -i eth1 -p tcp -j NOTRACK\nCOMMIT\n"
      "*nat\n:POSTROUTING ACCEPT\n"
      "-A POSTROUTING -s 10.0.0.0/8 -o eth1 -j SNAT --to-source 198.51.100.1\nCOMMIT\n");
  expect_answer(rules, Truth::kNo, "connect -i eth1 -o eth0 -p tcp -d 10.0.0.1 --path forward");
  expect_answer(rules, Truth::kYes, "connect -i eth1 -o eth0 -p tcp -d 192.0.2.9 --path forward");
}

// MASQUERADE may give a packet of this host the source that it has.
TEST(QueryEnds, ATranslationThatChangesNothingIsHeardAsBefore) {
  const LoadedRuleset rules("own.rules",
                            "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -i eth0 -p tcp -j NOTRACK\n"
                            "COMMIT\n*nat\n:POSTROUTING ACCEPT\n"
                            "-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n");
  const Answer a = ask_one(rules, "connect -i eth0 -p tcp --path in");
  EXPECT_EQ(a.truth, Truth::kYes) << to_text(a);
}

}  // namespace
}  // namespace postern
