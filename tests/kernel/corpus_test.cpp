// Linux gives what is written down beside each of the eight rulesets: verdicts, counters and
// entries after each script, with both backends. POSTERN_UPDATE_EXPECTED=1 writes the expected
// files anew from what this kernel answers.
#include "corpus_script.hpp"

namespace postern::kernel {
namespace {

using Json = nlohmann::json;

class CorpusOnLinux : public CorpusTest {};

TEST_P(CorpusOnLinux, GivesTheExpectedFile) {
  for (const Json& document : expect_the_written_file(GetParam())) {
    EXPECT_FALSE(document["policies"].empty() && document["rules"].empty());
  }
}

TEST_P(CorpusOnLinux, GivesTheSameWithNft) {
  for (Scenario scenario : corpus_script(GetParam())) {
    const Json legacy = on_kernel(scenario);
    scenario.backend = Backend::kNft;
    expect_same(legacy, on_kernel(scenario), "legacy and nft");
  }
}

INSTANTIATE_TEST_SUITE_P(Corpus, CorpusOnLinux, CorpusTest::rulesets(), CorpusTest::test_name);

}  // namespace
}  // namespace postern::kernel
