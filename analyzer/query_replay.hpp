// A witness before anybody sees it: run through the concrete engine, which shares no code with the
// symbolic side, and held against what the sets said of every packet (verdict, ctstate, entry).
// Covered by tests/unit/query_test.cpp and tests/agreement/.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analyzer/answer.hpp"
#include "engine/chooser.hpp"
#include "flow/program.hpp"
#include "symbolic/witness.hpp"

namespace postern {

struct Confirmed {
  std::vector<WitnessStep> steps;
  Scenario scenario;            // packets, waits and choices included
  std::vector<Choice> choices;  // what the text left open, and the values that make it happen
  std::string mismatch;         // not empty: the engine saw something else; what
  bool unmodelled = false;      // ... because the engine does not model it
};

// `world` holds backend, tracking and sysctls of the question beside the witness's own interfaces.
// Opaques are free: values for them are searched for until every packet is as expected.
Confirmed confirm(const Witness& witness, const Scenario& world, const Program& program,
                  std::span<const EntryInfo> entries);

}  // namespace postern
