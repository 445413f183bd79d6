// THE exit codes, the same for every command and format: scripts depend on them. Where several
// apply (several files, several questions) the first of 4, 2, 1, 3, 0 wins. Covered by
// tests/cli/usage_test.cpp.
#pragma once

#include <array>
#include <string_view>

namespace postern {

enum class ExitCode : int {
  kClean = 0,
  kFindings = 1,
  kBadInput = 2,
  kIncomplete = 3,
  kInternal = 4
};

struct ExitCodeInfo {
  ExitCode code;
  std::string_view meaning;  // as the help page prints it
};

// In order of precedence, strongest first.
inline constexpr std::array<ExitCodeInfo, 5> kExitCodes{{
    {ExitCode::kInternal, "internal error: a bug in postern"},
    {ExitCode::kBadInput, "bad input or usage"},
    {ExitCode::kFindings, "findings, or an expectation is violated"},
    {ExitCode::kIncomplete, "incomplete: some answer is unknown"},
    {ExitCode::kClean, "clean, holds, answered"},
}};

constexpr ExitCode stronger(ExitCode left, ExitCode right) {
  for (const ExitCodeInfo& info : kExitCodes) {
    if (info.code == left || info.code == right) return info.code;
  }
  return ExitCode::kInternal;
}

}  // namespace postern
