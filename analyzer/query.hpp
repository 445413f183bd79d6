// Asks questions of one ruleset. A Prover keeps what is expensive (classes, packet sets, the Z3
// context) between questions, so lint and policies make one and ask many.
//
// Soundness: `yes` only with a witness that the engine replayed (a failed replay throws
// InternalError); `no` only when the fixpoint was re-checked by Z3; else `unknown` with its reason.
// Covered by tests/unit/query_test.cpp.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analyzer/answer.hpp"
#include "analyzer/question.hpp"
#include "flow/program.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

struct QueryOptions {
  TrackingMode tracking = TrackingMode::kAuto;
  std::map<std::string, std::string> sysctl;  // keys with '/'
  std::chrono::milliseconds timeout{60'000};  // for one answer
  bool cross_check = false;                   // check every set by Z3
  // A witness that does not replay is an InternalError; else the answer is unknown and says so.
  bool strict = false;
};

// What the options say of the model: sysctls of connection tracking, tracking.
ModelOptions model_options(const QueryOptions& options);

class Prover {
 public:
  // `program` and its ruleset must outlive the prover.
  explicit Prover(const Program& program, QueryOptions options = {});
  ~Prover();
  Prover(Prover&&) noexcept;

  // Tells which questions will come, so that one model serves them all.
  void prepare(std::span<const Question> questions);

  // One answer per path of the question, in order. REQUIRES: question.family is the ruleset's.
  std::vector<Answer> ask(const Question& question);
  Answer ask(const Question& question, Path path);

  // The packet sets behind the last answer; null before the first, or over the node limit.
  Model* model();

 private:
  struct State;
  Answer in_doubt(Answer answer) const;
  std::unique_ptr<State> state_;
};

// Exit status of `query --expect`: 0 as expected, 1 the opposite, 3 unknown (or conditional when
// only an unconditional yes counts). Several answers: the question holds when any path says yes; no
// needs no on all of them.
int expect_status(const std::vector<Answer>& answers, Truth expected, bool allow_conditional);

}  // namespace postern
