// The abstract entry against the engine's tracker, both ways: random conversations never do
// anything that the abstract automaton excludes, and every outcome that the automaton offers is
// brought about by some packet, but for a short list.
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
#include "tests/support/seed.hpp"

namespace postern {
namespace {

using namespace test;

constexpr std::array kTcpKinds{PacketKind::kTcpSyn, PacketKind::kTcpSynAck, PacketKind::kTcpFin,
                               PacketKind::kTcpAck, PacketKind::kTcpRst};
constexpr std::array kEnds{FlowEnd::kInitiator, FlowEnd::kResponder};

const TcpEnd& address_of(FlowEnd end) {
  return end == FlowEnd::kInitiator ? kInitiatorEnd : kResponderEnd;
}

std::map<std::string, ConntrackConfig> configurations() {
  std::map<std::string, ConntrackConfig> all;
  all["defaults"];
  all["strict"].tcp_loose = false;
  all["liberal"].tcp_be_liberal = true;
  all["ignore-rst"].tcp_ignore_invalid_rst = true;
  return all;
}

// A random walk whose packets are mostly honest, as otherwise no connection would get far.
class Walk {
 public:
  Walk(const ConntrackConfig& config, std::uint64_t seed) : config_(config), random_(seed) {}

  // One packet at random.
  void step() {
    const FlowEnd end = kEnds[random_() % 2];
    const PacketKind kind = kTcpKinds[random_() % kTcpKinds.size()];
    const TcpEnd& from = address_of(end);
    const TcpEnd& to = address_of(other_end(end));
    const auto numbers = telling_numbers(entry_, from, to);
    const auto& chosen = random_() % 3 == 0 ? numbers[random_() % numbers.size()] : numbers[0];
    auto flags = flags_of(kind);
    if (kind == PacketKind::kTcpRst && random_() % 2 == 0) flags |= kAck;
    auto packet = tcp_packet(from, to, flags, chosen.seq, chosen.ack, random_() % 4 == 0 ? 3 : 0);
    packet.window = random_() % 8 == 0 ? 0 : 1000;
    send(end, kind, packet);
    if (entry_ && random_() % 200 == 0) {  // it expires
      entry_.reset();
      now_ = {AbstractEntry{}};
    }
  }

  // Checks the packet against every abstract entry that the flow may be in so far.
  void send(FlowEnd end, PacketKind kind, const PacketView& packet) {
    const ConcreteStep concrete = meet(entry_, packet, config_);
    std::set<AbstractEntry> next;
    for (const auto& abstract : now_) {
      for (const auto& step : successors(abstract, end, kind, config_)) {
        if (matches(step, concrete)) next.insert(step.after);
      }
    }
    ASSERT_FALSE(next.empty()) << text(kind) << " meets " << text(*now_.begin()) << ": "
                               << text(concrete);
    now_ = next;
    entry_ = concrete.after;
    seen_.insert(next.begin(), next.end());
    last_ = concrete.state;
  }
  const std::set<AbstractEntry>& seen() const { return seen_; }
  CtState last() const { return last_; }
  const std::optional<ConntrackEntry>& entry() const { return entry_; }

 private:
  ConntrackConfig config_;
  std::mt19937_64 random_;
  std::optional<ConntrackEntry> entry_;
  std::set<AbstractEntry> now_{AbstractEntry{}}, seen_;
  CtState last_ = CtState::kInvalid;  // what the tracker called the last packet
};

TEST(AbstractEntryAgreement, CoversRandomConversations) {
  const std::uint64_t seed = test::seed_of_run();
  for (const auto& [name, config] : configurations()) {
    Walk walk(config, seed);
    for (int i = 0; i < 20000 && !testing::Test::HasFatalFailure(); ++i) walk.step();
    EXPECT_GT(walk.seen().size(), 50u) << name;
  }
}

// A SYN whose number lies half the circle away from its side's last one does not begin the side
// again and is in no window: INVALID, of the reply side remembered as a simultaneous open all the
// same (measured on 6.18.44).
class OppositeSyn : public testing::Test {
 protected:
  void send(FlowEnd end, PacketKind kind, std::uint32_t seq, std::uint32_t ack, CtState expected) {
    auto packet = tcp_packet(address_of(end), address_of(other_end(end)), flags_of(kind), seq, ack);
    packet.window = 1000;
    walk_.send(end, kind, packet);
    EXPECT_EQ(walk_.last(), expected) << text(kind) << " " << seq;
  }
  TcpState state() const { return walk_.entry()->tcp.state; }

