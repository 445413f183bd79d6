// The engine's connection tracking against Linux: random conversations, packet by packet, the whole
// table and the kernel's own TCP flags compared after each. Packets are chosen around the numbers
// at which the tracker's decisions turn.
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <random>
#include <set>

#include "../unit/conntrack_simulation.hpp"
#include "conntrack_twin.hpp"
#include "tests/support/seed.hpp"

namespace postern::kernel {
namespace {

class ConntrackKernel : public KernelTest {
 protected:
  std::mt19937_64 random_{test::seed_of_run()};
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class List>
  auto any_of(const List& list) {
    return list[below(std::size(list))];
  }

  Packet between(bool from_client, std::uint8_t number, bool v6 = false) {
    Packet packet;
    const Address client = *Address::parse(v6 ? kClient6 : kClient4);
    const Address server = *Address::parse(v6 ? kServer6 : kServer4);
    packet.in = from_client ? "eth0" : "eth1";
    packet.source = from_client ? client : server;
    packet.destination = from_client ? server : client;
    packet.protocol = number;
    return packet;
  }
  Packet random_segment(const Twin& twin);
  std::vector<std::uint8_t> random_options(bool syn, std::uint32_t near);
  std::vector<std::uint8_t> random_chunks(std::uint32_t tag);
  Packet random_other(bool v6);
};

std::vector<std::uint8_t> ConntrackKernel::random_options(bool syn, std::uint32_t near) {
  std::vector<std::uint8_t> bytes;
  const auto add = [&](std::initializer_list<std::uint8_t> list) {
    bytes.insert(bytes.end(), list);
  };
  if (syn) {
    if (one_in(2)) add({2, 4, 5, 180});
    if (one_in(2)) add({4, 2});
    if (one_in(2)) add({1, 3, 3, static_cast<std::uint8_t>(below(17))});
    if (one_in(8)) add({9, 1});  // nonsense: nothing behind it is read
  } else if (one_in(3)) {
    const std::uint32_t right = near + static_cast<std::uint32_t>(below(3000)) - 1000;
    const std::uint32_t left = right - 100;
    add({1, 1, 5, 10});
    for (const auto value : {left, right}) {
      for (const int shift : {24, 16, 8, 0}) add({static_cast<std::uint8_t>(value >> shift)});
    }
  } else if (one_in(3)) {
    add({1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2});
  }
  return bytes;
}

Packet ConntrackKernel::random_segment(const Twin& twin) {
  using namespace tcp_flag;
  constexpr std::array<std::uint8_t, 12> kFlagSets{kSyn, kSyn | kAck, kAck, kAck | kPsh,
                                                   kAck, kFin | kAck, kRst, kRst | kAck,
                                                   kAck, kSyn | kAck, kSyn, kFin};
  const bool from_client = one_in(2);
  Packet packet = between(from_client, protocol::kTcp);
  packet.source_port = from_client ? 40000 : 80;
  packet.destination_port = from_client ? 80 : 40000;
  packet.flags = any_of(kFlagSets);
  const auto entries = twin.table().entries();
  std::optional<ConntrackEntry> entry;
  if (!entries.empty()) entry = *entries.front();
  // telling_numbers knows the ends by their addresses.
  const auto& from = from_client ? test::kInitiatorEnd : test::kResponderEnd;
  const auto& to = from_client ? test::kResponderEnd : test::kInitiatorEnd;
  const auto numbers = test::telling_numbers(entry, from, to);
  const auto chosen = one_in(3) ? any_of(numbers) : numbers[0];
  packet.seq = chosen.seq;
  packet.ack = (packet.flags & kAck) != 0 || one_in(4) ? chosen.ack : 0;
  packet.window = static_cast<std::uint16_t>(any_of(std::array{0, 1, 1000, 1000, 8192, 65535}));
  packet.options = random_options((packet.flags & kSyn) != 0, packet.ack);
  if (one_in(4)) packet.payload.assign(below(1300), 0x61);
  packet.bad_checksum = one_in(40);
  return packet;
}

TEST_F(ConntrackKernel, TcpConversations) {
  const auto twin = Twin::create();
  ASSERT_TRUE(twin);
  std::set<std::string> seen;
  for (int conversation = 0; conversation < 60; ++conversation) {
    twin->restart({{"tcp_loose", one_in(4) ? "0" : "1"},
                   {"tcp_be_liberal", one_in(4) ? "1" : "0"},
                   {"tcp_ignore_invalid_rst", one_in(4) ? "1" : "0"}});
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(twin->send(random_segment(*twin)));
      for (const auto& entry : twin->table().report()) seen.insert(entry.state);
    }
  }
  EXPECT_GE(seen.size(), 8u) << testing::PrintToString(seen);
}

// UDP, UDP-Lite, GRE, unknown protocols, ICMP queries and errors, all in one table.
Packet ConntrackKernel::random_other(bool v6) {
  constexpr std::array<std::uint8_t, 8> kNumbers{
      protocol::kUdp, protocol::kUdp, protocol::kGre, protocol::kUdplite, 99, 0, 0, 1};
  const bool from_client = one_in(2);
  std::uint8_t number = any_of(kNumbers);
  const std::uint8_t icmp = v6 ? protocol::kIcmpv6 : protocol::kIcmp;
  const bool error = number == 1;
  if (number <= 1) number = icmp;
  Packet packet = between(from_client, number, v6);
  packet.source_port = from_client ? 4000 : 53;
  packet.destination_port = from_client ? 53 : 4000;
  packet.payload.assign(below(40) + 8, 0x62);
  packet.bad_checksum = one_in(20);
  if (number != icmp) return packet;
  if (!error) {
    constexpr std::array<std::uint8_t, 12> kTypes4{8, 8, 0, 0, 13, 14, 15, 16, 17, 18, 9, 42};
    constexpr std::array<std::uint8_t, 10> kTypes6{128, 128, 129, 129, 139,
                                                   140, 137, 135, 143, 150};
    packet.type = v6 ? any_of(kTypes6) : any_of(kTypes4);
    packet.code = static_cast<std::uint8_t>(below(2));
    packet.icmp_id = static_cast<std::uint16_t>(below(2) + 7);
    return packet;
  }
  constexpr std::array<std::uint8_t, 7> kErrors4{3, 4, 5, 11, 12, 3, 10};
  constexpr std::array<std::uint8_t, 8> kErrors6{1, 2, 3, 4, 0, 5, 100, 127};
  packet.type = v6 ? any_of(kErrors6) : any_of(kErrors4);
  packet.code = static_cast<std::uint8_t>(below(4));
  packet.payload.clear();
  // It quotes a packet that its own destination sent (or, sometimes, the other side).
  Packet inner = random_other(v6);
  inner.bad_checksum = false;
  if (inner.protocol == icmp && inner.inner) inner = between(!from_client, protocol::kUdp, v6);
  if ((inner.source != packet.destination) && !one_in(4)) {
    std::swap(inner.source, inner.destination);
    std::swap(inner.source_port, inner.destination_port);
  }
  packet.inner = std::make_shared<const Packet>(inner);
  const std::uint32_t header = v6 ? 40 : 20;
  packet.inner_length = header + static_cast<std::uint32_t>(any_of(std::array{0, 4, 7, 8, 16}));
  return packet;
}

TEST_F(ConntrackKernel, OtherProtocols) {
  const auto twin = Twin::create();
  ASSERT_TRUE(twin);
  for (int conversation = 0; conversation < 40; ++conversation) {
    const bool v6 = conversation % 2 == 1;
    twin->restart({{"checksum", one_in(3) ? "0" : "1"}});
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(twin->send(random_other(v6)));
  }
}

// SCTP: tags and chunks around those that the entry knows.
std::vector<std::uint8_t> ConntrackKernel::random_chunks(std::uint32_t tag) {
  constexpr std::array<std::uint8_t, 16> kTypes{1, 2, 10, 11, 0, 7, 8, 14, 4, 5, 6, 9, 1, 2, 10, 3};
  std::vector<std::uint8_t> bytes;
  for (std::uint64_t count = one_in(5) ? 2 : 1; count > 0; --count) {
    const std::uint8_t type = any_of(kTypes);
    const bool long_one = type == 1 || type == 2;
    const std::uint8_t length = long_one ? 20 : static_cast<std::uint8_t>(one_in(30) ? 0 : 4);
    bytes.insert(bytes.end(), {type, static_cast<std::uint8_t>(one_in(4)), 0, length});
    if (!long_one) continue;
    bytes.insert(bytes.end(), {0, 0, 0, static_cast<std::uint8_t>(tag)});
    bytes.resize(bytes.size() + 12);
  }
  return bytes;
}

TEST_F(ConntrackKernel, SctpAssociations) {
  const auto twin = Twin::create();
  ASSERT_TRUE(twin);
  std::set<std::string> seen;
  for (int conversation = 0; conversation < 60; ++conversation) {
    twin->restart({});
    for (int i = 0; i < 40; ++i) {
      const bool from_client = one_in(2);
      Packet packet = between(from_client, protocol::kSctp);
      packet.source_port = from_client ? 4000 : 5000;
      packet.destination_port = from_client ? 5000 : 4000;
      const auto entries = twin->table().entries();
      if (!entries.empty()) {
        const auto& tags = entries.front()->sctp.vtag;
        packet.verification_tag = one_in(5) ? static_cast<std::uint32_t>(below(3)) : any_of(tags);
      }
      packet.chunks = random_chunks(static_cast<std::uint32_t>(below(3)));
      packet.bad_checksum = one_in(40);
      ASSERT_TRUE(twin->send(packet));
      for (const auto& entry : twin->table().report()) seen.insert(entry.state);
    }
  }
  EXPECT_GE(seen.size(), 6u) << testing::PrintToString(seen);
}

// The two seconds after which UDP counts as a stream, and expiry, in real time.
TEST_F(ConntrackKernel, Time) {
  const auto twin = Twin::create();
  ASSERT_TRUE(twin);
  twin->restart({{"udp_timeout", "9"}});
  const auto udp = [&](bool from_client) {
    Packet packet = between(from_client, protocol::kUdp);
    packet.source_port = from_client ? 4000 : 53;
    packet.destination_port = from_client ? 53 : 4000;
    return packet;
  };
  for (const bool from_client : {true, false, true}) ASSERT_TRUE(twin->send(udp(from_client)));
  twin->wait(2300);
  ASSERT_TRUE(twin->send(udp(false)));
  EXPECT_TRUE(twin->table().entries().front()->assured());
  twin->restart({{"udp_timeout", "1"}, {"tcp_timeout_close", "1"}});
  ASSERT_TRUE(twin->send(udp(true)));
  twin->wait(1500);
  ASSERT_TRUE(twin->send(udp(false)));  // nobody remembers: roles swapped
  EXPECT_EQ(twin->table().size(), 1u);
}

}  // namespace
}  // namespace postern::kernel
