// Runs a scenario in the engine and on Linux, and says where they differ, packet by packet: fate,
// headers, answers, ctstate, rule and policy counters, conntrack entries, expectations.
//
// Real time passes on Linux and not in the engine. The shortest time that a scenario without waits
// can notice is the two seconds of kernel-facts 38, so a run that took longer (a busy machine) is
// done again, and says nothing when it stays slow. Covered by campaign_test.cpp.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "engine/trace.hpp"
#include "kernel/world.hpp"
#include "scenario/result.hpp"
#include "scenario/scenario.hpp"

namespace postern::kernel {

struct Judged {
  enum class Kind {
    kCompared,   // `lines` has the differences
    kRefused,    // both refuse the ruleset
    kUndecided,  // the text leaves something open, or chance did: nothing to compare
    kSlow,       // real time passed
  };
  Kind kind = Kind::kCompared;
  std::vector<std::string> lines;  // empty: they agree
  std::size_t compared = 0;        // packets, from the first
  std::string unmodelled;          // why the engine stopped there; empty when it did not
};

// What a packet did in the engine; `program` is the ruleset of the packet's family (may be null).
using Watch = std::function<void(std::size_t step, const Packet& packet, const PacketReport& report,
                                 const Trace& trace, const Program* program)>;

class Judge {
 public:
  // `for_engine`: what the engine gets instead of `scenario` (a planted fault).
  Judged judge(const Scenario& scenario, const Watch& watch = {},
               const Scenario* for_engine = nullptr);

 private:
  struct Answers {
    std::vector<PacketReport> packets;
    bool slow = false;
  };
  Outcome<Answers> on_linux(const Scenario& scenario);
  Outcome<World*> world_for(const Scenario& scenario);

  std::list<std::unique_ptr<World>> worlds_;  // most recently used first
};

// The smallest scenario that can be found on which the two still differ: fewer packets, then fewer
// rules, as long as that helps and the patience lasts.
Scenario shrink(Judge& judge, const Scenario& scenario, const std::vector<std::string>& lines);

}  // namespace postern::kernel
