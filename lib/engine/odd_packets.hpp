// What a view does not hold of GRE and of IPv6's redirects, read from the packet's bytes when it is
// wanted. Covered by tests/unit/conntrack_simple_test.cpp.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/view.hpp"

namespace postern {

struct GreHeader {
  std::uint8_t version = 0;
  bool pptp = false;       // of version 1, with all that conntrack reads of it
  bool ppp = false;        // of pptp: it carries PPP
  std::uint16_t call = 0;  // of pptp
};
// REQUIRES: it is GRE. (A header that is not given as bytes has version 0.)
GreHeader gre_header(const PacketView& packet);

// The packet that a redirect of IPv6 quotes; nullopt where conntrack does not read it.
std::optional<Packet> redirected(const PacketView& packet);

}  // namespace postern
