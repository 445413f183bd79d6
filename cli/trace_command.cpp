// `postern trace FILE... -- PACKET...`: each file's ruleset, rule by rule, for the same packets.
// Covered by tests/cli/usage_test.cpp.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analyzer/question.hpp"
#include "analyzer/trace.hpp"
#include "cli/commands.hpp"
#include "cli/load.hpp"

namespace postern {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// nullopt: the file or the packet is bad, and that has been said.
std::optional<TraceReport> trace_file(const std::string& path, const Options& options) {
  const std::unique_ptr<Loaded> loaded = load(path, options);
  if (!loaded) return std::nullopt;
  const Family family = loaded->bound.ruleset.family;
  const SourceFile source("packet", joined(options.words));
  const auto packets = read_packet_words(source, family);
  if (!packets) {
    print_errors(packets.error(), source, options);
    return std::nullopt;
  }
  Scenario world = trace_world(*packets, family);
  world.tracking = options.tracking;
  world.backend = loaded->bound.ruleset.backend;
  return trace(*loaded->program, world, *packets);
}

}  // namespace

ExitCode run_trace(const Options& raw_options) {
  Options options = raw_options;
  if (!options.family) options.family = family_of_words(options.words);
  ExitCode code = ExitCode::kClean;
  std::string text;
  nlohmann::ordered_json traces = nlohmann::ordered_json::array();
  for (const std::string& path : options.files) {
    const auto report = trace_file(path, options);
    if (!report) {
      code = stronger(code, ExitCode::kBadInput);
      continue;
    }
    code = stronger(code, static_cast<ExitCode>(report->exit_status));
    text += report->text;
    traces.push_back({{"file", path}, {"text", report->text}});
  }
  if (traces.empty()) return code;
  if (options.format == Format::kJson) {
    const nlohmann::ordered_json document{{"schema", "postern/1"}, {"traces", traces}};
    text = document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }
  return finish(options, text, code);
}

}  // namespace postern
