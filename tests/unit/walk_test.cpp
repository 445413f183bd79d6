// Walks of random small rulesets, as sets, against a naive evaluator that takes one packet at a
// time and follows every coin: the same fates for every packet that was tried, on all paths, in
// both directions.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/overloaded.hpp"
#include "flow/program.hpp"
#include "naive_walk.hpp"
#include "symbolic/rules/routing.hpp"
#include "tests/support/seed.hpp"

namespace postern {
namespace {

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }

  Ruleset ruleset() {
    Ruleset r;
    r.source = std::make_shared<const SourceFile>("random", "");
    r.tables.push_back(table(TableName::kRaw, {"PREROUTING", "OUTPUT"}));
    r.tables.push_back(table(TableName::kMangle, {"PREROUTING", "OUTPUT", "POSTROUTING"}));
    r.tables.push_back(table(TableName::kFilter, {"INPUT", "FORWARD", "OUTPUT"}));
    return r;
  }

  One packet() {
    One p;
    const std::array paths{Path::kIn, Path::kOut, Path::kForward, Path::kLoopback};
    p.path = paths[below(4)];
    p.sender = below(2) == 0 ? FlowEnd::kInitiator : FlowEnd::kResponder;
    for (std::size_t end : {0u, 1u}) {
      p.address[end] = 0x0a000000 + below(8);
      p.port[end] = 1 + below(6);
      p.wire[end] = std::array<std::string, 3>{"eth0", "eth1", "wan0"}[below(3)];
    }
    if (p.path == Path::kIn) p.wire[1].clear();
    if (p.path == Path::kOut) p.wire[0].clear();
    if (p.path == Path::kLoopback) p.wire = {"lo", "lo"};
    p.protocol = std::array{6, 17, 47}[below(3)];
    p.flags = std::array{2, 16, 18, 4, 0, 41}[below(6)];
    p.ttl = std::array{64, 5, 4, 2, 1, 0}[below(6)];
    const std::array states{CtState::kInvalid, CtState::kNew, CtState::kEstablished,
                            CtState::kUntracked};
    p.state = states[below(4)];
    p.second = std::array{CtState::kInvalid, CtState::kUntracked, CtState::kNew}[below(3)];
    const bool entry = p.state == CtState::kNew || p.state == CtState::kEstablished;
    if (entry) {
      p.reply = p.state == CtState::kEstablished && below(2) == 0;
      p.first = p.state == CtState::kNew && below(2) == 0;
      p.seen = p.state == CtState::kEstablished;
      p.assured = p.seen && below(2) == 0;
      p.connmark = static_cast<std::uint32_t>(below(4));
    }
    return p;
  }

 private:
  Table table(TableName name, const std::vector<std::string>& builtin) {
    Table t;
    t.name = name;
    for (const auto& b : builtin) {
      Chain c;
      c.name = b;
      c.policy = below(3) == 0 ? Policy::kDrop : Policy::kAccept;
      t.chains.push_back(c);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      Chain c;
      c.name = "user" + std::to_string(i);
      t.chains.push_back(c);
    }
    for (std::size_t i = 0; i < t.chains.size(); ++i) fill(t, i);
    return t;
  }

  void fill(Table& t, std::size_t chain) {
    const std::size_t count = 1 + below(5);
    for (std::size_t k = 0; k < count; ++k) {
      Rule rule;
      const std::size_t clauses = below(3);
      for (std::size_t i = 0; i < clauses; ++i) {
        Clause clause;
        clause.predicate = predicate(2);
        clause.hotdrop = constant(false);
        rule.clauses.push_back(clause);
      }
      rule.action = action(t, chain);
      t.chains[chain].rules.push_back(rule);
    }
  }

