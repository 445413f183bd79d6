// The entries that one flow can have, numbered, and how packets move between them: the abstract
// automaton of abstract_entry.hpp made explicit, entry by entry as they are met.
// Covered by tests/unit/flow_sets_test.cpp.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "symbolic/abstract_entry.hpp"
#include "symbolic/model.hpp"

namespace postern {

// One way in which a packet can meet an entry, and what stands afterwards (entry numbers).
struct Move {
  AbstractStep step;
  std::uint16_t kept = 0;        // the packet lives to its confirmation
  std::uint16_t lost = 0;        // it is dropped before
  std::uint16_t reset = 0;       // it is answered by a TCP reset before its confirmation
  std::uint16_t kept_reset = 0;  // ... after it (loopback)
};

class Automaton {
 public:
  explicit Automaton(const ConntrackConfig& config);

  std::uint16_t number(const AbstractEntry& entry);
  std::optional<std::uint16_t> find(const AbstractEntry& entry) const;
  const AbstractEntry& entry(std::uint16_t number) const { return infos_[number].entry; }
  std::span<const EntryInfo> infos() const { return infos_; }

  // Kinds of packet that `sender` can send to this entry (all of them, where there is none).
  std::span<const PacketKind> kinds(std::uint16_t entry, FlowEnd sender) const;
  const std::vector<Move>& moves(std::uint16_t entry, FlowEnd sender, PacketKind kind);
  // The same move of a flow that a helper had announced. REQUIRES: it creates an entry.
  Move announced(const Move& created);

 private:
  ConntrackConfig config_;
  std::map<AbstractEntry, std::uint16_t> numbers_;
  std::vector<EntryInfo> infos_;
  std::map<std::tuple<std::uint16_t, FlowEnd, PacketKind>, std::vector<Move>> moves_;
};

}  // namespace postern
