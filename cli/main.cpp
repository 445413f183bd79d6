// The program: reads the command line, runs one command, and turns what nobody caught into exit 4.
// Covered by tests/cli/.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"

namespace postern {
namespace {

ExitCode run(const std::vector<std::string>& arguments) {
  const auto options = parse_command_line(arguments);
  if (options) return run_command(*options);
  const EarlyExit& early = options.error();
  fmt::print(early.error ? stderr : stdout, "{}", early.text);
  return early.error ? ExitCode::kBadInput : ExitCode::kClean;
}

ExitCode internal_error(const char* what) {
  fmt::print(
      stderr,
      "postern: internal error: {}\n"
      "This is a bug in postern, not in your ruleset; no answer was given. Please report it\n"
      "with the command line, the ruleset and this text.\n",
      what);
  return ExitCode::kInternal;
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  postern::ExitCode code = postern::ExitCode::kInternal;
  try {
    code = postern::run({argv + 1, argv + argc});
  } catch (const std::bad_alloc&) {
    code = postern::internal_error("out of memory");
  } catch (const std::exception& error) {
    code = postern::internal_error(error.what());
  }
  std::fflush(stdout);
  return static_cast<int>(code);
}
