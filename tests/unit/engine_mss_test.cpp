// TCPMSS in the engine. Linux's word on the same: EngineCase.IsWhatLinuxDoes/TcpMss*.
#include <gtest/gtest.h>

#include "engine/tcp_mss.hpp"

namespace postern {
namespace {

class LowerMssTest : public testing::Test {
 protected:
  LowerMssTest() : world_(scenario()) {}

  static Scenario scenario() {
    Scenario made;
    made.interfaces = {{"lo", {}, 65536},
                       {"eth0", {{*Address::parse("192.0.2.1"), 24}}, 1500},
                       {"eth1", {{*Address::parse("198.51.100.1"), 24}}, 1400}};
    return made;
  }
  // The options afterwards; `alive_` tells whether the packet lives.
  Bytes lower(Bytes options, LowerMss how, Bytes payload = {}) {
    Packet packet;
    packet.source = *Address::parse("192.0.2.9");
    packet.destination = *Address::parse("198.51.100.9");
    packet.flags = tcp_flag::kSyn;
    packet.options = std::move(options);
    packet.payload = std::move(payload);
    traveller_ = {};
    original_ = packet;
    traveller_.view = view_of(original_);
    traveller_.out = *world_.device("eth1");
    alive_ = lower_mss(how, traveller_, world_);
    const auto now = traveller_.view.tcp_options;
    return {now.begin(), now.end()};
  }

  World world_;
  Packet original_;
  Traveller traveller_;
  bool alive_ = true;
};

TEST_F(LowerMssTest, LowersAndNeverRaises) {
  EXPECT_EQ(lower({2, 4, 5, 180}, {1000}), (Bytes{2, 4, 3, 232}));
  EXPECT_EQ(lower({2, 4, 1, 0}, {1000}), (Bytes{2, 4, 1, 0}));
  EXPECT_EQ(lower({1, 3, 3, 7, 2, 4, 5, 180}, {1000}), (Bytes{1, 3, 3, 7, 2, 4, 3, 232}));
}

TEST_F(LowerMssTest, AddsTheOptionWhereThereIsNone) {
  EXPECT_EQ(lower({}, {1000}), (Bytes{2, 4, 2, 24}));  // 536
  EXPECT_EQ(traveller_.view.length, 44U);
  EXPECT_EQ(lower({}, {200}), (Bytes{2, 4, 0, 200}));
  EXPECT_EQ(lower({}, {1000}, {1, 2}), Bytes{}) << "not before data";
  EXPECT_EQ(lower(Bytes(40, 1), {1000}), Bytes(40, 1)) << "no room";
}

TEST_F(LowerMssTest, TheSmallerOfBothWaysCounts) {
  EXPECT_EQ(lower({2, 4, 255, 255}, {}), (Bytes{2, 4, 5, 80}));  // 1400 - 40
}

TEST_F(LowerMssTest, WithoutAWholeHeaderItDrops) {
  original_ = {};
  original_.source = *Address::parse("192.0.2.9");
  original_.raw_l4 = Bytes(8, 0);
  traveller_.view = view_of(original_);
  EXPECT_FALSE(lower_mss({1000}, traveller_, world_));
}

}  // namespace
}  // namespace postern
