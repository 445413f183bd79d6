#include "analyzer/query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "analyzer/query_ask.hpp"
#include "base/check.hpp"

namespace postern {
namespace {

std::string match_text(const Question& question) {
  std::string text;
  for (const Clause& c : question.match) text += c.printed + ' ';
  const auto inverted = [](bool is) { return is ? std::string("! ") : std::string(); };
  if (question.to_destination) {
    text += inverted(question.not_to_destination) + "--to-destination " +
            question.to_destination->text() + ' ';
  }
  if (question.to_port) {
    text += inverted(question.not_to_port) + "--to-port " + std::to_string(*question.to_port);
  }
  return text;
}

std::uint64_t sysctl(const QueryOptions& options, const std::string& key, std::uint64_t standard) {
  const auto at = options.sysctl.find("net/netfilter/" + key);
  if (at == options.sysctl.end()) return standard;
  std::from_chars(at->second.data(), at->second.data() + at->second.size(), standard);
  return standard;
}

// The first rule with an extension that postern does not know; nullptr when there is none.
const Rule* unknown_rule(const Program& program) {
  for (const ProgramRule& r : program.rules()) {
    if (!r.rule->target_known ||
        std::ranges::any_of(r.rule->clauses, [](const Clause& c) { return !c.known; })) {
      return r.rule;
    }
  }
  return nullptr;
}

}  // namespace

ModelOptions model_options(const QueryOptions& options) {
  ModelOptions result;
  result.tracking = options.tracking;
  const auto is_on = [&](const char* key, bool standard) {
    return sysctl(options, key, standard ? 1 : 0) != 0;
  };
  result.conntrack.tcp_loose = is_on("nf_conntrack_tcp_loose", true);
  result.conntrack.tcp_be_liberal = is_on("nf_conntrack_tcp_be_liberal", false);
  result.conntrack.tcp_ignore_invalid_rst = is_on("nf_conntrack_tcp_ignore_invalid_rst", false);
  result.conntrack.checksum = is_on("nf_conntrack_checksum", true);
  result.route_localnet = std::ranges::any_of(options.sysctl, [](const auto& set) {
    return set.first.ends_with("/route_localnet") && set.second != "0";
  });
  return result;
}

struct Prover::State {
  const Program& program;
  QueryOptions options;
  std::vector<PredicatePtr> cuts;
  std::vector<std::string> covered;  // match_text of the questions whose cuts the model has
  std::unique_ptr<Model> model;
  bool too_big = false;
  BudgetEnded ended = {};  // the last attempt to make the model, where it failed
  // Where an unknown extension may or may not switch connection tracking on: `options` has it off,
  // and this prover on. Only what both say is an answer.
  const Rule* doubt = nullptr;
  std::unique_ptr<Prover> with_tracking = nullptr;

  // The model, made anew when the question cuts where it does not; null: over the node limit.
  Model* model_for(const Question& question, Bdd::Deadline deadline) {
    const std::string wanted = match_text(question);
    if (std::ranges::find(covered, wanted) == covered.end()) {
      cuts.push_back(full_predicate(question));
      covered.push_back(wanted);
      model.reset();
      too_big = false;
    }
    if (!model && !too_big) {
      ModelOptions how = model_options(options);
      how.deadline = deadline;
      auto built = Model::build(program, cuts, how);
      if (!built) ended = built.error();
      too_big = !built && !ended.time;
      if (built) model = std::move(*built);
    }
    if (model) model->set_deadline(deadline);
    return model.get();
  }
};

Prover::Prover(const Program& program, QueryOptions options)
    : state_(std::make_unique<State>(State{program, std::move(options), {}, {}, nullptr})) {
  if (state_->options.tracking != TrackingMode::kAuto || program.tracks()) return;
  state_->doubt = unknown_rule(program);
  if (state_->doubt == nullptr) return;
  state_->options.tracking = TrackingMode::kOn;
  state_->with_tracking = std::make_unique<Prover>(program, state_->options);
  state_->options.tracking = TrackingMode::kOff;
}
Prover::~Prover() = default;
Prover::Prover(Prover&&) noexcept = default;

void Prover::prepare(std::span<const Question> questions) {
  for (const Question& q : questions) {
    const std::string wanted = match_text(q);
    if (std::ranges::find(state_->covered, wanted) != state_->covered.end()) continue;
    state_->cuts.push_back(full_predicate(q));
    state_->covered.push_back(wanted);
    state_->model.reset();
  }
  if (state_->with_tracking) state_->with_tracking->prepare(questions);
}

Model* Prover::model() { return state_->model.get(); }

Answer Prover::ask(const Question& question, Path path) {
  const Family family = state_->program.ruleset().family;
  POSTERN_CHECK(question.family == family, "a question is of its ruleset's family");
  Answer answer;
  answer.query = question.text;
  answer.file = state_->program.ruleset().source->name();
  answer.verb = question.verb;
  answer.path = path;
  answer.family = family;
  answer.backend = state_->program.ruleset().backend;
  const auto deadline = std::chrono::steady_clock::now() + state_->options.timeout;
  Model* model = state_->model_for(question, deadline);
  if (model == nullptr) {
    answer.reasons.emplace_back(why(state_->ended));
    return answer;
  }
  Asking(*model, state_->program, state_->options, question, deadline, answer).run();
  model->set_deadline(std::nullopt);
  if (state_->with_tracking && answer.truth != Truth::kUnknown) {
    const Answer other = state_->with_tracking->ask(question, path);
    if (other.truth != answer.truth) return in_doubt(std::move(answer));
    answer.conditional = answer.conditional || other.conditional;
  }
  return answer;
}

// With and without connection tracking the answers differ.
Answer Prover::in_doubt(Answer answer) const {
  Answer unknown;
  unknown.query = std::move(answer.query);
  unknown.file = std::move(answer.file);
  unknown.verb = answer.verb;
  unknown.path = answer.path;
  unknown.family = answer.family;
  unknown.backend = answer.backend;
  const SourceFile& source = *state_->program.ruleset().source;
  const Span span = state_->doubt->span;
  unknown.reasons.push_back(fmt::format(
      "the answer depends on whether `{}` (line {}) switches connection tracking on, and "
      "postern does not know it (--conntrack on|off decides)",
      source.slice(span), source.position(span.begin).line));
  return unknown;
}

std::vector<Answer> Prover::ask(const Question& question) {
  std::vector<Answer> answers;
  for (const Path path : question.paths) answers.push_back(ask(question, path));
  return answers;
}

int expect_status(const std::vector<Answer>& answers, Truth expected, bool allow_conditional) {
  const auto some = [&](auto&& test) { return std::ranges::any_of(answers, test); };
  const bool yes = some([&](const Answer& a) {
    return a.truth == Truth::kYes && (allow_conditional || !a.conditional);
  });
  const bool open = some([](const Answer& a) {
    return a.truth == Truth::kUnknown || (a.truth == Truth::kYes && a.conditional);
  });
  if (expected == Truth::kUnknown) {
    return some([](const Answer& a) { return a.truth == Truth::kUnknown; }) ? 0 : 1;
  }
  if (yes) return expected == Truth::kYes ? 0 : 1;
  if (open) return 3;
  return expected == Truth::kYes ? 1 : 0;
}

}  // namespace postern
