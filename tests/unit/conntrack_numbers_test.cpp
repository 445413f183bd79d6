// Numbers for witnesses: along shortest sequences of abstract steps, the packets that TcpNumbers
// writes make the engine take exactly these steps. Resets carry ACK; some steps need it.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <iostream>
#include <map>

#include "conntrack_simulation.hpp"
#include "symbolic/witness/witness_numbers.hpp"

namespace postern {
namespace {

using namespace test;

constexpr std::array kTcpKinds{PacketKind::kTcpSyn, PacketKind::kTcpSynAck, PacketKind::kTcpFin,
                               PacketKind::kTcpAck, PacketKind::kTcpRst};
constexpr std::array kEnds{FlowEnd::kInitiator, FlowEnd::kResponder};

struct Taken {
  FlowEnd end;
  PacketKind kind;
  AbstractStep step;
};
using Sequence = std::vector<Taken>;

Packet packet_of(FlowEnd end, PacketKind kind) {
  const bool forth = end == FlowEnd::kInitiator;
  const TcpEnd& from = forth ? kInitiatorEnd : kResponderEnd;
  const TcpEnd& to = forth ? kResponderEnd : kInitiatorEnd;
  Packet packet;
  packet.in = forth ? "eth0" : "eth1";
  packet.source = {Family::kIpv4, from.address};
  packet.destination = {Family::kIpv4, to.address};
  packet.source_port = from.port;
  packet.destination_port = to.port;
  packet.flags = flags_of(kind);
  return packet;
}

// How many of the steps the engine takes as they are meant.
std::size_t played(const Sequence& sequence, std::uint8_t reset_flags) {
  TcpNumbers numbers;
  std::optional<ConntrackEntry> entry;
  AbstractEntry before;
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    const Taken& taken = sequence[i];
    Packet packet = packet_of(taken.end, taken.kind);
    if (taken.kind == PacketKind::kTcpRst) packet.flags = reset_flags;
    packet.bad_checksum = taken.step.condition == Condition::kBroken;
    FlowStep step;
    step.reply = taken.end == FlowEnd::kResponder;
    step.before.entry = before.present ? 1 : 0;
    step.after.entry =
        static_cast<std::uint16_t>(taken.step.after == before ? step.before.entry : 2);
    step.state = taken.step.state;
    step.kind = taken.kind;
    step.condition = taken.step.condition;
    numbers.write(packet, step);
    PacketView view = view_of(packet);
    view.bad_length = taken.step.condition == Condition::kWrongLength;
    const ConcreteStep concrete = meet(entry, view, {});
    if (concrete.state != taken.step.state ||
        !covers(taken.step.after, abstraction(concrete.after ? &*concrete.after : nullptr))) {
      return i;
    }
    entry = concrete.after;
    before = taken.step.after;
  }
  return sequence.size();
}

std::string describe(const Sequence& sequence) {
  std::string line;
  for (const auto& taken : sequence) {
    line += (taken.end == FlowEnd::kInitiator ? ">" : "<") + std::string(text(taken.kind)) + " ";
  }
  return line + "[" + std::string(text(sequence.back().step.condition)) + "]";
}

TEST(ConntrackNumbers, ShortestSequencesPlay) {
  std::map<AbstractEntry, Sequence> paths{{AbstractEntry{}, {}}};
  std::deque<AbstractEntry> work{AbstractEntry{}};
  std::size_t plain = 0, all = 0;
  std::vector<std::string> failures;
  while (!work.empty()) {
    const AbstractEntry entry = work.front();
    work.pop_front();
    const Sequence path = paths.at(entry);
    for (const auto end : kEnds) {
      for (const auto kind : kTcpKinds) {
        for (const auto& step : successors(entry, end, kind, {})) {
          Sequence longer = path;
          longer.push_back({end, kind, step});
          ++all;
          plain += played(longer, kRst) == longer.size();
          if (played(longer, kRst | kAck) != longer.size()) failures.push_back(describe(longer));
          if (paths.try_emplace(step.after, longer).second) work.push_back(step.after);
        }
      }
    }
  }
  std::cout << all << " sequences; with resets without ACK " << plain << "\n";
  EXPECT_GT(all, 5000u);
  EXPECT_EQ(failures, std::vector<std::string>{});
}

}  // namespace
}  // namespace postern
