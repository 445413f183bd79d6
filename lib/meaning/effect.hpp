// What a target does to the packet, its conntrack entry and the walk through the chains. Data only:
// the engine and the symbolic side each interpret it. Jumps between chains are not effects: they
// are part of a rule (ir/ruleset.hpp).
//
// "Ends" means: the walk through this table's chain at this hook is over (kernel-facts 9).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "net/address.hpp"
#include "net/field.hpp"

namespace postern {

struct Accept {};  // ends; the packet goes on to the next table
struct Drop {};    // ends everything
struct Return {};  // back to the caller; in a built-in chain, the policy
// Drops, and answers with an ICMP error or a TCP reset.
struct Reject {
  bool tcp_reset = false;
  std::uint8_t icmp_type = 3, icmp_code = 3;  // or ICMPv6's
};
// The largest segment that a SYN announces is lowered to `size`, or (none) to what the path's MTU
// has room for; a SYN that announces none gets the option.
struct LowerMss {
  std::optional<std::uint16_t> size = std::nullopt;
};
// Writes a line or a copy somewhere (LOG, NFLOG, TRACE, ...), or changes something that no rule
// reads (CHECKSUM, CLASSIFY; of TCPMSS only the length that an added option makes larger): goes on
// with the next rule.
struct Annotate {
  std::string what;
  std::optional<LowerMss> mss = std::nullopt;
};
// mark = (mark & ~mask) ^ value; goes on (kernel: mark_tg, "--set-xmark value/mask").
struct SetMark {
  std::uint32_t value = 0, mask = 0xffffffff;
};
// CONNMARK; goes on. Without an attached entry it does nothing (kernel-facts 20).
//   kSet:     ctmark = (ctmark & ~ctmask) ^ value
//   kSave:    ctmark = (ctmark & ~ctmask) ^ (mark & nfmask)
//   kRestore: mark   = (mark & ~nfmask) ^ (ctmark & ctmask)
struct SetConnmark {
  enum class Op : std::uint8_t { kSet, kSave, kRestore } op = Op::kSet;
  std::uint32_t value = 0, ctmask = 0xffffffff, nfmask = 0xffffffff;
};
// NOTRACK or CT --notrack: the packet is UNTRACKED from here on, unless an entry or a template is
// already attached (kernel-facts 4, 22, 23); goes on.
struct NoTrack {};
// CT with a zone, a helper, events or a timeout: attaches a template unless one is attached; goes
// on.
struct AttachTemplate {
  enum class Direction : std::uint8_t { kBoth, kOriginal, kReply };
  std::uint16_t zone = 0;
  Direction zone_direction = Direction::kBoth;
  bool zone_from_mark = false;
  std::string helper;  // empty: none
};
// NAT mapping for the first packet of a flow; ends. Port 0..0 means "keep".
struct Nat {
  enum class Kind : std::uint8_t { kSource, kDestination, kMasquerade, kRedirect, kNetmap };
  Kind kind = Kind::kSource;
  std::optional<Address> low, high;  // address range; both set or none
  std::optional<Prefix> network;     // NETMAP
  std::uint16_t port_low = 0, port_high = 0;
  std::uint16_t port_base = 0;  // DNAT "a-b/base": port = base's place in the range; 0: none
  bool random = false, persistent = false;
};
// Writes a header field: field = (field & ~mask) ^ value; goes on (TOS, DSCP, TTL --ttl-set, ECN).
struct SetField {
  Field field = Field::kTos;
  u128 value = 0, mask = 0;
};
// field += delta, stopping at 0 and at the field's largest value; goes on (TTL --ttl-inc, HL).
struct AddField {
  Field field = Field::kTtl;
  int delta = 0;
};
// A socket of this host takes the packet, which ends as ACCEPT does, with another mark, and is not
// forwarded (ip_forward drops what has a socket); without a socket it is dropped. The text does not
// decide which (TPROXY).
struct ToSocket {
  std::string why;
  SetMark mark;
};
// A target that postern does not know or whose verdict the text does not decide (NFQUEUE, an
// unknown name): any verdict or none, having changed any field, mark, entry or set.
struct OpaqueTarget {
  std::string why;
  // What it sends by itself through OUTPUT: UNTRACKED copies of packets (xt_TEE), or TCP segments
  // with any entry (SYNPROXY: nf_synproxy_core).
  enum class Sends : std::uint8_t { kNone, kCopies, kSegments } sends = Sends::kNone;
};

using Effect = std::variant<Accept, Drop, Return, Reject, Annotate, SetMark, SetConnmark, NoTrack,
                            AttachTemplate, Nat, SetField, AddField, ToSocket, OpaqueTarget>;

}  // namespace postern
