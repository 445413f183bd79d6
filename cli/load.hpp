// From a file's name to a program, with every error where it belongs. Used by query and trace.
// Covered by tests/cli/query_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/options.hpp"
#include "flow/program.hpp"
#include "ir/bind.hpp"

namespace postern {

// Says on standard error that a file without any table filters nothing: often it is not what was
// meant (iptables-save prints nothing without root).
void warn_of_no_table(const std::string& file);

// A ruleset ready to run. On the heap, because the program points into the ruleset.
struct Loaded {
  std::shared_ptr<const SourceFile> source;
  Bound bound;
  std::optional<Program> program;
};

// nullptr when the file is bad; the errors are then on standard error.
std::unique_ptr<Loaded> load(const std::string& path, const Options& options);

// Prints diagnostics about `source` to standard error.
void print_errors(const Diagnostics& errors, const SourceFile& source, const Options& options);

}  // namespace postern
