// The concrete engine: a small world with rulesets, conntrack table and a virtual clock, through
// which packets run one after the other. It claims to agree with Linux in every verdict, counter,
// ctstate and conntrack entry (kernel-facts.md); where it cannot (helpers other than ftp, tftp,
// irc) it throws Unmodelled instead of guessing. Deterministic: the only chance is the Chooser's.
// Covered by tests/unit/engine_*_test.cpp and, against the real kernel, tests/kernel/.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/chooser.hpp"
#include "engine/trace.hpp"
#include "flow/program.hpp"
#include "scenario/result.hpp"
#include "scenario/scenario.hpp"

namespace postern {

// The packet met something that the engine does not model (yet). The caller reports the answer as
// unknown (exit code 3); it is never a pass. `what()` names the thing: "CT --helper sip".
class Unmodelled : public std::runtime_error {
 public:
  explicit Unmodelled(const std::string& what) : std::runtime_error("unmodelled: " + what) {}
};

// What a rule or policy has counted since the engine was made or cleared.
struct Hits {
  std::vector<RuleHit> rules, policies;  // in order of the text; only those above zero
};

class Engine {
 public:
  // Of `world` it reads interfaces, routes, forwarding, sysctl, tracking and backend (not rulesets,
  // steps, choices). A null program is a family without ruleset. Programs (their rulesets, too) and
  // chooser must outlive the engine.
  Engine(const Scenario& world, const Program* v4, const Program* v6, Chooser& chooser);
  ~Engine();
  Engine(Engine&&) noexcept;

  // Sends one packet on its way to the end, with all that the host generates in answer. The report
  // has everything but `rules`, `policies` and `conntrack` (observe() adds them).
  PacketReport inject(const Packet& packet);
  // The same without a report: what benchmarks and bulk replays use.
  Verdict run(const Packet& packet);

  void wait(std::uint32_t milliseconds);
  void flush(bool expectations);
  // Keys with '/', as in Scenario::sysctl. Unknown keys are ignored.
  void set_sysctl(const std::map<std::string, std::string>& values);

  // Is connection tracking on for this family?
  bool tracks(Family family) const;
  // Entries of the conntrack table, in the order of their creation.
  std::vector<EntryReport> entries() const;
  // Counters since the last clear_hits().
  Hits hits() const;
  void clear_hits();
  // hits() into report.rules and .policies (and clears them), entries() into report.conntrack, the
  // expectations into report.expect.
  void observe(PacketReport& report);

  // Collects every step from now on into `trace` (nullptr: stops). Not owned.
  void set_trace(Trace* trace);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern
