// How help pages look: usage in the words of the design ("postern query [OPTIONS] FILE... -- VERB
// MATCH..."), examples, exit codes. Covered by tests/cli/usage_test.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace postern {

// CLI11's formatter with our usage line (by the command's name; empty: the program itself) and no
// list of positionals, which the usage line names already.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::map<std::string, std::string> usage) : usage_(std::move(usage)) {}
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_positionals(const CLI::App* app) const override;

 private:
  std::map<std::string, std::string> usage_;
};

// "Exit codes:" and a line for each.
std::string exit_code_table();

}  // namespace postern
