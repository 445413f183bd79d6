// Reading pages of docs/ and sources of tests, to hold one against the other.
#pragma once

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace postern::test {

inline std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Matches of an expression, its groups joined by '.'.
inline std::set<std::string> found(const std::string& text, const std::string& expression) {
  std::set<std::string> result;
  const std::regex regex(expression);
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    result.insert((*at)[1].str() + (at->size() > 2 ? "." + (*at)[2].str() : ""));
  }
  return result;
}

}  // namespace postern::test
