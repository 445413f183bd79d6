// `postern replay SCENARIO.json`: the packets of a scenario through the engine; always JSON.
// Covered by tests/cli/replay_test.cpp.
#include <fmt/format.h>

#include <filesystem>

#include "analyzer/replay.hpp"
#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/load.hpp"

namespace postern {
namespace {

struct Replay {
  std::string text;
  ExitCode code = ExitCode::kBadInput;
};

void print_replay_error(const ReplayError& error, const Options& options) {
  if (error.source) print_errors(error.diagnostics, *error.source, options);
  if (!error.message.empty()) fmt::print(stderr, "postern: error: {}\n", error.message);
}

Replay replay_file(const std::string& path, const Options& options) {
  const auto source = read_input(path);
  if (!source) {
    fmt::print(stderr, "postern: error: {}\n", source.error());
    return {};
  }
  const std::string directory =
      path == "-" ? "." : std::filesystem::path(path).parent_path().string();
  const Result<ScenarioFile> scenarios =
      read_scenarios(**source, directory.empty() ? "." : directory);
  if (!scenarios) {
    print_errors(scenarios.error(), **source, options);
    return {};
  }
  const auto document = replay_document(*scenarios);
  if (!document) {
    for (const ReplayError& error : document.error()) print_replay_error(error, options);
    return {};
  }
  return {document->json.dump(2) + "\n", static_cast<ExitCode>(document->exit_status)};
}

}  // namespace

ExitCode run_replay(const Options& options) {
  ExitCode code = ExitCode::kClean;
  std::string text;
  for (const std::string& path : options.files) {
    const Replay replay = replay_file(path, options);
    code = stronger(code, replay.code);
    text += replay.text;
  }
  return text.empty() ? code : finish(options, text, code);
}

}  // namespace postern
