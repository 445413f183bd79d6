#include "symbolic/witness/witness_odd.hpp"

#include <utility>

#include "flow/odd_headers.hpp"
#include "net/no_protocol.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

std::size_t ip_header(const Packet& packet) { return packet.family() == Family::kIpv4 ? 20 : 40; }

void put16_at(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

}  // namespace

u128 well_formed_length(const Packet& packet) {
  if (packet.protocol == protocol::kGre) return ip_header(packet) + kPptpBytes;
  const bool seen = packet.family() == Family::kIpv6 && packet.protocol == protocol::kAh;
  return ip_header(packet) + (seen ? kSeenOfExtension : matched_header_size(packet.protocol));
}

bool break_header(Packet& packet) {
  Bytes l4 = to_bytes(packet);
  l4.erase(l4.begin(), l4.begin() + static_cast<std::ptrdiff_t>(ip_header(packet)));
  if (packet.protocol == protocol::kGre) {
    if (l4.size() < kPptpBytes) return false;
    l4[1] = kPptpVersion;
  } else if (packet.protocol == protocol::kUdplite) {
    if (l4.size() < 8) return false;
    put16_at(l4, 4, 1);  // its checksum covers one byte
    put16_at(l4, 6, 1);
  } else {
    return true;  // its protocol alone says it
  }
  packet.raw_l4 = std::move(l4);
  packet.payload.clear();
  return true;
}

// A chain of headers, each of which says that it is as long as one can be.
void end_within_extensions(Packet& packet) {
  std::size_t longest = packet.protocol == protocol::kAh ? (255 + 2) * 4 : (255 + 1) * 8;
  Bytes l4(packet.payload.size());
  for (std::size_t at = 0; at < l4.size(); at += std::exchange(longest, (255 + 1) * 8)) {
    l4[at] = kEndsWithin;
    if (at + 1 < l4.size()) l4[at + 1] = 255;
  }
  packet.raw_l4 = std::move(l4);
  packet.payload.clear();
}

bool lie_about_length(Packet& packet) {
  constexpr std::size_t kTcpOffset = 12, kUdpLength = 4;
  Bytes l4 = to_bytes(packet);
  l4.erase(l4.begin(), l4.begin() + static_cast<std::ptrdiff_t>(ip_header(packet)));
  if (packet.protocol == protocol::kTcp) {
    if (l4.size() <= kTcpOffset || !packet.options.empty()) return false;
    l4[kTcpOffset] = static_cast<std::uint8_t>(l4[kTcpOffset] & 0x0f) | 0x40;  // 16 bytes
  } else {
    if (packet.protocol != protocol::kUdp || l4.size() < 8) return false;
    put16_at(l4, kUdpLength, static_cast<std::uint16_t>(l4.size() + 1));
  }
  packet.raw_l4 = std::move(l4);
  packet.payload.clear();
  return true;
}

bool is_redirect(const Packet& packet) {
  return packet.protocol == protocol::kIcmpv6 && packet.type == kIcmpv6Redirect;
}

// An error's header has no id. A redirect has its quotation in an option behind two addresses.
void quote(Packet& packet, const std::shared_ptr<const Packet>& quoted) {
  packet.icmp_id = packet.icmp_seq = 0;
  if (!is_redirect(packet) || quoted == nullptr) {
    packet.inner = quoted;
    return;
  }
  Bytes inner = to_bytes(*quoted);
  inner.resize((inner.size() + 7) / 8 * 8);
  const std::size_t units = inner.size() / 8 + 1;
  put_address(packet.payload, packet.source);
  put_address(packet.payload, quoted->destination);
  packet.payload.push_back(kRedirectedHeader);
  packet.payload.push_back(static_cast<std::uint8_t>(units));
  packet.payload.resize(packet.payload.size() + 6);
  packet.payload.insert(packet.payload.end(), inner.begin(), inner.end());
}

}  // namespace postern
