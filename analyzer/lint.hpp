// Lint: runs every check over one ruleset and collects what they say. No configuration needed.
//
// Soundness: a finding is true (proved, or replayed by the engine); a question that a check could
// not answer is in `open`, never left out. Covered by tests/cli/lint_test.cpp.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "analyzer/finding.hpp"
#include "ir/bind.hpp"
#include "scenario/scenario.hpp"

namespace postern {

struct LintSettings {
  TrackingMode tracking = TrackingMode::kAuto;
  std::chrono::milliseconds timeout{60'000};            // for one question
  std::function<void(std::string_view)> progress = {};  // told which check begins; may be empty
};

// Deterministic: the same text gives the same report.
LintReport lint(const Bound& bound, const LintSettings& settings = {});

}  // namespace postern
