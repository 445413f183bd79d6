// Packets of the adversary that no end hears, though netfilter passes them on: wrong checksums,
// wrong lengths, transport headers that are cut short. Used by tests/agreement/adversary_test.cpp.
#pragma once

#include <algorithm>
#include <utility>

#include "flow/conntrack.hpp"
#include "flow/hooks.hpp"
#include "net/protocol.hpp"
#include "scenario/serialise.hpp"
#include "tests/support/random_rules.hpp"

namespace postern {

inline Bytes layer4_of(const Packet& p) {
  const Bytes bytes = to_bytes(p);
  return {bytes.begin() + (p.family() == Family::kIpv4 ? 20 : 40), bytes.end()};
}

inline bool is_cut(const Packet& p) {
  return p.raw_l4 && p.raw_l4->size() < layer4_header_size(p.protocol);
}

// TCP's data offset or UDP's length, as spoil() has them.
inline bool claims_another_length(const Packet& p) {
  const bool has = p.protocol == protocol::kTcp || p.protocol == protocol::kUdp;
  return has && p.raw_l4 && !is_cut(p);
}

inline bool wrong_checksum(const Packet& p) {  // (of UDP-Lite conntrack takes no other)
  return p.bad_checksum && p.protocol != protocol::kUdplite;
}

// Does such a packet count on the path, whose initiator sends it? This host's own stack takes no
// wrong checksum or length.
inline bool counts(const Packet& p, Path path) {
  const bool goes_on = path == Path::kForward;
  if (claims_another_length(p)) return goes_on || path == Path::kOut;
  return goes_on || !wrong_checksum(p);
}
inline bool heard(const Packet& p) {
  return !wrong_checksum(p) && !is_cut(p) && !claims_another_length(p);
}

// Seldom cuts the header of a whole packet short, or lets it claim another length.
inline void spoil(kernel::Dice& dice, Packet& p) {
  const std::size_t header = layer4_header_size(p.protocol);
  if (header == 0 || p.raw_l4) return;
  if (dice.chance(4)) {
    Bytes l4 = layer4_of(p);
    l4.resize(dice.below(static_cast<unsigned>(header)));
    p.raw_l4 = std::move(l4);
  } else if (p.protocol == protocol::kUdp && dice.chance(4)) {
    Bytes l4 = layer4_of(p);
    l4[4] = 0xff;
    p.raw_l4 = std::move(l4);
  } else if (p.protocol == protocol::kTcp && dice.chance(4)) {
    Bytes l4 = layer4_of(p);
    l4[12] = dice.chance(50) ? 0x40 : 0xf0;
    l4.resize(std::min<std::size_t>(l4.size(), 59));
    p.raw_l4 = std::move(l4);
  } else {
    return;
  }
  p.bad_checksum = false;
  p.payload.clear();
}

}  // namespace postern
