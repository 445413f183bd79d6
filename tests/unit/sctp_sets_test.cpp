// SCTP on the symbolic side: the abstract entry against the engine's tracker, both ways (every
// packet of chunks and tags is covered, every outcome comes about), and the tags of witnesses.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>

#include "conntrack_simulation.hpp"
#include "symbolic/entries/abstract_entry_sctp.hpp"
#include "symbolic/witness/witness_tags.hpp"
#include "tests/support/seed.hpp"

namespace postern {
namespace {

using namespace test;
using namespace sctp_chunk;
using Bytes = std::vector<std::uint8_t>;
using Entry = std::optional<ConntrackEntry>;

constexpr std::array kEnds{FlowEnd::kInitiator, FlowEnd::kResponder};
constexpr std::array kKinds{PacketKind::kSctpInit, PacketKind::kSctpInitAck,
                            PacketKind::kSctpCookieEcho, PacketKind::kSctpCookieAck,
                            PacketKind::kSctp};

void add_chunk(Bytes& to, std::uint8_t type, std::uint8_t flags, std::uint32_t initiate,
               bool whole) {
  const bool init = whole && (type == kInit || type == kInitAck);
  const auto length = static_cast<std::uint8_t>(init ? 20 : 4);
  to.insert(to.end(), {type, flags, 0, length});
  if (!init) return;
  for (const int shift : {24, 16, 8, 0}) {
    to.push_back(static_cast<std::uint8_t>(initiate >> shift));
  }
  to.resize(to.size() + 12);
}

PacketKind kind_of(const Bytes& chunks) {
  if (chunks.empty()) return PacketKind::kSctp;
  switch (chunks[0]) {
    case kInit:
      return PacketKind::kSctpInit;
    case kInitAck:
      return PacketKind::kSctpInitAck;
    case kCookieEcho:
      return PacketKind::kSctpCookieEcho;
    case kCookieAck:
      return PacketKind::kSctpCookieAck;
    default:
      return PacketKind::kSctp;
  }
}

PacketView packet_from(FlowEnd end, std::uint32_t tag, const Bytes& chunks) {
  const bool forth = end == FlowEnd::kInitiator;
  const TcpEnd &from = forth ? kInitiatorEnd : kResponderEnd,
               &to = forth ? kResponderEnd : kInitiatorEnd;
  auto packet = plain_packet(protocol::kSctp, from.address, to.address, from.port, to.port);
  packet.verification_tag = tag;
  packet.sctp_chunks = chunks;
  return packet;
}

bool covered(const AbstractEntry& before, FlowEnd end, PacketKind kind, const ConcreteStep& what,
             bool may_be_coarse = true) {
  const auto steps = successors(before, end, kind, {});
  return std::ranges::any_of(steps, [&](const AbstractStep& step) {
    return (may_be_coarse || !step.coarse) && matches(step, what);
  });
}

// Any chunks in any order, with every tag that somebody knows.
TEST(SctpSets, CoversRandomPackets) {
  std::mt19937_64 random(test::seed_of_run());
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  constexpr std::array<std::uint8_t, 18> kTypes{1, 2, 10, 11, 0, 7,  8,  14, 4,
                                                5, 6, 9,  1,  2, 10, 11, 3,  77};
  Entry entry;
  std::set<AbstractEntry> seen;
  std::set<std::pair<SctpState, SctpState>> moved, moved_invalid;
  for (int i = 0; i < 100000; ++i) {
    if (one_in(60)) entry.reset();
    const std::array<std::uint32_t, 2> known =
        entry ? entry->sctp.vtag : std::array<std::uint32_t, 2>{};
    const std::array<std::uint32_t, 6> tags{
        known[0], known[1], known[0], known[1], 0, static_cast<std::uint32_t>(1 + random() % 3)};
    const auto tag = [&] { return tags[random() % tags.size()]; };
    Bytes chunks;
    const unsigned count = one_in(2) ? 1 : static_cast<unsigned>(1 + random() % 5);
    for (unsigned k = 0; k < count; ++k) {
      add_chunk(chunks, kTypes[random() % kTypes.size()], one_in(3) ? 1 : 0, tag(), !one_in(20));
    }
    const FlowEnd end = kEnds[random() % 2];
    const PacketView packet = packet_from(end, tag(), chunks);
    const ConcreteStep concrete = meet(entry, packet, {});
    const AbstractEntry before = abstraction(entry ? &*entry : nullptr);
    ASSERT_TRUE(covered(before, end, kind_of(chunks), concrete))
        << text(kind_of(chunks)) << " meets " << text(before) << ": " << text(concrete);
    if (entry && concrete.after) {
      (concrete.state == CtState::kInvalid ? moved_invalid : moved)
          .emplace(entry->sctp.state, concrete.after->sctp.state);
    }
    entry = concrete.after;
    seen.insert(abstraction(entry ? &*entry : nullptr));
  }
  EXPECT_GE(seen.size(), 25u);
  EXPECT_GE(moved.size(), 15u);
  EXPECT_GE(moved_invalid.size(), 8u);
}

// A packet that is INVALID stays so when the same is looked up again (loopback), and takes the
// entry nowhere that one lookup could not have taken it.
TEST(SctpSets, TwoLookupsOfOnePacket) {
  std::mt19937_64 random(test::seed_of_run());
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  Entry entry;
  unsigned twice = 0;
  for (int i = 0; i < 100000; ++i) {
    if (one_in(60)) entry.reset();
    const auto known = entry ? entry->sctp.vtag : std::array<std::uint32_t, 2>{};
    Bytes chunks;
    for (unsigned k = one_in(2) ? 1 : 4; k > 0; --k) {
      add_chunk(chunks, static_cast<std::uint8_t>(random() % 15), one_in(3) ? 1 : 0,
                known[random() % 2], true);
    }
    if (one_in(3)) add_chunk(chunks, kAbort, 1, 0, true);
    const FlowEnd end = kEnds[random() % 2];
    const std::uint32_t tag = one_in(5) ? 0 : known[random() % 2] + (one_in(9) ? 1 : 0);
    const PacketView packet = packet_from(end, tag, chunks);
    const ConcreteStep first = meet(entry, packet, {});
    if (entry && first.after && first.state == CtState::kInvalid) {
      const ConcreteStep second = meet(first.after, packet, {});
      ASSERT_EQ(second.state, CtState::kInvalid);
      ASSERT_TRUE(covered(abstraction(&*entry), end, kind_of(chunks), second));
      if (abstraction(&*entry) != abstraction(&*first.after)) ++twice;
    }
    entry = first.after;
  }
  EXPECT_GT(twice, 3u);
}

// From each abstract entry a few concrete ones whose tags differ, and the chunks of each outcome.
TEST(SctpSets, EveryOutcomeComesAbout) {
  std::deque<Entry> work{std::nullopt};
  std::map<AbstractEntry, int> examples;
  std::set<std::string> missing;
  std::size_t outcomes = 0, coarse = 0;
  while (!work.empty()) {
    const Entry entry = work.front();
    work.pop_front();
    const AbstractEntry before = abstraction(entry ? &*entry : nullptr);
    for (const FlowEnd end : kEnds) {
      for (const PacketKind kind : kKinds) {
        for (const AbstractStep& step : successors(before, end, kind, {})) {
          if (step.coarse) {
            ++coarse;
            continue;
          }
          ++outcomes;
          const std::array<std::uint32_t, 2> known =
              entry ? entry->sctp.vtag : std::array<std::uint32_t, 2>{};
          bool happens = false;
          for (const std::uint32_t tag : {known[0], known[1], 0u, 7u}) {
            Bytes chunks;
            for (std::size_t k = 0; k < step.sctp.count; ++k) {
              const bool last = k + 1 == step.sctp.count && k > 0;
              const bool claims = last && step.condition == Condition::kTagWrong;
              // An INIT ACK repeats what its side has told before.
              const bool original = before.direction(end) == CtDirection::kOriginal;
              const std::uint32_t told = entry ? known[original ? 1 : 0] : 0;
              const std::uint32_t fresh = end == FlowEnd::kInitiator ? 40 : 50;
              add_chunk(chunks, step.sctp.chunks[k], claims ? 1 : 0, told != 0 ? told : fresh,
                        true);
            }
            ASSERT_EQ(kind_of(chunks), kind);
            const ConcreteStep concrete = meet(entry, packet_from(end, tag, chunks), {});
            if (!matches(step, concrete)) continue;
            happens = true;
            if (concrete.after && concrete.after->sctp.vtag[0] == concrete.after->sctp.vtag[1]) {
              continue;
            }
            if (examples[step.after]++ < 3) work.push_back(concrete.after);
          }
          if (!happens) {
            missing.insert(text(before) + ": " + std::string(text(kind)) + " of " +
                           (end == FlowEnd::kInitiator ? "initiator" : "responder") + " -> " +
                           text(step.after));
          }
        }
      }
    }
  }
  std::cout << outcomes << " outcomes, " << coarse << " coarse, " << examples.size()
            << " entries\n";
  EXPECT_GT(outcomes, 1000u);
  EXPECT_LT(coarse, 10u);
  for (const auto& one : missing) ADD_FAILURE() << one;
}

// Witnesses: along shortest sequences of steps the packets that SctpTags writes make the engine
// take exactly these steps.
TEST(SctpSets, ShortestSequencesPlay) {
  struct Taken {
    FlowEnd end;
    PacketKind kind;
    AbstractStep step;
  };
  const auto plays = [](const std::vector<Taken>& sequence) {
    SctpTags tags;
    Entry entry;
    for (const Taken& taken : sequence) {
      Packet packet;
      packet.protocol = protocol::kSctp;
      packet.in = "eth0";
      const bool forth = taken.end == FlowEnd::kInitiator;
      const TcpEnd &from = forth ? kInitiatorEnd : kResponderEnd,
                   &to = forth ? kResponderEnd : kInitiatorEnd;
      packet.source = {Family::kIpv4, from.address};
      packet.destination = {Family::kIpv4, to.address};
      packet.source_port = from.port;
      packet.destination_port = to.port;
      FlowStep step;
      step.reply = !forth;
      step.fresh = !entry;
      step.before.entry = entry ? 1 : 0;
      step.state = taken.step.state;
      step.kind = taken.kind;
      step.condition = taken.step.condition;
      step.sctp = taken.step.sctp;
      tags.write(packet, step);
      packet.payload.resize(6);
      pad_last_chunk(packet);
      EXPECT_EQ(kind_of(packet.chunks), taken.kind);
      const ConcreteStep concrete = meet(entry, view_of(packet), {});
      if (!matches(taken.step, concrete)) return false;
      entry = concrete.after;
    }
    return true;
  };
  std::map<AbstractEntry, std::vector<Taken>> paths{{AbstractEntry{}, {}}};
  std::deque<AbstractEntry> work{AbstractEntry{}};
  std::size_t all = 0;
  while (!work.empty()) {
    const AbstractEntry entry = work.front();
    work.pop_front();
    for (const FlowEnd end : kEnds) {
      for (const PacketKind kind : kKinds) {
        for (const AbstractStep& step : successors(entry, end, kind, {})) {
          if (step.coarse) continue;
          auto longer = paths.at(entry);
          longer.push_back({end, kind, step});
          ++all;
          EXPECT_TRUE(plays(longer)) << text(entry) << ": " << text(kind) << " -> "
                                     << text(step.after) << " [" << text(step.condition) << "]";
          if (paths.try_emplace(step.after, longer).second) work.push_back(step.after);
        }
      }
    }
  }
  EXPECT_GT(all, 500u);
}

}  // namespace
}  // namespace postern
