// Small worlds, exhaustively: every ruleset of up to three rules over a small vocabulary (states,
// NOTRACK, user chains, goto, RETURN), on a wire and over loopback, with every sequence of three
// packets of a flow's two ends over a small header space. Three opinions are held against each
// other: the engine, the packet sets, and the naive engine, which knows nothing of lib/.
//   1. Engine and naive engine agree on every packet's fate and on the entry that is left.
//   2. Whatever either delivers or tracks lies in the sets; what one packet alone does, the sets
//      say exactly.
//   3. A sample is asked as questions: their proofs are re-checked by Z3, their witnesses replayed.
// POSTERN_STRIDE=N takes every N-th ruleset only (POSTERN_SEED: from which on).
#include <gtest/gtest.h>

#include <cstdlib>

#include "../unit/query_fixture.hpp"
#include "engine/engine.hpp"
#include "naive_engine.hpp"
#include "net/protocol.hpp"
#include "tests/support/seed.hpp"

namespace postern {
namespace {

constexpr int kLow = 1000, kHigh = 2000;
constexpr const char* kClient = "192.0.2.9";
constexpr const char* kServer = "192.0.2.1";
constexpr const char* kLoopback = "127.0.0.1";

struct SmallRule {
  bool raw = false;
  naive::Rule rule;
};

std::vector<SmallRule> vocabulary() {
  using naive::State;
  std::vector<SmallRule> rules;
  const auto add = [&](bool raw, naive::Rule rule) { rules.push_back({raw, std::move(rule)}); };
  add(true, {.chain = "PREROUTING", .destination_port = kLow, .target = "NOTRACK"});
  add(true, {.chain = "PREROUTING", .target = "n"});
  add(true, {.chain = "OUTPUT", .source_port = kLow, .target = "NOTRACK"});
  add(true, {.chain = "OUTPUT", .target = "n", .go = true});
  add(false, {.chain = "INPUT", .states = {State::kNew}, .target = "ACCEPT"});
  add(false, {.chain = "INPUT", .states = {State::kEstablished}, .target = "ACCEPT"});
  add(false,
      {.chain = "INPUT", .states = {State::kInvalid, State::kUntracked}, .target = "ACCEPT"});
  add(false, {.chain = "INPUT", .only_syn = true, .target = "DROP"});
  add(false, {.chain = "INPUT", .source = kClient, .destination_port = kLow, .target = "RETURN"});
  add(false, {.chain = "INPUT", .target = "u"});
  add(false, {.chain = "INPUT", .source_port = kLow, .target = "u", .go = true});
  add(false, {.chain = "OUTPUT", .states = {State::kNew}, .target = "DROP"});
  add(false, {.chain = "OUTPUT",
              .states = {State::kEstablished},
              .not_states = true,
              .target = "u",
              .go = true});
  add(false, {.chain = "OUTPUT", .destination_port = kLow, .target = "u"});
  return rules;
}

// Chain n untracks what does not come from the high port; u accepts what is not new, drops what
// comes from the low port, sends other SYNs back and accepts the rest.
struct SmallRuleset {
  naive::Table raw, filter;
  explicit SmallRuleset(const std::vector<const SmallRule*>& rules) {
    raw.policies = {{"PREROUTING", "ACCEPT"}, {"OUTPUT", "ACCEPT"}};
    filter.policies = {{"INPUT", "DROP"}, {"OUTPUT", "ACCEPT"}};
    for (const SmallRule* one : rules) (one->raw ? raw : filter).append(one->rule);
    raw.append({.chain = "n", .source_port = kHigh, .target = "RETURN"});
    raw.append({.chain = "n", .target = "NOTRACK"});
    filter.append(
        {.chain = "u", .states = {naive::State::kNew}, .not_states = true, .target = "ACCEPT"});
    filter.append({.chain = "u", .source_port = kLow, .target = "DROP"});
    filter.append({.chain = "u", .only_syn = true, .target = "RETURN"});
    filter.append({.chain = "u", .target = "ACCEPT"});
  }
  std::string text() const {
    std::string all;
    for (const auto& [name, table] : {std::pair{"raw", &raw}, {"filter", &filter}}) {
      all += "*" + std::string(name) + "\n";
      for (const auto& [chain, policy] : table->policies) all += ":" + chain + " " + policy + "\n";
      for (const auto& [chain, lines] : table->chains) {
        if (!table->policies.contains(chain)) all += ":" + chain + " -\n";
      }
      for (const auto& [chain, lines] : table->chains) {
        for (const naive::Rule& rule : lines) all += naive::text(rule);
      }
      all += "COMMIT\n";
    }
    return all;
  }
};

constexpr naive::Flags kNaiveFlags[] = {naive::Flags::kSyn, naive::Flags::kSynAck,
                                        naive::Flags::kAck, naive::Flags::kFinAck,
                                        naive::Flags::kRst};
constexpr std::uint8_t kFlags[] = {tcp_flag::kSyn, tcp_flag::kSyn | tcp_flag::kAck, tcp_flag::kAck,
                                   tcp_flag::kFin | tcp_flag::kAck, tcp_flag::kRst};
constexpr unsigned kKinds = 5, kPackets = 2 * kKinds;  // the initiator's, then the responder's

struct Tally {
  std::uint64_t sequences = 0, packets = 0, in_sets = 0, tracked = 0;
};

// Everything that can happen between the two hosts on a path.
struct Sets {
  DeliverAnswer deliver;
  TrackAnswer track;
  Sets(Model& model, Path path)
      : deliver(*model.deliver(path, between_hosts(model, path))),
        track(*model.track(path, between_hosts(model, path))) {}

