// Packets as bytes: round trips, checksums judged by libtins (an independent reader), fragments,
// pcap.
#include <gtest/gtest.h>
#include <tins/tins.h>

#include <fstream>
#include <random>
#include <sstream>

#include "net/protocol.hpp"
#include "scenario/result.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

Packet base(bool v6, std::uint8_t protocol) {
  Packet p;
  p.source = *Address::parse(v6 ? "2001:db8::1" : "192.0.2.9");
  p.destination = *Address::parse(v6 ? "2001:db8:ffff::2" : "198.51.100.77");
  p.protocol = protocol;
  p.source_port = 4321;
  p.destination_port = 80;
  return p;
}

// Bytes that libtins, having read them, writes again with its own lengths and checksums.
Bytes through_libtins(const Bytes& bytes, bool v6) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  if (v6) return Tins::IPv6(bytes.data(), size).serialize();
  return Tins::IP(bytes.data(), size).serialize();
}

TEST(ScenarioBytes, LibtinsFindsNothingToRepair) {
  for (const bool v6 : {false, true}) {
    for (const std::uint8_t protocol :
         {protocol::kTcp, protocol::kUdp, v6 ? protocol::kIcmpv6 : protocol::kIcmp}) {
      Packet p = base(v6, protocol);
      p.flags = tcp_flag::kSyn;
      p.type = v6 ? 128 : 8;
      p.icmp_id = 7;
      p.payload = {1, 2, 3, 4, 5};
      EXPECT_EQ(to_hex(through_libtins(to_bytes(p), v6)), to_hex(to_bytes(p)))
          << (v6 ? "IPv6 " : "IPv4 ") << int{protocol};
      p.bad_checksum = true;
      EXPECT_NE(to_hex(through_libtins(to_bytes(p), v6)), to_hex(to_bytes(p)))
          << "a bad checksum must be bad: " << int{protocol};
    }
  }
}

TEST(ScenarioBytes, LibtinsReadsTheTcpFields) {
  Packet p = base(false, protocol::kTcp);
  p.flags = tcp_flag::kSyn | tcp_flag::kEce;
  p.seq = 0x01020304;
  p.ack = 0x05060708;
  p.window = 4096;
  p.options = {2, 4, 5, 0xb4, 1};
  p.ttl = 3;
  const Bytes bytes = to_bytes(p);
  const Tins::IP ip(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  const auto& tcp = ip.rfind_pdu<Tins::TCP>();
  EXPECT_EQ(ip.ttl(), 3);
  EXPECT_EQ(ip.src_addr().to_string(), "192.0.2.9");
  EXPECT_EQ(tcp.sport(), 4321);
  EXPECT_EQ(tcp.dport(), 80);
  EXPECT_EQ(tcp.seq(), 0x01020304u);
  EXPECT_EQ(tcp.ack_seq(), 0x05060708u);
  EXPECT_EQ(tcp.window(), 4096);
  EXPECT_EQ(tcp.mss(), 1460);
  EXPECT_EQ(tcp.flags(), Tins::TCP::SYN | Tins::TCP::ECE);
}

TEST(ScenarioBytes, KnownSctpChecksum) {
  // RFC 3720 B.4: the CRC32C of 32 zero bytes, in the order in which it goes on the wire.
  EXPECT_EQ(sctp_checksum(Bytes(32, 0)), 0xaa36918au);
}

TEST(ScenarioBytes, ParsingGivesTheSameBytesAndFields) {
  for (const bool v6 : {false, true}) {
    for (const std::uint8_t protocol :
         {protocol::kTcp, protocol::kUdp, protocol::kUdplite, protocol::kSctp, protocol::kGre,
          protocol::kDccp, protocol::kEsp, v6 ? protocol::kIcmpv6 : protocol::kIcmp}) {
      Packet p = base(v6, protocol);
      p.payload = {9, 8, 7};
      p.tos = 0x10;
      p.type = v6 ? 129 : 0;
      p.gre_key = 5;
      p.verification_tag = 77;
      const auto parsed = from_bytes(to_bytes(p));
      ASSERT_TRUE(parsed);
      EXPECT_FALSE(parsed->raw) << int{protocol};
      EXPECT_EQ(to_hex(to_bytes(*parsed)), to_hex(to_bytes(p))) << int{protocol};
      EXPECT_EQ(parsed->tos, 0x10);
      EXPECT_EQ(parsed->source, p.source);
      EXPECT_EQ(parsed->destination, p.destination);
    }
  }
}

TEST(ScenarioBytes, AnyBytesRoundTripAndNeverReadPastTheEnd) {
  const std::uint32_t seed = 20240611;
  std::mt19937 random(seed);
  int parsed_count = 0;
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes(random() % 120);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    if (!bytes.empty()) bytes[0] = static_cast<std::uint8_t>(random() % 2 ? 0x45 : 0x60);
    constexpr std::uint8_t interesting[] = {0, 1, 6, 17, 33, 43, 44, 47, 51, 58, 60, 132, 136};
    if (bytes.size() > 9) {
      bytes[bytes[0] == 0x45 ? 9 : 6] = interesting[random() % std::size(interesting)];
    }
    const auto packet = from_bytes(bytes);
    if (!packet) continue;
    ++parsed_count;
    ASSERT_EQ(to_hex(to_bytes(*packet)), to_hex(bytes)) << "seed " << seed << " round " << i;
  }
  EXPECT_GT(parsed_count, 10000);
}

