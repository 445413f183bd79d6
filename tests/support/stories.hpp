// The stories of corpus/stories, by name ("udp"): whoever adds one there has it tested.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace postern::test {

inline std::filesystem::path stories_directory() {
  return std::filesystem::path(POSTERN_SOURCE_DIR) / "corpus/stories";
}

inline std::vector<std::string> story_names() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(stories_directory())) {
    const std::string name = file.path().filename().string();
    if (name.ends_with(".json") && !name.ends_with(".expected.json")) {
      names.push_back(file.path().stem().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

// As gtest wants it: letters, digits and underscores.
inline std::string story_test_name(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

}  // namespace postern::test
