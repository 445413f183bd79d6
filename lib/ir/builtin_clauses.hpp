// Meaning and canonical text of -s -d -i -o -p -f (kernel: ip_packet_match, ip6_packet_match; text:
// print_rule of iptables-save). Internal to lib/ir; covered by tests/unit/bind_test.cpp.
#pragma once

#include <vector>

#include "ir/draft.hpp"

namespace postern {

// `output`/`destination`: which of the two directions.
Clause address_clause(bool destination, const std::vector<Prefix>& prefixes, bool inverted,
                      Span span);
Clause interface_clause(bool output, const Given<InterfacePattern>& given);
Clause protocol_clause(const Given<std::uint8_t>& given, const RuleContext& context);
Clause fragment_clause(const Given<bool>& given);

}  // namespace postern
