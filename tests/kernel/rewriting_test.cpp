// Each yes of tests/support/rewriting_cases.hpp on Linux, by both backends.
#include "analyzer/on_kernel.hpp"
#include "analyzer/query.hpp"
#include "kernel_fixture.hpp"
#include "tests/support/rewriting_cases.hpp"
#include "tests/unit/query_fixture.hpp"

namespace postern::kernel {
namespace {

class RewritingWitness : public KernelTest, public testing::WithParamInterface<RewritingCase> {};

TEST_P(RewritingWitness, HoldsOnLinux) {
  const RewritingCase& one = GetParam();
  for (const Backend backend : {Backend::kLegacy, Backend::kNft}) {
    const LoadedRuleset rules(one.name, one.rules, one.family, backend);
    const Answer answer = ask_one(rules, one.question);
    EXPECT_EQ(text(answer.truth), one.answer);
    if (answer.truth != Truth::kYes) continue;
    const OnKernel verdict = witness_on_kernel(*answer.scenario);
    EXPECT_TRUE(verdict.confirmed) << text(backend) << ": " << to_text(verdict);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, RewritingWitness, testing::ValuesIn(kRewritingCases),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace postern::kernel
