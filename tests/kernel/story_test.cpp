// The stories of corpus/stories: Linux gives what is written down beside each, with both backends,
// and the engine gives the same. POSTERN_UPDATE_EXPECTED=1 writes the files anew from what this
// kernel answers.
#include "analyzer/replay.hpp"
#include "corpus_script.hpp"
#include "tests/support/stories.hpp"

namespace postern::kernel {
namespace {

using Json = nlohmann::json;

class Story : public KernelTest, public testing::WithParamInterface<std::string> {
 protected:
  static std::string name() { return "stories/" + GetParam(); }
};

TEST_P(Story, IsWhatLinuxDoes) { expect_the_written_file(name()); }

TEST_P(Story, IsWhatTheEngineDoes) {
  for (const Backend backend : {Backend::kLegacy, Backend::kNft}) {
    for (Scenario scenario : corpus_script(name())) {
      scenario.backend = backend;
      const auto replayed = replay(scenario);
      ASSERT_TRUE(replayed) << replayed.error().message;
      EXPECT_EQ(replayed->unmodelled, "");
      expect_same(on_kernel(scenario), to_json(replayed->report), "Linux and the engine");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Corpus, Story, testing::ValuesIn(test::story_names()),
                         [](const auto& row) { return test::story_test_name(row.param); });

}  // namespace
}  // namespace postern::kernel
