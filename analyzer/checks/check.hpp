// What a check is, and what it may use. A check is one file, pst*.cpp, with one function; the table
// in registry.cpp names them all, in the order in which they run.
//
// Every question that a check asks is counted once: answered(), or leave_open() with the reason.
// Covered by tests/cli/lint_test.cpp.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string_view>

#include "analyzer/finding.hpp"
#include "analyzer/lint.hpp"
#include "analyzer/query.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

// One run of lint over one ruleset: the shared, lazily made means of the checks, and their results.
class LintRun {
 public:
  LintRun(const Bound& bound, const LintSettings& settings);

  const Bound& bound() const { return bound_; }
  const Ruleset& ruleset() const { return bound_.ruleset; }
  const LintSettings& settings() const { return settings_; }
  // nullptr when the kernel would refuse the ruleset: then only PST0xx and PST104 run.
  const Program* program() const { return program_ ? &*program_ : nullptr; }
  const Diagnostics& refused() const { return refused_; }

  // nullptr when the packet sets outgrew their budget (see ended()).
  Model* model();
  // Computed once, whatever becomes of the model.
  const Structure* structure();
  // Of model() or structure(), where the last attempt failed.
  BudgetEnded ended() const { return ended_; }
  // Before a check: drops a model that has grown so far that it could not serve it (nothing in a
  // model is ever freed). No set outlives this.
  void make_room();
  Prover& prover();

  void report(Finding finding) { report_.findings.push_back(std::move(finding)); }
  // What was found so far; a later check may add to it what has the same cause.
  std::vector<Finding>& findings() { return report_.findings; }
  void answered(std::uint64_t count = 1) { report_.statistics.answered += count; }
  // `count` questions of the same kind end without an answer; they are listed once.
  void leave_open(OpenQuestion question, std::uint64_t count = 1);
  // The same for questions that met something that is not modelled (NAT, zones, helpers).
  void leave_unmodelled(std::string_view id, std::string question, std::uint64_t count = 1);

  // Asks in the words of `postern query`, with every word checked by the same reader.
  Answer ask(const std::vector<std::string>& words, Path path);

  LintReport take();

 private:
  const Bound& bound_;
  const LintSettings& settings_;
  std::optional<Program> program_;
  Diagnostics refused_;
  bool model_tried_ = false;
  std::unique_ptr<Model> model_;
  BudgetEnded ended_;
  bool structure_tried_ = false;
  std::optional<Structure> structure_;
  std::unique_ptr<Prover> prover_;
  LintReport report_;
};

struct Check {
  std::string_view id;
  bool needs_program = true;  // skipped when the ruleset cannot be loaded at all
  void (*run)(LintRun& run) = nullptr;
};

std::span<const Check> all_checks();

}  // namespace postern
