#include "flow/defragmentation.hpp"

#include <algorithm>

namespace postern {

bool puts_fragments_together(const Program& program) {
  return std::ranges::any_of(program.rules(), [](const ProgramRule& rule) {
    const auto asks_sockets = [](const Clause& clause) { return clause.module == "socket"; };
    return rule.rule->target == "TPROXY" || std::ranges::any_of(rule.rule->clauses, asks_sockets);
  });
}

}  // namespace postern
