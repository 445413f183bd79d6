// What lint prints: one FileReport per file, as text for people or as JSON for programs (design.md
// section 5, schema "postern/1"). Both are deterministic.
// Covered by tests/unit/report_test.cpp and the goldens in tests/golden/lint/.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/finding.hpp"
#include "net/family.hpp"
#include "text/source.hpp"

namespace postern {

struct FileReport {
  std::string file = {};                          // as the user named it
  std::shared_ptr<const SourceFile> source = {};  // null when it could not be read
  std::optional<Family> family = {};              // nullopt when the file is bad
  Backend backend = Backend::kLegacy;             // that runs it
  LintReport lint = {};
  Diagnostics errors = {};      // bad input, with places
  std::string unreadable = {};  // why the file could not be read at all
  bool no_table = false;        // the file holds nothing: whatever it stands for filters nothing
  bool bad() const { return !errors.empty() || !unreadable.empty(); }
};

struct ReportStyle {
  bool color = false;
  bool quiet = false;    // findings only: no summary
  bool verbose = false;  // every open question and the statistics
};

std::string lint_text(const std::vector<FileReport>& reports, const ReportStyle& style);
std::string lint_json(const std::vector<FileReport>& reports);

// The errors of one file as they go to standard error, with line, column and caret.
std::string error_text(const FileReport& report, bool color);

}  // namespace postern
