// The table around the trackers, and the trackers without a state machine (kernel-facts 15-25,
// 37-41): what a dropped first packet leaves, timeouts, queries, errors, answers of the host
// itself.
#include <gtest/gtest.h>

#include <memory>

#include "conntrack_packets.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

using namespace test;

constexpr std::uint32_t kA = 0xc0000209, kB = 0xc6336409, kC = 0xcb007109;

PacketView udp(std::uint32_t from, std::uint32_t to) {
  const bool forth = from < to;
  return plain_packet(protocol::kUdp, from, to, forth ? 4000 : 53, forth ? 53 : 4000);
}

PacketView icmp(std::uint32_t from, std::uint32_t to, std::uint8_t type, std::uint8_t code = 0,
                std::uint16_t id = 7) {
  auto packet = plain_packet(protocol::kIcmp, from, to);
  packet.icmp_type = type;
  packet.icmp_code = code;
  packet.icmp_id = id;
  return packet;
}

TEST(ConntrackTable, DroppedFirstPacketLeavesNothing) {
  ConntrackTable table;
  EXPECT_EQ(pass(table, udp(kA, kB), false).state, CtState::kNew);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(pass(table, udp(kA, kB)).state, CtState::kNew);
  EXPECT_EQ(table.size(), 1u);
}

TEST(ConntrackTable, DroppedReplyStillCounts) {
  ConntrackTable table;
  pass(table, udp(kA, kB));
  EXPECT_EQ(pass(table, udp(kB, kA), false).state, CtState::kEstablished);
  EXPECT_EQ(pass(table, udp(kA, kB)).state, CtState::kEstablished);
}

TEST(ConntrackTable, FirstPacketIsNotConfirmedWhileItPasses) {
  ConntrackTable table;
  Attachment attachment;
  table.track(udp(kA, kB), Hook::kPrerouting, attachment);
  ASSERT_TRUE(attachment.entry);
  EXPECT_FALSE(attachment.entry->confirmed());
  EXPECT_TRUE(table.confirm(attachment));
  EXPECT_TRUE(table.confirm(attachment));  // the second last hook on loopback
  EXPECT_TRUE(attachment.entry->confirmed());
}

TEST(ConntrackTable, SecondOfTwoEqualFlowsIsDropped) {
  ConntrackTable table;
  Attachment one, two;
  table.track(udp(kA, kB), Hook::kPrerouting, one);
  table.track(udp(kA, kB), Hook::kPrerouting, two);
  EXPECT_TRUE(table.confirm(one));
  EXPECT_FALSE(table.confirm(two));
}

TEST(ConntrackTable, AttachedAndUntrackedStayAsTheyAre) {
  ConntrackTable table;
  Attachment untracked;
  untracked.state = CtState::kUntracked;
  table.track(udp(kA, kB), Hook::kPrerouting, untracked);
  EXPECT_TRUE(untracked.untracked());
  EXPECT_TRUE(table.confirm(untracked));
  EXPECT_EQ(table.size(), 0u);
  Attachment attached = pass(table, udp(kA, kB));
  table.track(udp(kB, kA), Hook::kPrerouting, attached);
  EXPECT_EQ(attached.state, CtState::kNew);
}

TEST(ConntrackUdp, AssuredAfterTwoSecondsAndNotByTheFirstReply) {
  ConntrackTable table;
  pass(table, udp(kA, kB));
  table.advance(5000);
  pass(table, udp(kB, kA));
  EXPECT_FALSE(table.entries().front()->assured());
  table.advance(29999);
  EXPECT_EQ(table.size(), 1u);
  pass(table, udp(kA, kB));
  EXPECT_TRUE(table.entries().front()->assured());
  table.advance(119999);
  EXPECT_EQ(table.size(), 1u);
  table.advance(1);
  EXPECT_EQ(table.size(), 0u);
}

