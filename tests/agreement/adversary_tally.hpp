// What a run of the adversary met, and what it must have met to count. Used by adversary_test.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <string>

#include "adversary_odd.hpp"
#include "flow/conntrack.hpp"
#include "flow/hooks.hpp"
#include "flow/odd_headers.hpp"
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
           expected_zoned_through = 0, spent = 0, zero_sent = 0, no_next_header = 0,
           no_protocol = 0, odd_gre = 0, uncovered = 0, redirects = 0, cut = 0, wrong_length = 0,
           broken_reports = 0;

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

// How many rulesets of a hundred are little else than a translation, have zones, have helpers.
struct Draw {
  unsigned nat = 40, zones = 25, helpers = 40;
  unsigned reports = 5;  // IPv6 that a router forwards, of ICMPv6 that conntrack leaves alone
};
inline constexpr Draw kTranslated{100, 0, 0, 0}, kZoned{40, 100, 0, 0}, kZonedNat{100, 100, 0, 0},
    kHelped{0, 0, 100, 0}, kHelpedInZones{0, 100, 100, 0}, kReported{0, 0, 0, 100};

// What repeats a round, with POSTERN_ROUNDS=1.
inline std::string words_for(std::uint64_t seed, const Draw& how) {
  return "seed of this round: " + std::to_string(seed) +
         " (POSTERN_NAT=" + std::to_string(how.nat) +
         " POSTERN_ZONES=" + std::to_string(how.zones) +
         " POSTERN_HELPERS=" + std::to_string(how.helpers) +
         " POSTERN_REPORTS=" + std::to_string(how.reports) + ")";
}

// What a run must have reached, or proved nothing about; and where that is found, if rarely.
struct Wanted {
  const char* what;
  unsigned Tally::*count;
  Draw draw = {};
};
inline constexpr Wanted kWanted[] = {
    {"delivered", &Tally::delivered},
    {"entries", &Tally::entries},
    {"conversations", &Tally::talks},
    {"errors", &Tally::errors},
    {"errors delivered", &Tally::related},
    {"errors to the opener", &Tally::errors_back},
    {"errors to what NAT made of it", &Tally::errors_led, kTranslated},
    {"entries under NAT", &Tally::bound, kTranslated},
    {"answers to such", &Tally::answers, kTranslated},
    {"packets another way", &Tally::strays, kTranslated},
    {"DNAT out", &Tally::moved_out, kTranslated},
    {"DNAT over lo", &Tally::moved_over_lo, kTranslated},
    {"SNAT in", &Tally::masked_in, kTranslated},
    {"mapped by NETMAP", &Tally::mapped, kTranslated},
    {"answers that DNAT turned", &Tally::turned, kTranslated},
    {"refused by routing", &Tally::refused, kTranslated},
    {"arrived as asked", &Tally::arrived, kTranslated},
    {"arrived so, moved", &Tally::arrived_moved, kTranslated},
    {"entries that lead as asked", &Tally::entries_led, kTranslated},
    {"entries that lead so, moved", &Tally::entries_led_off, kTranslated},
    {"kept by a range of DNAT", &Tally::kept, kTranslated},
    {"turned by a range of DNAT", &Tally::led_off, kTranslated},
    {"dead rules under NAT", &Tally::dead, kTranslated},
    {"masters", &Tally::helped, kHelped},
    {"expected", &Tally::expected, kHelped},
    {"expected beside zones", &Tally::beside_zones, kHelpedInZones},
    {"expected in a zone", &Tally::expected_zoned, kHelpedInZones},
    {"expected, let through", &Tally::expected_through, kHelped},
    {"expected in a zone, let through", &Tally::expected_zoned_through, kHelpedInZones},
    {"let through under the master's NAT", &Tally::followed_through, kHelped},
    {"entries in zones", &Tally::zoned, kZoned},
    {"errors delivered in zones", &Tally::errors_zoned, kZoned},
    {"several entries", &Tally::several, kZoned},
    {"entries in zones under NAT", &Tally::zoned_bound, kZonedNat},
    {"several entries under NAT", &Tally::several_bound, kZonedNat},
    {"answers to entries in zones under NAT", &Tally::found_bound, kZonedNat},
    {"SCTP let through", &Tally::sctp_through},
    {"SCTP conversations", &Tally::sctp_talks},
    {"SCTP assured", &Tally::sctp_assured},
    {"SCTP under NAT", &Tally::sctp_bound, kTranslated},
    {"SCTP conversations under NAT", &Tally::sctp_talks_bound, kTranslated},
    {"UDP-Lite that is tracked", &Tally::crafted},
    {"without a hop left, not forwarded", &Tally::spent},
    {"TTL 0 from this host, let through", &Tally::zero_sent},
    {"IPv6 without a next header, let through", &Tally::no_next_header},
    {"IPv6 that ends within its extension headers, let through", &Tally::no_protocol},
    {"GRE that is INVALID, let through", &Tally::odd_gre},
    {"UDP-Lite that covers nothing, let through", &Tally::uncovered},
    {"redirects about the flow", &Tally::redirects},
    {"headers cut short, INVALID, let through", &Tally::cut},
    {"wrong lengths, INVALID, let through", &Tally::wrong_length},
    {"ICMPv6 that is never tracked, INVALID, forwarded", &Tally::broken_reports, kReported},
};

// What became of a packet with that TTL, whose own path that is.
inline void note_hops(Tally& tally, Path own, std::uint8_t ttl, const PacketReport& report) {
  const bool accepted = report.verdict != Verdict::kDropped;
  const bool local = own == Path::kOut || own == Path::kLoopback;
  if (own == Path::kForward && ttl < 2 && report.died_at == "after PREROUTING") ++tally.spent;
  if (local && ttl == 0 && accepted) ++tally.zero_sent;
}

// A packet of a protocol that conntrack takes apart in its own way.
inline void note_odd(Tally& tally, const Packet& packet, const PacketReport& report) {
  const auto is = [&](CtState state) {
    return std::ranges::any_of(report.state, [&](const auto& at) { return at.second == state; });
  };
  const bool redirect = packet.protocol == protocol::kIcmpv6 && packet.type == kIcmpv6Redirect;
  if (redirect && is(CtState::kRelated)) ++tally.redirects;
  if (report.verdict == Verdict::kDropped || !is(CtState::kInvalid)) return;
  if (packet.family() == Family::kIpv6 && packet.protocol == kNoNextHeader) ++tally.no_next_header;
  if (is_extension_header(packet.family(), packet.protocol)) ++tally.no_protocol;
  if (packet.protocol == protocol::kGre && !is_cut(packet)) ++tally.odd_gre;
  if (packet.protocol == protocol::kUdplite && packet.raw_l4 && !is_cut(packet)) ++tally.uncovered;
  if (is_cut(packet)) ++tally.cut;
  if (claims_another_length(packet)) ++tally.wrong_length;
  const bool icmp6 = packet.protocol == protocol::kIcmpv6 && packet.bad_checksum;
  const bool never = icmp_class(Family::kIpv6, packet.type) == IcmpClass::kUntracked;
  if (icmp6 && never && report.verdict == Verdict::kForwarded) ++tally.broken_reports;
}

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
  // Of what is not reached yet, in turn. REQUIRES: not all().
  Draw towards(std::uint64_t round) const {
    std::array<std::size_t, std::size(kWanted)> missing{};
    std::size_t count = 0;
    for (std::size_t k = 0; k < std::size(kWanted); ++k) {
      if (first_[k] == 0) missing[count++] = k;
    }
    return kWanted[missing[round % count]].draw;
  }
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
