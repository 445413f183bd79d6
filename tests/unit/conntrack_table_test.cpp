// The data of lib/flow/conntrack*.hpp against facts stated another way (kernel-facts 30, 39, 41).
#include <gtest/gtest.h>

#include <set>

#include "flow/conntrack.hpp"
#include "flow/conntrack_tcp.hpp"

namespace postern {
namespace {

TEST(ConntrackTable, NineOfThirtyTwoFlagSetsAreValid) {
  int valid = 0;
  for (int flags = 0; flags < 256; ++flags) {
    const auto byte = static_cast<std::uint8_t>(flags);
    const auto bare =
        static_cast<std::uint8_t>(flags & ~(tcp_flag::kPsh | tcp_flag::kEce | tcp_flag::kCwr));
    EXPECT_EQ(tcp_flags_valid(byte), tcp_flags_valid(bare)) << flags;
    EXPECT_EQ(tcp_segment(byte), tcp_segment(bare)) << flags;
    if (byte == bare && tcp_flags_valid(byte)) ++valid;
  }
  EXPECT_EQ(valid, 9);
}

TEST(ConntrackTable, NamesOfStatesReadBack) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kTcpStateCount; ++i) {
    const auto state = static_cast<TcpState>(i);
    names.insert(text(state));
    EXPECT_EQ(tcp_state(text(state)), state);
  }
  EXPECT_EQ(names.size(), kTcpStateCount);
  EXPECT_EQ(tcp_state("SYN_SENT3"), std::nullopt);
}

TEST(ConntrackTable, ResetsCloseAndNothingInvalidMoves) {
  for (std::size_t s = 1; s < kTcpStateCount; ++s) {
    for (const auto direction : {CtDirection::kOriginal, CtDirection::kReply}) {
      const auto& reset = tcp_cell(static_cast<TcpState>(s), direction, TcpSegment::kRst);
      EXPECT_EQ(reset, (TcpCell{TcpCell::Kind::kMove, TcpState::kClose}));
    }
  }
  EXPECT_EQ(tcp_cell(TcpState::kFinWait, CtDirection::kReply, TcpSegment::kAck).next,
            TcpState::kCloseWait);
  EXPECT_EQ(tcp_cell(TcpState::kSynSent, CtDirection::kReply, TcpSegment::kAck).kind,
            TcpCell::Kind::kIgnore);
}

TEST(ConntrackTable, IcmpClasses) {
  int requests = 0, replies = 0;
  for (const auto family : {Family::kIpv4, Family::kIpv6}) {
    for (int type = 0; type < 256; ++type) {
      const auto byte = static_cast<std::uint8_t>(type);
      const auto kind = icmp_class(family, byte);
      const auto counterpart = icmp_counterpart(family, byte);
      requests += kind == IcmpClass::kRequest;
      replies += kind == IcmpClass::kReply;
      EXPECT_EQ(counterpart.has_value(), kind == IcmpClass::kRequest || kind == IcmpClass::kReply);
      if (counterpart) {
        EXPECT_EQ(icmp_counterpart(family, *counterpart), byte);
      }
    }
  }
  EXPECT_EQ(requests, 6);
  EXPECT_EQ(replies, 6);
  EXPECT_EQ(icmp_class(Family::kIpv4, 9), IcmpClass::kOther);
  EXPECT_EQ(icmp_class(Family::kIpv6, 135), IcmpClass::kUntracked);
  EXPECT_EQ(icmp_class(Family::kIpv6, 137), IcmpClass::kOther);
}

}  // namespace
}  // namespace postern
