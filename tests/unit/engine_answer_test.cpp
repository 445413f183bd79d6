// lib/engine/answer: which resets and ICMP errors the host sends, to whom and about what
// (kernel-facts 45, 46; compared with Linux by tests/kernel/engine_cases_test.cpp).
#include <gtest/gtest.h>

#include <tuple>

#include "engine/answer.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

Scenario scenario() {
  const auto cidr = [](std::string_view text, unsigned length) {
    return InterfaceAddress{*Address::parse(text), length};
  };
  Scenario s;
  s.interfaces = {{"lo", {}, 65536},
                  {"eth0", {cidr("192.0.2.1", 24), cidr("2001:db8:1::1", 64)}, 1500},
                  {"eth1", {cidr("198.51.100.1", 24), cidr("2001:db8:2::1", 64)}, 1500}};
  return s;
}

Packet packet(const char* from, const char* to, std::uint8_t number) {
  Packet p;
  p.source = *Address::parse(from);
  p.destination = *Address::parse(to);
  p.protocol = number;
  p.source_port = 5000;
  p.destination_port = 80;
  return p;
}

// Keeps the packet that the traveller looks at.
struct Rejected {
  explicit Rejected(Packet p) : packet(std::move(p)) { traveller.view = view_of(packet); }
  Packet packet;
  Traveller traveller;
};

std::optional<Packet> reset(std::uint8_t flags, void (*change)(Packet&) = nullptr) {
  Packet p = packet("192.0.2.9", "198.51.100.9", protocol::kTcp);
  p.flags = flags;
  p.seq = 100;
  p.ack = 7000;
  if (change != nullptr) change(p);
  return tcp_reset(Rejected(p).traveller);
}

TEST(EngineAnswer, AResetAnswersWithWhatTheSegmentAcknowledged) {
  const auto answer = reset(tcp_flag::kAck);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->source.text(), "198.51.100.9");
  EXPECT_EQ(answer->destination.text(), "192.0.2.9");
  EXPECT_EQ(answer->source_port, 80);
  EXPECT_EQ(answer->destination_port, 5000);
  EXPECT_EQ(answer->flags, tcp_flag::kRst);
  EXPECT_EQ(answer->seq, 7000U);
}

TEST(EngineAnswer, WithoutAckTheResetAcknowledgesAllOfTheSegment) {
  const auto syn = reset(tcp_flag::kSyn);
  ASSERT_TRUE(syn);
  EXPECT_EQ(syn->flags, tcp_flag::kRst | tcp_flag::kAck);
  EXPECT_EQ(syn->seq, 0U);
  EXPECT_EQ(syn->ack, 101U);
  const auto data = reset(tcp_flag::kFin | tcp_flag::kPsh, [](Packet& p) {
    p.payload.assign(9, 0);
    p.options = {1, 1, 1, 1};
  });
  ASSERT_TRUE(data);
  EXPECT_EQ(data->ack, 110U);
}

TEST(EngineAnswer, NoResetToResetsWrongChecksumsAndGroups) {
  EXPECT_FALSE(reset(tcp_flag::kRst));
  EXPECT_FALSE(reset(tcp_flag::kSyn, [](Packet& p) { p.bad_checksum = true; }));
  EXPECT_FALSE(reset(tcp_flag::kSyn, [](Packet& p) { p.protocol = protocol::kUdp; }));
  EXPECT_FALSE(reset(tcp_flag::kSyn, [](Packet& p) { p.raw_l4 = Bytes(8, 0); }));
  Rejected broadcast(packet("192.0.2.9", "192.0.2.255", protocol::kTcp));
  broadcast.traveller.unicast = false;
  EXPECT_FALSE(tcp_reset(broadcast.traveller));
  EXPECT_FALSE(tcp_reset(Rejected(packet("2001:db8:1::9", "ff02::1", protocol::kTcp)).traveller));
}

std::optional<Packet> error(const Packet& about, IcmpError kind, const char* in = "eth0",
                            std::uint32_t rest = 0) {
  const World world(scenario());
  Rejected rejected(about);
  rejected.traveller.in = *world.device(in);
  return icmp_error(rejected.traveller, kind, world, rest);
}

TEST(EngineAnswer, AnErrorQuotesAndComesFromTheAddressAskedOrTheWayBack) {
  Packet udp = packet("192.0.2.9", "192.0.2.1", protocol::kUdp);
  udp.tos = 0xff;
  const auto here = error(udp, {3, 3});
  ASSERT_TRUE(here);
  EXPECT_EQ(here->source.text(), "192.0.2.1");
  EXPECT_EQ(here->destination.text(), "192.0.2.9");
  EXPECT_EQ(here->tos, 0xde);
  EXPECT_EQ(to_hex(to_bytes(*here->inner)), to_hex(to_bytes(udp)));
  const auto of_another = error(packet("192.0.2.9", "198.51.100.1", protocol::kUdp), {3, 3});
  ASSERT_TRUE(of_another);
  EXPECT_EQ(of_another->source.text(), "198.51.100.1");  // asked for, though another device's
  const auto through = error(packet("198.51.100.9", "203.0.113.5", protocol::kUdp), {11, 0});
  ASSERT_TRUE(through);
  EXPECT_EQ(through->source.text(), "198.51.100.1");  // of the device that leads back
  const auto six = error(packet("2001:db8:2::9", "2001:db8:9::5", protocol::kUdp), {1, 0});
  ASSERT_TRUE(six);
  EXPECT_EQ(six->source.text(), "2001:db8:1::1");  // of the device that it came in by
  EXPECT_EQ(six->protocol, protocol::kIcmpv6);
}

