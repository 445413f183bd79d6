// The time of an answer bounds all of it, the packet sets included; and what was cut off leaves
// nothing wrong behind for later questions of the same model.
#include <gtest/gtest.h>

#include "../unit/lint_fixture.hpp"
#include "../unit/query_fixture.hpp"

namespace postern {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

TEST(Deadline, AnAnswerWithoutTimeIsUnknownForThatReason) {
  const auto rules = LoadedRuleset::corpus("notrack/test4.rules");
  QueryOptions options;
  options.timeout = std::chrono::milliseconds{0};
  const Answer answer = ask_one(rules, "deliver -i lo -p tcp --sport 1234 --dport 80", options);
  EXPECT_EQ(answer.truth, Truth::kUnknown);
  ASSERT_FALSE(answer.reasons.empty());
  EXPECT_TRUE(answer.reasons.front().starts_with("time")) << answer.reasons.front();
}

TEST(Deadline, AProverGoesOnAfterAnAnswerThatTookTooLong) {
  const auto rules = LoadedRuleset::corpus("notrack/test3.rules");
  const Question question = question_of("track -i lo -p tcp --dport 1234");
  unsigned interrupted = 0;
  const auto fresh = [&] {
    const std::vector<PredicatePtr> cuts{question.predicate()};
    return std::move(*Model::build(rules.program(), cuts, {}));
  };
  // Which of may, must and unmodelled are empty.
  const auto solved = [&](Model& model) -> std::optional<std::array<bool, 3>> {
    const auto m = model.question(Path::kLoopback, question.predicate());
    if (!m) return std::nullopt;
    const auto track = model.track(Path::kLoopback, *m);
    if (!track) return std::nullopt;
    return std::array{track->flows.may.empty(), track->flows.must.empty(),
                      track->flows.unmodelled.empty()};
  };
  const auto expected = solved(*fresh());
  ASSERT_TRUE(expected.has_value());
  for (unsigned i = 0; i < 12; ++i) {
    const auto model = fresh();
    model->set_deadline(steady_clock::now() + microseconds{20U << i});
    interrupted += solved(*model) ? 0 : 1;
    model->set_deadline(std::nullopt);
    EXPECT_EQ(solved(*model), expected) << i;
  }
  EXPECT_GT(interrupted, 0U);
}

// Each call has its own time; nothing stands between them.
TEST(Deadline, ACallLimitBoundsEachCall) {
  const auto rules = LoadedRuleset::corpus("notrack/test3.rules");
  ModelOptions options;
  options.call_limit = std::chrono::milliseconds{0};
  const auto model = std::move(*Model::build(rules.program(), {}, options));
  const auto anything = model->anything(Path::kLoopback);
  ASSERT_FALSE(anything.has_value());
  EXPECT_TRUE(anything.error().time);
  model->space().bdd().check_time();
}

TEST(Deadline, LintWithoutTimeAnswersNothing) {
  const Bound bound = bound_text(
      "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp --dport 80 -j NOTRACK\nCOMMIT\n"
      "*filter\n:INPUT DROP\n-A INPUT -p tcp --dport 80 -j ACCEPT\nCOMMIT\n");
  LintSettings settings;
  settings.timeout = std::chrono::milliseconds{0};
  const LintReport report = lint(bound, settings);
  EXPECT_TRUE(report.findings.empty());
  ASSERT_FALSE(report.open.empty());
  for (const OpenQuestion& open : report.open) {
    EXPECT_TRUE(open.why.starts_with("time: ")) << open.id << ": " << open.why;
  }
}

}  // namespace
}  // namespace postern