TEST(ScenarioBytes, AnErrorQuotesHeaderAndEightBytes) {
  for (const bool v6 : {false, true}) {
    Packet inner = base(v6, protocol::kTcp);
    inner.payload = Bytes(100, 1);
    Packet error = base(v6, v6 ? protocol::kIcmpv6 : protocol::kIcmp);
    error.type = v6 ? 1 : 3;
    error.inner = std::make_shared<const Packet>(inner);
    const std::size_t header = v6 ? 40 : 20;
    EXPECT_EQ(to_bytes(error).size(), header + 8 + header + 8);
    const auto parsed = from_bytes(to_bytes(error));
    ASSERT_TRUE(parsed && parsed->inner);
    EXPECT_EQ(parsed->inner->source_port, 4321);
    EXPECT_EQ(parsed->inner->destination, inner.destination);
    EXPECT_EQ(to_bytes(*parsed), to_bytes(error));
    error.inner_length = 4000;
    EXPECT_EQ(to_bytes(error).size(), header + 8 + to_bytes(inner).size());
  }
}

TEST(ScenarioBytes, FragmentsCarryTheWholeAndSayWhere) {
  for (const bool v6 : {false, true}) {
    Packet p = base(v6, protocol::kUdp);
    p.payload = Bytes(100, 7);
    p.fragment_size = 30;  // rounded up to 32
    const auto wire = to_wire(p);
    ASSERT_EQ(wire.size(), 4u);  // 108 layer-4 bytes
    for (std::size_t i = 0; i < wire.size(); ++i) {
      const auto layer4 = find_layer4(wire[i]);
      ASSERT_TRUE(layer4);
      EXPECT_EQ(layer4->protocol, protocol::kUdp);
      EXPECT_EQ(layer4->fragment_offset, i * 32);
      EXPECT_EQ(layer4->more_fragments, i != 3);
      EXPECT_EQ(wire[i].size() - layer4->offset, i == 3 ? 12u : 32u);
    }
  }
}

TEST(ScenarioBytes, PcapHoldsThePacketsForLibtins) {
  const std::string file = testing::TempDir() + "postern_scenario.pcap";
  const std::vector<Packet> packets{base(false, protocol::kTcp), base(true, protocol::kUdp)};
  ASSERT_TRUE(write_pcap(packets, file));
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  const std::string bytes = text.str();
  ASSERT_EQ(bytes.size(), 24 + 16 + 40 + 16 + 48u);
  EXPECT_EQ(static_cast<unsigned char>(bytes[23]), 101);  // LINKTYPE_RAW
  const Bytes first = to_bytes(packets[0]);
  EXPECT_EQ(bytes.substr(40, 40), std::string(first.begin(), first.end()));
  std::remove(file.c_str());
  EXPECT_FALSE(write_pcap(packets, "/nonexistent/directory/x.pcap"));
}

}  // namespace
}  // namespace postern
