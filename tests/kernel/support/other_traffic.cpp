// Bodies by protocol. Covered by campaign_test.cpp.
#include "tests/kernel/support/other_traffic.hpp"

#include "flow/odd_headers.hpp"
#include "net/protocol.hpp"

namespace postern::kernel {
namespace {

constexpr std::uint8_t kInit = 1, kInitAck = 2;  // RFC 9260
constexpr std::uint32_t kTag = 7;                // of both ends

void speak_sctp(Random& random, std::optional<std::uint8_t> chunk, Packet& packet) {
  const std::vector<std::uint8_t> chunks{1, 2, 10, 11, 0, 3, 4, 5, 6, 7, 8, 9, 14};
  const std::uint8_t type = chunk ? *chunk : random.pick(chunks);
  packet.verification_tag = type == kInit || (!chunk && random.chance(20)) ? 0 : kTag;
  if (random.chance(chunk ? 3 : 15)) packet.verification_tag = 1;
  packet.chunks = {type, 0, 0, 4};
  if (type == kInit || type == kInitAck) {
    packet.chunks = {type, 0, 0, 20, 0, 0, 0, kTag, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 9};
  }
}

// Versions, PPTP's calls, what is not PPP, cut headers.
void speak_gre(Random& random, Packet& packet) {
  if (random.chance(40)) return;  // as it is: version 0
  const auto version = random.pick(std::vector<std::uint8_t>{0, 1, 1, 1, 1, 2, 7});
  const auto call = random.pick(std::vector<std::uint8_t>{0, 0, 5, 7});
  const bool ppp = random.chance(60);
  packet.raw_l4 = {0x20,
                   version,
                   static_cast<std::uint8_t>(ppp ? 0x88 : 0x08),
                   static_cast<std::uint8_t>(ppp ? 0x0b : 0x00),
                   0,
                   4,
                   0,
                   call};
  packet.raw_l4->resize(random.chance(25) ? random.below(8) : 8 + random.below(12));
  packet.payload.clear();
}

// IPv6 that ends within its extension headers, or that shows a protocol behind them all the same.
void end_within(Random& random, Packet& packet) {
  static const std::vector<std::vector<std::uint8_t>> kBodies{
      {},
      {60},
      {60, 255},
      {60, 0, 1, 4, 0, 0, 0, 0},
      {60, 0, 1, 4, 0, 0, 0, 0, 60, 255, 0},
      {protocol::kUdp, 0},
      {protocol::kUdp, 0, 1, 4, 0, 0, 0, 0, 0xfa, 0},
      {253, 0, 1, 4, 0, 0, 0, 0, 0x33},
      {51, 0, 1, 4, 0, 0, 0, 0},
      {51, 0, 1, 4, 0, 0, 0, 0, 60, 0},
      {51, 0, 1, 4, 0, 0, 0, 0, 253, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x33}};
  packet.raw_l4 = random.pick(kBodies);
  packet.payload.clear();
}

// A checksum that is missing, or covers what it must not.
void speak_udplite(Random& random, Packet& packet) {
  if (random.chance(70)) return;
  const auto covers = random.pick(std::vector<std::uint8_t>{1, 7, 8, 200});
  const auto port = [](std::uint16_t number, unsigned shift) {
    return static_cast<std::uint8_t>(number >> shift);
  };
  const auto sum = static_cast<std::uint8_t>(random.chance(70) ? 0x55 : 0);
  packet.raw_l4 = {port(packet.source_port, 8),
                   port(packet.source_port, 0),
                   port(packet.destination_port, 8),
                   port(packet.destination_port, 0),
                   0,
                   covers,
                   sum,
                   0};
  packet.raw_l4->resize(8 + random.below(20));
  packet.payload.clear();
}

}  // namespace

const std::vector<SctpStep>& association() {
  static const std::vector<SctpStep> kSteps{{'o', 1}, {'r', 2}, {'o', 10}, {'r', 11},
                                            {'o', 0}, {'r', 3}, {'o', 4},  {'r', 5},
                                            {'o', 7}, {'r', 8}, {'o', 14}};
  return kSteps;
}

void speak_other(Random& random, std::optional<std::uint8_t> chunk, Packet& packet) {
  // A security parameter index that rules may name.
  const auto index = random.pick(std::vector<std::uint8_t>{0, 1, 2, 20, 100, 255});
  if (packet.protocol == protocol::kSctp) return speak_sctp(random, chunk, packet);
  packet.payload.assign(8 + random.below(20), 0x33);
  if (packet.protocol == protocol::kDccp) {
    packet.dccp_type = static_cast<std::uint8_t>(random.below(10));
    return;
  }
  if (packet.protocol == protocol::kUdplite) return speak_udplite(random, packet);
  packet.source_port = packet.destination_port = 0;
  if (packet.protocol == protocol::kGre) return speak_gre(random, packet);
  if (is_extension_header(packet.family(), packet.protocol)) return end_within(random, packet);
  const std::size_t at = packet.protocol == protocol::kAh ? 4 : 0;
  if (at == 0 && packet.protocol != protocol::kEsp) return;
  for (std::size_t i = 0; i < 4; ++i) packet.payload[at + i] = i == 3 ? index : 0;
}

}  // namespace postern::kernel