 private:
  static Set between_hosts(Model& model, Path path) {
    Space& space = model.space();
    Set s = *model.anything(path);
    const auto at = [&](Axis axis, u128 value) {
      s = space.bdd().both(s, space.class_is(axis, *space.layout(axis).classes->of(value)));
    };
    at(Axis::kProtocol, protocol::kTcp);
    at(Axis::kInitiator, Address::parse(path == Path::kIn ? kClient : kLoopback)->value);
    at(Axis::kResponder, Address::parse(path == Path::kIn ? kServer : kLoopback)->value);
    return s;
  }
};

// One flow on one path, from the low port to the high one or back.
class SmallFlow {
 public:
  SmallFlow(Path path, bool from_low) : path_(path), low_(from_low) {
    const bool lo = path == Path::kLoopback;
    world_.interfaces.push_back({"lo", {{*Address::parse(kLoopback), 8}}, 65536});
    world_.interfaces.push_back({"eth0", {{*Address::parse(kServer), 24}}, 1500});
    for (unsigned i = 0; i < kPackets; ++i) {
      const bool reply = i >= kKinds;
      naive::Packet p;
      p.from_wire = !lo && !reply;
      p.source = lo ? kLoopback : reply ? kServer : kClient;
      p.destination = lo ? kLoopback : reply ? kClient : kServer;
      p.source_port = reply == from_low ? kHigh : kLow;
      p.destination_port = reply == from_low ? kLow : kHigh;
      p.flags = kNaiveFlags[i % kKinds];
      naive_.push_back(p);
      packets_.push_back(real(p, reply, kFlags[i % kKinds]));
    }
  }

  void check(const SmallRuleset& small, const LoadedRuleset& rules, Model& model, const Sets& sets,
             naive::Host& naive_host, Tally& tally) {
    read_sets(model.space(), sets);
    ListChooser chooser;
    Engine engine(world_, &rules.program(), nullptr, chooser);
    for (unsigned sequence = 0; sequence < kPackets * kPackets * kPackets; ++sequence) {
      run(engine, naive_host, sequence, tally);
      if (::testing::Test::HasFatalFailure()) {
        ADD_FAILURE() << small.text();
        return;
      }
    }
  }

 private:
  // Its numbers are those that the other side waits for, whatever came before.
  static Packet real(const naive::Packet& small, bool reply, std::uint8_t flags) {
    Packet p;
    p.source = *Address::parse(small.source);
    p.destination = *Address::parse(small.destination);
    p.source_port = static_cast<std::uint16_t>(small.source_port);
    p.destination_port = static_cast<std::uint16_t>(small.destination_port);
    if (small.from_wire) p.in = "eth0";
    p.flags = flags;
    p.seq = (reply ? 5000U : 1000U) + ((flags & tcp_flag::kSyn) != 0 ? 0U : 1U);
    p.ack = (flags & tcp_flag::kAck) != 0 ? (reply ? 1001U : 5001U) : 0U;
    return p;
  }

  // What the sets say of this flow, for each of the initiator's packets.
  void read_sets(Space& space, const Sets& sets) {
    Bdd& bdd = space.bdd();
    for (unsigned kind = 0; kind < kKinds; ++kind) {
      const Set here = point(space, &kFlags[kind]);
      may_[kind] = !bdd.disjoint(here, sets.deliver.packets.may);
      at_once_[kind] = !bdd.disjoint(here, sets.deliver.by_depth.front());
    }
    tracked_ = !bdd.disjoint(point(space, nullptr), sets.track.flows.may);
  }

