#include "analyzer/led_error.hpp"

#include <algorithm>

#include "symbolic/witness/witness_led.hpp"

namespace postern {
namespace {

// The entry of the flow once its packets have gone.
std::optional<EntryReport> entry_of(const LedParent& parent, const Confirmed& run) {
  const Packet& first = parent.witness.packets.front().packet;
  for (const EntryReport& entry : run.steps.back().entries) {
    const bool own = entry.original.source == first.source && entry.protocol == first.protocol;
    if (own && entry.reply.destination != entry.original.source) return entry;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ShownError> show_led_error(Model& model, const Program& program, Path path,
                                         Set errors, const Scenario& world, Destination asked) {
  for (const LedParent& parent : led_parents(model, path, errors)) {
    const Confirmed begun = confirm(parent.witness, world, program, model.entries());
    if (!begun.mismatch.empty()) continue;
    const auto entry = entry_of(parent, begun);
    if (!entry) continue;
    auto error = led_error(model, path, parent, *entry);
    if (!error || error->witness.obstacle) continue;
    asked.leaves_by = error->flow.responder_interface;
    Confirmed both = confirm(error->witness, world, program, model.entries(), asked);
    if (!both.mismatch.empty()) continue;
    return ShownError{std::move(error->flow), std::move(error->witness), std::move(both)};
  }
  return std::nullopt;
}

}  // namespace postern