  static constexpr std::uint32_t kHalf = 1u << 31;
  Walk walk_{{}, 0};
};

TEST_F(OppositeSyn, OfTheInitiator) {
  const auto end = FlowEnd::kInitiator;
  send(end, PacketKind::kTcpSyn, 1000, 0, CtState::kNew);
  send(end, PacketKind::kTcpSyn, 1001 + kHalf, 0, CtState::kInvalid);
  send(end, PacketKind::kTcpSyn, 1000, 0, CtState::kNew);
}

TEST_F(OppositeSyn, OfTheResponder) {
  const auto here = FlowEnd::kInitiator, there = FlowEnd::kResponder;
  send(here, PacketKind::kTcpSyn, 1000, 0, CtState::kNew);
  send(there, PacketKind::kTcpSynAck, 5000, 1001 + (1u << 30), CtState::kInvalid);
  send(there, PacketKind::kTcpAck, 5001, 0, CtState::kEstablished);  // ignored
  send(there, PacketKind::kTcpSyn, 5001 + kHalf, 0, CtState::kInvalid);
  send(there, PacketKind::kTcpSynAck, 5000, 1001, CtState::kEstablished);
  EXPECT_EQ(state(), TcpState::kSynRecv);
  send(there, PacketKind::kTcpAck, 5001, 1001, CtState::kEstablished);
  EXPECT_EQ(state(), TcpState::kEstablished);  // as after a simultaneous open
}

// The trackers without a state machine: packets of both ends at random times in one table.
TEST(AbstractEntryAgreement, CoversOtherProtocols) {
  const std::uint64_t seed = test::seed_of_run();
  std::mt19937_64 random(seed);
  const std::map<std::uint8_t, PacketKind> protocols{
      {protocol::kUdp, PacketKind::kDatagram},     {protocol::kUdplite, PacketKind::kUdplite},
      {protocol::kGre, PacketKind::kGre},          {protocol::kEsp, PacketKind::kGeneric},
      {protocol::kIcmp, PacketKind::kIcmpRequest}, {protocol::kSctp, PacketKind::kSctp}};
  for (const auto& [number, kind] : protocols) {
    ConntrackTable table;
    std::set<AbstractEntry> now{AbstractEntry{}}, seen;
    for (int i = 0; i < 3000; ++i) {
      if (random() % 40 == 0) {
        table.flush();
        now = {AbstractEntry{}};
      }
      // Short enough that nothing expires.
      table.advance(random() % 3 * 500);
      const bool icmp = number == protocol::kIcmp;
      const FlowEnd end = kEnds[random() % 2];
      const TcpEnd& from = address_of(end);
      const TcpEnd& to = address_of(other_end(end));
      auto packet = plain_packet(number, from.address, to.address, from.port, to.port);
      packet.icmp_type = end == FlowEnd::kInitiator ? 8 : 0;
      const std::array<std::uint8_t, 4> chunk{
          std::array<std::uint8_t, 6>{4, 5, 7, 8, 0, 6}[random() % 6], 0, 0, 4};
      packet.sctp_chunks = chunk;
      const auto sent = !icmp || end == FlowEnd::kInitiator ? kind : PacketKind::kIcmpReply;
      const auto before = table.entries();
      ConcreteStep concrete;
      const auto attachment =
          pass(table, packet, true, random() % 2 == 0 ? Hook::kPrerouting : Hook::kOutput);
      concrete.state = attachment.state;
      concrete.direction = attachment.direction;
      concrete.created = attachment.entry && before.empty();
      concrete.status =
          attachment.entry && !concrete.created ? attachment.entry->status : std::uint16_t{0};
      if (table.size() > 0) concrete.after = *table.entries().front();
      std::set<AbstractEntry> next;
      for (const auto& abstract : now) {
        for (const auto& step : successors(abstract, end, sent, {})) {
          if (matches(step, concrete)) next.insert(step.after);
        }
      }
      ASSERT_FALSE(next.empty()) << text(sent) << " meets " << text(*now.begin()) << ": "
                                 << text(concrete);
      now = next;
      seen.insert(next.begin(), next.end());
    }
    EXPECT_GE(seen.size(), 3u) << int{number};
  }
}

// Explores concrete entries breadth first, a few for each abstract entry, with telling numbers, and
// crosses off every abstract outcome that comes about.
class Explorer {
 public:
  explicit Explorer(const ConntrackConfig& config) : config_(config) { add(std::nullopt); }

  void run() {
    while (!work_.empty()) {
      const auto entry = work_.front();
      work_.pop_front();
      for (const auto end : kEnds) {
        for (const auto kind : kTcpKinds) explore(entry, end, kind);
      }
      if (entry && entry->original.protocol == protocol::kTcp) {
        auto closed = entry;
        closed->tcp.state = TcpState::kClose;  // by REJECT's reset
        add(closed);
      }
    }
  }

