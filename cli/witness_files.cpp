// --pcap and --scenario. Covered by tests/cli/lint_test.cpp.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

// Through a temporary neighbour, so that a failure leaves no half capture.
std::string write_capture(const Answer& answer, const std::string& path) {
  std::vector<Packet> packets;
  for (const WitnessStep& step : answer.witness) packets.push_back(step.packet);
  const std::string temporary = path + ".part";
  if (const auto written = write_pcap(packets, temporary); !written) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    return written.error();
  }
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  return error ? fmt::format("cannot write {}: {}", path, error.message()) : "";
}

}  // namespace

ExitCode write_witness(const Options& options, const Answer* answer, ExitCode code) {
  if (options.pcap.empty() && options.scenario.empty()) return code;
  if (answer == nullptr) {
    fmt::print(stderr, "postern: no witness: nothing is written to --pcap or --scenario\n");
    return code;
  }
  std::vector<std::string> problems;
  if (!options.pcap.empty()) problems.push_back(write_capture(*answer, options.pcap));
  if (!options.scenario.empty() && answer->scenario) {
    problems.push_back(write_output(options.scenario, write_scenario(*answer->scenario)));
  }
  for (const std::string& problem : problems) {
    if (problem.empty()) continue;
    fmt::print(stderr, "postern: error: {}\n", problem);
    code = stronger(code, ExitCode::kBadInput);
  }
  return code;
}

}  // namespace postern
