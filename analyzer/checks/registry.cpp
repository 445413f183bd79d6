// THE table of checks, in the order in which they run: what one check has explained, a later one
// may leave out. Covered by tests/cli/lint_test.cpp.
#include "analyzer/checks/check.hpp"
#include "analyzer/checks/checks.hpp"

namespace postern {

std::span<const Check> all_checks() {
  static constexpr Check kChecks[] = {
      {"PST001", false, check::unknown_extension},     {"PST002", false, check::kernel_refuses},
      {"PST104", false, check::unreferenced_chain},    {"PST305", true, check::impossible_state},
      {"PST103", true, check::impossible_match},       {"PST101", true, check::unreachable_rule},
      {"PST201", true, check::default_accept},         {"PST202", true, check::source_port_hole},
      {"PST206", true, check::stateless_segment},      {"PST301", true, check::one_way_notrack},
      {"PST302", true, check::notrack_keeps_tracking},
  };
  return kChecks;
}

}  // namespace postern
