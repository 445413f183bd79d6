// lib/engine/rule_code: compiled predicates against a plain recursive reading of them, on random
// predicates and packets; the clause that failed; hotdrop; opaques ask only when they are reached.
#include <gtest/gtest.h>

#include <random>

#include "base/overloaded.hpp"
#include "engine/rule_code.hpp"

namespace postern {
namespace {

bool plain(const Predicate& p, const Reading& r, const std::vector<std::string>& names) {
  const auto below = [&](const PredicatePtr& q) { return plain(*q, r, names); };
  return std::visit(
      Overloaded{
          [](const Const& n) { return n.value; },
          [&](const InRange& n) { return n.lo <= r[n.field] && r[n.field] <= n.hi; },
          [&](const Masked& n) { return (r[n.field] & n.mask) == n.value; },
          [&](const InterfaceIs& n) { return n.pattern.matches(names[n.output ? r.out : r.in]); },
          [](const TcpOption&) { return false; }, [](const Opaque&) { return false; },
          [&](const Not& n) { return !below(n.operand); },
          [&](const All& n) {
            for (const auto& q : n.operands)
              if (!below(q)) return false;
            return true;
          },
          [&](const Any& n) {
            for (const auto& q : n.operands)
              if (below(q)) return true;
            return false;
          }},
      p.node);
}

struct Random {
  std::mt19937 engine;
  unsigned below(unsigned n) { return static_cast<unsigned>(engine() % n); }
  Field field() {
    static constexpr Field kSome[] = {Field::kSource, Field::kDestinationPort, Field::kTcpFlags,
                                      Field::kMark};
    return kSome[below(4)];
  }
  // Values near each other, some of them wide.
  u128 value(Field f) {
    const u128 small = below(6);
    return (small | (below(2) == 0 ? u128{1} << 100 : u128{0})) & low_bits(info(f).width);
  }
  PredicatePtr predicate(int depth) {
    switch (below(depth == 0 ? 3 : 6)) {
      case 0: {
        const Field f = field();
        return in_range(f, value(f), value(f));
      }
      case 1: {
        const Field f = field();
        const u128 mask = value(f);
        return masked(f, value(f) & mask, mask);
      }
      case 2:
        return interface_is(below(2) == 0,
                            InterfacePattern::parse(below(2) == 0 ? "eth+" : "eth0"));
      case 3:
        return negate(predicate(depth - 1));
      case 4:
        return all({predicate(depth - 1), predicate(depth - 1), predicate(depth - 1)});
      default:
        return any({predicate(depth - 1), predicate(depth - 1)});
    }
  }
};

Clause clause(PredicatePtr predicate, PredicatePtr hotdrop = nullptr) {
  Clause made;
  made.predicate = std::move(predicate);
  made.hotdrop = std::move(hotdrop);
  return made;
}

TEST(RuleCode, AgreesWithAPlainReading) {
  Random random{std::mt19937(4711)};
  RecordProperty("seed", 4711);
  const std::vector<std::string> names{"", "eth0", "eth1", "wan"};
  ListChooser chooser;
  int matched = 0, failed_later = 0;
  for (int i = 0; i < 4000; ++i) {
    Rule rule;
    for (unsigned c = random.below(3) + 1; c > 0; --c)
      rule.clauses.push_back(clause(random.predicate(2)));
    RuleCode code(Family::kIpv6, names);
    const auto entry = code.add(rule, "");
    Reading packet;
    for (const Field f :
         {Field::kSource, Field::kDestinationPort, Field::kTcpFlags, Field::kMark}) {
      packet[f] = random.value(f);
    }
    packet.in = static_cast<std::uint16_t>(random.below(4));
    packet.out = static_cast<std::uint16_t>(random.below(4));
    std::optional<std::uint32_t> failed;
    for (std::uint32_t c = 0; c < rule.clauses.size() && !failed; ++c) {
      if (!plain(*rule.clauses[c].predicate, packet, names)) failed = c;
    }
    const auto outcome = code.run(entry, packet, chooser);
    ASSERT_EQ(outcome.end == RuleCode::kMatch, !failed) << "case " << i;
    if (failed) {
      ASSERT_EQ(outcome.clause, *failed) << "case " << i;
    }
    matched += failed ? 0 : 1;
    failed_later += failed.value_or(0) > 0 ? 1 : 0;
  }
  EXPECT_GT(matched, 400);
  EXPECT_GT(failed_later, 400);
}

TEST(RuleCode, HotdropOnlyWhereEarlierClausesHold) {
  Rule rule;
  rule.clauses.push_back(clause(equals(Field::kProtocol, 6)));
  rule.clauses.push_back(clause(equals(Field::kDestinationPort, 80), equals(Field::kTruncated, 1)));
  ListChooser chooser;
  RuleCode code(Family::kIpv4, {""});
  const auto entry = code.add(rule, "");
  Reading packet;
  packet[Field::kTruncated] = 1;
  EXPECT_EQ(code.run(entry, packet, chooser).end, RuleCode::kNoMatch);
  packet[Field::kProtocol] = 6;
  EXPECT_EQ(code.run(entry, packet, chooser).end, RuleCode::kHotdrop);
  EXPECT_EQ(code.run(entry, packet, chooser).clause, 1U);
}

TEST(RuleCode, OpaquesAskTheChooserWhenReached) {
  Rule rule;
  rule.clauses.push_back(clause(equals(Field::kProtocol, 6)));
  rule.clauses.push_back(clause(negate(opaque("limit"))));
  rule.clauses.push_back(clause(opaque("module foo is unknown", true)));
  RuleCode code(Family::kIpv4, {""});
  const auto entry = code.add(rule, "filter INPUT 3");
  ListChooser chooser({0, 1, 1, 0, 2});
  Reading packet;
  EXPECT_EQ(code.run(entry, packet, chooser).end, RuleCode::kNoMatch);
  EXPECT_TRUE(chooser.made().empty());
  packet[Field::kProtocol] = 6;
  EXPECT_EQ(code.run(entry, packet, chooser).end, RuleCode::kMatch);    // 0, 1
  EXPECT_EQ(code.run(entry, packet, chooser).end, RuleCode::kNoMatch);  // 1
  EXPECT_EQ(code.run(entry, packet, chooser).end, RuleCode::kHotdrop);  // 0, 2
  EXPECT_EQ(code.run(entry, packet, chooser).end, RuleCode::kNoMatch);  // 0, 0: the list is over
  ASSERT_EQ(chooser.made().size(), 7U);
  EXPECT_EQ(chooser.made()[1].why, "module foo is unknown");
  EXPECT_EQ(chooser.made()[1].rule, "filter INPUT 3");
  EXPECT_EQ(chooser.made()[1].options, 3U);
}

TEST(RuleCode, FindsTcpOptions) {
  Rule rule;
  rule.clauses.push_back(clause(tcp_option(3)));
  RuleCode code(Family::kIpv4, {""});
  const auto entry = code.add(rule, "");
  ListChooser chooser;
  const auto finds = [&](const std::vector<std::uint8_t>& options) {
    Reading packet;
    packet.tcp_options = options;
    return code.run(entry, packet, chooser).end == RuleCode::kMatch;
  };
  EXPECT_TRUE(finds({2, 4, 5, 180, 3, 3, 7, 0}));
  EXPECT_FALSE(finds({2, 4, 3, 3}));  // inside another option
  EXPECT_TRUE(finds({1, 1, 3, 3, 7}));
  EXPECT_FALSE(finds({}));
  EXPECT_FALSE(finds({2, 0, 1, 1}));  // a lying length does not loop
}

}  // namespace
}  // namespace postern
