// What kernel tests share: skipping where no namespace can be made (a failure when POSTERN_REQUIRE
// names "kernel"), and reading scenario files.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

#include "kernel/run.hpp"
#include "scenario/result.hpp"
#include "scenario/scenario.hpp"
#include "tests/support/required.hpp"

namespace postern::kernel {

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
    if (!here) test::is_missing("kernel", "no kernel: " + here.error());
  }

  // ../shared; nullopt when it is not there, and then the test has ended.
  static std::optional<std::filesystem::path> shared_directory() { return test::shared(); }
};

}  // namespace postern::kernel
