// lib/engine/view and fragments: what the flat view says must be what the bytes on the wire say.
#include <gtest/gtest.h>

#include "engine/fragments.hpp"
#include "engine/view.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

Packet base(std::uint8_t number, bool v6 = false) {
  Packet p;
  p.source = *Address::parse(v6 ? "2001:db8::9" : "192.0.2.9");
  p.destination = *Address::parse(v6 ? "2001:db8::1" : "192.0.2.1");
  p.protocol = number;
  p.source_port = 5000;
  p.destination_port = 53;
  p.type = 8;
  p.payload = {1, 2, 3};
  p.chunks = {1, 0, 0, 4};
  return p;
}

TEST(EngineView, LengthIsTheSerialisedLength) {
  for (const bool v6 : {false, true}) {
    for (const int number : {1, 6, 17, 33, 47, 58, 99, 132, 136}) {
      Packet p = base(static_cast<std::uint8_t>(number), v6);
      EXPECT_EQ(view_of(p).length, to_bytes(p).size()) << number << v6;
      p.options = {2, 4, 5, 180, 1};
      p.more_fragments = true;
      EXPECT_EQ(view_of(p).length, to_bytes(p).size()) << number << v6;
      p.inner = std::make_shared<Packet>(base(17, v6));
      EXPECT_EQ(view_of(p).length, to_bytes(p).size()) << number << v6;
      p.inner_length = 500;
      EXPECT_EQ(view_of(p).length, to_bytes(p).size()) << number << v6;
    }
  }
}

TEST(EngineView, AbsentHeadersReadAsZero) {
  Packet p = base(17);
  p.fragment_offset = 16;
  EXPECT_EQ(view_of(p).destination_port, 0);
  EXPECT_EQ(view_of(p).fragment_offset, 2);
  EXPECT_FALSE(view_of(p).truncated);
  p = base(47);
  EXPECT_EQ(view_of(p).source_port, 0);
}

TEST(EngineView, BytesAreDissected) {
  Packet p = base(17);
  p.raw_l4 = Bytes{0x13, 0x88, 0, 53, 0, 9, 0, 0, 7};
  Packet read = readable(p);
  EXPECT_EQ(view_of(read).destination_port, 53);
  EXPECT_FALSE(view_of(read).truncated);
  EXPECT_FALSE(view_of(read).bad_length);
  p.raw_l4 = Bytes{0x13, 0x88, 0, 53, 0, 99, 0, 0, 7};
  read = readable(p);
  EXPECT_TRUE(view_of(read).bad_length);
  p.raw_l4 = Bytes{0x13, 0x88, 0, 53};
  read = readable(p);
  EXPECT_TRUE(view_of(read).truncated);
  EXPECT_EQ(view_of(read).destination_port, 0);
}

// What stands behind an extension header is the protocol of a quoted packet, too.
TEST(EngineView, QuotedBytesAreDissected) {
  Packet quoted;
  quoted.source = *Address::parse("2001:db8::1");
  quoted.destination = *Address::parse("2001:db8::2");
  quoted.protocol = 60;
  quoted.raw_l4 = Bytes{253, 0, 1, 4, 0, 0, 0, 0, 0x33};
  Packet error;
  error.source = quoted.destination;
  error.destination = quoted.source;
  error.protocol = protocol::kIcmpv6;
  error.type = 1;
  error.inner = std::make_shared<const Packet>(quoted);
  const Packet read = readable(error);
  EXPECT_EQ(view_of(*read.inner).protocol, 253);
  EXPECT_EQ(to_bytes(read), to_bytes(error));
}

TEST(EngineFragments, CutAndJoined) {
  for (const bool v6 : {false, true}) {
    Packet p = base(17, v6);
    p.payload.assign(100, 7);
    p.fragment_size = 24;
    p.ip_id = 77;
    std::vector<Packet> pieces = cut(p);
    ASSERT_EQ(pieces.size(), 5U);
    std::swap(pieces[1], pieces[3]);
    Reassembler reassembler;
    std::optional<Packet> whole;
    for (const Packet& piece : pieces) {
      EXPECT_FALSE(whole);
      whole = reassembler.add(piece);
    }
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->fragment_size, 24);
    EXPECT_EQ(whole->payload, p.payload);
    EXPECT_EQ(view_of(*whole).destination_port, 53);
    EXPECT_EQ(view_of(*whole).length, to_bytes(p).size());
    EXPECT_EQ(cut(*whole).size(), 5U);
    // Another datagram with the same identification.
    whole.reset();
    for (const Packet& piece : pieces) {
      EXPECT_FALSE(whole);
      whole = reassembler.add(piece);
    }
    EXPECT_TRUE(whole);
  }
}

Packet piece_of(std::uint16_t from, std::uint16_t to, bool last = false) {
  Packet p = base(17);
  p.ip_id = 5;
  p.fragment_offset = from;
  p.more_fragments = !last;
  p.raw_l4 = Bytes(to - from, 7);
  return p;
}

// Whether the last of these pieces completes the datagram.
bool joins(const std::vector<Packet>& pieces) {
  Reassembler reassembler;
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) EXPECT_FALSE(reassembler.add(pieces[i])) << i;
  return reassembler.add(pieces.back()).has_value();
}

TEST(EngineFragments, WhatCameAlreadyIsLeftOut) {
  EXPECT_TRUE(joins({piece_of(0, 16), piece_of(0, 16), piece_of(16, 24, true)}));
  EXPECT_TRUE(joins({piece_of(0, 16), piece_of(0, 8), piece_of(8, 16), piece_of(16, 24, true)}));
  // Also what lies across two pieces that came one behind the other ...
  EXPECT_TRUE(joins({piece_of(0, 16), piece_of(16, 32), piece_of(8, 24), piece_of(32, 40, true)}));
  // ... but not if the later came first.
  EXPECT_FALSE(joins({piece_of(16, 32), piece_of(0, 16), piece_of(8, 24), piece_of(32, 40, true)}));
}

TEST(EngineFragments, OverlapEmptiesTheQueue) {
  EXPECT_FALSE(joins({piece_of(0, 16), piece_of(8, 24), piece_of(16, 32), piece_of(32, 40, true)}));
  EXPECT_FALSE(joins({piece_of(8, 24), piece_of(0, 16), piece_of(24, 40, true)}));
}

// What is not in the bytes stays with the packet.
TEST(EngineView, ReadableKeepsWhatTheBytesDoNotSay) {
  Packet p = base(protocol::kUdp);
  p.raw = to_bytes(p);
  p.name = "first";
  p.in = "eth0";
  p.out_interface = "eth1";
  p.uid = 7;
  p.gid = 8;
  p.mark = 9;
  p.fragment_size = 16;
  const Packet read = readable(p);
  EXPECT_FALSE(read.raw);
  EXPECT_EQ(read.name, "first");
  EXPECT_EQ(read.in, "eth0");
  EXPECT_EQ(read.out_interface, "eth1");
  EXPECT_EQ(read.uid, 7U);
  EXPECT_EQ(read.gid, 8U);
  EXPECT_EQ(read.mark, 9U);
  EXPECT_EQ(read.fragment_size, 16);
}

}  // namespace
}  // namespace postern
