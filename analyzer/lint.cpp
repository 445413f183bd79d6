// Covered by tests/cli/lint_test.cpp.
#include "analyzer/lint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "analyzer/checks/check.hpp"
#include "base/check.hpp"

namespace postern {
namespace {

// Of the packet sets: what the largest rulesets that we know need (0.7 GB), and where a model is
// too full to serve another check.
constexpr std::size_t kNodeLimit = 32'000'000, kFull = kNodeLimit / 2;

bool is_nat(const Rule& rule) {
  const auto* effect = std::get_if<Effect>(&rule.action);
  return effect != nullptr && std::holds_alternative<Nat>(*effect);
}

}  // namespace

LintRun::LintRun(const Bound& bound, const LintSettings& settings)
    : bound_(bound), settings_(settings) {
  Result<Program> compiled = Program::compile(bound.ruleset);
  if (compiled) {
    program_ = std::move(*compiled);
  } else {
    refused_ = std::move(compiled.error());
  }
}

Model* LintRun::model() {
  if (!model_tried_) {
    model_tried_ = true;
    ModelOptions options;
    options.tracking = settings_.tracking;
    options.node_limit = kNodeLimit;
    options.deadline = std::chrono::steady_clock::now() + settings_.timeout;
    options.call_limit = settings_.timeout;
    auto built = Model::build(*program_, {}, options);
    if (built) {
      model_ = std::move(*built);
      model_->set_deadline(std::nullopt);
    } else {
      ended_ = built.error();
    }
  }
  return model_.get();
}

const Structure* LintRun::structure() {
  if (!structure_tried_ && model() != nullptr) {
    structure_tried_ = true;
    if (const auto facts = model_->structure()) {
      structure_ = **facts;
    } else {
      ended_ = facts.error();
    }
  }
  return structure_ ? &*structure_ : nullptr;
}

void LintRun::make_room() {
  if (model_ == nullptr || model_->space().bdd().size() < kFull) return;
  model_.reset();
  model_tried_ = false;
}

Prover& LintRun::prover() {
  if (!prover_) {
    QueryOptions options;
    options.tracking = settings_.tracking;
    options.timeout = settings_.timeout;
    prover_ = std::make_unique<Prover>(*program_, options);
  }
  return *prover_;
}

void LintRun::leave_open(OpenQuestion question, std::uint64_t count) {
  (question.met_nat ? report_.statistics.met_nat : report_.statistics.unknown) += count;
  report_.open.push_back(std::move(question));
}

void LintRun::leave_unmodelled(std::string_view id, std::string question, std::uint64_t count) {
  const Translations& translations = model()->translations();
  const std::vector<RuleId> rules = model()->unmodelled_rules();
  const auto first = [&](const auto& wanted) { return std::ranges::find_if(rules, wanted); };
  const auto nat = [&](RuleId rule) { return is_nat(*program_->rules()[rule].rule); };
  // A NAT rule that is followed is not to blame.
  auto culprit = first([&](RuleId rule) { return nat(rule) && !translations.is_followed(rule); });
  const bool by_nat = culprit != rules.end();
  if (!by_nat) culprit = first([&](RuleId rule) { return !nat(rule); });
  const bool named = culprit != rules.end();
  OpenQuestion open{.id = std::string(id), .question = std::move(question)};
  open.met_nat = by_nat || (!named && translations.some());
  open.why = by_nat  ? "packets on the way may meet a NAT rule whose effect is not followed exactly"
             : named ? "packets on the way may meet a rule whose effect is not modelled yet"
             : open.met_nat ? "it hangs on what NAT does in ways that are only approximated"
                            : std::string(kApproximated);
  if (named) {
    open.span = program_->rules()[*culprit].rule->span;
    open.why += fmt::format(" ({})", ruleset().source->slice(open.span));
  }
  leave_open(std::move(open), count);
}

Answer LintRun::ask(const std::vector<std::string>& words, Path path) {
  const Result<Question> question = read_question(words, ruleset().family, {path, {}, {}});
  POSTERN_CHECK(question.has_value(), "lint asks a question that cannot be read");
  return prover().ask(*question, path);
}

LintReport LintRun::take() {
  const auto key = [](const Finding& finding) { return std::tie(finding.place.span, finding.id); };
  std::ranges::stable_sort(report_.findings, {}, key);
  return std::move(report_);
}

LintReport lint(const Bound& bound, const LintSettings& settings) {
  LintRun run(bound, settings);
  for (const Check& check : all_checks()) {
    if (check.needs_program && run.program() == nullptr) continue;
    if (settings.progress) settings.progress(check.id);
    run.make_room();
    check.run(run);
  }
  return run.take();
}

}  // namespace postern
