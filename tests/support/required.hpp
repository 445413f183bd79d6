// What some tests need beside the checkout: a kernel that lets them make namespaces, and ../shared.
// Where it is missing they are skipped with one line, or fail when POSTERN_REQUIRE (a list of
// words) names it. POSTERN_SHARED says where the latter is, if not beside the checkout.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace postern::test {

inline bool required(const std::string& what) {
  const char* list = std::getenv("POSTERN_REQUIRE");
  return list != nullptr && std::string(list).find(what) != std::string::npos;
}

// Ends the test: skipped or failed. The caller returns.
inline void is_missing(const std::string& what, const std::string& why) {
  if (required(what)) FAIL() << why;
  GTEST_SKIP() << why;
}

// A path in ../shared; nullopt when it is not there, and then the test has ended.
inline std::optional<std::filesystem::path> shared(const std::string& inside = "") {
  namespace fs = std::filesystem;
  const char* set = std::getenv("POSTERN_SHARED");
  const fs::path root = set != nullptr ? fs::path(set) : fs::path(POSTERN_SOURCE_DIR) / "../shared";
  if (fs::exists(root / inside)) return inside.empty() ? root : root / inside;
  is_missing("shared", "no ../shared");
  return std::nullopt;
}

}  // namespace postern::test
