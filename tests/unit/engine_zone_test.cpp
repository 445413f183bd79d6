// Zones in the conntrack table: what is looked up where (kernel-facts 24). Linux's word on the same
// is tests/kernel/zone_test.cpp.
#include <gtest/gtest.h>

#include "conntrack_packets.hpp"

namespace postern {
namespace {

using Direction = AttachTemplate::Direction;

constexpr std::uint32_t kA = 0xc0000209, kB = 0xc6336409;

PacketView udp(std::uint32_t source, std::uint32_t destination) {
  return test::plain_packet(protocol::kUdp, source, destination, source == kA ? 5000 : 53,
                            source == kA ? 53 : 5000);
}

AttachTemplate zone(std::uint16_t id, Direction direction = Direction::kBoth) {
  AttachTemplate request;
  request.zone = id;
  request.zone_direction = direction;
  return request;
}

class EngineZone : public testing::Test {
 protected:
  Attachment send(const PacketView& packet, const AttachTemplate& request) {
    Attachment attachment;
    table_.track(packet, Hook::kPrerouting, attachment, &request);
    confirmed_ = table_.confirm(attachment);
    return attachment;
  }
  ConntrackTable table_;
  bool confirmed_ = false;
};

TEST_F(EngineZone, BothDirectionsNeedTheSameZone) {
  EXPECT_EQ(send(udp(kA, kB), zone(1)).state, CtState::kNew);
  EXPECT_EQ(send(udp(kB, kA), zone(2)).state, CtState::kNew);
  EXPECT_EQ(send(udp(kB, kA), zone(1)).state, CtState::kEstablished);
  EXPECT_EQ(table_.size(), 2U);
  EXPECT_EQ(table_.report()[0].zone, 1);
}

TEST_F(EngineZone, AOneWayZoneLeavesTheOtherDirectionInTheDefaultZone) {
  const Attachment first = send(udp(kA, kB), zone(7, Direction::kOriginal));
  EXPECT_EQ(first.entry->zone(), (ConntrackZone{7, 0}));
  EXPECT_EQ(send(udp(kB, kA), zone(0)).entry, first.entry);
  EXPECT_NE(send(udp(kA, kB), zone(0)).entry, first.entry);
  EXPECT_FALSE(confirmed_) << "its answers would be the first flow's";
}

TEST_F(EngineZone, AZoneOfTheReplyIsFoundByItsOwnRuleOnly) {
  const Attachment first = send(udp(kA, kB), zone(7, Direction::kReply));
  EXPECT_EQ(send(udp(kB, kA), zone(7)).entry, first.entry);
  EXPECT_EQ(send(udp(kB, kA), zone(0)).state, CtState::kNew);
}

TEST_F(EngineZone, TheMarkGivesItsLowerHalf) {
  AttachTemplate request;
  request.zone_from_mark = true;
  PacketView packet = udp(kA, kB);
  packet.mark = 0x10005;
  EXPECT_EQ(send(packet, request).entry->zone().id(), 5);
}

TEST_F(EngineZone, AnErrorIsRelatedWithinItsZone) {
  Packet quoted;
  quoted.source = *Address::parse("192.0.2.9");
  quoted.destination = *Address::parse("198.51.100.9");
  quoted.protocol = protocol::kUdp;
  send(view_of(quoted), zone(1));
  Packet error;
  error.source = quoted.destination;
  error.destination = quoted.source;
  error.protocol = protocol::kIcmp;
  error.type = 3;
  error.inner = std::make_shared<const Packet>(quoted);
  EXPECT_EQ(send(view_of(error), zone(1)).state, CtState::kRelated);
  EXPECT_EQ(send(view_of(error), zone(2)).state, CtState::kInvalid);
}

TEST_F(EngineZone, WhatEndsLeavesTheOtherOwnerOfItsTuple) {
  const Attachment first = send(udp(kA, kB), zone(7, Direction::kOriginal));
  const Attachment second = send(udp(kB, kA), zone(7, Direction::kReply));
  ASSERT_TRUE(confirmed_);
  ASSERT_NE(first.entry, second.entry);
  table_.erase(first.entry);
  EXPECT_EQ(table_.size(), 1U);
  EXPECT_EQ(send(udp(kB, kA), zone(0)).entry, second.entry);
}

}  // namespace
}  // namespace postern
