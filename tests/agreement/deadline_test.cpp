// The time of an answer bounds all of it, the packet sets included; and what was cut off leaves
// nothing wrong behind for later questions of the same model.
#include <gtest/gtest.h>

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
  unsigned interrupted = 0, finished = 0;
  const auto fresh = [&] {
    const std::vector<PredicatePtr> cuts{question.predicate()};
    return std::move(*Model::build(rules.program(), cuts, {}));
  };
  const auto may = [&](Model& model) -> std::optional<std::array<bool, 3>> {
    const auto m = model.question(Path::kLoopback, question.predicate());
    if (!m) return std::nullopt;
    const auto all = model.anything(Path::kLoopback);
    if (!all) return std::nullopt;
    const auto track = model.track(Path::kLoopback, *m);
    if (!track) return std::nullopt;
    const auto deliver = model.deliver(Path::kLoopback, *all);
    if (!deliver) return std::nullopt;
    return std::array{track->flows.may.empty(), deliver->packets.may.empty(),
                      deliver->packets.must.empty()};
  };
  const auto expected = may(*fresh());
  ASSERT_TRUE(expected.has_value());
  for (unsigned i = 0; i < 60; ++i) {
    const auto model = fresh();
    model->set_deadline(steady_clock::now() + microseconds{20U << (i / 3)});
    (may(*model) ? finished : interrupted) += 1;
    model->set_deadline(std::nullopt);
    EXPECT_EQ(may(*model), expected) << i;
  }
  EXPECT_GT(interrupted, 0U);
  EXPECT_GT(finished, 0U);
}

}  // namespace
}  // namespace postern
