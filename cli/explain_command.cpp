// `postern explain [ID...]`: the pages of the checks, or their list.
// Covered by tests/cli/usage_test.cpp.
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "analyzer/explain.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace postern {
namespace {

// The page's first paragraph, on one line.
std::string summary(const CheckPage& page) {
  std::string_view rest = page.text.substr(page.text.find('\n') + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of('\n'), rest.size()));
  std::string line(rest.substr(0, rest.find("\n\n")));
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string as_json(const std::vector<const CheckPage*>& pages) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const CheckPage* page : pages) {
    list.push_back({{"id", page->id},
                    {"name", page->name},
                    {"summary", summary(*page)},
                    {"page", page->text}});
  }
  return nlohmann::ordered_json{{"schema", "postern/1"}, {"checks", list}}.dump(2) + "\n";
}

}  // namespace

ExitCode run_explain(const Options& options) {
  std::vector<const CheckPage*> pages;
  bool unknown = false;
  for (const std::string& word : options.files) {
    const CheckPage* page = find_check_page(word);
    if (page == nullptr) {
      fmt::print(stderr, "postern: error: there is no check '{}'\nTry: postern explain\n", word);
      unknown = true;
    } else {
      pages.push_back(page);
    }
  }
  if (unknown) return ExitCode::kBadInput;
  const bool list = pages.empty();
  if (list) {
    for (const CheckPage& page : check_pages()) pages.push_back(&page);
  }
  std::string text;
  if (options.format == Format::kJson) {
    text = as_json(pages);
  } else {
    for (const CheckPage* page : pages) {
      if (!list && !text.empty()) text += "\n";
      text += list ? fmt::format("{}  {:<22} {}\n", page->id, page->name, summary(*page))
                   : std::string(page->text);
    }
  }
  return finish(options, text, ExitCode::kClean);
}

}  // namespace postern
