// The entries that one flow can have, numbered, and how packets move between them: the abstract
// automaton of abstract_entry.hpp made explicit, entry by entry as they are met.
//
// Where there are zones (zones.hpp) a flow may have an entry in each pair of them at the same time:
// then a number stands for all of them, and a packet moves the one that it finds from its own pair
// (automaton_zones.cpp). Covered by tests/unit/flow_sets_test.cpp and tests/unit/zones_test.cpp.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "symbolic/entries/abstract_entry.hpp"
#include "symbolic/entries/zones.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

// One way in which a packet can meet an entry, and what stands afterwards (entry numbers).
struct Move {
  AbstractStep step;
  std::uint16_t kept = 0;        // the packet lives to its confirmation
  std::uint16_t lost = 0;        // it is dropped before
  std::uint16_t reset = 0;       // it is answered by a TCP reset before its confirmation
  std::uint16_t kept_reset = 0;  // ... after it (loopback)
  std::uint8_t pair = 0;         // in which pair of zones the entry is, or would be
  bool fresh = false;            // the packet finds no entry
  bool second = false;           // it creates an entry beside another one
  // An entry in another pair shares the zone of one direction: the new one is not confirmed, and
  // the packet lost. `step` is coarse then.
  bool clashes = false;
};

class Automaton {
 public:
  // `one_connmark`: the sets hold the connmark of one entry only, so that a second one is coarse.
  explicit Automaton(const ConntrackConfig& config, const Zones& zones = {},
                     bool one_connmark = false);

  // Of an entry in the default zone.
  std::uint16_t number(const AbstractEntry& entry);
  std::optional<std::uint16_t> find(const AbstractEntry& entry) const;
  const AbstractEntry& entry(std::uint16_t number) const { return infos_[number].entry; }
  std::span<const EntryInfo> infos() const { return infos_; }

  // Kinds of packet that `sender` can send to this entry (all of them, where there is none).
  std::span<const PacketKind> kinds(std::uint16_t entry, FlowEnd sender) const;
  const std::vector<Move>& moves(std::uint16_t entry, FlowEnd sender, PacketKind kind);
  // The same move of a flow that a helper had announced. REQUIRES: it creates an entry.
  Move announced(const Move& created);

  // The same for packets of a pair of zones.
  std::span<const PacketKind> kinds(std::uint16_t entry, FlowEnd sender, std::uint8_t pair) const;
  const std::vector<Move>& moves(std::uint16_t entry, FlowEnd sender, PacketKind kind,
                                 std::uint8_t pair);
  // What stands when one of the entries has expired; last, when all have.
  std::vector<std::uint16_t> after_expiry(std::uint16_t entry);
  const Zones& zones() const { return zones_; }
  std::uint8_t pairs() const { return static_cast<std::uint8_t>(zones_.pairs().size()); }

  // By pair: numbers of entries of the default zone, 0 where there is none.
  using Parts = std::vector<std::uint16_t>;
  Parts parts(std::uint16_t entry) const;
  Zones::Openers openers(const Parts& parts) const;
  // The number of all of them together; nullopt: not met yet.
  std::optional<std::uint16_t> find(const Parts& parts) const;

 private:
  std::uint16_t combine(const Parts& parts);
  std::uint16_t beyond();
  void lift(const Parts& parts, FlowEnd sender, PacketKind kind, std::uint8_t pair,
            std::optional<std::uint8_t> met, std::vector<Move>& out);

  ConntrackConfig config_;
  Zones zones_;
  bool one_connmark_;
  std::map<Parts, std::uint16_t> combined_;
  std::uint16_t beyond_ = 0;  // 0: not met
  std::map<std::tuple<std::uint16_t, FlowEnd, PacketKind, std::uint8_t>, std::vector<Move>> lifted_;
  std::map<AbstractEntry, std::uint16_t> numbers_;
  std::vector<EntryInfo> infos_;
  std::map<std::tuple<std::uint16_t, FlowEnd, PacketKind>, std::vector<Move>> moves_;
};

}  // namespace postern
