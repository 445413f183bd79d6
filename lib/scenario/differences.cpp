// Compares two result documents key by key. Sets (rules, policies, conntrack, expect) are compared
// without order, everything else as it stands. Covered by tests/unit/scenario_result_test.cpp.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "scenario/result.hpp"

namespace postern {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 4> kSets{"rules", "policies", "conntrack", "expect"};
// Not part of the comparison: who ran it and what only a kernel can show.
constexpr std::array<std::string_view, 3> kIgnored{"trace", "meta", "tcpflags"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// A list item without the keys that do not count, at its top level.
Json stripped(Json item) {
  if (item.is_object()) {
    for (std::string_view key : kIgnored) item.erase(std::string(key));
  }
  return item;
}

std::vector<std::string> sorted_items(const Json& list) {
  std::vector<std::string> items;
  for (const Json& item : list)
    items.push_back(stripped(item).dump(-1, ' ', false, Json::error_handler_t::replace));
  std::sort(items.begin(), items.end());
  return items;
}

void report_only(const std::string& path, std::string_view side,
                 const std::vector<std::string>& have, const std::vector<std::string>& other,
                 std::vector<std::string>& lines) {
  std::vector<std::string> only;
  std::set_difference(have.begin(), have.end(), other.begin(), other.end(),
                      std::back_inserter(only));
  for (const std::string& item : only) {
    lines.push_back(path + ": only " + std::string(side) + ": " + item);
  }
}

void compare(const std::string& path, const Json& left, const Json& right,
             std::vector<std::string>& lines);

void compare_sets(const std::string& path, const Json& left, const Json& right,
                  std::vector<std::string>& lines) {
  const auto a = sorted_items(left), b = sorted_items(right);
  report_only(path, "left", a, b, lines);
  report_only(path, "right", b, a, lines);
}

// An absent set counts as an empty one.
void compare_objects(const std::string& path, const Json& left, const Json& right,
                     std::vector<std::string>& lines) {
  std::vector<std::string> keys;
  for (const Json* side : {&left, &right}) {
    for (const auto& item : side->items()) keys.push_back(item.key());
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const std::string& key : keys) {
    if (contains(kIgnored, key)) continue;
    const std::string below = path.empty() ? key : path + "." + key;
    const bool in_left = left.contains(key), in_right = right.contains(key);
    const bool is_set = contains(kSets, key);
    static const Json kEmpty = Json::array();
    if (is_set && (!in_left || left[key].is_array()) && (!in_right || right[key].is_array())) {
      compare_sets(below, in_left ? left[key] : kEmpty, in_right ? right[key] : kEmpty, lines);
    } else if (!in_left) {
      lines.push_back(below + ": only right: " + right[key].dump());
    } else if (!in_right) {
      lines.push_back(below + ": only left: " + left[key].dump());
    } else {
      compare(below, left[key], right[key], lines);
    }
  }
}

void compare(const std::string& path, const Json& left, const Json& right,
             std::vector<std::string>& lines) {
  if (left.is_object() && right.is_object()) {
    compare_objects(path, left, right, lines);
  } else if (left.is_array() && right.is_array()) {
    if (left.size() != right.size()) {
      lines.push_back(path + ": " + std::to_string(left.size()) + " items left, " +
                      std::to_string(right.size()) + " right");
    }
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
      compare(path + "[" + std::to_string(i) + "]", left[i], right[i], lines);
    }
  } else if (left != right) {
    lines.push_back(path + ": " + left.dump() + " left, " + right.dump() + " right");
  }
}

}  // namespace

std::vector<std::string> differences(const Json& left, const Json& right) {
  std::vector<std::string> lines;
  compare("", left, right, lines);
  return lines;
}

}  // namespace postern
