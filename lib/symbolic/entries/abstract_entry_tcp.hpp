// TCP's part of successors(): see abstract_entry.hpp.
#pragma once

#include <vector>

#include "symbolic/entries/abstract_entry.hpp"

namespace postern {

std::vector<AbstractStep> tcp_successors(const AbstractEntry& entry, FlowEnd sender,
                                         TcpSegment segment, const ConntrackConfig& config);

// canonical() of an entry that is present and TCP's.
AbstractEntry tcp_canonical(AbstractEntry entry);

}  // namespace postern