TEST(ConntrackUdp, QuickExchangeIsNoStream) {
  ConntrackTable table;
  pass(table, udp(kA, kB)), pass(table, udp(kB, kA));
  table.advance(2000);
  pass(table, udp(kA, kB));
  EXPECT_FALSE(table.entries().front()->assured());
  table.advance(1);
  pass(table, udp(kA, kB));
  EXPECT_TRUE(table.entries().front()->assured());
}

TEST(ConntrackUdp, ChecksumsCountOnTheWayInOnly) {
  ConntrackTable table;
  auto bad = udp(kA, kB);
  bad.bad_checksum = true;
  EXPECT_EQ(pass(table, bad).state, CtState::kInvalid);
  EXPECT_EQ(pass(table, bad, true, Hook::kOutput).state, CtState::kNew);
  auto lite = bad;
  lite.protocol = protocol::kUdplite;
  lite.bad_checksum = false;
  EXPECT_EQ(pass(table, lite).state, CtState::kInvalid);
  EXPECT_TRUE(table.set_sysctl("net.netfilter.nf_conntrack_checksum", "0"));
  EXPECT_EQ(pass(table, lite).state, CtState::kNew);
  auto broken = udp(kA, kB);
  broken.bad_length = true;
  EXPECT_EQ(pass(table, broken).state, CtState::kInvalid);
}

PacketView of_bytes(Packet& packet, std::uint8_t number, Bytes l4, Family family = Family::kIpv4) {
  packet = {};
  packet.source = {family, kA};
  packet.destination = {family, kB};
  packet.protocol = number;
  packet.raw_l4 = std::move(l4);
  packet = readable(packet);
  return view_of(packet);
}

TEST(ConntrackUdp, UdpliteMustCoverItsHeaderAndHaveAChecksum) {
  const auto state = [](std::uint8_t covers, std::uint8_t sum, std::size_t size = 8) {
    ConntrackTable table;
    Packet packet;
    Bytes l4{4, 210, 0, 53, 0, covers, sum, sum};
    l4.resize(size);
    return pass(table, of_bytes(packet, protocol::kUdplite, l4), true, Hook::kOutput).state;
  };
  for (const std::uint8_t covers : Bytes{0, 8, 9, 10}) {
    EXPECT_EQ(state(covers, 1, 10), CtState::kNew) << int{covers};
    EXPECT_EQ(state(covers, 0, 10), CtState::kInvalid) << int{covers};
  }
  for (const std::uint8_t covers : Bytes{1, 7, 11}) {
    EXPECT_EQ(state(covers, 1, 10), CtState::kInvalid) << int{covers};
  }
  EXPECT_EQ(state(8, 1, 7), CtState::kInvalid);
}

// (PPP's protocol is 0x880b.)
TEST(ConntrackGre, OfVersionOneKnowsTheCallsOfPptpAlone) {
  ConntrackTable table;
  Packet packet;
  const auto state = [&](const Bytes& l4) {
    return pass(table, of_bytes(packet, protocol::kGre, l4)).state;
  };
  EXPECT_EQ(state({0x20, 1, 8, 0, 0, 0, 0, 0}), CtState::kInvalid);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(state({0x20, 1, 0x88, 0x0b, 0, 4, 1, 5}), CtState::kNew);
  ASSERT_EQ(table.size(), 1U);
  EXPECT_EQ(table.entries()[0]->original.destination_key, 0x105);
  EXPECT_EQ(table.entries()[0]->original.source_key, 0);
  // Cut short, of call 0 or of any other version it is what GRE always was.
  for (const Bytes& l4 : {Bytes{0x20, 1, 8, 0, 0, 0, 0}, Bytes{0x20, 1, 0x88, 0x0b, 0, 4, 0, 0},
                          Bytes{0, 0, 8, 0}, Bytes{0, 2, 8, 0, 0, 0, 0, 0}, Bytes{0, 0}, Bytes{}}) {
    EXPECT_EQ(state(l4), CtState::kNew);
    EXPECT_EQ(table.size(), 2U);
  }
}

