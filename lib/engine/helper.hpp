// Connection tracking helpers: they read the payload of flows that a CT target has given to them,
// expect what it announces, and have it rewritten where the flow is translated. ftp, tftp and irc
// are modelled, netbios-ns as long as it expects nothing. Sources: nf_conntrack_{ftp,tftp,irc}.c,
// nf_nat_{ftp,tftp,irc}.c; kernel-facts 57,
// 58. Covered by tests/unit/engine_helper_test.cpp and tests/kernel/helper_test.cpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/chooser.hpp"
#include "engine/conntrack.hpp"

namespace postern {

bool knows_helper(std::string_view name);
// Does the helper read nothing, and expect answers to what this host sends to a broadcast address
// (nf_conntrack_broadcast_help)? Those expectations are not modelled.
bool expects_by_broadcast(std::string_view name);

// Other words in place of these bytes of the payload.
struct Rewriting {
  std::size_t offset = 0, length = 0;
  std::string words;
};

struct HelperVerdict {
  bool accepted = true;
  std::optional<Rewriting> rewriting = std::nullopt;
};

// What the helper of the packet's entry (which has one) does at the end of its way, before the
// entry is confirmed. The chooser is asked for a port where the announced one is taken.
HelperVerdict run_helper(ConntrackTable& table, Chooser& chooser, const PacketView& packet,
                         const Attachment& attachment);

// The bytes behind the layer-4 header of TCP or UDP; empty for anything else.
Bytes payload_of(const PacketView& packet);

}  // namespace postern
