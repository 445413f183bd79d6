// A campaign: as many random scenarios as it takes to compare so many packets with Linux, each from
// a seed of its own, on every processor. A scenario on which engine and Linux differ is shrunk and
// written as a file.
//
//   Campaign campaign({.packets = 100'000, .seed = 1});
//   campaign.run();
//   EXPECT_TRUE(campaign.failures().empty());
//
// Covered by campaign_test.cpp.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/kernel/support/coverage.hpp"

namespace postern::kernel {

// Of left_out(): scenarios that differed, and in a new namespace did not.
inline constexpr std::string_view kDidNotComeAgain = "a difference that did not come again";

struct CampaignOptions {
  std::uint64_t packets = 10'000;
  std::uint64_t seed = 1;
  std::size_t packets_per_scenario = 100;
  std::size_t most_failures = 5;
  std::uint64_t most_rulesets = ~std::uint64_t{0};
  std::string directory;  // where failing scenarios are written; empty: nowhere
  // Makes of each scenario what the engine reads instead (a planted fault).
  std::function<Scenario(const Scenario&)> fault = {};
  bool talk = true;  // progress on standard output
  // Makes a scenario of a seed; by default make_scenario().
  std::function<MadeScenario(std::uint64_t seed, std::size_t packets, Abilities)> source = {};
};

class Campaign {
 public:
  explicit Campaign(CampaignOptions options) : options_(std::move(options)) {}
  void run();

  struct Failure {
    std::uint64_t seed = 0;
    std::vector<std::string> lines;
    std::string scenario;  // shrunk, as a file
  };
  const std::vector<Failure>& failures() const { return failures_; }
  const Coverage& coverage() const { return coverage_; }
  Abilities abilities() const { return abilities_; }
  std::uint64_t scenarios() const { return scenarios_; }
  // Of all scenarios, how many were not compared (to the end), by reason.
  const std::map<std::string, std::uint64_t>& left_out() const { return left_out_; }

 private:
  void work();
  void one(Judge& judge, std::uint64_t seed);
  void fail(Judge& judge, std::uint64_t seed, const Scenario& scenario,
            std::vector<std::string> lines);
  void talk();

  CampaignOptions options_;
  Abilities abilities_ = Abilities::probe();
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> next_round_ = 0;
  std::mutex mutex_;  // of everything below
  Coverage coverage_;
  std::uint64_t scenarios_ = 0, next_word_ = 0;
  std::map<std::string, std::uint64_t> left_out_;
  std::vector<Failure> failures_;
};

}  // namespace postern::kernel