  Set point(Space& space, const std::uint8_t* flags) const {
    Set s = kEverything;
    const auto at = [&](Axis axis, u128 value) {
      s = space.bdd().both(s, space.class_is(axis, *space.layout(axis).classes->of(value)));
    };
    at(Axis::kInitiator, packets_.front().source.value);
    at(Axis::kResponder, packets_.front().destination.value);
    at(Axis::kInitiatorPort, packets_.front().source_port);
    at(Axis::kResponderPort, packets_.front().destination_port);
    at(Axis::kProtocol, protocol::kTcp);
    if (flags == nullptr) return s;
    at(Axis::kTcpFlags, *flags);
    for (const Axis whole : {Axis::kTruncated, Axis::kFragmentOffset}) at(whole, 0);
    return s;
  }

  std::string describe(const unsigned (&steps)[3], unsigned k) const {
    std::string text = path_ == Path::kLoopback ? "over lo, " : "on a wire, ";
    text += low_ ? "from the low port:" : "from the high port:";
    for (unsigned i = 0; i <= k; ++i) {
      text += (steps[i] >= kKinds ? " <" : " >") + flags_text(kFlags[steps[i] % kKinds]);
    }
    return text;
  }

  // The sets speak of flows whose far end speaks only when it was reached: `honest` so far.
  void run(Engine& engine, naive::Host& naive_host, unsigned sequence, Tally& tally) const {
    const unsigned steps[3] = {sequence / (kPackets * kPackets), sequence / kPackets % kPackets,
                               sequence % kPackets};
    engine.flush(false);
    naive_host.flush();
    bool reached = false, honest = true;
    for (unsigned k = 0; k < 3; ++k) {
      const bool reply = steps[k] >= kKinds;
      const bool accepted = engine.run(packets_[steps[k]]) != Verdict::kDropped;
      ASSERT_EQ(naive_host.send(naive_[steps[k]]), accepted) << describe(steps, k);
      ++tally.packets;
      honest = honest && (!reply || reached);
      if (!reply && honest) {
        if (accepted) {
          ASSERT_TRUE(may_[steps[k]]) << describe(steps, k);
          ++tally.in_sets;
        }
        if (k == 0) {
          ASSERT_EQ(accepted, at_once_[steps[k]]) << describe(steps, k);
        }
      }
      reached = reached || (!reply && accepted);
      // A sequence that begins alike has looked at the entry before.
      if (k == 2 || sequence % (k == 0 ? kPackets * kPackets : kPackets) == 0) {
        compare_entries(engine, naive_host, honest, tally);
        if (::testing::Test::HasFatalFailure()) {
          ADD_FAILURE() << describe(steps, k);
          return;
        }
      }
    }
    ++tally.sequences;
  }

  void compare_entries(const Engine& engine, const naive::Host& naive_host, bool honest,
                       Tally& tally) const {
    const std::vector<EntryReport> entries = engine.entries();
    ASSERT_EQ(entries.size(), naive_host.entries().size());
    if (entries.empty()) return;
    ASSERT_EQ(entries.size(), 1U);
    const EntryReport& left = entries.front();
    const naive::Entry& right = naive_host.entries().front();
    ASSERT_EQ(left.state, right.state);
    ASSERT_EQ(!left.unreplied(), right.replied);
    ASSERT_EQ(left.original.source_port, right.source_port);
    if (honest) {
      ASSERT_TRUE(tracked_);
      ++tally.tracked;
    }
  }

