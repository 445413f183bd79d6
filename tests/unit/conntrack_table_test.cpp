// The data of lib/flow/conntrack*.hpp against facts stated another way (kernel-facts 30, 39, 41).
#include <gtest/gtest.h>

#include <array>
#include <map>
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

// The whole table, by columns: for each segment the cells of all states in the enum's order, NONE,
// SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2
// (kernel-facts, appendix; 31-34).
TEST(ConntrackTable, ColumnsAsMeasured) {
  constexpr std::array<std::array<std::string_view, kTcpSegmentCount>, 2> kColumns{{
      {"-- SS .. .. .. .. .. SS SS S2",   // SYN
       "-- -- SR -- -- -- -- -- -- SR",   // SYN/ACK
       "-- -- FW FW LA LA LA TW CL --",   // FIN
       "-- -- ES ES CW CW TW TW CL --",   // ACK
       "-- CL CL CL CL CL CL CL CL CL"},  // RST
      {"-- S2 -- -- -- -- -- SS -- S2",   //
       "-- SR .. .. .. .. .. .. .. SR",   //
       "-- -- FW FW LA LA LA TW CL --",   //
       "-- .. SR ES CW CW TW TW CL ..",   //
       "-- CL CL CL CL CL CL CL CL CL"},
  }};
  const auto expected = [&](std::size_t state, std::size_t side, std::size_t segment) -> TcpCell {
    if (state == 0 && side == 0 && segment == 0) return {TcpCell::Kind::kMove, TcpState::kSynSent};
    if (state == 0 && side == 0 && segment == 3) {
      return {TcpCell::Kind::kMove, TcpState::kEstablished};
    }
    const std::string_view word = kColumns[side][segment].substr(3 * state, 2);
    if (word == "..") return {TcpCell::Kind::kIgnore, TcpState::kNone};
    if (word == "--") return {TcpCell::Kind::kInvalid, TcpState::kNone};
    constexpr std::string_view kInitials = "noSSSRESFWCWLATWCLS2";
    for (std::size_t i = 0; i < kTcpStateCount; ++i) {
      if (kInitials.substr(2 * i, 2) == word) {
        return {TcpCell::Kind::kMove, static_cast<TcpState>(i)};
      }
    }
    ADD_FAILURE() << word;
    return {};
  };
  for (std::size_t state = 0; state < kTcpStateCount; ++state) {
    for (const std::size_t side : {0U, 1U}) {
      for (std::size_t segment = 0; segment < kTcpSegmentCount; ++segment) {
        EXPECT_EQ(tcp_cell(static_cast<TcpState>(state), static_cast<CtDirection>(side),
                           static_cast<TcpSegment>(segment)),
                  expected(state, side, segment))
            << text(static_cast<TcpState>(state)) << " side " << side << " segment " << segment;
      }
    }
  }
}

// RST wins over SYN, SYN over FIN, FIN over ACK.
TEST(ConntrackTable, Segments) {
  using namespace tcp_flag;
  EXPECT_EQ(tcp_segment(kSyn), TcpSegment::kSyn);
  EXPECT_EQ(tcp_segment(kSyn | kUrg), TcpSegment::kSyn);
  EXPECT_EQ(tcp_segment(kSyn | kAck), TcpSegment::kSynAck);
  EXPECT_EQ(tcp_segment(kFin | kAck), TcpSegment::kFin);
  EXPECT_EQ(tcp_segment(kFin | kAck | kUrg), TcpSegment::kFin);
  EXPECT_EQ(tcp_segment(kAck), TcpSegment::kAck);
  EXPECT_EQ(tcp_segment(kAck | kUrg), TcpSegment::kAck);
  EXPECT_EQ(tcp_segment(kRst), TcpSegment::kRst);
  EXPECT_EQ(tcp_segment(kRst | kAck), TcpSegment::kRst);
}

