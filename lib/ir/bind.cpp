#include "ir/bind.hpp"

#include <algorithm>

#include "ir/bind_table.hpp"
#include "ir/detect.hpp"
#include "ir/draft.hpp"
#include "ir/rule_finish.hpp"
#include "ir/rule_reader.hpp"
#include "syntax/parse.hpp"

namespace postern {
namespace {

// More errors than these are counted, not shown.
constexpr std::size_t kMostErrors = 100;

Diagnostics in_order(Diagnostics errors) {
  std::ranges::stable_sort(errors, {}, &Diagnostic::span);
  if (errors.size() > kMostErrors) {
    const std::size_t rest = errors.size() - kMostErrors;
    errors.resize(kMostErrors + 1);
    errors.back().code = "too-many-errors";
    errors.back().message = "and " + std::to_string(rest) + " more errors from here on";
    errors.back().help.clear();
    errors.back().notes.clear();
  }
  return errors;
}

class RulesetBinder {
 public:
  RulesetBinder(Parsed parsed, std::optional<Family> family, std::optional<Backend> backend)
      : file_(std::move(parsed.file)), errors_(std::move(parsed.errors)) {
    bound_.ruleset.family = family ? *family : detect_family(file_);
    bound_.ruleset.backend = backend ? *backend : detect_backend(*file_.source);
    bound_.ruleset.source = file_.source;
  }

  Result<Bound> bind() {
    for (const ast::Table& table : file_.tables) add(table);
    if (!errors_.empty()) return tl::unexpected(in_order(std::move(errors_)));
    std::ranges::stable_sort(bound_.warnings, {}, &Diagnostic::span);
    return std::move(bound_);
  }

 private:
  void add(const ast::Table& written) {
    const std::string_view spelling = file_.source->slice(written.name);
    const auto name = table_name(spelling);
    if (!name) {
      errors_.push_back({Severity::kError,
                         "table",
                         written.name,
                         "no table \"" + std::string(spelling) + "\"",
                         "the tables are raw, mangle, nat, filter and security",
                         {}});
      return;
    }
    auto& tables = bound_.ruleset.tables;
    const auto former = std::ranges::find(tables, *name, &Table::name);
    Table table = bind_table(file_, written, *name, bound_.ruleset.family, bound_.ruleset.backend,
                             former == tables.end() ? nullptr : &*former, errors_, bound_.warnings);
    if (former == tables.end()) {
      tables.push_back(std::move(table));
      return;
    }
    bound_.warnings.push_back({Severity::kWarning,
                               "table-replaced",
                               former->span,
                               "table " + std::string(spelling) + " is written again further down",
                               "iptables-restore keeps only the last one: merge them",
                               {{written.span, "this one replaces it"}}});
    *former = std::move(table);
  }

  ast::File file_;
  Diagnostics errors_;
  Bound bound_;
};

}  // namespace

Result<Bound> read_ruleset(std::shared_ptr<const SourceFile> source, std::optional<Family> family,
                           std::optional<Backend> backend) {
  return RulesetBinder(parse(std::move(source)), family, backend).bind();
}

Result<std::vector<Clause>> read_match_words(std::shared_ptr<const SourceFile> source,
                                             Family family) {
  ParsedWords parsed = parse_words(*source);
  Diagnostics warnings;
  const RuleContext context{*source, family, Backend::kLegacy, nullptr, parsed.errors, warnings};
  std::optional<std::vector<Clause>> clauses;
  if (parsed.errors.empty()) {
    if (const auto draft = read_rule_words(context, parsed.words)) {
      clauses = finish_clauses(context, *draft);
    }
  }
  if (!clauses) return tl::unexpected(in_order(std::move(parsed.errors)));
  return std::move(*clauses);
}

}  // namespace postern
