// What a packet makes of the entry that it meets, by what becomes of the packet.
// Covered by tests/unit/certificate_test.cpp.
#pragma once

#include "symbolic/entries/abstract_entry.hpp"

namespace postern {

// Each field is the entry afterwards. "Confirmed": the packet ends behind its confirmation.
struct EntryEffect {
  AbstractEntry delivered, lost, reset, lost_confirmed, reset_confirmed;
  bool attached = false;  // the connmark afterwards is the packet's
  bool heard = true;      // the end that it gets to takes it
  static EntryEffect none(const AbstractEntry& e) { return {e, e, e, e, e, false}; }
  static EntryEffect of(const AbstractStep& step) {
    const AbstractEntry kept = step.entry(true), gone = step.entry(false);
    const bool attached = step.state != CtState::kInvalid && step.state != CtState::kUntracked;
    const bool heard = !unheard(step.condition);
    if (!attached) return {gone, gone, gone, gone, gone, false, heard};
    const auto closed = [](const AbstractEntry& e) { return e.present ? closed_by_reset(e) : e; };
    // Only an entry that stands in the table is closed by a reset.
    return {kept, gone, step.created ? gone : closed(gone), kept, closed(kept), true};
  }
};

}  // namespace postern