TEST(ConntrackGeneric, NothingFollowsTheLastHeaderOfIpv6) {
  ConntrackTable table;
  Packet packet;
  const auto state = [&](std::uint8_t number, const Bytes& l4) {
    return pass(table, of_bytes(packet, number, l4, Family::kIpv6)).state;
  };
  EXPECT_EQ(state(59, {}), CtState::kInvalid);
  EXPECT_EQ(state(59, {1, 2, 3, 4}), CtState::kInvalid);
  EXPECT_EQ(state(60, {59, 0, 0, 0, 0, 0, 0, 0}), CtState::kInvalid);
  EXPECT_EQ(state(60, {253}), CtState::kInvalid) << "cut short";
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(state(60, {253, 0, 0, 0, 0, 0, 0, 0}), CtState::kNew);
  EXPECT_EQ(pass(table, of_bytes(packet, 59, {1, 2})).state, CtState::kNew) << "in IPv4";
}

struct RedirectTest : testing::Test {
  ConntrackTable table;
  Packet flow, redirect;
  RedirectTest() {
    flow.source = *Address::parse("2001:db8:1::9");
    flow.destination = *Address::parse("2001:db8:1::1");
    flow.protocol = protocol::kUdp;
    flow.source_port = 1234;
    flow.destination_port = 53;
    redirect.source = *Address::parse("fe80::9");
    redirect.destination = flow.source;
    redirect.protocol = protocol::kIcmpv6;
    redirect.type = 137;
    redirect.ttl = 255;
    redirect.payload.resize(32);
    put(redirect.payload, Bytes{4, 7, 0, 0, 0, 0, 0, 0});
    put(redirect.payload, to_bytes(flow));
  }
  CtState state(const Packet& packet) { return pass(table, view_of(packet)).state; }
};

TEST_F(RedirectTest, IsRelatedToWhatItQuotes) {
  EXPECT_EQ(state(redirect), CtState::kInvalid) << "no flow";
  EXPECT_EQ(state(flow), CtState::kNew);
  EXPECT_EQ(state(redirect), CtState::kRelated);
  redirect.destination = flow.destination;
  EXPECT_EQ(state(redirect), CtState::kInvalid) << "to another";
}

TEST_F(RedirectTest, MustComeFromARouterOfTheLink) {
  EXPECT_EQ(state(flow), CtState::kNew);
  const auto is_invalid = [&](auto&& change) {
    Packet other = redirect;
    change(other);
    EXPECT_EQ(state(other), CtState::kInvalid);
  };
  is_invalid([](Packet& p) { p.ttl = 254; });
  is_invalid([](Packet& p) { p.code = 1; });
  is_invalid([&](Packet& p) { p.source = flow.destination; });
  is_invalid([](Packet& p) { p.payload[32] = 3; });
  is_invalid([](Packet& p) { p.payload[33] = 0; });
  is_invalid([](Packet& p) { p.payload.resize(32); });
  is_invalid([](Packet& p) { p.payload.resize(40 + 43); });
  Packet cut = redirect;
  cut.payload.resize(40 + 44);
  EXPECT_EQ(state(cut), CtState::kRelated) << "the ports suffice";
}

TEST(ConntrackIcmp, RepliesNeedIdAndCode) {
  ConntrackTable table;
  EXPECT_EQ(pass(table, icmp(kB, kA, 0)).state, CtState::kInvalid);
  EXPECT_EQ(pass(table, icmp(kA, kB, 8)).state, CtState::kNew);
  EXPECT_EQ(pass(table, icmp(kB, kA, 0, 1)).state, CtState::kInvalid);
  EXPECT_EQ(pass(table, icmp(kB, kA, 0, 0, 8)).state, CtState::kInvalid);
  EXPECT_EQ(pass(table, icmp(kB, kA, 0)).state, CtState::kEstablished);
  EXPECT_EQ(pass(table, icmp(kA, kB, 8)).state, CtState::kEstablished);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(pass(table, icmp(kA, kB, 9)).state, CtState::kInvalid);
  EXPECT_EQ(pass(table, icmp(kA, kB, 42)).state, CtState::kInvalid);
}