  Path path_;
  bool low_;
  Scenario world_;
  std::vector<Packet> packets_;
  std::vector<naive::Packet> naive_;
  bool may_[kKinds] = {}, at_once_[kKinds] = {}, tracked_ = false;
};

// All rulesets of up to three rules. The order of rules in different chains does not matter: they
// come in the vocabulary's.
std::vector<std::vector<const SmallRule*>> rulesets(const std::vector<SmallRule>& rules) {
  const auto same_chain = [](const SmallRule& a, const SmallRule& b) {
    return a.raw == b.raw && a.rule.chain == b.rule.chain;
  };
  std::vector<std::vector<const SmallRule*>> result{{}};
  for (std::size_t begin = 0, size = 1; size <= 3; ++size) {
    const std::size_t end = result.size();
    for (std::size_t i = begin; i < end; ++i) {
      for (const SmallRule& next : rules) {
        const SmallRule* last = result[i].empty() ? nullptr : result[i].back();
        if (last != nullptr && last > &next && !same_chain(*last, next)) continue;
        std::vector<const SmallRule*> longer = result[i];
        longer.push_back(&next);
        result.push_back(std::move(longer));
      }
    }
    begin = end;
  }
  return result;
}

void add(naive::Seen& sum, const naive::Seen& more) {
  for (const auto& [state, n] : more.states) sum.states[state] += n;
  for (const auto& [state, n] : more.entries) sum.entries[state] += n;
  sum.accepted += more.accepted;
  sum.dropped += more.dropped;
  sum.notrack_works += more.notrack_works;
  sum.notrack_is_late += more.notrack_is_late;
  sum.looked_up_again += more.looked_up_again;
  sum.user_return += more.user_return;
  sum.builtin_return += more.builtin_return;
  sum.fell_off_goto += more.fell_off_goto;
  sum.replies += more.replies;
  sum.restarts += more.restarts;
}

void expect_reach(const naive::Seen& seen) {
  EXPECT_EQ(seen.states.size(), 4U);
  EXPECT_EQ(seen.entries.size(), 8U);  // all but TIME_WAIT, which takes more packets
  for (const auto& [state, n] : seen.states) EXPECT_GE(n, 10'000U) << static_cast<int>(state);
  for (const auto& [state, n] : seen.entries) EXPECT_GE(n, 1'000U) << state;
  for (const auto n :
       {seen.accepted, seen.dropped, seen.notrack_works, seen.notrack_is_late, seen.looked_up_again,
        seen.user_return, seen.builtin_return, seen.fell_off_goto, seen.replies, seen.restarts}) {
    EXPECT_GE(n, 1'000U);
  }
}

// A sample of the worlds as questions; ask() throws when a proof is refuted or a witness fails.
struct Questions {
  unsigned asked = 0, yes = 0;
  void ask(const LoadedRuleset& rules, bool loopback) {
    const std::string flow = loopback ? " -i lo -p tcp --sport 1000 --dport 2000"
                                      : " -i eth0 --path in -p tcp --dport 1000";
    for (const char* verb : {"deliver", "connect", "track"}) {
      const Answer answer = ask_one(rules, verb + flow);
      ASSERT_NE(answer.truth, Truth::kUnknown) << to_text(answer);
      ++asked;
      yes += answer.truth == Truth::kYes ? 1 : 0;
    }
  }
};

TEST(Exhaustive, EngineSetsAndTheNaiveEngineAgreeOnSmallWorlds) {
  const std::uint64_t stride = test::from_environment("POSTERN_STRIDE", 1);
  const std::vector<SmallRule> words = vocabulary();
  const auto all = rulesets(words);
  Tally tally;
  naive::Seen seen;
  Questions questions;
  std::uint64_t checked = 0;
  for (std::size_t i = test::from_environment("POSTERN_SEED", 0) % stride; i < all.size();
       i += stride) {
    const SmallRuleset small(all[i]);
    SCOPED_TRACE("ruleset " + std::to_string(i));
    const LoadedRuleset loaded("small.rules", small.text());
    auto built = Model::build(loaded.program(), {}, {});
    ASSERT_TRUE(built.has_value());
    naive::Host host(small.raw, small.filter, {kServer, kLoopback});
    for (const Path path : {Path::kIn, Path::kLoopback}) {
      const Sets sets(**built, path);
      for (const bool from_low : {true, false}) {
        SmallFlow(path, from_low).check(small, loaded, **built, sets, host, tally);
        if (HasFailure()) return;
      }
    }
    add(seen, host.seen());
    if (++checked % 50 == 0) questions.ask(loaded, checked % 100 == 0);
    if (HasFatalFailure()) return;
  }
  std::printf(
      "%llu of %zu rulesets, %llu sequences, %llu packets (%llu in the sets), %u questions (%u "
      "yes)\n",
      static_cast<unsigned long long>(checked), all.size(),
      static_cast<unsigned long long>(tally.sequences),
      static_cast<unsigned long long>(tally.packets),
      static_cast<unsigned long long>(tally.in_sets), questions.asked, questions.yes);
  if (stride != 1) return;
  EXPECT_GE(tally.sequences, 1'000'000U);
  EXPECT_GE(tally.in_sets, 100'000U);
  EXPECT_GE(tally.tracked, 100'000U);
  EXPECT_GT(questions.yes, 0U);
  EXPECT_LT(questions.yes, questions.asked);
  expect_reach(seen);
}

}  // namespace
}  // namespace postern
