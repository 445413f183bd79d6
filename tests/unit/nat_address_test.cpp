// lib/engine/nat_address: the address of a range. The hash's values are lookup3's own published
// ones; the addresses were chosen by Linux 6.18 (tests/kernel/nat_test.cpp compares many more).
#include "engine/nat_address.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace postern {
namespace {

CtTuple tuple(const char* from, const char* to) {
  CtTuple t;
  t.protocol = 17;
  const Address source = *Address::parse(from);
  t.family = source.family;
  t.source = source.value;
  t.destination = Address::parse(to)->value;
  return t;
}

NatRange range(const char* low, const char* high) {
  NatRange r;
  r.addresses = NatRange::Addresses{Address::parse(low)->value, Address::parse(high)->value};
  return r;
}

TEST(NatAddress, TheHashIsLookup3) {
  EXPECT_EQ(hash_words(nullptr, 0, 0), 0xdeadbeefU);
  EXPECT_EQ(hash_words(nullptr, 0, 0xdeadbeefU), 0xbd5b7ddeU);
}

// lookup3's own example: 30 bytes, here as words with two zero bytes behind them, so the length
// that goes into the hash is corrected by the seed.
TEST(NatAddress, TheHashOfManyWordsIsLookup3) {
  const std::string text = "Four score and seven years ago";
  std::array<std::uint32_t, 8> words{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    words[i / 4] |= static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])) << 8 * (i % 4);
  }
  EXPECT_EQ(hash_words(words.data(), words.size(), 0U - 2), 0x17770551U);
  EXPECT_EQ(hash_words(words.data(), words.size(), 1U - 2), 0xcd628161U);
}

// Three words that are left over, alone and behind three others (computed by another program, which
// gives the two values above as well).
TEST(NatAddress, TheLastThreeWordsAllCount) {
  const std::array<std::uint32_t, 6> words{0x72756f46, 0x6f637320, 0x61206572,
                                           0x7320646e, 0x6e657665, 0x61657920};
  EXPECT_EQ(hash_words(words.data(), 3, 1), 0x410477faU);
  EXPECT_EQ(hash_words(words.data(), 6, 0), 0x4eaa9b13U);
}

TEST(NatAddress, OneAddressNeedsNoHash) {
  CtTuple t = tuple("192.0.2.9", "198.51.100.9");
  choose_address(t, Manip::kSource, range("203.0.113.7", "203.0.113.7"), 0);
  EXPECT_EQ(t.source, Address::parse("203.0.113.7")->value);
  EXPECT_EQ(t.destination, Address::parse("198.51.100.9")->value);
  choose_address(t, Manip::kDestination, {}, 0);
  EXPECT_EQ(t.destination, Address::parse("198.51.100.9")->value);
}

TEST(NatAddress, APairKeepsItsAddressAndAllAreUsed) {
  const NatRange r = range("203.0.113.0", "203.0.113.7");
  std::set<u128> chosen;
  for (unsigned i = 0; i < 100; ++i) {
    CtTuple t = tuple("192.0.2.9", "198.51.100.0");
    t.source += i;
    CtTuple again = t;
    again.source_key = 77;  // ports have no say
    choose_address(t, Manip::kSource, r, 0);
    choose_address(again, Manip::kSource, r, 0);
    EXPECT_EQ(t.source, again.source);
    EXPECT_GE(t.source, r.addresses->low);
    EXPECT_LE(t.source, r.addresses->high);
    chosen.insert(t.source);
  }
  EXPECT_EQ(chosen.size(), 8U);
}

TEST(NatAddress, PersistentForgetsTheDestination) {
  NatRange r = range("203.0.113.0", "203.0.113.63");
  std::set<u128> by_pair, by_source;
  for (unsigned i = 0; i < 20; ++i) {
    for (const bool persistent : {false, true}) {
      r.persistent = persistent;
      CtTuple t = tuple("192.0.2.9", "198.51.100.0");
      t.destination += i;
      choose_address(t, Manip::kSource, r, 0);
      (persistent ? by_source : by_pair).insert(t.source);
    }
  }
  EXPECT_GT(by_pair.size(), 5U);
  EXPECT_EQ(by_source.size(), 1U);
}

TEST(NatAddress, WideRangesStayInBounds) {
  const NatRange r = range("2001:db8:1::50", "2001:db8:1::ffff:ffff");
  for (unsigned i = 0; i < 50; ++i) {
    CtTuple t = tuple("2001:db8:9::1", "2001:db8:8::1");
    t.source += i;
    choose_address(t, Manip::kSource, r, 0);
    EXPECT_GE(t.source, r.addresses->low);
    EXPECT_LE(t.source, r.addresses->high);
  }
}

}  // namespace
}  // namespace postern
