// The stories of corpus/stories: Linux gives what is written down beside each, with both backends,
// and the engine gives the same. POSTERN_UPDATE_EXPECTED=1 writes the files anew from what this
// kernel answers.
#include <fstream>

#include "analyzer/replay.hpp"
#include "corpus_script.hpp"

namespace postern::kernel {
namespace {

using Json = nlohmann::json;

class Story : public CorpusTest {
 protected:
  static std::string name() { return std::string("stories/") + GetParam(); }
};

TEST_P(Story, IsWhatLinuxDoes) {
  Json documents = Json::array();
  for (const Scenario& scenario : corpus_script(name())) {
    documents.push_back(on_kernel(scenario));
    documents.back().erase("meta");
  }
  const std::filesystem::path path = corpus_path(name() + ".expected.json");
  if (std::getenv("POSTERN_UPDATE_EXPECTED") != nullptr) {
    std::ofstream(path) << documents.dump(1) << "\n";
  }
  const Json expected = Json::parse(read_text(path));
  ASSERT_EQ(documents.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expect_same(documents[i], expected[i], "Linux and the file, scenario " + std::to_string(i));
  }
}

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

INSTANTIATE_TEST_SUITE_P(Corpus, Story,
                         testing::Values("ftp-active-snat", "ftp-passive", "connmark-child"),
                         CorpusTest::test_name);

}  // namespace
}  // namespace postern::kernel
