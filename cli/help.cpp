// Covered by tests/cli/usage_test.cpp.
#include "cli/help.hpp"

#include <fmt/format.h>

#include "cli/exit_code.hpp"

namespace postern {

std::string HelpFormatter::make_usage(const CLI::App* app, std::string) const {
  const bool top = app->get_parent() == nullptr;
  const auto usage = usage_.find(top ? "" : app->get_name());
  return fmt::format("Usage: postern {}\n", usage == usage_.end() ? "" : usage->second);
}

std::string HelpFormatter::make_positionals(const CLI::App*) const { return {}; }

std::string exit_code_table() {
  std::string table = "Exit codes:\n";
  for (int code = 0; code <= 4; ++code) {
    for (const ExitCodeInfo& info : kExitCodes) {
      if (static_cast<int>(info.code) == code) {
        table += fmt::format("  {}  {}\n", code, info.meaning);
      }
    }
  }
  return table;
}

}  // namespace postern
