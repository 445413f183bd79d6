// PST201: in INPUT or FORWARD the policy or a last unconditional rule accepts, although some rule there
// drops NEW traffic.
#include "analyzer/checks/check.hpp"
#include "analyzer/checks/checks.hpp"

namespace postern::check {

void default_accept(LintRun&) {}

}  // namespace postern::check