  // Outcomes of the automaton that nothing brought about, as text.
  std::vector<std::string> unrealised() const;
  std::size_t outcomes() const { return outcomes_; }

 private:
  struct Case {
    AbstractEntry exact;
    FlowEnd end;
    PacketKind kind;
    auto operator<=>(const Case&) const = default;
  };

  void add(const std::optional<ConntrackEntry>& entry) {
    constexpr int kExamples = 3;
    const AbstractEntry exact = abstraction(entry ? &*entry : nullptr);
    if (examples_[exact]++ < kExamples) work_.push_back(entry);
  }

  void explore(const std::optional<ConntrackEntry>& entry, FlowEnd end, PacketKind kind) {
    const AbstractEntry exact = abstraction(entry ? &*entry : nullptr);
    const TcpEnd& from = address_of(end);
    const TcpEnd& to = address_of(other_end(end));
    const auto steps = successors(exact, end, kind, config_);
    auto& happened = happened_[{exact, end, kind}];
    for (const auto& numbers : telling_numbers(entry, from, to)) {
      for (const bool ack : {false, true}) {
        if (ack && kind != PacketKind::kTcpRst) continue;
        const auto flags = static_cast<std::uint8_t>(flags_of(kind) | (ack ? kAck : 0));
        auto packet = tcp_packet(from, to, flags, numbers.seq, numbers.ack);
        packet.window = 1000;
        const ConcreteStep concrete = meet(entry, packet, config_);
        bool covered = false;
        for (const auto& step : steps) covered = covered || matches(step, concrete);
        EXPECT_TRUE(covered) << text(kind) << " meets " << text(exact) << ": " << text(concrete);
        if (remember(happened, concrete)) add(concrete.after);
      }
      auto broken = tcp_packet(from, to, flags_of(kind), numbers.seq, numbers.ack);
      broken.bad_length = true;  // as a wrong checksum, where that is looked at
      remember(happened, meet(entry, broken, config_));
      const auto happens = [&](const AbstractStep& step) {
        return std::any_of(happened.begin(), happened.end(),
                           [&](const ConcreteStep& concrete) { return matches(step, concrete); });
      };
      if (std::all_of(steps.begin(), steps.end(), happens)) return;
    }
  }

  static bool remember(std::vector<ConcreteStep>& list, const ConcreteStep& step) {
    for (const auto& known : list) {
      if (text(known) == text(step)) return false;
    }
    list.push_back(step);
    return true;
  }

  ConntrackConfig config_;
  std::deque<std::optional<ConntrackEntry>> work_;
  std::map<AbstractEntry, int> examples_;
  std::map<Case, std::vector<ConcreteStep>> happened_;
  mutable std::size_t outcomes_ = 0;
};

std::vector<std::string> Explorer::unrealised() const {
  std::set<AbstractEntry> seen{AbstractEntry{}};
  std::deque<AbstractEntry> work{AbstractEntry{}};
  std::vector<std::string> missing;
  const auto reach = [&](const AbstractEntry& entry) {
    if (seen.insert(entry).second) work.push_back(entry);
  };
  const auto realised = [&](const AbstractEntry& entry, FlowEnd end, PacketKind kind,
                            const AbstractStep& step) {
    for (const auto& [at, steps] : happened_) {
      if (at.end != end || at.kind != kind || !covers(entry, at.exact)) continue;
      for (const auto& concrete : steps) {
        if (matches(step, concrete)) return true;
      }
    }
    return false;
  };
  while (!work.empty()) {
    const AbstractEntry entry = work.front();
    work.pop_front();
    reach(closed_by_reset(entry));
    for (const auto end : kEnds) {
      for (const auto kind : kTcpKinds) {
        for (const auto& step : successors(entry, end, kind, config_)) {
          ++outcomes_;
          reach(step.after);
          if (realised(entry, end, kind, step)) continue;
          missing.push_back(text(entry) + ": " + std::string(text(kind)) + " of " +
                            (end == FlowEnd::kInitiator ? "initiator" : "responder") + " [" +
                            std::string(text(step.condition)) + "] -> " + text(step.after));
        }
      }
    }
  }
  return missing;
}

TEST(AbstractEntryAgreement, EveryOutcomeComesAbout) {
  Explorer explorer({});
  explorer.run();
  const auto missing = explorer.unrealised();
  std::cout << explorer.outcomes() << " outcomes, " << missing.size() << " unrealised\n";
  EXPECT_GT(explorer.outcomes(), 1000u);
  for (const auto& one : missing) ADD_FAILURE() << one;
}

}  // namespace
}  // namespace postern
