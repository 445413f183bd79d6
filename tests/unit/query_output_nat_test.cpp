// Questions about flows that NAT in OUTPUT and INPUT takes elsewhere, and about NAT over lo. Every
// yes is replayed by the engine (which agrees with Linux), every no re-checked by Z3.
#include <gtest/gtest.h>

#include "answer_fixture.hpp"

namespace postern {
namespace {

// filter sees the new destination, raw and mangle the old one; answers come from the new one.
TEST(QueryOutputNat, DnatOfWhatTheHostSends) {
  const auto with =
      nat_and_filter("-A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 192.0.2.7:8080\n",
                     ":INPUT DROP\n:OUTPUT DROP\n"
                     "-A INPUT -s 192.0.2.7 -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                     "-A OUTPUT -d 192.0.2.7 -p tcp --dport 8080 -j ACCEPT\n");
  const Answer a = ask_one(with, "connect -o eth0 -p tcp --dport 80 --path out");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_FALSE(a.conditional);
  EXPECT_EQ(a.witness.at(1).packet.source.text(), "192.0.2.7");
  EXPECT_EQ(a.witness.at(1).packet.source_port, 8080);
  expect_answer(with, Truth::kYes, "connect -o eth0 -p tcp --dport 80 -d 198.51.100.9 --path out");
  expect_answer(with, Truth::kNo, "connect -o eth0 -p tcp --dport 81 --path out");
  expect_answer(with, Truth::kNo, "connect -o eth0 -p udp --dport 80 --path out");
  expect_answer(with, Truth::kYes, "connect -o eth0 -p tcp --dport 8080 -d 192.0.2.7 --path out");
  expect_answer(with, Truth::kNo, "connect -o eth0 -p tcp --dport 8080 -d 192.0.2.8 --path out");
}

TEST(QueryOutputNat, EarlyHooksSeeTheOldDestination) {
  const LoadedRuleset early("early.rules",
                            "*mangle\n:OUTPUT ACCEPT\n-A OUTPUT -d 198.51.100.9 -j DROP\nCOMMIT\n"
                            "*nat\n:OUTPUT ACCEPT\n"
                            "-A OUTPUT -p udp --dport 53 -j DNAT --to-destination 192.0.2.7\n"
                            "COMMIT\n*filter\n:OUTPUT ACCEPT\n-A OUTPUT -d 203.0.113.9 -p udp "
                            "--dport 53 -j DROP\nCOMMIT\n");
  expect_answer(early, Truth::kNo, "connect -o eth0 -p udp --dport 53 -d 198.51.100.9 --path out");
  expect_answer(early, Truth::kYes, "connect -o eth0 -p udp --dport 53 -d 203.0.113.9 --path out");
}

// The packet is routed again: POSTROUTING sees another device than OUTPUT, which only the host
// knows.
TEST(QueryOutputNat, FilterSeesTheOldDeviceAndPostroutingTheNewOne) {
  const auto with = [](const std::string& filter, const std::string& mangle) {
    return LoadedRuleset("device.rules",
                         "*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p udp --dport 53 -j DNAT "
                         "--to-destination 192.0.2.7\nCOMMIT\n*filter\n:OUTPUT ACCEPT\n" +
                             filter + "COMMIT\n*mangle\n:POSTROUTING ACCEPT\n" + mangle +
                             "COMMIT\n");
  };
  const std::string question = "connect -o eth0 -p udp --dport 53 --path out";
  expect_answer(with("-A OUTPUT -o eth0 -j DROP\n", ""), Truth::kNo, question);
  expect_answer(with("-A OUTPUT -o eth1 -j DROP\n", ""), Truth::kYes, question);
  const Answer some = ask_one(with("", "-A POSTROUTING -o eth1 -j DROP\n"), question);
  EXPECT_NE(some.truth, Truth::kNo) << to_text(some);
  EXPECT_TRUE(some.truth == Truth::kUnknown || some.conditional) << to_text(some);
  expect_answer(with("", "-A POSTROUTING -o lo -j DROP\n"), Truth::kYes, question);
}

// As docker has it: a published port is reached by the host's own addresses, but for 127/8.
constexpr const char* kPublished =
    "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
    "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER\n"
    "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n"
    "-A DOCKER ! -i docker0 -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\n";

LoadedRuleset docker(const std::string& filter) {
  return LoadedRuleset("docker.rules",
                       "*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n:DOCKER - "
                       "[0:0]\n" +
                           std::string(kPublished) + "COMMIT\n*filter\n" + filter + "COMMIT\n");
}

TEST(QueryOutputNat, APublishedPortOfDockerIsReachedByTheHostItself) {
  const auto open = docker(":OUTPUT ACCEPT\n");
  // First routed to lo, it leaves by a wire.
  const Answer a = ask_one(open, "connect -p tcp --dport 8080 -d 192.0.2.1 --path out");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  const Answer plain = ask_one(open, "connect -p tcp --dport 81 --path out");
  EXPECT_TRUE(plain.truth == Truth::kYes && !plain.conditional) << to_text(plain);
  const auto shut = docker(":OUTPUT ACCEPT\n-A OUTPUT -d 172.17.0.2 -j DROP\n");
  const Answer none = ask_one(shut, "deliver -p tcp --dport 8080 -d 172.17.0.2 --path out");
  EXPECT_EQ(none.truth, Truth::kNo) << to_text(none);
}

// REDIRECT keeps what the host sends on the host, wherever it was sent.
TEST(QueryOutputNat, RedirectLeadsToLo) {
  const auto with = nat_and_filter("-A OUTPUT -p tcp --dport 80 -j REDIRECT --to-ports 3128\n",
                                   ":INPUT DROP\n:OUTPUT ACCEPT\n"
                                   "-A INPUT -i lo -p tcp -d 127.0.0.1 --dport 3128 -j ACCEPT\n"
                                   "-A INPUT -i lo -m conntrack --ctstate ESTABLISHED -j ACCEPT\n");
  expect_answer(with, Truth::kYes, "connect -p tcp --dport 80 --path loopback");
  expect_answer(with, Truth::kYes,
                "connect -p tcp --dport 80 -d 198.51.100.9 -s 192.0.2.1 --path loopback");
  expect_answer(with, Truth::kNo, "connect -p tcp --dport 81 --path loopback");
  expect_answer(with, Truth::kNo, "connect -p tcp --dport 3128 -d 127.0.0.2 --path loopback");
  // It never leaves by a wire; what is INVALID (by a wrong length, say) does, as it was sent.
  expect_answer(with, Truth::kNo, "connect -o eth0 -p tcp --dport 80 --path out");
  expect_answer(with, Truth::kYes, "deliver -o eth0 -p tcp --dport 80 --path out");
  expect_answer(with, Truth::kYes, "deliver -o eth0 -p tcp --dport 80 --syn --path out");
}

// A first packet that REDIRECT takes away and filter drops leaves no entry, but the far end may
// speak then.
TEST(QueryOutputNat, AFirstPacketThatIsDroppedOnAnotherWayBeginsTheFlow) {
  const auto with =
      nat_and_filter("-A OUTPUT -p udp --dport 53 -j REDIRECT\n", ":INPUT ACCEPT\n:OUTPUT DROP\n");
  EXPECT_NE(ask_one(with, "track -o eth0 -p udp --dport 53 --path out").truth, Truth::kNo);
  expect_answer(with, Truth::kNo,
                "deliver -p udp --dport 53 -d 127.0.0.1 -s 127.0.0.2 --path loopback");
}

TEST(QueryOutputNat, MasqueradeOverLoIsSeenByInput) {
  const auto with = [](const std::string& input) {
    return nat_and_filter("-A POSTROUTING -j SNAT --to-source 192.0.2.1\n",
                          ":INPUT DROP\n:OUTPUT ACCEPT\n" + input);
  };
  const std::string question =
      "connect -p udp --dport 53 -s 127.0.0.1 -d 127.0.0.1 --path loopback";
  expect_answer(with("-A INPUT -s 127.0.0.1 -j ACCEPT\n"), Truth::kNo, question);
  const auto both = with(
      "-A INPUT -s 192.0.2.1 -m conntrack --ctstate NEW -j ACCEPT\n"
      "-A INPUT -s 127.0.0.1 -m conntrack --ctstate ESTABLISHED -j ACCEPT\n");
  const Answer a = ask_one(both, question);
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(a.witness.at(1).packet.destination.text(), "192.0.2.1");
}

// nat INPUT stands behind filter INPUT: only answers show it, in raw and mangle OUTPUT.
TEST(QueryOutputNat, SnatInInputIsSeenByAnswersOnly) {
  const auto with = [](const std::string& rest) {
    return LoadedRuleset("input.rules",
                         "*nat\n:INPUT ACCEPT\n-A INPUT -p udp -j SNAT --to-source 198.51.100.5\n"
                         "COMMIT\n" +
                             rest);
  };
  const std::string question = "connect -i eth0 -p udp --dport 53 -s 192.0.2.9 --path in";
  expect_answer(with("*filter\n:INPUT DROP\n-A INPUT -s 192.0.2.9 -j ACCEPT\nCOMMIT\n"),
                Truth::kYes, question);
  expect_answer(with("*filter\n:INPUT DROP\n-A INPUT -s 198.51.100.5 -j ACCEPT\nCOMMIT\n"),
                Truth::kNo, question);
  expect_answer(with("*mangle\n:OUTPUT ACCEPT\n-A OUTPUT -d 198.51.100.5 -j DROP\nCOMMIT\n"),
                Truth::kNo, question);
  expect_answer(with("*filter\n:OUTPUT ACCEPT\n-A OUTPUT -d 198.51.100.5 -j DROP\nCOMMIT\n"),
                Truth::kYes, question);
}

}  // namespace
}  // namespace postern
