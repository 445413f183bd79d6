// A small world inside one network namespace: interfaces (TUN), routes, sysctls and rulesets of a
// scenario, and packets sent through it one by one on the real kernel.
//
//   auto world = World::create(scenario);
//   for (const Step& step : scenario.steps) reports.push_back(*(*world)->run(step));
//
// A world is used by one thread at a time. Nothing of it remains when it is gone.
// Covered by tests/kernel/harness_test.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernel/system.hpp"
#include "scenario/result.hpp"
#include "scenario/scenario.hpp"

namespace postern::kernel {

class World {
 public:
  // The error says which part could not be built, with the tool's own words (a ruleset that the
  // kernel refuses, an unknown route ...).
  static Outcome<std::unique_ptr<World>> create(const Scenario& scenario);
  virtual ~World() = default;

  // Runs one step. Counters, entries and expectations are observed with it when `observe` is set.
  virtual Outcome<PacketReport> run(const Step& step, bool observe = true) = 0;
  // What rose since the last observation, and the tables as they are now.
  virtual Outcome<void> observe(PacketReport& report) = 0;
  // Can `reload` give the same as a new world? Interfaces, routes, sysctls, ipsets and backend must
  // be those of this world; a legacy nat table, once there, must stay in use (its hooks remain),
  // and so must tracking (Linux switches it off only some time later).
  virtual bool can_reload(const Scenario& scenario) const = 0;
  // Replaces the rulesets by those of `scenario` and empties the conntrack table: faster than a new
  // world. REQUIRES: can_reload(scenario).
  virtual Outcome<void> reload(const Scenario& scenario) = 0;
  // While it lives, the calling thread is inside this world (to open sockets there).
  virtual Outcome<NetNamespace::Entered> enter() const = 0;
  // Is tracking on for this family?
  virtual bool tracks(Family family) const = 0;
};

}  // namespace postern::kernel
