// The dispatcher, and what every command does last.
// Covered by tests/cli/.
#include <fmt/format.h>

#include "base/check.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace postern {

ExitCode run_command(const Options& options) {
  switch (options.command) {
    case Command::kLint:
      return run_lint(options);
    case Command::kQuery:
      return run_query(options);
    case Command::kReplay:
      return run_replay(options);
    case Command::kTrace:
      return run_trace(options);
    case Command::kExplain:
      return run_explain(options);
  }
  throw InternalError("a command without a function");
}

ExitCode finish(const Options& options, const std::string& text, ExitCode code) {
  const std::string problem = write_output(options.output, text);
  if (problem.empty()) return code;
  fmt::print(stderr, "postern: error: {}\n", problem);
  return stronger(code, ExitCode::kBadInput);
}

}  // namespace postern
