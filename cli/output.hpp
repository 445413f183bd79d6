// Where results and files go. A file is written whole or not at all: into a temporary neighbour
// that is then renamed over the target. Things that are no regular files (a pipe, /dev/stdout) are
// written straight.
// Covered by tests/cli/usage_test.cpp.
#pragma once

#include <string>

namespace postern {

// Writes `text` to `path`, or to standard output when `path` is empty. Returns an empty string, or
// what went wrong ("cannot write x: No space left on device").
std::string write_output(const std::string& path, const std::string& text);

}  // namespace postern