  PredicatePtr predicate(unsigned depth) {
    if (depth > 0 && below(4) == 0) {
      switch (below(3)) {
        case 0:
          return negate(predicate(depth - 1));
        case 1:
          return all({predicate(depth - 1), predicate(depth - 1)});
        default:
          return any({predicate(depth - 1), predicate(depth - 1)});
      }
    }
    const u128 a = below(8), b = below(8);
    switch (below(14)) {
      case 0:
        return in_range(Field::kSource, 0x0a000000 + std::min(a, b), 0x0a000000 + std::max(a, b));
      case 1:
        return masked(Field::kDestination, 0x0a000000 + (a & 5), 0xff000005);
      case 2:
        return in_range(Field::kSourcePort, std::min(a, b), std::max(a, b));
      case 3:
        return in_range(Field::kDestinationPort, std::min(a, b), std::max(a, b));
      case 4:
        return equals(Field::kProtocol, std::array{6, 17}[below(2)]);
      case 5:
        return masked(Field::kTcpFlags, a & 3, 3);
      case 6:
        return interface_is(below(2) == 0, InterfacePattern::parse(
                                               std::array{"eth0", "eth+", "lo", "wan0"}[below(4)]));
      case 7:
        return equals(Field::kCtState, below(5));
      case 8:
        return masked(Field::kMark, a & 3, 3);
      case 9:
        return masked(Field::kCtMark, a & 1, 1);
      case 10:
        return below(2) == 0 ? opaque("coin") : in_range(Field::kTtl, below(3), 4);
      case 11:
        return masked(Field::kCtStatus, below(2) == 0 ? ct_status::kAssured : 0,
                      ct_status::kAssured);
      case 12:
        return masked(Field::kCtStatus, 0, ct_status::kConfirmed);
      default:
        return all({has_entry(), in_range(Field::kCtOriginalSource, 0x0a000000, 0x0a000000 + a)});
    }
  }

  Action action(const Table& t, std::size_t chain) {
    const bool raw = t.name == TableName::kRaw;
    const std::size_t users = t.chains.size() - 3;
    const std::size_t first_callee = std::max(chain + 1, users);
    if (first_callee < t.chains.size() && below(3) == 0) {
      const std::size_t callee = first_callee + below(t.chains.size() - first_callee);
      if (below(4) == 0) return Goto{callee};
      return Jump{callee};
    }
    if (below(12) == 0) {
      return Effect{ToSocket{"a socket", {static_cast<std::uint32_t>(below(4)), 3}}};
    }
    switch (below(raw ? 7u : 9u)) {
      case 0:
        return Effect{Accept{}};
      case 1:
        return Effect{Drop{}};
      case 2:
        return Effect{Return{}};
      case 3:
        return NoTarget{};
      case 4:
        return Effect{
            SetMark{static_cast<std::uint32_t>(below(4)), static_cast<std::uint32_t>(below(4))}};
      case 5:
      case 6: {
        if (raw) return Effect{NoTrack{}};
        SetConnmark e;
        e.op = std::array{SetConnmark::Op::kSet, SetConnmark::Op::kSave,
                          SetConnmark::Op::kRestore}[below(3)];
        e.value = static_cast<std::uint32_t>(below(4));
        e.ctmask = static_cast<std::uint32_t>(below(4));
        e.nfmask = static_cast<std::uint32_t>(below(4));
        return Effect{e};
      }
      case 7:
        return Effect{Reject{.tcp_reset = true}};
      default:
        return Effect{Annotate{"log"}};
    }
  }

  std::mt19937_64 random_;
};

// --- the comparison ---------------------------------------------------------------------------

class Point {
 public:
  explicit Point(const Space& space) : space_(space), bits_(space.bdd().variables(), false) {}
  void value(Axis axis, u128 v) { number(axis, space_.layout(axis).classes->of(v).value()); }
  void number(Axis axis, std::uint32_t n) {
    const auto& variables = space_.layout(axis).variables;
    for (std::size_t i = 0; i < variables.size(); ++i) {
      bits_[variables[i]] = ((n >> (variables.size() - 1 - i)) & 1) != 0;
    }
  }
  void interface(Axis axis, const std::string& name) {
    const auto& names = space_.classes().interface_names;
    const auto it = std::ranges::find(names, name);
    ASSERT_NE(it, names.end()) << name;
    number(axis, static_cast<std::uint32_t>(it - names.begin()));
  }
  void mark(Axis axis, std::uint32_t value) {
    const AxisLayout& l = space_.layout(axis);
    for (std::size_t i = 0; i < l.bits.size(); ++i)
      bits_[l.variables[i]] = ((value >> l.bits[i]) & 1) != 0;
  }
  bool in(Set s) const { return space_.bdd().contains(s, bits_); }

 private:
  const Space& space_;
  std::vector<bool> bits_;
};

// Does some rule name every interface that packets use? Else the class is an example's.
void name_interfaces(Ruleset& r) {
  Rule rule;
  for (const char* name : {"eth0", "eth1", "wan0"}) {
    rule.clauses.push_back(
        {"", "", interface_is(false, InterfacePattern::parse(name)), constant(false), {}, true});
  }
  r.tables[2].chains.back().rules.push_back(rule);
}