TEST(EngineAnswer, ALinkLocalAddressAnswersForItselfOnItsDevice) {
  Scenario s = scenario();
  for (const char* own : {"fe80::1", "fe80::2"}) {
    s.interfaces[1].addresses.push_back({*Address::parse(own), 64});
  }
  const World world(s);
  for (const char* asked : {"fe80::1", "fe80::2"}) {
    Rejected rejected(packet("fe80::9", asked, protocol::kUdp));
    rejected.traveller.in = *world.device("eth0");
    const auto made = icmp_error(rejected.traveller, {1, 4}, world, 0);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->source.text(), asked);
  }
}

TEST(EngineAnswer, AnErrorCarriesTheMtuAndQuotesNoMoreThanFits) {
  Packet large = packet("192.0.2.9", "192.0.2.1", protocol::kUdp);
  large.payload.assign(1400, 1);
  const auto four = error(large, {3, 4}, "eth0", 1300);
  ASSERT_TRUE(four);
  EXPECT_EQ(four->icmp_seq, 1300);
  EXPECT_EQ(four->inner_length, 548U);
  EXPECT_EQ(ip_length(*four), 576U);
}

TEST(EngineAnswer, NoErrorAboutErrorsGroupsAndLaterFragments) {
  Packet icmp = packet("192.0.2.9", "192.0.2.1", protocol::kIcmp);
  icmp.type = 3;
  EXPECT_FALSE(error(icmp, {3, 1}));
  icmp.type = 8;
  EXPECT_TRUE(error(icmp, {3, 1}));
  Packet later = packet("192.0.2.9", "192.0.2.1", protocol::kUdp);
  later.fragment_offset = 8;
  EXPECT_FALSE(error(later, {3, 1}));
  EXPECT_FALSE(error(packet("2001:db8:1::9", "ff02::1", protocol::kUdp), {1, 0}));
  EXPECT_FALSE(error(packet("::", "2001:db8:1::1", protocol::kUdp), {1, 0}));
  EXPECT_FALSE(error(packet("203.0.113.9", "192.0.2.1", protocol::kUdp), {3, 1})) << "no way back";
}

TEST(EngineAnswer, RejectByIcmpNeedsARightChecksum) {
  const auto may = [](const Packet& p) { return may_be_rejected_by_icmp(Rejected(p).traveller); };
  Packet udp = packet("192.0.2.9", "192.0.2.1", protocol::kUdp);
  EXPECT_TRUE(may(udp));
  udp.bad_checksum = true;
  EXPECT_FALSE(may(udp));
  Packet other = packet("192.0.2.9", "192.0.2.1", 253);
  other.payload = {0xff, 0xff};  // sums up to nothing, as Linux wants it of every protocol
  EXPECT_TRUE(may(other));
  other.payload = {1, 2};
  EXPECT_FALSE(may(other));
  other.protocol = protocol::kGre;
  EXPECT_TRUE(may(other));
}

TEST(EngineAnswer, CurrentHasTheViewsChanges) {
  Packet p = packet("192.0.2.9", "192.0.2.1", protocol::kUdp);
  PacketView view = view_of(p);
  view.ttl = 5;
  view.tos = 8;
  view.mark = 3;
  const Packet now = current(view);
  EXPECT_EQ(now.ttl, 5);
  EXPECT_EQ(now.tos, 8);
  EXPECT_EQ(now.mark, 3U);
  Packet raw = p;
  raw.raw = to_bytes(p);
  PacketView raw_view = view_of(raw);
  raw_view.ttl = 5;
  raw_view.tos = 8;
  EXPECT_EQ(to_hex(to_bytes(current(raw_view))), to_hex(to_bytes(now)));
}

// A header that is cut short is left alone, a whole one is not; in both families.
TEST(EngineAnswer, CurrentLeavesBytesWithoutAWholeHeader) {
  for (const auto& [from, to, header] :
       {std::tuple{"192.0.2.9", "192.0.2.1", 20U}, {"2001:db8:1::9", "2001:db8:1::1", 40U}}) {
    for (const unsigned size : {header - 1, header}) {
      const Packet p = packet(from, to, protocol::kUdp);
      Packet raw = p;
      raw.raw = to_bytes(p);
      raw.raw->resize(size);
      PacketView view = view_of(p);
      view.packet = &raw;
      view.ttl = 5;
      view.tos = 8;
      EXPECT_EQ(*current(view).raw == *raw.raw, size < header) << from << " " << size;
    }
  }
}

}  // namespace
}  // namespace postern
