// `postern replay SCENARIO.json`: the packets of a scenario through the engine; JSON unless
// `--format text` asks for what people read.
// Covered by tests/cli/replay_test.cpp.
#include <fmt/format.h>

#include <filesystem>

#include "analyzer/on_kernel.hpp"
#include "analyzer/replay_document.hpp"
#include "analyzer/report/replay_text.hpp"
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

// Linux's document takes the place of the engine's, where Linux could be asked; `meta` says what
// came of it. Waits as long as the scenario does.
ExitCode run_on_kernel_too(const Scenario& scenario, nlohmann::json& document,
                           const Options& options) {
  const bool modelled = !document.contains("error");
  KernelRun run = run_on_kernel(scenario, document, std::chrono::milliseconds::max());
  if (run.document) document = *run.document;
  document["meta"]["on_kernel"] = to_json(run.verdict);
  if (!options.quiet) fmt::print(stderr, "postern: {}\n", to_text(run.verdict));
  return modelled && run.verdict.difference.empty() ? ExitCode::kClean : ExitCode::kIncomplete;
}

// With several scenarios, each under the name of its ruleset.
std::string as_text(const ScenarioFile& file, const nlohmann::json& json) {
  std::string out;
  for (std::size_t i = 0; i < file.scenarios.size(); ++i) {
    const Scenario& scenario = file.scenarios[i];
    if (file.scenarios.size() > 1) {
      out += fmt::format("{}== {}\n", i == 0 ? "" : "\n", scenario.ruleset_name);
    }
    out += replay_text(scenario, json.is_array() ? json.at(i) : json);
  }
  return out;
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
  auto document = replay_document(*scenarios);
  if (!document) {
    for (const ReplayError& error : document.error()) print_replay_error(error, options);
    return {};
  }
  auto code = static_cast<ExitCode>(document->exit_status);
  if (options.on_kernel) {
    for (std::size_t i = 0; i < scenarios->scenarios.size(); ++i) {
      nlohmann::json& one = document->json.is_array() ? document->json.at(i) : document->json;
      code = stronger(code, run_on_kernel_too(scenarios->scenarios[i], one, options));
    }
  }
  if (options.format == Format::kText) return {as_text(*scenarios, document->json), code};
  return {document->json.dump(2) + "\n", code};
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