struct Tried {
  unsigned points = 0, delivered = 0, dropped = 0, again = 0, marked = 0;
};

void compare(std::uint64_t seed, Tried& tried) {
  Maker make(seed);
  Ruleset ruleset = make.ruleset();
  name_interfaces(ruleset);
  const Program program = Program::compile(ruleset).value();
  Space space(compress(program, {}), 4'000'000);
  Reader reader(space);
  ChainWalker chains(space, reader, program);
  std::map<std::pair<Path, FlowEnd>, PathWalk> walks;
  for (unsigned i = 0; i < 60; ++i) {
    One one = make.packet();
    // A bit that no rule can set, or that nothing depends on, is 0.
    std::uint32_t followed = 0;
    for (const std::uint8_t bit : space.layout(Axis::kConnmark).bits) followed |= 1u << bit;
    one.connmark &= followed;
    const auto key = std::pair{one.path, one.sender};
    if (!walks.contains(key)) {
      walks[key] = walk_path(space, chains, program, one.path, one.sender, {});
    }
    const PathWalk& walk = walks[key];
    Naive naive(program, one);
    naive.run();
    Point p(space);
    p.value(Axis::kInitiator, one.address[0]);
    p.value(Axis::kResponder, one.address[1]);
    p.value(Axis::kInitiatorPort, one.port[0]);
    p.value(Axis::kResponderPort, one.port[1]);
    p.interface(Axis::kInitiatorInterface, one.wire[0]);
    p.interface(Axis::kResponderInterface, one.wire[1]);
    p.value(Axis::kProtocol, one.protocol);
    p.value(Axis::kTcpFlags, one.flags);
    p.value(Axis::kTtl, one.ttl);
    p.value(Axis::kLength, 100);
    p.number(Axis::kDirection, one.reply ? 1 : 0);
    p.number(Axis::kFirst, one.first ? 1 : 0);
    p.number(Axis::kSeenReply, one.seen ? 1 : 0);
    p.number(Axis::kAssured, one.assured ? 1 : 0);
    p.mark(Axis::kConnmarkBefore, one.connmark);
    ASSERT_TRUE(p.in(walk.start)) << "seed " << seed;
    for (const bool again : {false, true}) {
      const Path own = one.sender == FlowEnd::kInitiator ? one.path : reverse(one.path);
      if (again && (own != Path::kLoopback || one.state != CtState::kInvalid)) continue;
      p.number(Axis::kState, static_cast<std::uint32_t>(again ? one.second : one.state));
      if (again) {
        for (const Axis axis : {Axis::kDirection, Axis::kFirst, Axis::kSeenReply, Axis::kAssured})
          p.number(axis, 0);
      }
      const Naive::Fates& expected = again ? naive.again : naive.direct;
      for (unsigned fate = 0; fate < 5; ++fate) {
        for (std::uint32_t connmark = 0; connmark < 4; ++connmark) {
          p.mark(Axis::kConnmark, connmark);
          bool wanted = false;
          for (const auto& [f, mark] : expected) {
            wanted = wanted || (f == fate && (mark & followed) == (connmark & followed));
          }
          const Passage& passage = again ? walk.again : walk.direct;
          ASSERT_EQ(p.in(passage[static_cast<Fate>(fate)]), wanted)
              << "seed " << seed << " packet " << i << " fate " << fate << " again " << again
              << " connmark " << connmark << " path " << text(one.path);
        }
      }
      if (expected.contains({6, 0})) {
        EXPECT_TRUE(p.in(walk.early)) << "seed " << seed;
      }
      ++tried.points;
      tried.again += again && !expected.empty() ? 1 : 0;
      for (const auto& [fate, mark] : expected) {
        tried.delivered += fate == 0 ? 1 : 0;
        tried.dropped += fate != 0 ? 1 : 0;
        tried.marked += mark != one.connmark ? 1 : 0;
      }
    }
  }
}

TEST(Walk, AgreesWithTheNaiveEvaluator) {
  Tried tried;
  const std::uint64_t seed = test::seed_of_run();
  for (std::uint64_t i = 0; i < 300; ++i) {
    compare(seed + i, tried);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tried.points, 3600u);
  EXPECT_GT(tried.delivered, 100u);
  EXPECT_GT(tried.dropped, 100u);
  EXPECT_GT(tried.again, 2u);
  EXPECT_GT(tried.marked, 5u);
}

}  // namespace
}  // namespace postern
