// Findings for people: the place with a code frame, the reasons, the packets that prove it and how
// to send them oneself. Covered by tests/unit/report_test.cpp and tests/golden/lint/.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analyzer/explain.hpp"
#include "analyzer/report/report.hpp"

namespace postern {
namespace {

std::string_view check_name(std::string_view id) {
  const CheckPage* page = find_check_page(id);
  return page == nullptr ? "" : page->name;
}

std::string with_line_end(std::string text) {
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

// More related places than these are listed by their lines.
constexpr std::size_t kMostFrames = 4, kMostLines = 12;

// "and in lines 7, 9, 12 and 3 more"; nothing when all related places were shown.
std::string further_lines(const Finding& finding, const SourceFile& source) {
  if (finding.related.size() <= kMostFrames) return "";
  std::string out = "  and in line";
  const std::size_t end = std::min(finding.related.size(), kMostFrames + kMostLines);
  if (end > kMostFrames + 1) out += "s";
  for (std::size_t i = kMostFrames; i < end; ++i) {
    out += fmt::format("{} {}", i == kMostFrames ? "" : ",",
                       source.position(finding.related[i].place.span.begin).line);
  }
  if (end < finding.related.size())
    out += fmt::format(" and {} more", finding.related.size() - end);
  return out + "\n";
}

std::string frame(const Finding& finding, const SourceFile& source, bool color) {
  const std::string_view name = check_name(finding.id);
  Diagnostic diagnostic;
  diagnostic.severity = finding.severity;
  diagnostic.code = name.empty() ? finding.id : fmt::format("{} {}", finding.id, name);
  diagnostic.span = finding.place.span;
  diagnostic.message = finding.message;
  const std::size_t shown = std::min(finding.related.size(), kMostFrames);
  for (std::size_t i = 0; i < shown; ++i) {
    const Related& related = finding.related[i];
    const std::string id = related.id.empty() ? "" : related.id + ": ";
    diagnostic.notes.push_back({related.place.span, id + related.message});
  }
  return with_line_end(render(diagnostic, source, color)) + further_lines(finding, source);
}

std::string hole_text(const PortHole& hole) {
  return fmt::format(
      "  {} opens destination ports {}\n"
      "  of these open only thus: {}\n",
      source_ports_text(hole.sport), text(hole.opens), text(hole.opens_only_thus));
}

// The answer in the words of `postern query`, moved to the right.
std::string answer_text(const Answer& answer, bool color) {
  const std::string text = to_text(answer, color);
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += "  " + text.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return out;
}

std::string finding_text(const Finding& finding, const SourceFile& source, bool color) {
  std::string out = frame(finding, source, color);
  if (finding.hole) out += hole_text(*finding.hole);
  for (const std::string& reason : finding.reasons) out += "  why: " + reason + "\n";
  if (finding.answer) out += answer_text(*finding.answer, color);
  if (!finding.help.empty()) out += "  help: " + finding.help + "\n";
  return out;
}

std::string open_text(const OpenQuestion& question, const FileReport& report) {
  const std::string place =
      report.source && question.span.end > 0
          ? fmt::format("{}:{}", report.file, report.source->position(question.span.begin).line)
          : report.file;
  return fmt::format("{}: unknown: {}: {} [{}]\n", place, question.question, question.why,
                     question.id);
}

std::string plural(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : noun.ends_with('s') ? "es" : "s");
}

// "2 errors, 1 warning" over all findings; empty when there are none.
std::string count_by_severity(const std::vector<FileReport>& reports) {
  static constexpr std::array<std::pair<Severity, std::string_view>, 3> kNames{
      {{Severity::kError, "error"}, {Severity::kWarning, "warning"}, {Severity::kInfo, "note"}}};
  std::string out;
  for (const auto& [severity, noun] : kNames) {
    std::size_t count = 0;
    for (const FileReport& report : reports) {
      count += static_cast<std::size_t>(
          std::ranges::count(report.lint.findings, severity, &Finding::severity));
    }
    if (count > 0) out += (out.empty() ? "" : ", ") + plural(count, noun);
  }
  return out;
}

// "; 2 witnesses confirmed on Linux 6.18, 1 not"; nothing without --on-kernel.
std::string kernel_summary(const std::vector<FileReport>& reports) {
  std::size_t confirmed = 0, others = 0;
  std::string release;
  for (const FileReport& report : reports) {
    for (const Finding& finding : report.lint.findings) {
      if (!finding.answer || !finding.answer->on_kernel) continue;
      const OnKernel& verdict = *finding.answer->on_kernel;
      ++(verdict.confirmed ? confirmed : others);
      if (verdict.confirmed) release = verdict.release;
    }
  }
  if (confirmed + others == 0) return "";
  if (confirmed == 0)
    return fmt::format("; {} not confirmed on a kernel", plural(others, "witness"));
  return fmt::format("; {} of {} confirmed on {}", confirmed, plural(confirmed + others, "witness"),
                     release);
}

std::string summary(const std::vector<FileReport>& reports) {
  std::size_t findings = 0, bad = 0, open = 0;
  for (const FileReport& report : reports) {
    findings += report.lint.findings.size();
    bad += report.bad() ? 1 : 0;
    open += report.lint.open.size();
  }
  if (bad == reports.size()) {
    return fmt::format("nothing was checked; {} could not be read\n", plural(bad, "file"));
  }
  std::string out = findings == 0 ? "no findings"
                                  : fmt::format("{} ({})", plural(findings, "finding"),
                                                count_by_severity(reports));
  out += " in " + plural(reports.size() - bad, "file");
  const auto nft = std::ranges::count_if(
      reports, [](const FileReport& r) { return !r.bad() && r.backend == Backend::kNft; });
  if (nft > 0) out += fmt::format(" ({} as iptables-nft runs it)", nft);
  if (bad > 0) out += fmt::format("; {} could not be read", plural(bad, "file"));
  if (open > 0) out += fmt::format("; {} left unknown", plural(open, "question"));
  return out + kernel_summary(reports) + "\n";
}

std::string statistics_text(const FileReport& report) {
  const LintStatistics& statistics = report.lint.statistics;
  std::string out = fmt::format("{}: {} questions answered, {} unknown", report.file,
                                statistics.answered, statistics.unknown);
  if (statistics.met_nat > 0) out += fmt::format(", {} left open by NAT", statistics.met_nat);
  return out + "\n";
}

}  // namespace

std::string lint_text(const std::vector<FileReport>& reports, const ReportStyle& style) {
  std::string out;
  for (const FileReport& report : reports) {
    for (const Finding& finding : report.lint.findings) {
      out += finding_text(finding, *report.source, style.color) + "\n";
    }
    for (const OpenQuestion& question : report.lint.open) out += open_text(question, report);
    if (style.verbose && !report.bad()) out += statistics_text(report);
  }
  if (!style.quiet) out += summary(reports);
  return out;
}

std::string error_text(const FileReport& report, bool color) {
  if (!report.unreadable.empty()) return fmt::format("postern: error: {}\n", report.unreadable);
  std::string out;
  for (const Diagnostic& error : report.errors) {
    out += with_line_end(render(error, *report.source, color));
  }
  return out;
}

}  // namespace postern