TEST(ConntrackTable, TrackersAndTheirPorts) {
  const std::map<int, Tracker> trackers{
      {6, Tracker::kTcp},     {17, Tracker::kUdp},   {136, Tracker::kUdplite}, {1, Tracker::kIcmp},
      {58, Tracker::kIcmpv6}, {132, Tracker::kSctp}, {47, Tracker::kGre},
  };
  for (int number = 0; number < 256; ++number) {
    const auto known = trackers.find(number);
    EXPECT_EQ(tracker_of(static_cast<std::uint8_t>(number)),
              known == trackers.end() ? Tracker::kGeneric : known->second)
        << number;
  }
  for (std::size_t i = 0; i < kTrackerCount; ++i) {
    const auto tracker = static_cast<Tracker>(i);
    const bool ports = tracker == Tracker::kTcp || tracker == Tracker::kUdp ||
                       tracker == Tracker::kUdplite || tracker == Tracker::kSctp;
    EXPECT_EQ(has_ports(tracker), ports) << i;
  }
}

// kernel-facts 25, 37-39: the defaults of a kernel that nobody has set up.
TEST(ConntrackTable, Defaults) {
  const ConntrackTimeouts timeouts;
  const std::array<std::uint32_t, kTcpStateCount> tcp{0,  120, 60,  432000, 120,
                                                      60, 30,  120, 10,     120};
  EXPECT_EQ(timeouts.tcp, tcp);
  EXPECT_EQ(timeouts.tcp_max_retrans, 300U);
  EXPECT_EQ(timeouts.tcp_unacknowledged, 300U);
  EXPECT_EQ(timeouts.udp, 30U);
  EXPECT_EQ(timeouts.udp_stream, 120U);
  EXPECT_EQ(timeouts.icmp, 30U);
  EXPECT_EQ(timeouts.icmpv6, 30U);
  EXPECT_EQ(timeouts.generic, 600U);
  EXPECT_EQ(timeouts.gre, 30U);
  EXPECT_EQ(timeouts.gre_stream, 180U);
  EXPECT_EQ(timeouts.sctp_closed, 10U);
  EXPECT_EQ(timeouts.sctp_cookie_wait, 3U);
  EXPECT_EQ(timeouts.sctp_cookie_echoed, 3U);
  EXPECT_EQ(timeouts.sctp_established, 210U);
  EXPECT_EQ(timeouts.sctp_shutdown_sent, 3U);
  EXPECT_EQ(timeouts.sctp_shutdown_received, 3U);
  EXPECT_EQ(timeouts.sctp_shutdown_ack_sent, 3U);
  EXPECT_EQ(timeouts.sctp_heartbeat_sent, 30U);
  const ConntrackConfig config;
  EXPECT_TRUE(config.tcp_loose);
  EXPECT_FALSE(config.tcp_be_liberal);
  EXPECT_FALSE(config.tcp_ignore_invalid_rst);
  EXPECT_EQ(config.tcp_max_retrans, 3U);
  EXPECT_TRUE(config.checksum);
  EXPECT_EQ(kUdpStreamAfterMilliseconds, 2000U);
}

// kernel-facts 39-41, type by type.
TEST(ConntrackTable, IcmpTypesOneByOne) {
  const std::set<int> requests{8, 13, 15, 17}, replies{0, 14, 16, 18}, errors{3, 4, 5, 11, 12};
  const std::set<int> untracked6{130, 131, 132, 133, 134, 135, 136, 143, 151, 152};
  for (int type = 0; type < 256; ++type) {
    const auto byte = static_cast<std::uint8_t>(type);
    EXPECT_EQ(icmp_class(Family::kIpv4, byte), requests.contains(type)  ? IcmpClass::kRequest
                                               : replies.contains(type) ? IcmpClass::kReply
                                               : errors.contains(type)  ? IcmpClass::kError
                                                                        : IcmpClass::kOther)
        << type;
    EXPECT_EQ(icmp_class(Family::kIpv6, byte), type == 128 || type == 139   ? IcmpClass::kRequest
                                               : type == 129 || type == 140 ? IcmpClass::kReply
                                               : type < 128                 ? IcmpClass::kError
                                               : untracked6.contains(type)  ? IcmpClass::kUntracked
                                                                            : IcmpClass::kOther)
        << type;
  }
  EXPECT_EQ(icmp_counterpart(Family::kIpv4, 13), 14);
  EXPECT_EQ(icmp_counterpart(Family::kIpv6, 128), 129);
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
