// NETMAP in questions: the new address is the old one with another network part, so that rules
// behind it tell addresses apart. Every yes is replayed by the engine (which agrees with Linux),
// every no re-checked by Z3.
#include <gtest/gtest.h>

#include "answer_fixture.hpp"

namespace postern {
namespace {

// A network that others know as 10.99.0.0/24; one host of it may be reached, another may not speak.
LoadedRuleset twin() {
  return LoadedRuleset("twin.rules",
                       "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n"
                       ":POSTROUTING ACCEPT\n"
                       "-A PREROUTING -i vpn -d 10.99.0.0/24 -j NETMAP --to 192.168.0.0/24\n"
                       "-A POSTROUTING -o vpn -s 192.168.0.0/24 -j NETMAP --to 10.99.0.0/24\n"
                       "COMMIT\n*mangle\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:FORWARD ACCEPT\n"
                       ":OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n"
                       "-A PREROUTING -i vpn -s 203.0.113.9 -d 10.99.0.4 -j DROP\n"
                       "COMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n"
                       "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
                       "-A FORWARD -i vpn -d 192.168.0.7 -p tcp --dport 22 -j ACCEPT\n"
                       "-A FORWARD -i lan -o vpn -s 192.168.0.0/29 -j ACCEPT\n"
                       "COMMIT\n");
}

Answer expect(Truth truth, const std::string& question) {
  Answer a = expect_answer(twin(), truth, question);
  EXPECT_FALSE(a.conditional) << question;
  return a;
}

TEST(NetmapSets, OneHostOfTheNetworkIsReached) {
  const Answer in = expect(Truth::kYes, "connect -i vpn -o lan -p tcp -d 10.99.0.7 --dport 22");
  EXPECT_EQ(in.witness.at(1).packet.source.text(), "192.168.0.7");
  expect(Truth::kNo, "connect -i vpn -o lan -p tcp -d 10.99.0.8 --dport 22");
  expect(Truth::kNo, "deliver -i vpn -o lan -p tcp -d 10.99.0.8/29 --dport 22");
  expect(Truth::kYes, "deliver -i vpn -o lan -p tcp -d 10.99.0.0/29");
  expect(Truth::kNo, "track -i vpn -o lan -p udp -d 10.99.0.0/24");
}

TEST(NetmapSets, AnswersToTheMappedSourceAreToldApart) {
  const Answer out = expect(Truth::kYes, "connect -i lan -o vpn -p udp -s 192.168.0.4");
  EXPECT_EQ(out.witness.at(1).packet.destination.text(), "10.99.0.4");
  expect(Truth::kNo, "connect -i lan -o vpn -p udp -s 192.168.0.4 -d 203.0.113.9");
  expect(Truth::kYes, "connect -i lan -o vpn -p udp -s 192.168.0.5 -d 203.0.113.9");
  expect(Truth::kNo, "connect -i lan -o vpn -p udp -s 192.168.0.8");
}

TEST(NetmapSets, ArrivesWhereItWasMapped) {
  expect(Truth::kYes, "deliver -i vpn -o lan -p tcp -d 10.99.0.7 --to-destination 192.168.0.7");
  expect(Truth::kNo, "connect -i vpn -o lan -p tcp -d 10.99.0.7 --to-destination 10.99.0.7");
}

}  // namespace
}  // namespace postern
