// What kernel tests share: skipping where no namespace can be made (a failure when POSTERN_REQUIRE
// names "kernel"), and reading scenario files.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

#include "kernel/run.hpp"
#include "scenario/result.hpp"
#include "scenario/scenario.hpp"

namespace postern::kernel {

inline bool required(const std::string& what) {
  const char* list = std::getenv("POSTERN_REQUIRE");
  return list != nullptr && std::string(list).find(what) != std::string::npos;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf()))
    throw std::runtime_error("cannot read " + path.string());
  return text.str();
}

inline Scenario read_one(const std::filesystem::path& path) {
  const SourceFile source(path.string(), read_text(path));
  auto file = read_scenarios(source, path.parent_path().string());
  if (!file) throw std::runtime_error(file.error().front().message);
  return file->scenarios.at(0);
}

// Fails with one line for each difference between two result documents (the first ten).
inline void expect_same(const nlohmann::json& left, const nlohmann::json& right,
                        const std::string& what) {
  const auto lines = differences(left, right);
  for (std::size_t i = 0; i < std::min<std::size_t>(lines.size(), 10); ++i) {
    ADD_FAILURE() << what << ": " << lines[i];
  }
}

class KernelTest : public testing::Test {
 protected:
  void SetUp() override {
    static const Outcome<void> here = available();
    if (here) return;
    if (required("kernel")) FAIL() << "no kernel: " << here.error();
    GTEST_SKIP() << "no kernel: " << here.error();
  }

  // ../shared beside the source tree; skips (or fails) and gives nullopt when it is not there.
  static std::optional<std::filesystem::path> shared_directory() {
    const char* set = std::getenv("POSTERN_SHARED");
    const std::filesystem::path path =
        set != nullptr ? set : std::filesystem::path(POSTERN_SOURCE_DIR) / "../shared";
    if (std::filesystem::exists(path)) return path;
    skip_or_fail("no ../shared");
    return std::nullopt;
  }

 private:
  static void skip_or_fail(const char* why) {
    if (required("shared")) FAIL() << why;
    GTEST_SKIP() << why;
  }
};

}  // namespace postern::kernel
