// What a run of the adversary met, and what it must have met to count. Used by adversary_test.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>

#include "flow/conntrack.hpp"
#include "flow/hooks.hpp"
#include "net/protocol.hpp"
#include "scenario/result.hpp"

namespace postern {

struct Tally {
  unsigned rulesets = 0, sequences = 0, packets = 0, delivered = 0, entries = 0, talks = 0,
           asked = 0, yes = 0, no = 0, unknown = 0, skipped = 0, errors = 0, outgrown = 0,
           bound = 0, answers = 0, strays = 0, moved_out = 0, moved_over_lo = 0, masked_in = 0,
           mapped = 0, related = 0, helped = 0, expected = 0, expected_through = 0,
           followed_through = 0, zoned = 0, several = 0, beside_zones = 0, turned = 0, refused = 0,
           arrived = 0, arrived_moved = 0, sctp_through = 0, sctp_talks = 0, sctp_assured = 0,
           sctp_bound = 0, sctp_talks_bound = 0, crafted = 0, entries_led = 0, entries_led_off = 0,
           kept = 0, led_off = 0, dead = 0, errors_back = 0, errors_led = 0, zoned_bound = 0,
           several_bound = 0, found_bound = 0, errors_zoned = 0, expected_zoned = 0,
           expected_zoned_through = 0;

  void note_nat(const EntryReport& entry, Path path) {
    const bool moved = (entry.status & ct_status::kDestinationNat) != 0;
    const bool masked = (entry.status & ct_status::kSourceNat) != 0;
    if (moved || masked) ++bound;
    if (moved && path == Path::kOut) ++moved_out;
    if (moved && path == Path::kLoopback) ++moved_over_lo;
    if (masked && path == Path::kIn) ++masked_in;
    // As AdversaryRules::netmap() does, and hardly anything else: another network, the same host.
    const auto elsewhere = [](const Address& was, const Address& is) {
      return was != is && (was.value & 0xf) == (is.value & 0xf);
    };
    if ((moved && elsewhere(entry.original.destination, entry.reply.source)) ||
        (masked && elsewhere(entry.original.source, entry.reply.destination))) {
      ++mapped;
    }
  }
};

// What a run must have reached, or proved nothing about.
struct Wanted {
  const char* what;
  unsigned Tally::*count;
};
inline constexpr Wanted kWanted[] = {
    {"delivered", &Tally::delivered},
    {"entries", &Tally::entries},
    {"conversations", &Tally::talks},
    {"errors", &Tally::errors},
    {"errors delivered", &Tally::related},
    {"errors to the opener", &Tally::errors_back},
    {"errors to what NAT made of it", &Tally::errors_led},
    {"entries under NAT", &Tally::bound},
    {"answers to such", &Tally::answers},
    {"packets another way", &Tally::strays},
    {"DNAT out", &Tally::moved_out},
    {"DNAT over lo", &Tally::moved_over_lo},
    {"SNAT in", &Tally::masked_in},
    {"mapped by NETMAP", &Tally::mapped},
    {"answers that DNAT turned", &Tally::turned},
    {"refused by routing", &Tally::refused},
    {"arrived as asked", &Tally::arrived},
    {"arrived so, moved", &Tally::arrived_moved},
    {"entries that lead as asked", &Tally::entries_led},
    {"entries that lead so, moved", &Tally::entries_led_off},
    {"kept by a range of DNAT", &Tally::kept},
    {"turned by a range of DNAT", &Tally::led_off},
    {"dead rules under NAT", &Tally::dead},
    {"masters", &Tally::helped},
    {"expected", &Tally::expected},
    {"expected beside zones", &Tally::beside_zones},
    {"expected in a zone", &Tally::expected_zoned},
    {"expected, let through", &Tally::expected_through},
    {"expected in a zone, let through", &Tally::expected_zoned_through},
    {"let through under the master's NAT", &Tally::followed_through},
    {"entries in zones", &Tally::zoned},
    {"errors delivered in zones", &Tally::errors_zoned},
    {"several entries", &Tally::several},
    {"entries in zones under NAT", &Tally::zoned_bound},
    {"several entries under NAT", &Tally::several_bound},
    {"answers to entries in zones under NAT", &Tally::found_bound},
    {"SCTP let through", &Tally::sctp_through},
    {"SCTP conversations", &Tally::sctp_talks},
    {"SCTP assured", &Tally::sctp_assured},
    {"SCTP under NAT", &Tally::sctp_bound},
    {"SCTP conversations under NAT", &Tally::sctp_talks_bound},
    {"UDP-Lite that is tracked", &Tally::crafted},
};

// What an entry of the attacked flow counts for by its protocol.
inline void note_protocol(Tally& tally, const EntryReport& entry) {
  const bool bound = (entry.status & (ct_status::kSourceNat | ct_status::kDestinationNat)) != 0;
  const bool sctp = entry.protocol == protocol::kSctp;
  if (sctp && (entry.status & ct_status::kAssured) != 0) ++tally.sctp_assured;
  if (sctp && bound) ++tally.sctp_bound;
  if (entry.protocol == protocol::kUdplite) ++tally.crafted;
}

// In which round, from 1, each was first reached; 0: not yet.
class FirstRounds {
 public:
  void note(const Tally& tally, std::uint64_t round) {
    for (std::size_t k = 0; k < std::size(kWanted); ++k) {
      if (first_[k] == 0 && tally.*kWanted[k].count > 0) first_[k] = round;
    }
  }
  bool all() const { return std::ranges::find(first_, 0U) == first_.end(); }
  void print(const Tally& tally) const {
    for (std::size_t k = 0; k < std::size(kWanted); ++k) {
      std::printf("  %s: %u, first in round %llu\n", kWanted[k].what, tally.*kWanted[k].count,
                  static_cast<unsigned long long>(first_[k]));
    }
  }

 private:
  std::array<std::uint64_t, std::size(kWanted)> first_{};
};

}  // namespace postern
