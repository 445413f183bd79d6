// Headers that conntrack takes apart in its own way, as data: IPv6 packets without a transport
// header, versions of GRE, redirects of IPv6. The engine and the symbolic side each read this.
// Measured: tests/kernel/odd_header_cases.inc. Covered by tests/unit/odd_packets_test.cpp.
#pragma once

#include <array>
#include <cstdint>

#include "net/family.hpp"
#include "net/protocol.hpp"

namespace postern {

// IPv6's extension headers, behind which the packet's protocol stands, and what says that nothing
// follows.
inline constexpr std::array<std::uint8_t, 5> kExtensionHeaders{0, 43, 44, protocol::kAh, 60};
inline constexpr std::uint8_t kNoNextHeader = 59;

// Bytes of options that may stand in an IPv4 header, before the transport's.
inline constexpr unsigned kLongestOptions4 = 40;

constexpr bool is_extension_header(Family family, std::uint8_t number) {
  if (family == Family::kIpv4) return false;
  for (const std::uint8_t header : kExtensionHeaders) {
    if (number == header) return true;
  }
  return false;
}
// Has a packet of this protocol a key at all? In IPv6 not if nothing follows the last header, or if
// that is cut short: INVALID (ipv6_skip_exthdr).
constexpr bool has_key(Family family, std::uint8_t number) {
  return family == Family::kIpv4 ||
         (number != kNoNextHeader && !is_extension_header(family, number));
}

// Of GRE's version 1 conntrack knows PPTP alone, and takes its call id for a destination port;
// what else has this version, and eight bytes, is INVALID (gre_pkt_to_tuple).
inline constexpr std::uint8_t kPptpVersion = 1;
inline constexpr std::size_t kPptpBytes = 8;
inline constexpr std::uint16_t kPptpProtocol = 0x880b;  // PPP

// Quotes a packet as an error does if it comes from a link-local address with code 0 and hop limit
// 255, in an option that must be its first; else INVALID (nf_conntrack_icmpv6_redirect).
inline constexpr std::uint8_t kIcmpv6Redirect = 137;
inline constexpr std::uint8_t kRedirectHops = 255;
inline constexpr std::uint8_t kRedirectedHeader = 4;  // the option's type
inline constexpr std::size_t kRedirectOptions = 40;   // where options begin in layer 4
inline constexpr std::size_t kRedirectedOffset = 8;   // where the option quotes

}  // namespace postern
