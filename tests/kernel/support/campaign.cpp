// The loop of a campaign: each thread takes the next seed and has worlds of its own.
// Covered by campaign_test.cpp.
#include "tests/kernel/support/campaign.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

namespace postern::kernel {
namespace {

// More would share the kernel's locks, and a busy machine makes scenarios too slow to count.
constexpr unsigned kMostThreads = 4;

}  // namespace

void Campaign::fail(Judge& judge, std::uint64_t seed, const Scenario& scenario,
                    std::vector<std::string> lines) {
  Failure failure{seed, std::move(lines), {}};
  const bool refused = failure.lines.front().find("refuses") != std::string::npos;
  const bool planted = static_cast<bool>(options_.fault);
  if (!refused && !planted) {
    // What a namespace still sends of an earlier scenario (an error about fragments that nobody put
    // together, a minute later) is no difference of this one: a new namespace tells.
    Judge fresh;
    if (fresh.judge(scenario).lines.empty()) {
      const std::lock_guard lock(mutex_);
      ++left_out_[std::string(kDidNotComeAgain)];
      if (options_.talk)
        std::cout << "seed " << seed << " differed once: " << failure.lines[0] << std::endl;
      return;
    }
  }
  const Scenario small = refused || planted ? scenario : shrink(judge, scenario, failure.lines);
  if (!refused && !planted) {
    if (auto again = judge.judge(small); !again.lines.empty()) failure.lines = again.lines;
  }
  failure.scenario = write_scenario(small);
  if (!options_.directory.empty()) {
    std::filesystem::create_directories(options_.directory);
    const auto path = std::filesystem::path(options_.directory) / (std::to_string(seed) + ".json");
    std::ofstream(path) << failure.scenario;
  }
  const std::lock_guard lock(mutex_);
  if (options_.talk) {
    std::cout << "seed " << seed << " (left Linux, right the engine):\n";
    for (std::size_t i = 0; i < std::min<std::size_t>(failure.lines.size(), 6); ++i) {
      std::cout << "  " << failure.lines[i] << "\n";
    }
    std::cout << failure.scenario << std::endl;
  }
  failures_.push_back(std::move(failure));
}

void Campaign::one(Judge& judge, std::uint64_t seed) {
  const MadeScenario made = (options_.source ? options_.source : make_scenario)(
      seed, options_.packets_per_scenario, abilities_);
  Coverage coverage(made);
  const Watch watch = [&](std::size_t step, const Packet& packet, const PacketReport& report,
                          const Trace& trace, const Program* program) {
    coverage.add(step, packet, report, trace, program);
  };
  Scenario faulty;
  if (options_.fault) faulty = options_.fault(made.scenario);
  const Judged judged = judge.judge(made.scenario, watch, options_.fault ? &faulty : nullptr);
  {
    const std::lock_guard lock(mutex_);
    ++scenarios_;
    if (judged.kind == Judged::Kind::kCompared) coverage_.merge(coverage);
    if (judged.kind == Judged::Kind::kRefused) ++left_out_["refused by both"];
    const bool undecided = judged.kind == Judged::Kind::kUndecided;
    if (undecided && judged.unmodelled.empty()) ++left_out_["not decided by the text"];
    if (judged.kind == Judged::Kind::kSlow) ++left_out_["too slow"];
    if (!judged.unmodelled.empty()) ++left_out_[judged.unmodelled];
    if (options_.talk) talk();
  }
  if (!judged.lines.empty()) fail(judge, seed, made.scenario, judged.lines);
}

void Campaign::talk() {
  if (coverage_.packets < next_word_) return;
  next_word_ += std::max<std::uint64_t>(options_.packets / 10, 1);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
  std::cout << coverage_.packets << " packets, " << scenarios_ << " rulesets, " << failures_.size()
            << " differences, "
            << static_cast<std::uint64_t>(static_cast<double>(coverage_.packets) / spent.count())
            << " packets/s" << std::endl;
}

void Campaign::work() {
  Judge judge;
  for (;;) {
    const std::uint64_t round = next_round_++;
    {
      const std::lock_guard lock(mutex_);
      if (coverage_.packets >= options_.packets || round >= options_.most_rulesets) return;
      if (failures_.size() >= options_.most_failures) return;
      // Nothing can be compared: the caller sees it in left_out().
      if (round > 100 && coverage_.packets < round) return;
    }
    one(judge, options_.seed * 1'000'003 + round);
  }
}

void Campaign::run() {
  start_ = std::chrono::steady_clock::now();
  next_word_ = options_.packets / 10;
  std::vector<std::thread> threads;
  const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
  for (unsigned i = 1; i < count; ++i) threads.emplace_back([this] { work(); });
  work();
  for (std::thread& thread : threads) thread.join();
  std::sort(failures_.begin(), failures_.end(),
            [](const Failure& a, const Failure& b) { return a.seed < b.seed; });
}

}  // namespace postern::kernel
