// The world around a witness: interfaces, addresses and routes such that the flow's packets take
// the path that was meant, also where NAT sends them elsewhere on the way. Covered by
// tests/unit/query_test.cpp, tests/unit/query_output_nat_test.cpp.
#pragma once

#include <string_view>
#include <vector>

#include "symbolic/witness/witness.hpp"

namespace postern {

// REQUIRES: an address.
u128 address_value(std::string_view text);

// Documentation addresses by role, most wanted first: near ends sit in the first network, far ends
// of a forwarded flow in the second.
struct DocumentationAddresses {
  std::vector<u128> host, near, far, loopback;
};
DocumentationAddresses documentation(Family family);

// 127.0.0.0/8 and ::1: lo of every host has them.
bool is_loopback(const Address& a);
// For the flow as it is sent.
Scenario make_world(Space& space, Path path, const FlowPoint& flow);
// Does an outsider send it as from an address of this host (IPv6 asks no packet off a wire, IPv4
// takes it for one of a network on lo)?
bool from_own_address(Space& space, Path path, const FlowPoint& flow);
// Where rules ask for types of addresses: has this end (Axis::kInitiatorType, kResponderType) one
// of this host?
bool is_typed_local(Space& space, const FlowPoint& flow, Axis type);
// Is it one of routing.hpp's odd flows?
bool is_odd(Space& space, Path path, const FlowPoint& flow);
// Does only a socket that is bound to lo send it there?
bool bound_to_lo(Space& space, const FlowPoint& flow);
// What NAT on the way asks of the world: addresses to map to, routes to where it sends packets.
// Also where the flow's packets go then (Witness::translated_to), and what stands in the way.
void add_nat(Space& space, Path path, const FlowPoint& flow, const std::vector<FlowStep>& steps,
             const Translations& translations, Witness& witness);

// The device's first address, which MASQUERADE and REDIRECT give; no other device leads to it.
void give_first_address(const Address& address, const std::string& device, Scenario& world);
// Adds to a world what another flow's needs; to one address there is one route, the first.
void add_world(const Scenario& from, Scenario& into);

}  // namespace postern
