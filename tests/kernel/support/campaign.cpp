// The loop of a campaign. Covered by campaign_test.cpp.
#include "tests/kernel/support/campaign.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace postern::kernel {

void Campaign::fail(std::uint64_t seed, const Scenario& scenario, std::vector<std::string> lines) {
  Failure failure{seed, std::move(lines), {}};
  const bool refused = failure.lines.front().find("refuses") != std::string::npos;
  const bool planted = static_cast<bool>(options_.fault);
  const Scenario small = refused || planted ? scenario : shrink(judge_, scenario, failure.lines);
  if (!refused && !planted) {
    if (auto again = judge_.judge(small); !again.lines.empty()) failure.lines = again.lines;
  }
  failure.scenario = write_scenario(small);
  if (!options_.directory.empty()) {
    std::filesystem::create_directories(options_.directory);
    const auto path = std::filesystem::path(options_.directory) / (std::to_string(seed) + ".json");
    std::ofstream(path) << failure.scenario;
  }
  if (options_.talk) {
    std::cout << "seed " << seed << " (left Linux, right the engine):\n";
    for (std::size_t i = 0; i < std::min<std::size_t>(failure.lines.size(), 6); ++i) {
      std::cout << "  " << failure.lines[i] << "\n";
    }
    std::cout << failure.scenario << std::endl;
  }
  failures_.push_back(std::move(failure));
}

void Campaign::one(std::uint64_t seed) {
  const MadeScenario made = make_scenario(seed, options_.packets_per_scenario, abilities_);
  coverage_.start(made);
  const Watch watch = [&](std::size_t step, const Packet& packet, const PacketReport& report,
                          const Trace& trace, const Program* program) {
    coverage_.add(step, packet, report, trace, program);
  };
  Scenario faulty;
  if (options_.fault) faulty = options_.fault(made.scenario);
  const Judged judged = judge_.judge(made.scenario, watch, options_.fault ? &faulty : nullptr);
  ++scenarios_;
  coverage_.keep(judged.kind == Judged::Kind::kCompared);
  if (judged.kind == Judged::Kind::kRefused) ++left_out_["refused by both"];
  if (judged.kind == Judged::Kind::kUndecided) ++left_out_["not decided by the text"];
  if (judged.kind == Judged::Kind::kSlow) ++left_out_["too slow"];
  if (!judged.unmodelled.empty()) ++left_out_[judged.unmodelled];
  if (!judged.lines.empty()) fail(seed, made.scenario, judged.lines);
}

void Campaign::run() {
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t next_word = options_.packets / 10;
  for (std::uint64_t round = 0; coverage_.packets < options_.packets; ++round) {
    one(options_.seed * 1'000'003 + round);
    if (failures_.size() >= options_.most_failures) break;
    // Nothing can be compared: the caller sees it in left_out().
    if (round > 100 && coverage_.packets < round) break;
    if (!options_.talk || coverage_.packets < next_word) continue;
    next_word += std::max<std::uint64_t>(options_.packets / 10, 1);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    std::cout << coverage_.packets << " packets, " << scenarios_ << " rulesets, "
              << failures_.size() << " differences, "
              << static_cast<std::uint64_t>(static_cast<double>(coverage_.packets) / spent.count())
              << " packets/s" << std::endl;
  }
}

std::map<std::string, std::vector<TcpCellAim>> measured_cells() {
  std::map<std::string, std::vector<TcpCellAim>> made;
  const std::pair<const char*, const char*> files[] = {
      {"loose1", "tcp-loose1"}, {"loose0", "tcp-loose0"}, {"liberal", "tcp-liberal"}};
  for (const auto& [name, file] : files) {
    std::ifstream in(std::string(POSTERN_SOURCE_DIR) + "/corpus/conntrack/" + file + ".table");
    std::vector<std::string> columns;
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::istringstream words(line);
      std::string row, side, word;
      words >> row >> side;
      if (row == "state") {
        while (words >> word) columns.push_back(word);
        continue;
      }
      for (const std::string& column : columns) {
        if (words >> word && word != ".") made[name].push_back({row, side == "reply", column});
      }
    }
  }
  return made;
}

}  // namespace postern::kernel
