// The parts of a world that are made by programs and sysctls: devices' addresses, routes, rulesets.
// REQUIRES throughout: the thread is in the namespace. Covered by tests/kernel/harness_test.cpp.
#pragma once

#include <string>

#include "kernel/counters.hpp"
#include "kernel/system.hpp"
#include "scenario/scenario.hpp"

namespace postern::kernel {

// Before devices exist: no rate limits, no redirects, no router solicitations; then after they
// exist what each has of its own, forwarding and the scenario's settings.
Outcome<void> set_defaults();
Outcome<void> set_sysctls(const Scenario& scenario);

// Brings up `lo` and the (existing) TUN devices, with addresses and routes.
Outcome<void> configure_interfaces(const Scenario& scenario);

// Loads `ruleset` of one family in place of what is there, and tells what it became. `emptied`:
// tables of an earlier ruleset that must not keep rules.
Outcome<RuleTexts> load_ruleset(Family family, Backend backend, const std::string& ruleset,
                                const RuleTexts& emptied = {});
Outcome<void> load_ipsets(const std::string& saved);

// A ruleset that uses TPROXY or the socket match has packets defragmented without tracking them
// (kernel-facts 1): then only its text can tell whether tracking is on.
bool defragments_by_itself(const std::string& saved);
bool mentions_tracking(const std::string& saved);

}  // namespace postern::kernel
