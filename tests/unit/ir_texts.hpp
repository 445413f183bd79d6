// What tests of text and IR share: sources, whole diagnostics, and ../shared/corpus.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "ir/bind.hpp"
#include "ir/print.hpp"
#include "tests/support/required.hpp"

namespace postern {

inline std::shared_ptr<const SourceFile> source_of(std::string text) {
  return std::make_shared<SourceFile>("test.rules", std::move(text));
}

inline std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline std::string rendered(const Diagnostics& diagnostics, const SourceFile& source) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) out += render(diagnostic, source);
  return out;
}

// Tab-separated rows, the header left out.
inline std::vector<std::vector<std::string>> table_rows(const std::filesystem::path& path) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream in(file_text(path));
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string> row;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) row.push_back(cell);
    rows.push_back(std::move(row));
  }
  return rows;
}

// Tests that read ../shared/corpus: skipped where it is missing, unless it is required.
class SharedCorpus : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto there = test::shared("corpus")) corpus_ = *there;
  }

  std::filesystem::path corpus_;
};

}  // namespace postern