TEST(ConntrackIcmp, NeighbourDiscoveryIsUntracked) {
  ConntrackTable table;
  auto packet = icmp(kA, kB, 135);
  packet.family = Family::kIpv6;
  packet.protocol = protocol::kIcmpv6;
  EXPECT_EQ(pass(table, packet).state, CtState::kUntracked);
  packet.icmp_type = 137;
  EXPECT_EQ(pass(table, packet).state, CtState::kInvalid);
  packet.family = Family::kIpv4;  // ICMPv6 in IPv4 is nothing
  packet.icmp_type = 128;
  EXPECT_EQ(pass(table, packet).state, CtState::kInvalid);
}

struct ErrorTest : testing::Test {
  ConntrackTable table;
  std::shared_ptr<Packet> inner = std::make_shared<Packet>();
  ErrorTest() {
    inner->source = {Family::kIpv4, kA};
    inner->destination = {Family::kIpv4, kB};
    inner->protocol = protocol::kUdp;
    inner->source_port = 4000;
    inner->destination_port = 53;
  }
  Attachment send(std::uint32_t from, std::uint32_t to, std::uint32_t quoted = 28) {
    auto packet = icmp(from, to, 3, 3);
    packet.inner = inner.get();
    packet.inner_length = quoted;
    return pass(table, packet);
  }
};

TEST_F(ErrorTest, IsRelatedToWhatItQuotes) {
  EXPECT_EQ(send(kB, kA).state, CtState::kInvalid);
  pass(table, udp(kA, kB));
  const auto error = send(kC, kA);  // by whomever
  EXPECT_EQ(error.state, CtState::kRelated);
  EXPECT_EQ(error.direction, CtDirection::kReply);
  EXPECT_EQ(error.entry, table.entries().front());
  EXPECT_FALSE(error.entry->seen_reply());
  EXPECT_EQ(send(kB, kC).state, CtState::kInvalid);      // not to the quoted source
  EXPECT_EQ(send(kB, kA, 24).state, CtState::kRelated);  // the ports suffice
  EXPECT_EQ(send(kB, kA, 23).state, CtState::kInvalid);
}

// As a scenario's "raw" packet: the quotation is cut within its TCP header.
TEST_F(ErrorTest, IsReadFromBytes) {
  for (const auto family : {Family::kIpv4, Family::kIpv6}) {
    const bool v6 = family == Family::kIpv6;
    inner->source = {family, kA};
    inner->destination = {family, kB};
    inner->protocol = protocol::kTcp;
    inner->flags = kSyn;
    pass(table, view_of(*inner));
    Packet error;
    error.source = {family, kC};
    error.destination = {family, kA};
    error.protocol = v6 ? protocol::kIcmpv6 : protocol::kIcmp;
    error.type = v6 ? 100 : 3;
    error.inner = inner;
    Packet raw;
    raw.raw = to_bytes(error);
    const Packet read = readable(raw);
    EXPECT_EQ(pass(table, view_of(read)).state, CtState::kRelated) << v6;
  }
}

TEST_F(ErrorTest, QuotingAReplyGoesForth) {
  pass(table, udp(kA, kB));
  std::swap(inner->source, inner->destination);
  std::swap(inner->source_port, inner->destination_port);
  const auto error = send(kC, kB);
  EXPECT_EQ(error.state, CtState::kRelated);
  EXPECT_EQ(error.direction, CtDirection::kOriginal);
}

