// The eight rulesets of the NOTRACK and p2p stories with their scripts; shared by
// corpus_*_test.cpp.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kernel_fixture.hpp"
#include "scenario/result.hpp"

namespace postern::kernel {

inline std::filesystem::path corpus_path(const std::string& name) {
  return std::filesystem::path(POSTERN_SOURCE_DIR) / "corpus" / name;
}

inline std::vector<Scenario> corpus_script(const std::string& name) {
  const std::filesystem::path path = corpus_path(name + ".json");
  const SourceFile source(path.string(), read_text(path));
  auto file = read_scenarios(source, path.parent_path().string());
  if (!file) throw std::runtime_error(file.error().front().message);
  return std::move(file->scenarios);
}

inline nlohmann::json on_kernel(const Scenario& scenario) {
  auto document = run(scenario);
  if (!document) throw std::runtime_error(document.error());
  return *document;
}

// Linux answers the script NAME.json with what NAME.expected.json has, which is returned.
// POSTERN_UPDATE_EXPECTED=1 writes that file anew.
inline nlohmann::json expect_the_written_file(const std::string& name) {
  nlohmann::json documents = nlohmann::json::array();
  for (const Scenario& scenario : corpus_script(name)) {
    documents.push_back(on_kernel(scenario));
    documents.back().erase("meta");
  }
  const std::filesystem::path path = corpus_path(name + ".expected.json");
  if (std::getenv("POSTERN_UPDATE_EXPECTED") != nullptr) {
    std::ofstream(path) << documents.dump(1) << "\n";
  }
  const auto expected = nlohmann::json::parse(read_text(path));
  EXPECT_EQ(documents.size(), expected.size());
  for (std::size_t i = 0; i < std::min(documents.size(), expected.size()); ++i) {
    expect_same(documents[i], expected[i], "Linux and the file, scenario " + std::to_string(i));
  }
  return expected;
}

// Parameter: "notrack/test1".
class CorpusTest : public KernelTest, public testing::WithParamInterface<const char*> {
 public:
  static auto rulesets() {
    return testing::Values("notrack/test1", "notrack/test2", "notrack/test3",
                           "notrack/test3-lockdown", "notrack/test4", "p2p/in", "p2p/both",
                           "p2p/new-only");
  }
  static std::string test_name(const testing::TestParamInfo<const char*>& param) {
    std::string name = param.param;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '/' || c == '-'; }, '_');
    return name;
  }
};

}  // namespace postern::kernel
