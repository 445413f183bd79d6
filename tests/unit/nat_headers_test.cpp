// lib/engine/nat_headers: what NAT writes into packets, their checksums and their quotations.
#include "engine/nat_headers.hpp"

#include <gtest/gtest.h>

#include "scenario/serialise.hpp"

namespace postern {
namespace {

Address a(const char* text) { return *Address::parse(text); }

Packet packet(std::uint8_t number) {
  Packet p;
  p.source = a("192.0.2.9");
  p.destination = a("198.51.100.9");
  p.protocol = number;
  p.source_port = 5000;
  p.destination_port = 80;
  p.payload = {1, 2, 3};
  return p;
}

CtTuple to(const char* from, std::uint16_t source_key, const char* dst, std::uint16_t key) {
  CtTuple t;
  t.source = a(from).value;
  t.destination = a(dst).value;
  t.source_key = source_key;
  t.destination_key = key;
  return t;
}

// The packet given as its bytes, which NAT must patch to the same result.
Packet as_bytes(const Packet& p, bool layer4_only) {
  Packet made = p;
  const Bytes bytes = to_bytes(p);
  if (layer4_only) {
    made.raw_l4 = Bytes(bytes.begin() + 20, bytes.end());
  } else {
    made.raw = bytes;
  }
  return made;
}

TEST(NatHeaders, EachHalfIsWrittenAlone) {
  for (const std::uint8_t number : {protocol::kTcp, protocol::kUdp, protocol::kSctp}) {
    CtTuple t = to("10.0.0.1", 7, "10.0.0.2", 8);
    t.protocol = number;
    const Packet source = translated(packet(number), Manip::kSource, t);
    EXPECT_EQ(source.source.text(), "10.0.0.1");
    EXPECT_EQ(source.source_port, 7);
    EXPECT_EQ(source.destination.text(), "198.51.100.9");
    EXPECT_EQ(source.destination_port, 80);
    const Packet destination = translated(packet(number), Manip::kDestination, t);
    EXPECT_EQ(destination.source_port, 5000);
    EXPECT_EQ(destination.destination.text(), "10.0.0.2");
    EXPECT_EQ(destination.destination_port, 8);
  }
}

TEST(NatHeaders, BytesAreThoseOfTheTranslatedPacket) {
  for (const std::uint8_t number : {protocol::kTcp, protocol::kUdp, protocol::kUdplite,
                                    protocol::kSctp, protocol::kIcmp, std::uint8_t{253}}) {
    for (const Manip manip : {Manip::kSource, Manip::kDestination}) {
      CtTuple t = to("10.0.0.1", 7, "10.0.0.2", 8);
      t.protocol = number;
      Packet p = packet(number);
      p.type = 8;
      p.code = 5;  // no part of what is a query
      const Bytes expected = to_bytes(translated(p, manip, t));
      EXPECT_EQ(to_hex(to_bytes(translated(as_bytes(p, true), manip, t))), to_hex(expected))
          << int{number};
      EXPECT_EQ(to_hex(to_bytes(translated(as_bytes(p, false), manip, t))), to_hex(expected))
          << int{number};
    }
  }
}

TEST(NatHeaders, IcmpQueriesHaveTheirIdOthersNothing) {
  Packet p = packet(protocol::kIcmp);
  p.icmp_id = 5;
  CtTuple t = to("10.0.0.1", 7, "10.0.0.2", 8);
  t.protocol = protocol::kIcmp;
  p.type = 8;
  EXPECT_EQ(translated(p, Manip::kDestination, t).icmp_id, 7);
  p.type = 3;
  EXPECT_EQ(translated(p, Manip::kDestination, t).icmp_id, 5);
}

TEST(NatHeaders, BytesOfAnIcmpErrorKeepWhatStandsWhereQueriesHaveTheirId) {
  Packet p = packet(protocol::kIcmp);
  p.type = 3;
  p.icmp_id = 5;
  CtTuple t = to("10.0.0.1", 7, "10.0.0.2", 8);
  t.protocol = protocol::kIcmp;
  const Packet bytes = as_bytes(p, true);
  EXPECT_EQ(*translated(bytes, Manip::kSource, t).raw_l4, *bytes.raw_l4);
}

TEST(NatHeaders, AWrongChecksumStaysWrongButForSctp) {
  for (const std::uint8_t number : {protocol::kUdp, protocol::kSctp}) {
    Packet p = packet(number);
    p.bad_checksum = true;
    CtTuple t = to("10.0.0.1", 7, "10.0.0.2", 8);
    t.protocol = number;
    EXPECT_EQ(translated(p, Manip::kSource, t).bad_checksum, number == protocol::kUdp);
  }
}

// NAT does not write DCCP's checksum, which holds on where the addresses sum up to the same.
TEST(NatHeaders, DccpKeepsItsChecksum) {
  CtTuple t = to("192.0.2.9", 5000, "198.51.100.10", 80);
  t.protocol = protocol::kDccp;
  EXPECT_TRUE(translated(packet(protocol::kDccp), Manip::kDestination, t).bad_checksum);
  t.destination = a("198.52.100.8").value;  // one more, one less
  EXPECT_FALSE(translated(packet(protocol::kDccp), Manip::kDestination, t).bad_checksum);
  Packet zeros = packet(protocol::kDccp), ones = zeros;
  zeros.destination = a("0.0.0.0");
  ones.destination = a("255.255.0.0");
  EXPECT_EQ(address_sum(zeros), address_sum(ones));
}

TEST(NatHeaders, LaterFragmentsHaveNoPorts) {
  Packet p = packet(protocol::kUdp);
  p.fragment_offset = 8;
  p.raw_l4 = Bytes{1, 2, 3, 4, 5, 6, 7, 8};
  CtTuple t = to("10.0.0.1", 7, "10.0.0.2", 8);
  t.protocol = protocol::kUdp;
  const Packet made = translated(p, Manip::kSource, t);
  EXPECT_EQ(made.source.text(), "10.0.0.1");
  EXPECT_EQ(*made.raw_l4, *p.raw_l4);
}

TEST(NatHeaders, AnErrorIsTranslatedWithItsQuotation) {
  // 192.0.2.9:5000 -> 198.51.100.9:80 left as 10.0.0.1:7; a router complains about that.
  CtTuple original = to("192.0.2.9", 5000, "198.51.100.9", 80);
  original.protocol = protocol::kUdp;
  Packet inner = packet(protocol::kUdp);
  inner.source = a("10.0.0.1");
  inner.source_port = 7;
  Packet error;
  error.source = a("203.0.113.1");
  error.destination = a("10.0.0.1");
  error.protocol = protocol::kIcmp;
  error.type = 3;
  error.inner = std::make_shared<const Packet>(inner);
  const auto made = translated_error(error, Manip::kDestination, original);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->source.text(), "203.0.113.1");
  EXPECT_EQ(made->destination.text(), "192.0.2.9");
  EXPECT_EQ(made->inner->source.text(), "192.0.2.9");
  EXPECT_EQ(made->inner->source_port, 5000);
  EXPECT_EQ(made->inner->destination.text(), "198.51.100.9");
  error.inner_length = 24;  // the ports are there, but not eight bytes
  EXPECT_FALSE(translated_error(error, Manip::kDestination, original));
  error.inner_length = 27;
  EXPECT_FALSE(translated_error(error, Manip::kDestination, original));
  error.inner_length = 28;
  EXPECT_TRUE(translated_error(error, Manip::kDestination, original));
}

TEST(NatHeaders, AnErrorFromTheTranslatedDestinationSpeaksForTheOneAsked) {
  // 192.0.2.9:5000 -> 198.51.100.9:80 arrived at 10.0.0.2:8080, which complains.
  CtTuple original = to("192.0.2.9", 5000, "198.51.100.9", 80);
  original.protocol = protocol::kUdp;
  Packet inner = packet(protocol::kUdp);
  inner.destination = a("10.0.0.2");
  inner.destination_port = 8080;
  Packet error;
  error.source = a("10.0.0.2");
  error.destination = a("192.0.2.9");
  error.protocol = protocol::kIcmp;
  error.type = 3;
  error.inner = std::make_shared<const Packet>(inner);
  const auto made = translated_error(error, Manip::kSource, original);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->source.text(), "198.51.100.9");
  EXPECT_EQ(made->destination.text(), "192.0.2.9");
  EXPECT_EQ(made->inner->source.text(), "192.0.2.9");
  EXPECT_EQ(made->inner->destination.text(), "198.51.100.9");
  EXPECT_EQ(made->inner->destination_port, 80);
}

}  // namespace
}  // namespace postern
