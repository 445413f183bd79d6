// SCTP associations: set-up, shutdown, verification tags, heartbeats (kernel-facts 25).
#include <gtest/gtest.h>

#include <vector>

#include "conntrack_packets.hpp"

namespace postern {
namespace {

using namespace test;
using namespace sctp_chunk;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kClient = 0xc0000209, kServer = 0xc6336409;

Bytes chunk(std::uint8_t type, std::uint32_t tag = 0, std::uint8_t flags = 0) {
  if (type != kInit && type != kInitAck) return {type, flags, 0, 4};
  Bytes bytes{type, 0, 0, 20};
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(tag >> shift));
  bytes.resize(20);
  return bytes;
}

struct SctpTest : testing::Test {
  ConntrackTable table;

  CtState send(bool from_client, std::uint32_t tag, const Bytes& chunks) {
    auto packet = plain_packet(protocol::kSctp, from_client ? kClient : kServer,
                               from_client ? kServer : kClient, from_client ? 5000 : 6000,
                               from_client ? 6000 : 5000);
    packet.verification_tag = tag;
    packet.sctp_chunks = chunks;
    return pass(table, packet).state;
  }
  std::string state() const {
    const auto report = table.report();
    return report.empty() ? "" : report.front().state;
  }
  void establish() {
    EXPECT_EQ(send(true, 0, chunk(kInit, 11)), CtState::kNew);
    EXPECT_EQ(state(), "CLOSED");
    EXPECT_EQ(send(false, 11, chunk(kInitAck, 22)), CtState::kEstablished);
    EXPECT_EQ(state(), "COOKIE_WAIT");
    EXPECT_EQ(send(true, 22, chunk(kCookieEcho)), CtState::kEstablished);
    EXPECT_EQ(state(), "COOKIE_ECHOED");
    EXPECT_EQ(send(false, 11, chunk(kCookieAck)), CtState::kEstablished);
    EXPECT_EQ(state(), "ESTABLISHED");
    EXPECT_TRUE(table.entries().front()->assured());
  }
};

// As the kernel writes it (sctp_conntracks, nf_conntrack_proto_sctp.c): a row for each chunk, a
// column for each state in the enum's order; "--": INVALID.
TEST(SctpTable, IsTheKernels) {
  struct Row {
    std::uint8_t chunk;
    std::array<std::string_view, 2> next;  // original, reply
  };
  const std::array<Row, 11> rows{{
      {kInit, {"CL CL CW CE ES CL CL SA CW", "-- CL CW CE ES SS SR SA --"}},
      {kInitAck, {"CL CL CW CE ES SS SR SA CL", "-- CW CW CE ES SS SR SA --"}},
      {kAbort, {"CL CL CL CL CL CL CL CL CL", "-- CL CL CL CL CL CL CL --"}},
      {kShutdown, {"CL CL CW CE SS SS SR SA CL", "-- CL CW CE SR SS SR SA --"}},
      {kShutdownAck, {"SA CL CW CE ES SA SA SA SA", "-- CL CW CE ES SA SA SA --"}},
      {kError, {"CL CL CW CE ES SS SR SA CL", "-- CL CW CL ES SS SR SA --"}},
      {kCookieEcho, {"CL CL CE CE ES SS SR SA CL", "-- CL CE CE ES SS SR SA --"}},
      {kCookieAck, {"CL CL CW ES ES SS SR SA CL", "-- CL CW ES ES SS SR SA --"}},
      {kShutdownComplete, {"CL CL CW CE ES SS SR CL CL", "-- CL CW CE ES SS SR CL --"}},
      {kHeartbeat, {"HS CL CW CE ES SS SR SA HS", "-- CL CW CE ES SS SR SA HS"}},
      {kHeartbeatAck, {"CL CL CW CE ES SS SR SA HS", "-- CL CW CE ES SS SR SA ES"}},
  }};
  constexpr std::string_view kStates = "-- CL CW CE ES SS SR SA HS";
  const auto name = [&](std::optional<SctpState> state) {
    return kStates.substr(state ? 3 * static_cast<std::size_t>(*state) : 0, 2);
  };
  for (const Row& row : rows) {
    EXPECT_TRUE(moves_sctp(row.chunk));
    for (const CtDirection direction : {CtDirection::kOriginal, CtDirection::kReply}) {
      std::string next;
      for (std::size_t from = 0; from < kSctpStateCount; ++from) {
        if (from != 0) next += ' ';
        next += name(sctp_next(static_cast<SctpState>(from), direction, row.chunk));
      }
      EXPECT_EQ(next, row.next[static_cast<std::size_t>(direction)]) << int{row.chunk};
    }
  }
  // Any other chunk leaves the state as it is, and begins nothing.
  for (const std::uint8_t chunk : {std::uint8_t{kData}, std::uint8_t{3}, std::uint8_t{12},
                                   std::uint8_t{13}, std::uint8_t{15}, std::uint8_t{255}}) {
    EXPECT_FALSE(moves_sctp(chunk)) << int{chunk};
    EXPECT_FALSE(sctp_next(SctpState::kNone, CtDirection::kOriginal, chunk)) << int{chunk};
    EXPECT_EQ(sctp_next(SctpState::kCookieWait, CtDirection::kReply, chunk),
              SctpState::kCookieWait);
  }
}

TEST_F(SctpTest, SetUpAndShutdown) {
  establish();
  EXPECT_EQ(send(true, 22, chunk(kData)), CtState::kEstablished);
  EXPECT_EQ(send(true, 22, chunk(kShutdown)), CtState::kEstablished);
  EXPECT_EQ(state(), "SHUTDOWN_SENT");
  EXPECT_EQ(send(false, 11, chunk(kShutdownAck)), CtState::kEstablished);
  EXPECT_EQ(state(), "SHUTDOWN_ACK_SENT");
  EXPECT_EQ(send(true, 22, chunk(kShutdownComplete)), CtState::kEstablished);
  EXPECT_EQ(state(), "CLOSED");
}

TEST_F(SctpTest, WrongTagIsInvalid) {
  establish();
  EXPECT_EQ(send(true, 23, chunk(kData)), CtState::kInvalid);
  EXPECT_EQ(send(true, 11, chunk(kAbort)), CtState::kInvalid);
  EXPECT_EQ(state(), "ESTABLISHED");
  EXPECT_EQ(send(true, 11, chunk(kAbort, 0, 1)), CtState::kEstablished);
  EXPECT_EQ(state(), "CLOSED");
}

TEST_F(SctpTest, OnlySomeChunksBegin) {
  for (int type = 0; type < 256; ++type) {
    table.flush();
    const auto byte = static_cast<std::uint8_t>(type);
    const bool begins =
        byte == kInit || byte == kHeartbeat || byte == kHeartbeatAck || byte == kShutdownAck;
    const std::uint32_t tag = byte == kInit ? 0 : 5;
    EXPECT_EQ(send(true, tag, chunk(byte, 9)), begins ? CtState::kNew : CtState::kInvalid) << type;
    if (!moves_sctp(byte)) {
      EXPECT_EQ(send(true, 0, chunk(byte)), CtState::kInvalid) << type;
    }
  }
}

TEST_F(SctpTest, InitMustBeAlone) {
  Bytes two = chunk(kInit, 9);
  const Bytes data = chunk(kData);
  two.insert(two.end(), data.begin(), data.end());
  EXPECT_EQ(send(true, 0, two), CtState::kInvalid);
  EXPECT_EQ(send(true, 0, {}), CtState::kInvalid);
  EXPECT_EQ(send(true, 0, {kInit, 0, 0, 0}), CtState::kInvalid);
}

TEST_F(SctpTest, HeartbeatsOpenASecondPath) {
  EXPECT_EQ(send(true, 5, chunk(kHeartbeat)), CtState::kNew);
  EXPECT_EQ(state(), "HEARTBEAT_SENT");
  EXPECT_EQ(send(false, 6, chunk(kData)), CtState::kInvalid);
  EXPECT_EQ(send(false, 6, chunk(kHeartbeatAck)), CtState::kEstablished);
  EXPECT_EQ(state(), "ESTABLISHED");
}

// A peer that began anew: its heartbeat has a tag that nobody knows, and the answer to it renews
// the tags of both sides (nf_conntrack_sctp_packet, HEARTBEAT_VTAG_FAILED).
TEST_F(SctpTest, AnAnsweredHeartbeatRenewsTheTags) {
  EXPECT_EQ(send(true, 5, chunk(kHeartbeat)), CtState::kNew);
  EXPECT_EQ(send(false, 6, chunk(kHeartbeatAck)), CtState::kEstablished);
  EXPECT_EQ(send(false, 8, chunk(kHeartbeatAck)), CtState::kInvalid);
  EXPECT_EQ(send(true, 7, chunk(kHeartbeat)), CtState::kEstablished);
  EXPECT_EQ(send(true, 7, chunk(kData)), CtState::kInvalid);
  EXPECT_EQ(send(false, 8, chunk(kHeartbeatAck)), CtState::kEstablished);
  EXPECT_EQ(send(false, 9, chunk(kHeartbeatAck)), CtState::kInvalid);  // one answer for each
  EXPECT_EQ(send(false, 6, chunk(kData)), CtState::kInvalid);
  EXPECT_EQ(send(false, 8, chunk(kData)), CtState::kEstablished);
  EXPECT_EQ(send(true, 5, chunk(kData)), CtState::kInvalid);
  EXPECT_EQ(send(true, 7, chunk(kHeartbeat)), CtState::kEstablished);
  EXPECT_EQ(send(true, 7, chunk(kData)), CtState::kEstablished);
}

}  // namespace
}  // namespace postern
