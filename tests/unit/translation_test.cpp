#include "symbolic/nat/translation.hpp"

#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

LoadedRuleset nat(const std::string& rules) {
  return LoadedRuleset("nat.rules",
                       "*nat\n:PREROUTING ACCEPT\n:POSTROUTING ACCEPT\n" + rules + "COMMIT\n");
}

TEST(Translations, SameRangesAreOneAndOrderIsKept) {
  const LoadedRuleset rules =
      nat("-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080\n"
          "-A PREROUTING -p tcp --dport 81 -j DNAT --to-destination 10.0.0.2:8080\n"
          "-A PREROUTING -p udp -j REDIRECT --to-ports 53\n"
          "-A POSTROUTING -o wan -j MASQUERADE\n");
  const Translations t(rules.program());
  EXPECT_TRUE(t.some());
  EXPECT_EQ(t.range_of(0, Hook::kPrerouting), 1);
  EXPECT_EQ(t.range_of(1, Hook::kPrerouting), 1);
  EXPECT_EQ(t.range_of(2, Hook::kPrerouting), 2);
  EXPECT_EQ(t.range_of(3, Hook::kPrerouting), 0);
  EXPECT_EQ(t.range_of(3, Hook::kPostrouting), 3);
  EXPECT_EQ(t.range(1).port, (std::pair<std::uint32_t, std::uint32_t>{8080, 8080}));
  EXPECT_FALSE(t.range(3).address.has_value());
  EXPECT_FALSE(t.range(3).keeps_port);
}

TEST(Translations, VariantsAreWhatThePathCanMeet) {
  const LoadedRuleset rules =
      nat("-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.2\n-A POSTROUTING -j MASQUERADE\n");
  const Translations t(rules.program());
  // Forward: destination, source, both; the responder's own flows: source.
  EXPECT_EQ(t.variants(Path::kForward).size(), 4u);
  EXPECT_EQ(t.variants(Path::kIn).size(), 2u);  // destination; the host's own flows: source
  EXPECT_EQ(t.variants(Path::kOut).size(), 1u);
  EXPECT_EQ(t.variants(Path::kLoopback).size(), 2u);  // source, whoever opens the flow
  EXPECT_TRUE(t.moves_destination(Path::kIn));
  EXPECT_FALSE(t.moves_destination(Path::kOut));
}

TEST(Translations, OutputHasRangesOfItsOwn) {
  const LoadedRuleset rules(
      "nat.rules",
      "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:D - [0:0]\n"
      "-A PREROUTING -j D\n-A OUTPUT -j D\n-A D -p tcp --dport 80 -j REDIRECT\n"
      "-A D -p tcp -j DNAT --to-destination 10.0.0.2\n-A OUTPUT -p udp -j DNAT --to-destination "
      "127.0.0.1:53\n-A INPUT -j SNAT --to-source 10.0.0.9\nCOMMIT\n");
  const Translations t(rules.program());
  // Rules are numbered chain by chain. REDIRECT in OUTPUT is to 127.0.0.1, in PREROUTING to
  // whatever address the device has.
  EXPECT_NE(t.range_of(4, Hook::kPrerouting), t.range_of(4, Hook::kOutput));
  EXPECT_TRUE(on_loopback(t.range(t.range_of(4, Hook::kOutput)), Family::kIpv4));
  EXPECT_NE(t.range_of(5, Hook::kOutput), 0);
  EXPECT_EQ(t.range_of(5, Hook::kPrerouting), t.range_of(5, Hook::kOutput));
  EXPECT_NE(t.range_of(3, Hook::kOutput), 0);
  EXPECT_EQ(t.range_of(3, Hook::kPrerouting), 0);
  EXPECT_EQ(t.range_of(1, Hook::kPostrouting), 0);
  EXPECT_NE(t.range_of(1, Hook::kInput), 0);
  EXPECT_EQ(t.variants(Path::kOut).size(), 2u);       // 10.0.0.2; the far end's flows: 10.0.0.9
  EXPECT_EQ(t.variants(Path::kLoopback).size(), 3u);  // each of the three
  EXPECT_TRUE(t.may_stray(Path::kOut) && t.may_stray(Path::kLoopback));
}

// Each further range multiplies the ways in which a flow can be bound.
TEST(Translations, OnlySoManyRangesAreFollowed) {
  std::string text;
  for (std::size_t i = 0; i <= kMostRanges; ++i) {
    text += "-A PREROUTING -p tcp --dport " + std::to_string(8000 + i) +
            " -j DNAT --to-destination 10.0." + std::to_string(i) + ".2:80\n";
  }
  const LoadedRuleset rules = nat(text);
  const Translations t(rules.program());
  EXPECT_NE(t.range_of(0, Hook::kPrerouting), 0);
  EXPECT_NE(t.range_of(kMostRanges - 1, Hook::kPrerouting), 0);
  EXPECT_EQ(t.range_of(kMostRanges, Hook::kPrerouting), 0);
  EXPECT_TRUE(t.is_followed(kMostRanges - 1));
  EXPECT_FALSE(t.is_followed(kMostRanges));
}

TEST(Translations, AddressesThatRoutingTreatsApartAreNotFollowed) {
  const LoadedRuleset rules =
      nat("-A PREROUTING -p tcp -j DNAT --to-destination 127.0.0.1\n"
          "-A PREROUTING -p udp -j DNAT --to-destination 224.0.0.9\n");
  const Translations t(rules.program());
  EXPECT_EQ(t.range_of(0, Hook::kPrerouting), Translations::kNowhere);
  EXPECT_EQ(t.range_of(1, Hook::kPrerouting), 0);
}

}  // namespace
}  // namespace postern
