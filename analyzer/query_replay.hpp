// A witness before anybody sees it: run through the concrete engine, which shares no code with the
// symbolic side, and held against what the sets said of every packet (verdict, ctstate, entry) and
// what was asked of where it arrives.
// Covered by tests/unit/query_test.cpp and tests/agreement/.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzer/answer.hpp"
#include "analyzer/question.hpp"
#include "engine/chooser.hpp"
#include "flow/program.hpp"
#include "symbolic/witness/witness.hpp"

namespace postern {

struct Confirmed {
  std::vector<WitnessStep> steps;
  Scenario scenario;             // packets, waits and choices included
  std::vector<Choice> choices;   // what the text left open, and the values that make it happen
  std::string mismatch;          // not empty: the engine saw something else; what
  bool unmodelled = false;       // ... because the engine does not model it
  bool asked_of_sender = false;  // some run asked for what is the same throughout one packet
};

// Where the initiator's packets are to arrive (--to-destination, --to-port).
struct Destination {
  Verb verb = Verb::kDeliver;  // whose packet, or entry, must say so
  std::optional<Prefix> address;
  std::optional<std::uint16_t> port;
  bool not_address = false, not_port = false;  // anything but these
  std::string leaves_by = {};                  // device that it must be forwarded by; empty: any
  static Destination asked(const Question& question) {
    return {.verb = question.verb,
            .address = question.to_destination,
            .port = question.to_port,
            .not_address = question.not_to_destination,
            .not_port = question.not_to_port};
  }
};

// `world` holds backend, tracking and sysctls of the question beside the witness's own interfaces.
// Opaques are free: values for them are searched for until every packet is as expected.
Confirmed confirm(const Witness& witness, const Scenario& world, const Program& program,
                  std::span<const EntryInfo> entries, const Destination& asked = {});

}  // namespace postern
