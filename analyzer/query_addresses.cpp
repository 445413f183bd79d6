// Addresses around a question: which of them are worth asking about, and which one a device has
// where NAT takes it (MASQUERADE, REDIRECT) and rules behind it ask for a certain one.
// Covered by tests/unit/query_addresses_test.cpp.
#include <algorithm>

#include "analyzer/between_hosts.hpp"
#include "analyzer/query_ask.hpp"
#include "symbolic/rules/routing.hpp"
#include "symbolic/witness/witness_world.hpp"

namespace postern {
namespace {

constexpr std::size_t kMostTried = 32;

// Of each class of addresses that rules tell apart one that a device may have.
std::vector<Address> asked_for(const Space& space) {
  const Family family = space.classes().family;
  const bool v4 = family == Family::kIpv4;
  std::vector<Address> result;
  for (const ValueClass& c : space.classes().address.classes) {
    u128 value = c.canonical;
    // The first host of a network, where it has one.
    const bool next = std::ranges::any_of(
        c.intervals, [&](const Interval& i) { return i.lo == value && value < i.hi; });
    if (next) ++value;
    const auto first = static_cast<unsigned>(v4 ? value >> 24 : value >> 120);
    const bool ordinary =
        v4 ? first != 0 && first != 127 && first < 224 : first != 0xff && value > 1;
    if (ordinary && result.size() < kMostTried) result.push_back({family, value});
  }
  return result;
}

}  // namespace

Set Asking::worth_asking() {
  Bdd& bdd = space_.bdd();
  // Nobody forwards what has no hop left: that is not among "every" TTL.
  const Set spent =
      answer_.path == Path::kForward ? space_.values(Axis::kTtl, 0, 1) : Set{kNothing};
  const Set all = bdd.minus(universe_, spent);
  const bool moved = model_.moves_destination(answer_.path);
  Set plain = bdd.minus(all, odd_flows(space_, answer_.path));
  plain = question_.verb == Verb::kConnect
              ? between_hosts(space_, answer_.path, plain, moved)
              : bdd.minus(plain, depends_on_host(space_, answer_.path, moved));
  return plain.empty() ? all : plain;
}

Confirmed Asking::confirm_with_addresses(Witness& witness, bool must) {
  const auto replay = [&](const Witness& of) {
    return confirm(of, bare_world(), program_, model_.entries(), Destination::asked(question_));
  };
  Confirmed confirmed = replay(witness);
  if (must || confirmed.mismatch.empty() || !witness.giving_device) return confirmed;
  const auto is_end = [&](const Address& address) {
    return std::ranges::any_of(witness.packets, [&](const WitnessPacket& p) {
      return p.packet.source == address || (!witness.redirects && p.packet.destination == address);
    });
  };
  for (const Address& address : asked_for(space_)) {
    if (is_end(address)) continue;
    Witness other = witness;
    give_first_address(address, *witness.giving_device, other.world);
    if (witness.redirects) other.translated_to = address;
    other.given = address;
    Confirmed now = replay(other);
    if (!now.mismatch.empty()) continue;
    witness = std::move(other);
    return now;
  }
  return confirmed;
}

}  // namespace postern
