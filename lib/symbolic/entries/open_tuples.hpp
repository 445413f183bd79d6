// Tests of a tuple's ports (conntrack --ctorigsrcport ...) leave ICMP and GRE open: what stands
// there instead is not followed (Reader::tuple_port). Covered by tests/unit/query_test.cpp.
#pragma once

#include <algorithm>
#include <array>

#include "flow/program.hpp"

namespace postern {

inline bool reads_tuple_ports(const Program& program) {
  constexpr std::array kPorts{Field::kCtOriginalSourcePort, Field::kCtOriginalDestinationPort,
                              Field::kCtReplySourcePort, Field::kCtReplyDestinationPort};
  return std::ranges::any_of(program.rules(), [&](const ProgramRule& rule) {
    return std::ranges::any_of(rule.rule->clauses, [&](const Clause& clause) {
      return std::ranges::any_of(kPorts,
                                 [&](Field field) { return mentions(*clause.predicate, field); });
    });
  });
}

}  // namespace postern
