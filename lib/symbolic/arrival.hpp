// What a packet of the initiator has become where it arrives: the test of a destination that NAT
// may have changed on the way (--to-destination, --to-port).
//
// Idea: NAT binds the destination before any filter, so that the binding of the packet's entry says
// what arrives. Where its range leaves that open, `may` and `must` differ, and nothing is a yes.
// Covered by tests/unit/query_arrival_test.cpp.
#pragma once

#include <vector>

#include "symbolic/edges.hpp"
#include "symbolic/reader.hpp"

namespace postern {

class Arrival {
 public:
  // `to` null: whatever arrives is asked for. `variants`: the bindings of the path.
  Arrival(Reader& reader, Path path, std::vector<NatVariant> variants, PredicatePtr to)
      : reader_(reader), path_(path), variants_(std::move(variants)), to_(std::move(to)) {}

  // Packets that arrive as asked for, when they go by this edge.
  MayMust of(const Edge& edge) const;

 private:
  Reader& reader_;
  Path path_;
  std::vector<NatVariant> variants_;
  PredicatePtr to_;
};

}  // namespace postern
