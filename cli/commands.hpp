// One function per command; each is in a file of its own. They print their result themselves (or
// write it to --output) and return the exit code.
// Covered by tests/cli/.
#pragma once

#include <string>

#include "analyzer/answer.hpp"
#include "cli/exit_code.hpp"
#include "cli/options.hpp"

namespace postern {

ExitCode run_command(const Options& options);

// Writes the result to where --output says; a failure to write is bad usage, and wins over `code`
// by the precedence of exit codes.
ExitCode finish(const Options& options, const std::string& text, ExitCode code);

// Writes --pcap and --scenario from the answer's witness (nothing was asked for: does nothing;
// nothing to write: says so on standard error).
ExitCode write_witness(const Options& options, const Answer* answer, ExitCode code);

// --on-kernel: runs the answer's witness, when it has one, on this machine's kernel and notes what
// came of it. kIncomplete when Linux saw something else, kClean otherwise.
ExitCode confirm_on_kernel(Answer& answer);

ExitCode run_lint(const Options& options);
ExitCode run_query(const Options& options);
ExitCode run_replay(const Options& options);
ExitCode run_trace(const Options& options);
ExitCode run_explain(const Options& options);

}  // namespace postern
