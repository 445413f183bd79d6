// The pages of corpus/stories quote commands with what they print: each block ```console holds one
// command, after "$ ", and its output now. With POSTERN_UPDATE_GOLDEN=1 the blocks are written
// anew: read the difference before you commit it.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/support/run.hpp"
#include "tests/support/stories.hpp"

namespace postern::test {
namespace {

// What a shell prints, in the directory of the stories and with `postern` in its path.
std::string shell(const std::string& command) {
  const auto programs = std::filesystem::path(POSTERN_BINARY).parent_path().string();
  const std::string line = "cd '" + stories_directory().string() + "' && PATH='" + programs +
                           "':$PATH && export LC_ALL=C && { " + command + "; } 2>&1";
  FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string out;
  std::array<char, 4096> buffer{};
  while (const std::size_t read = fread(buffer.data(), 1, buffer.size(), pipe)) {
    out.append(buffer.data(), read);
  }
  pclose(pipe);
  return out;
}

struct Page {
  std::string text;
  int blocks = 0;
};

// The page with every block as it should be now.
Page renewed(const std::string& text) {
  Page page;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    page.text += line + "\n";
    if (line != "```console") continue;
    ++page.blocks;
    std::getline(lines, line);
    EXPECT_TRUE(line.starts_with("$ ")) << line;
    std::string output = shell(line.substr(2));
    EXPECT_NE(output, "") << line;
    while (output.ends_with("\n\n")) output.pop_back();
    page.text += line + "\n" + output + "```\n";
    while (std::getline(lines, line) && line != "```") continue;
  }
  return page;
}

class StoryPage : public ::testing::TestWithParam<std::string> {};

TEST_P(StoryPage, QuotesWhatIsPrinted) {
  const auto path = stories_directory() / (GetParam() + ".md");
  const std::string text = read_file(path);
  const Page now = renewed(text);
  EXPECT_GE(now.blocks, 3) << "a page tells its story with what postern prints";
  if (std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << now.text;
  EXPECT_EQ(read_file(path), now.text);
}

TEST_P(StoryPage, IsInTheTableOfContents) {
  const std::string entry = "[`" + GetParam() + "`](" + GetParam() + ".md)";
  EXPECT_NE(read_file(stories_directory() / "README.md").find(entry), std::string::npos) << entry;
}

INSTANTIATE_TEST_SUITE_P(Corpus, StoryPage, ::testing::ValuesIn(story_names()),
                         [](const auto& row) { return story_test_name(row.param); });

}  // namespace
}  // namespace postern::test
