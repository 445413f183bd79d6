// `postern lint FILE...`: every file on its own, several at a time with --jobs, printed in the
// order of the command line. Covered by tests/cli/lint_test.cpp.
#include <fmt/format.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "analyzer/lint.hpp"
#include "analyzer/report/report.hpp"
#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/load.hpp"
#include "cli/terminal.hpp"
#include "ir/bind.hpp"

namespace postern {
namespace {

FileReport lint_file(const std::string& path, const Options& options, Progress& progress) {
  FileReport report{.file = path == "-" ? "<stdin>" : path};
  const auto source = read_input(path);
  if (!source) {
    report.unreadable = source.error();
    return report;
  }
  report.source = *source;
  const Result<Bound> bound = read_ruleset(*source, options.family, options.backend);
  if (!bound) {
    report.errors = bound.error();
    return report;
  }
  report.family = bound->ruleset.family;
  report.backend = bound->ruleset.backend;
  report.no_table = bound->ruleset.tables.empty();
  LintSettings settings{.tracking = options.tracking};
  if (options.timeout) settings.timeout = *options.timeout;
  settings.progress = [&](std::string_view check) {
    progress.show(fmt::format("{}: {}", report.file, check));
  };
  report.lint = lint(*bound, settings);
  return report;
}

// Files are independent of each other: a few threads take them one by one.
std::vector<FileReport> lint_files(const Options& options, Progress& progress) {
  std::vector<FileReport> reports(options.files.size());
  std::atomic<std::size_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < reports.size(); i = next++) {
      try {
        reports[i] = lint_file(options.files[i], options, progress);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = reports.size();
      }
    }
  };
  const std::size_t helpers = std::min<std::size_t>(options.jobs, reports.size());
  if (helpers <= 1) {
    work();
  } else {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < helpers; ++i) threads.emplace_back(work);
  }
  if (failure) std::rethrow_exception(failure);
  return reports;
}

ExitCode exit_code_of(const FileReport& report) {
  if (report.bad()) return ExitCode::kBadInput;
  if (!report.lint.findings.empty()) return ExitCode::kFindings;
  return report.lint.open.empty() ? ExitCode::kClean : ExitCode::kIncomplete;
}

// The first finding with a witness is the one that --pcap and --scenario write.
const Answer* first_witness(const std::vector<FileReport>& reports) {
  for (const FileReport& report : reports) {
    for (const Finding& finding : report.lint.findings) {
      if (finding.answer && !finding.answer->witness.empty()) return &*finding.answer;
    }
  }
  return nullptr;
}

// One world after the other: each is a network namespace with its own ruleset.
ExitCode confirm_witnesses(std::vector<FileReport>& reports, Progress& progress) {
  ExitCode code = ExitCode::kClean;
  for (FileReport& report : reports) {
    for (Finding& finding : report.lint.findings) {
      if (!finding.answer) continue;
      progress.show(fmt::format("{}: {} on the kernel", report.file, finding.id));
      code = stronger(code, confirm_on_kernel(*finding.answer));
    }
  }
  return code;
}

}  // namespace

ExitCode run_lint(const Options& options) {
  Progress progress(options.quiet);
  std::vector<FileReport> reports = lint_files(options, progress);
  ExitCode code = ExitCode::kClean;
  if (options.on_kernel) code = confirm_witnesses(reports, progress);
  progress.clear();
  for (const FileReport& report : reports) {
    fmt::print(stderr, "{}", error_text(report, use_color(options, Stream::kError)));
    if (report.no_table) warn_of_no_table(report.file);
    code = stronger(code, exit_code_of(report));
  }
  const ReportStyle style{.color = use_color(options, Stream::kOutput),
                          .quiet = options.quiet,
                          .verbose = options.verbose};
  const std::string text =
      options.format == Format::kJson ? lint_json(reports) : lint_text(reports, style);
  code = finish(options, text, code);
  return write_witness(options, first_witness(reports), code);
}

}  // namespace postern
