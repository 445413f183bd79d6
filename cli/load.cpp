// Covered by tests/cli/query_test.cpp.
#include "cli/load.hpp"

#include <fmt/format.h>

#include "cli/input.hpp"
#include "cli/terminal.hpp"

namespace postern {

void print_errors(const Diagnostics& errors, const SourceFile& source, const Options& options) {
  for (const Diagnostic& error : errors) {
    fmt::print(stderr, "{}", render(error, source, use_color(options, Stream::kError)));
  }
}

void warn_of_no_table(const std::string& file) {
  fmt::print(stderr,
             "postern: warning: {}: no table in it, so it filters nothing "
             "(iptables-save needs root)\n",
             file);
}

std::unique_ptr<Loaded> load(const std::string& path, const Options& options) {
  const auto source = read_input(path);
  if (!source) {
    fmt::print(stderr, "postern: error: {}\n", source.error());
    return nullptr;
  }
  Result<Bound> bound = read_ruleset(*source, options.family, options.backend);
  if (!bound) {
    print_errors(bound.error(), **source, options);
    return nullptr;
  }
  if (bound->ruleset.tables.empty()) warn_of_no_table((*source)->name());
  auto loaded = std::make_unique<Loaded>();
  loaded->source = *source;
  loaded->bound = std::move(*bound);
  Result<Program> program = Program::compile(loaded->bound.ruleset);
  if (!program) {
    print_errors(program.error(), **source, options);
    return nullptr;
  }
  loaded->program = std::move(*program);
  return loaded;
}

}  // namespace postern
