// A packet that shows that ICMP errors get through which NAT leads on with the opener of the flow
// that they quote. The sets only say that it may be so: the engine has the word, twice. What the
// quoted flow leaves with is known once it has run; then the error follows it.
// Covered by tests/unit/related_error_test.cpp.
#pragma once

#include <optional>

#include "analyzer/query_replay.hpp"

namespace postern {

struct ShownError {
  FlowPoint flow;
  Witness witness;
  Confirmed confirmed;
};

// One of `errors` (on `path`; flow and packet axes), replayed; nullopt: none was found.
std::optional<ShownError> show_led_error(Model& model, const Program& program, Path path,
                                         Set errors, const Scenario& world, Destination asked);

}  // namespace postern
