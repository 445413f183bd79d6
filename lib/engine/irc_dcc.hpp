// What the IRC helper reads: the first DCC command of a message that names an address and a port.
// Source: nf_conntrack_irc.c. Covered by tests/unit/engine_helper_test.cpp.
#pragma once

#include <cstdint>
#include <optional>

#include "scenario/bytes.hpp"

namespace postern {

struct DccAnnouncement {
  std::uint16_t port = 0;
  std::size_t offset = 0, length = 0;  // of "address port", in the payload
};

// `client`, `client_outside`: the addresses that the client may name, its own and the one that it
// has behind NAT.
std::optional<DccAnnouncement> read_dcc(ByteView payload, std::uint32_t client,
                                        std::uint32_t client_outside);

}  // namespace postern
