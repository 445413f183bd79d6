// --on-kernel: a scenario that the engine has run, run once more on the real kernel in a network
// namespace, and what came of it held against the engine's report, key by key.
//
// An answer never depends on it: where no kernel can be asked, `reason` says why and the answer
// stands. A difference puts the answer in doubt (exit code 3). Covered by
// tests/cli/on_kernel_test.cpp.
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "scenario/scenario.hpp"

namespace postern {

struct OnKernel {
  std::string release = {};     // "Linux 6.18.5"; empty: nothing was run
  bool confirmed = false;       // every verdict, counter, conntrack entry and reply is the same
  std::string difference = {};  // the first one, when it ran and was not confirmed
  std::string reason = {};      // why it was not run, or why its run says nothing
  unsigned runs = 0;            // several where chance decides; the last is the one told of
};

struct KernelRun {
  OnKernel verdict;
  // Linux's result (scenario-format.md); null: it did not run.
  std::shared_ptr<const nlohmann::json> document;
};

// Runs `scenario` on this machine's kernel and compares with `engine`, the document of the engine's
// replay. Waits in it longer than `patience` in all are not waited for: then nothing is run.
KernelRun run_on_kernel(const Scenario& scenario, const nlohmann::json& engine,
                        std::chrono::milliseconds patience);

// For a witness: replays it in the engine first. Waits a few seconds at most.
OnKernel witness_on_kernel(const Scenario& witness);

// "confirmed on Linux 6.18.5", "differs on Linux 6.18.5: ...", "not run on a kernel: ...".
std::string to_text(const OnKernel& verdict);
// {"release", "confirmed", "runs", "difference" or "reason"}; what is empty, or one run, is left
// out.
nlohmann::json to_json(const OnKernel& verdict);

}  // namespace postern
