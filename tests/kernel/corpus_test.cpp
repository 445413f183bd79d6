// Linux gives what is written down beside each of the eight rulesets: verdicts, counters and
// entries after each script, with both backends. POSTERN_UPDATE_EXPECTED=1 writes the expected
// files anew from what this kernel answers.
#include <fstream>

#include "corpus_script.hpp"

namespace postern::kernel {
namespace {

using Json = nlohmann::json;

class CorpusOnLinux : public CorpusTest {};

TEST_P(CorpusOnLinux, GivesTheExpectedFile) {
  Json documents = Json::array();
  for (const Scenario& scenario : corpus_script(GetParam())) {
    documents.push_back(on_kernel(scenario));
    documents.back().erase("meta");
  }
  const std::filesystem::path path = corpus_path(std::string(GetParam()) + ".expected.json");
  if (std::getenv("POSTERN_UPDATE_EXPECTED") != nullptr) {
    std::ofstream(path) << documents.dump(1) << "\n";
  }
  const Json expected = Json::parse(read_text(path));
  ASSERT_EQ(documents.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expect_same(documents[i], expected[i], "Linux and the file, scenario " + std::to_string(i));
    EXPECT_FALSE(expected[i]["policies"].empty() && expected[i]["rules"].empty());
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
