// --on-kernel for query and lint. Covered by tests/cli/on_kernel_test.cpp.
#include "cli/commands.hpp"

namespace postern {

ExitCode confirm_on_kernel(Answer& answer) {
  if (answer.witness.empty() || !answer.scenario) return ExitCode::kClean;
  answer.on_kernel = witness_on_kernel(*answer.scenario);
  return answer.on_kernel->difference.empty() ? ExitCode::kClean : ExitCode::kIncomplete;
}

}  // namespace postern