TEST_F(ErrorTest, DoesNotRefresh) {
  pass(table, udp(kA, kB));
  table.advance(20000);
  send(kB, kA);
  table.advance(10000);
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(ErrorTest, AboutErrorsOrFragmentsIsInvalid) {
  pass(table, udp(kA, kB));
  inner->fragment_offset = 8;
  EXPECT_EQ(send(kB, kA).state, CtState::kInvalid);
  inner->fragment_offset = 0;
  inner->protocol = protocol::kIcmp;
  inner->type = 3;
  EXPECT_EQ(send(kB, kA).state, CtState::kInvalid);
}

TEST(ConntrackGeneric, NeverAssured) {
  ConntrackTable table;
  EXPECT_EQ(pass(table, plain_packet(99, kA, kB)).state, CtState::kNew);
  EXPECT_EQ(pass(table, plain_packet(99, kB, kA)).state, CtState::kEstablished);
  EXPECT_EQ(pass(table, plain_packet(99, kA, kB)).state, CtState::kEstablished);
  EXPECT_FALSE(table.entries().front()->assured());
  table.advance(599999);
  EXPECT_EQ(table.size(), 1u);
  table.advance(1);
  EXPECT_EQ(table.size(), 0u);
}

TEST(ConntrackTcpTimeouts, FollowTheState) {
  Conversation c;
  const auto left = [&] { return c.entry()->deadline - c.table.now(); };
  c.from_client(kSyn);
  EXPECT_EQ(left(), 120000u);
  c.table.advance(50000);
  c.from_client(kSyn);
  EXPECT_EQ(left(), 70000u) << "a repeated SYN does not keep the entry alive";
  c.from_server(kSyn | kAck);
  EXPECT_EQ(left(), 60000u);
  c.from_client(kAck);
  EXPECT_EQ(left(), 432000000u);
  c.from_client(kAck, 10);
  EXPECT_EQ(left(), 300000u) << "unacknowledged data";
  c.from_server(kAck);
  EXPECT_EQ(left(), 432000000u);
  c.from_client(kFin | kAck);
  EXPECT_EQ(left(), 120000u);
  c.from_server(kAck);
  EXPECT_EQ(left(), 60000u);
  c.from_server(kFin | kAck);
  EXPECT_EQ(left(), 30000u);
  c.from_client(kAck);
  EXPECT_EQ(left(), 120000u);
  c.from_client(kRst);
  EXPECT_EQ(left(), 10000u);
}

TEST(ConntrackTcpTimeouts, PickedUpEntryIsShortLived) {
  Conversation c;
  EXPECT_EQ(c.from_client(kAck).state, CtState::kNew);
  EXPECT_EQ(c.entry()->deadline, 300000u);
}

TEST(ConntrackAnswers, CarryTheEntryTheOtherWay) {
  Conversation c;
  c.from_client(kSyn);
  Attachment rejected = c.from_client(kSyn);
  const auto answer = c.table.attach_answer(rejected);
  EXPECT_EQ(answer.state, CtState::kRelated);
  EXPECT_EQ(answer.direction, CtDirection::kReply);
  EXPECT_EQ(answer.entry, c.entry());
  c.table.close_by_reset(rejected);
  EXPECT_EQ(c.state(), TcpState::kClose);
  EXPECT_FALSE(c.entry()->seen_reply());
  EXPECT_EQ(c.entry()->deadline, 10000u);
  EXPECT_FALSE(c.table.attach_answer({}).entry);
}

TEST(ConntrackSysctl, KnowsItsNames) {
  ConntrackTable table;
  EXPECT_TRUE(table.set_sysctl("net/netfilter/nf_conntrack_tcp_loose", "0"));
  EXPECT_FALSE(table.config().tcp_loose);
  EXPECT_TRUE(table.set_sysctl("net.netfilter.nf_conntrack_tcp_timeout_syn_recv", "7"));
  EXPECT_EQ(table.config().timeouts.tcp[static_cast<std::size_t>(TcpState::kSynRecv)], 7u);
  EXPECT_TRUE(table.set_sysctl("net/netfilter/nf_conntrack_udp_timeout", "5"));
  EXPECT_EQ(table.config().timeouts.udp, 5u);
  EXPECT_FALSE(table.set_sysctl("net/netfilter/nf_conntrack_udp_timeout", "five"));
  EXPECT_FALSE(table.set_sysctl("net/ipv4/ip_forward", "1"));
  EXPECT_FALSE(table.set_sysctl("net/netfilter/nf_conntrack_tcp_timeout_none", "1"));
}

}  // namespace
}  // namespace postern
