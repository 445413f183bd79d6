// What a packet of the initiator has become where it arrives: the test of a destination that NAT
// may have changed on the way (--to-destination, --to-port).
//
// Idea: NAT binds the destination before any filter, so that the binding of the packet's entry says
// what arrives; an entry itself is asked where it leads them. Where its range leaves that open,
// `may` and `must` differ, and nothing is a yes.
// Covered by tests/unit/query_arrival_test.cpp.
#pragma once

#include <vector>

#include "symbolic/explore/edges.hpp"
#include "symbolic/rules/reader.hpp"

namespace postern {

class Arrival {
 public:
  // `to` null: whatever arrives is asked for. `variants`: the bindings of the path.
  Arrival(Space& space, Reader& reader, Path path, std::vector<NatVariant> variants,
          PredicatePtr to)
      : space_(space),
        reader_(reader),
        path_(path),
        variants_(std::move(variants)),
        to_(std::move(to)) {}

  // Packets that arrive as asked for, when they go by this edge.
  MayMust of(const Edge& edge) const;
  // Flows whose initiator's packets do under such a binding (FlowState::nat).
  MayMust under(std::uint16_t nat) const;
  // ... may do under some binding, or none.
  Set anyhow() const;

 private:
  Space& space_;
  Reader& reader_;
  Path path_;
  std::vector<NatVariant> variants_;
  PredicatePtr to_;
};

}  // namespace postern
