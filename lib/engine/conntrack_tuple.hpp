// The key of a flow in one direction, as the kernel's struct nf_conntrack_tuple has it.
// Covered by tests/unit/conntrack_table_test.cpp.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/view.hpp"
#include "flow/conntrack.hpp"
#include "scenario/result.hpp"

namespace postern {

struct CtTuple {
  Family family = Family::kIpv4;
  std::uint8_t protocol = 0;
  std::uint16_t zone = 0;  // of this direction (0: the default zone)
  u128 source = 0, destination = 0;
  // Ports where the protocol has them; for ICMP queries `source_key` is the id and
  // `destination_key` is type * 256 + code; 0 elsewhere.
  std::uint16_t source_key = 0, destination_key = 0;
  auto operator<=>(const CtTuple&) const = default;

  // The tuple of the answers; nullopt for an ICMP type without counterpart.
  std::optional<CtTuple> inverse() const;
  std::size_t hash() const;
  TupleReport report() const;
};

// The tuple of a packet; nullopt when its layer-4 header is too short for a key (TCP, UDP: 4
// bytes).
std::optional<CtTuple> tuple_of(const PacketView& packet);

}  // namespace postern
