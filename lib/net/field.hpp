// THE table of everything about a packet that a rule can test: name, width in bits. Header fields,
// the packet's marks, and what its conntrack entry shows to rules. Interface names and TCP options
// are not numbers: predicate.hpp has nodes of their own for them.
//
// Absent headers: kSourcePort.. are 0 where the packet has no such header; predicates that read
// them must carry their own guard (predicate.hpp: has_transport), because iptables matches on an
// absent header fail even when inverted. Covered by tests/unit/net_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace postern {

enum class Field : std::uint8_t {
  kSource,
  kDestination,     // addresses; 32 or 128 bits by family (the table says 128)
  kProtocol,        // upper protocol (behind IPv6 extension headers)
  kFragmentOffset,  // IP fragment offset in 8-byte units; 0 for whole and first
  kTruncated,       // how much of the transport header is there: enum HeaderPart below
  kSourcePort,
  kDestinationPort,
  kTcpFlags,  // FIN 1 SYN 2 RST 4 PSH 8 ACK 16 URG 32 ECE 64 CWR 128
  kIcmpType,
  kIcmpCode,  // ICMP or ICMPv6, by family
  kLength,    // IPv4 total length; IPv6 payload length + 40. Bytes
  kTtl,       // TTL or hop limit
  kTos,       // TOS byte or traffic class
  kHasMac,
  kMacSource,  // 1 if the packet came with a link-layer header; its source address
  kMark,       // skb mark
  kSourceType,
  kDestinationType,  // addrtype's classes: enum AddressType below
  kCtState,          // enum CtState below
  kCtStatus,         // IPS_ bits: enum namespace ct_status below; 0 without entry
  kCtDirection,      // 0 original, 1 reply
  kCtMark,
  kCtZone,
  kCtProtocol,  // of the entry's original tuple, as are the next four
  // The "ports" of the tuples: for ICMP source = id, destination = type * 256 + code; for protocols
  // without ports 0 (kernel: tuple.src.u.all, dst.u.all).
  kCtOriginalSource,
  kCtOriginalDestination,
  kCtOriginalSourcePort,
  kCtOriginalDestinationPort,
  kCtReplySource,
  kCtReplyDestination,
  kCtReplySourcePort,
  kCtReplyDestinationPort,
  kCount,
};

inline constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::kCount);

struct FieldInfo {
  Field field;
  std::string_view name;  // the word used in questions and JSON
  unsigned width;         // bits
};

inline constexpr std::array<FieldInfo, kFieldCount> kFields{{
    {Field::kSource, "src", 128},
    {Field::kDestination, "dst", 128},
    {Field::kProtocol, "proto", 8},
    {Field::kFragmentOffset, "frag_off", 13},
    {Field::kTruncated, "truncated", 3},
    {Field::kSourcePort, "sport", 16},
    {Field::kDestinationPort, "dport", 16},
    {Field::kTcpFlags, "flags", 8},
    {Field::kIcmpType, "type", 8},
    {Field::kIcmpCode, "code", 8},
    {Field::kLength, "length", 17},
    {Field::kTtl, "ttl", 8},
    {Field::kTos, "tos", 8},
    {Field::kHasMac, "has_mac", 1},
    {Field::kMacSource, "mac", 48},
    {Field::kMark, "mark", 32},
    {Field::kSourceType, "src_type", 4},
    {Field::kDestinationType, "dst_type", 4},
    {Field::kCtState, "ctstate", 3},
    {Field::kCtStatus, "ctstatus", 16},
    {Field::kCtDirection, "ctdir", 1},
    {Field::kCtMark, "ctmark", 32},
    {Field::kCtZone, "zone", 16},
    {Field::kCtProtocol, "ctproto", 8},
    {Field::kCtOriginalSource, "ctorigsrc", 128},
    {Field::kCtOriginalDestination, "ctorigdst", 128},
    {Field::kCtOriginalSourcePort, "ctorigsrcport", 16},
    {Field::kCtOriginalDestinationPort, "ctorigdstport", 16},
    {Field::kCtReplySource, "ctreplsrc", 128},
    {Field::kCtReplyDestination, "ctrepldst", 128},
    {Field::kCtReplySourcePort, "ctreplsrcport", 16},
    {Field::kCtReplyDestinationPort, "ctrepldstport", 16},
}};

constexpr bool fields_in_order() {
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    if (static_cast<std::size_t>(kFields[i].field) != i) return false;
  }
  return true;
}
static_assert(fields_in_order(), "kFields must list every Field in the order of the enum");

constexpr const FieldInfo& info(Field field) { return kFields[static_cast<std::size_t>(field)]; }

namespace tcp_flag {
inline constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32,
                              kEce = 64, kCwr = 128;
}  // namespace tcp_flag

// What a rule sees with --ctstate (values of Field::kCtState). In raw, before the lookup, every
// packet without an attached entry is kInvalid (kernel-facts 19).
enum class CtState : std::uint8_t { kInvalid, kNew, kEstablished, kRelated, kUntracked };

// The kernel's own status bits (uapi nf_conntrack_common.h, enum ip_conntrack_status).
namespace ct_status {
inline constexpr std::uint16_t kExpected = 1, kSeenReply = 2, kAssured = 4, kConfirmed = 8,
                               kSourceNat = 16, kDestinationNat = 32, kSequenceAdjust = 64,
                               kSourceNatDone = 128, kDestinationNatDone = 256, kHelper = 8192;
}  // namespace ct_status

// What is there of the transport header, from all of it to nothing (values of Field::kTruncated).
// Of a later fragment: of the bytes that stand where it would be, which is how iptables-nft reads
// it.
enum class HeaderPart : std::uint8_t {
  kWhole,
  kFlags,       // cut short behind TCP's flags: 14 bytes and more
  kPorts,       // 4 bytes and more: both ports
  kSourcePort,  // 2 or 3 bytes
  kNoPort,      // less than 2 bytes
};

// Of a header of `whole` bytes, where `bytes` are there.
constexpr HeaderPart header_part(std::size_t bytes, std::size_t whole) {
  if (bytes >= whole) return HeaderPart::kWhole;
  if (bytes >= 14) return HeaderPart::kFlags;
  if (bytes >= 4) return HeaderPart::kPorts;
  return bytes >= 2 ? HeaderPart::kSourcePort : HeaderPart::kNoPort;
}

// Kernel route types as addrtype tests them (uapi rtnetlink.h RTN_*).
enum class AddressType : std::uint8_t {
  kUnspec,
  kUnicast,
  kLocal,
  kBroadcast,
  kAnycast,
  kMulticast,
  kBlackhole,
  kUnreachable,
  kProhibit,
  kThrow,
  kNat,
  kXresolve,
};

}  // namespace postern
