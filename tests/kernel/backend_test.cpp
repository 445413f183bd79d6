// Each yes of tests/support/backend_cases.hpp on Linux, and each no: its ruleset lets nothing of
// the kind through.
#include <nlohmann/json.hpp>

#include "analyzer/on_kernel.hpp"
#include "analyzer/query.hpp"
#include "kernel_fixture.hpp"
#include "tests/support/backend_cases.hpp"
#include "tests/unit/query_fixture.hpp"

namespace postern::kernel {
namespace {

class BackendWitness : public KernelTest, public testing::WithParamInterface<BackendCase> {};

TEST_P(BackendWitness, HoldsOnLinux) {
  const BackendCase& one = GetParam();
  std::size_t witnesses = 0;
  std::map<Backend, Answer> answers;
  for (const Backend backend : {Backend::kLegacy, Backend::kNft}) {
    const LoadedRuleset rules(one.name, one.rules, one.family, backend);
    const Answer answer = ask_one(rules, one.question);
    answers[backend] = answer;
    if (answer.truth != Truth::kYes) continue;
    ++witnesses;
    const OnKernel verdict = witness_on_kernel(*answer.scenario);
    EXPECT_TRUE(verdict.confirmed) << text(backend) << ": " << to_text(verdict);
  }
  // The packets that one backend lets through, the other drops.
  const Answer& legacy = answers[Backend::kLegacy];
  const Answer& nft = answers[Backend::kNft];
  if ((legacy.truth == Truth::kYes) == (nft.truth == Truth::kYes)) return;
  Scenario other = legacy.truth == Truth::kYes ? *legacy.scenario : *nft.scenario;
  other.backend = legacy.truth == Truth::kYes ? Backend::kNft : Backend::kLegacy;
  const auto document = run(other);
  ASSERT_TRUE(document) << document.error();
  EXPECT_EQ((*document)["packets"].back()["verdict"], "dropped");
  EXPECT_EQ(witnesses, 1U);
}

INSTANTIATE_TEST_SUITE_P(Cases, BackendWitness, testing::ValuesIn(kBackendCases),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace postern::kernel
