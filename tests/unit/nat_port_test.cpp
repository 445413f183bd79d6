// lib/engine/nat_port: which port a flow gets (kernel-facts 51).
#include "engine/nat_port.hpp"

#include <gtest/gtest.h>

#include <set>

namespace postern {
namespace {

CtTuple tuple(std::uint8_t number, std::uint16_t source_key, std::uint16_t destination_key) {
  CtTuple t;
  t.protocol = number;
  t.source = 1;
  t.destination = 2;
  t.source_key = source_key;
  t.destination_key = destination_key;
  return t;
}

struct Outcome {
  std::uint16_t source, destination;
  std::vector<Choice> asked;
  unsigned tried = 0;
};

Outcome choose(CtTuple t, Manip manip, const NatRange& range, std::vector<std::uint64_t> choices,
               const std::set<std::uint16_t>& taken = {}) {
  ListChooser chooser(std::move(choices));
  Outcome out{};
  choose_port(
      t, manip, range,
      [&](const CtTuple& candidate, unsigned) {
        ++out.tried;
        const std::uint16_t key = *nat_key(const_cast<CtTuple&>(candidate), manip);
        return taken.contains(key);
      },
      chooser, "nat POSTROUTING 1");
  out.source = t.source_key;
  out.destination = t.destination_key;
  out.asked = chooser.made();
  return out;
}

NatRange ports(std::uint16_t low, std::uint16_t high) {
  NatRange range;
  range.ports = NatRange::Ports{low, high};
  return range;
}

TEST(NatPort, StaysInItsClassOfPrivilege) {
  for (const auto& [port, first, size] : {std::tuple{1, 1, 511},
                                          {511, 1, 511},
                                          {512, 600, 424},
                                          {1023, 600, 424},
                                          {1024, 1024, 64512},
                                          {65535, 1024, 64512}}) {
    const Outcome low =
        choose(tuple(6, static_cast<std::uint16_t>(port), 80), Manip::kSource, {}, {0});
    EXPECT_EQ(low.source, first) << port;
    EXPECT_EQ(low.destination, 80);
    ASSERT_EQ(low.asked.size(), 1U);
    EXPECT_EQ(low.asked[0].options, static_cast<std::uint64_t>(size)) << port;
    EXPECT_EQ(low.asked[0].first, static_cast<std::uint64_t>(first)) << port;
    EXPECT_EQ(low.asked[0].why, "source port");
    EXPECT_EQ(low.asked[0].rule, "nat POSTROUTING 1");
  }
}

TEST(NatPort, TakesTheNextFreeOneAndGoesRoundTheRange) {
  EXPECT_EQ(choose(tuple(17, 5000, 53), Manip::kSource, ports(10, 14), {3}).source, 13);
  EXPECT_EQ(choose(tuple(17, 5000, 53), Manip::kSource, ports(10, 14), {3}, {13, 14, 10}).source,
            11);
  const Outcome none =
      choose(tuple(17, 5000, 53), Manip::kSource, ports(10, 14), {3}, {10, 11, 12, 13, 14});
  EXPECT_EQ(none.tried, 5U);
  EXPECT_EQ(none.source, 13);  // none is free: the one that chance names
  EXPECT_EQ(none.asked.size(), 1U);
}

TEST(NatPort, ADestinationRangeBeginsAtItsLowEnd) {
  const Outcome found = choose(tuple(6, 5000, 80), Manip::kDestination, ports(90, 92), {2}, {90});
  EXPECT_EQ(found.destination, 91);
  EXPECT_EQ(found.source, 5000);
  EXPECT_TRUE(found.asked.empty());
  NatRange random = ports(90, 92);
  random.random = true;
  EXPECT_EQ(choose(tuple(6, 5000, 80), Manip::kDestination, random, {2}).destination, 92);
  EXPECT_EQ(choose(tuple(6, 5000, 80), Manip::kDestination, {}, {2}).destination, 80);
}

TEST(NatPort, ABasePortGivesThePlace) {
  NatRange shifted = ports(90, 95);
  shifted.base = 5000;
  EXPECT_EQ(choose(tuple(6, 1, 5003), Manip::kDestination, shifted, {}).destination, 93);
  EXPECT_EQ(choose(tuple(6, 1, 5008), Manip::kDestination, shifted, {}).destination, 92);
}

TEST(NatPort, IcmpIdsCountForBothHalvesAndOthersHaveNone) {
  EXPECT_EQ(choose(tuple(1, 7, 0x800), Manip::kSource, {}, {9}).source, 9);
  EXPECT_EQ(choose(tuple(1, 7, 0x800), Manip::kDestination, {}, {9}, {}).source, 0);
  EXPECT_EQ(choose(tuple(47, 0, 0), Manip::kSource, {}, {9}).asked.size(), 0U);
  EXPECT_TRUE(key_in_range(tuple(47, 0, 0), Manip::kSource, {5, 6}));
  EXPECT_TRUE(key_in_range(tuple(6, 5, 9), Manip::kSource, {5, 6}));
  EXPECT_FALSE(key_in_range(tuple(6, 5, 9), Manip::kDestination, {5, 6}));
}

TEST(NatPort, GivesUpAfterSmallerAndSmallerRounds) {
  std::set<std::uint16_t> all;
  for (unsigned port = 1024; port < 65536; ++port) all.insert(static_cast<std::uint16_t>(port));
  const Outcome none = choose(tuple(6, 5000, 80), Manip::kSource, {}, {}, all);
  EXPECT_EQ(none.tried, 128U + 64 + 32 + 16 + 8);
  EXPECT_EQ(none.asked.size(), 5U);
}

}  // namespace
}  // namespace postern
