// Connection tracking as data: which protocol has which tracker, what opens an ICMP flow and what
// answers it, which ICMP types are errors or never tracked, and the parameters (sysctls) with the
// kernel's defaults. TCP's transition table: conntrack_tcp.hpp. No behaviour here: the engine and
// the symbolic side each read these tables.
// Source: kernel-facts B-D. Covered by tests/unit/conntrack_table_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "flow/conntrack_tcp.hpp"
#include "net/family.hpp"
#include "net/protocol.hpp"

namespace postern {

// --- trackers ---------------------------------------------------------------------------------

enum class Tracker : std::uint8_t { kTcp, kUdp, kUdplite, kIcmp, kIcmpv6, kSctp, kGre, kGeneric };
inline constexpr std::size_t kTrackerCount = 8;

// DCCP has none since Linux 6.16 (kernel-facts 25).
constexpr Tracker tracker_of(std::uint8_t protocol_number) {
  switch (protocol_number) {
    case protocol::kTcp:
      return Tracker::kTcp;
    case protocol::kUdp:
      return Tracker::kUdp;
    case protocol::kUdplite:
      return Tracker::kUdplite;
    case protocol::kIcmp:
      return Tracker::kIcmp;
    case protocol::kIcmpv6:
      return Tracker::kIcmpv6;
    case protocol::kSctp:
      return Tracker::kSctp;
    case protocol::kGre:
      return Tracker::kGre;
    default:
      return Tracker::kGeneric;
  }
}
// Do two ports belong to the key of a flow?
constexpr bool has_ports(Tracker tracker) {
  return tracker == Tracker::kTcp || tracker == Tracker::kUdp || tracker == Tracker::kUdplite ||
         tracker == Tracker::kSctp;
}

// --- ICMP and ICMPv6 --------------------------------------------------------------------------

// What an ICMP type is to connection tracking.
enum class IcmpClass : std::uint8_t {
  kRequest,    // opens a flow; key: addresses, id, type, code
  kReply,      // belongs to a flow of the matching request with the same id and code, else INVALID
  kError,      // RELATED to what it quotes, else INVALID
  kUntracked,  // IPv6 neighbour discovery and listener reports: UNTRACKED, always
  kOther,      // INVALID
};

struct IcmpPair {
  std::uint8_t request, reply;
};
inline constexpr std::array<IcmpPair, 4> kIcmpPairs{{{8, 0}, {13, 14}, {15, 16}, {17, 18}}};
inline constexpr std::array<IcmpPair, 2> kIcmpv6Pairs{{{128, 129}, {139, 140}}};
inline constexpr std::array<std::uint8_t, 5> kIcmpErrors{3, 4, 5, 11, 12};
// Every type below is treated as an error, assigned or not (measured with types 0, 5, 100 and 127).
inline constexpr std::uint8_t kFirstIcmpv6Informational = 128;
// MLD query, report, done; router and neighbour discovery; MLDv2 report; multicast router
// discovery. Redirect (137) and 153 are not among them (kernel-facts 41).
inline constexpr std::array<std::uint8_t, 10> kIcmpv6Untracked{130, 131, 132, 133, 134,
                                                               135, 136, 143, 151, 152};

constexpr IcmpClass icmp_class(Family family, std::uint8_t type) {
  const auto pairs_have = [&](const auto& pairs, std::uint8_t IcmpPair::*side) {
    for (const auto& pair : pairs) {
      if (pair.*side == type) return true;
    }
    return false;
  };
  const auto has = [&](const auto& list) {
    for (const auto one : list) {
      if (one == type) return true;
    }
    return false;
  };
  if (family == Family::kIpv4) {
    if (pairs_have(kIcmpPairs, &IcmpPair::request)) return IcmpClass::kRequest;
    if (pairs_have(kIcmpPairs, &IcmpPair::reply)) return IcmpClass::kReply;
    return has(kIcmpErrors) ? IcmpClass::kError : IcmpClass::kOther;
  }
  if (pairs_have(kIcmpv6Pairs, &IcmpPair::request)) return IcmpClass::kRequest;
  if (pairs_have(kIcmpv6Pairs, &IcmpPair::reply)) return IcmpClass::kReply;
  if (type < kFirstIcmpv6Informational) return IcmpClass::kError;
  return has(kIcmpv6Untracked) ? IcmpClass::kUntracked : IcmpClass::kOther;
}

// The type that answers (or is answered by) `type`; nullopt for all but requests and replies.
constexpr std::optional<std::uint8_t> icmp_counterpart(Family family, std::uint8_t type) {
  const auto search = [&](const auto& pairs) -> std::optional<std::uint8_t> {
    for (const auto& pair : pairs) {
      if (pair.request == type) return pair.reply;
      if (pair.reply == type) return pair.request;
    }
    return std::nullopt;
  };
  return family == Family::kIpv4 ? search(kIcmpPairs) : search(kIcmpv6Pairs);
}

// --- parameters -------------------------------------------------------------------------------

// Seconds; the sysctls net/netfilter/nf_conntrack_*_timeout* with their defaults.
struct ConntrackTimeouts {
  // Indexed by TcpState; kNone is unused.
  std::array<std::uint32_t, kTcpStateCount> tcp{0, 120, 60, 432000, 120, 60, 30, 120, 10, 120};
  std::uint32_t tcp_max_retrans = 300, tcp_unacknowledged = 300;
  std::uint32_t udp = 30, udp_stream = 120;
  std::uint32_t icmp = 30, icmpv6 = 30, generic = 600;
  std::uint32_t gre = 30, gre_stream = 180;
  std::uint32_t sctp_closed = 10, sctp_cookie_wait = 3, sctp_cookie_echoed = 3,
                sctp_established = 210, sctp_shutdown_sent = 3, sctp_shutdown_received = 3,
                sctp_shutdown_ack_sent = 3, sctp_heartbeat_sent = 30;
};

struct ConntrackConfig {
  bool tcp_loose = true;        // nf_conntrack_tcp_loose
  bool tcp_be_liberal = false;  // nf_conntrack_tcp_be_liberal
  bool tcp_ignore_invalid_rst = false;
  std::uint32_t tcp_max_retrans = 3;
  bool checksum = true;  // nf_conntrack_checksum
  ConntrackTimeouts timeouts;
};

// A UDP flow counts as a stream (ASSURED, longer timeout) when a packet arrives after a
// reply was seen and more than this many milliseconds after its first packet (kernel-facts 38).
inline constexpr std::uint32_t kUdpStreamAfterMilliseconds = 2000;

}  // namespace postern
