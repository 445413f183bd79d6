// Reading the files that the command line names; "-" is standard input.
// Covered by tests/cli/usage_test.cpp.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "text/source.hpp"

namespace postern {

// The text of `path`, or one sentence why not ("x.rules: No such file or directory").
tl::expected<std::shared_ptr<const SourceFile>, std::string> read_input(const std::string& path);

}  // namespace postern
