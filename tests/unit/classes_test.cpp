// Equivalence classes: they partition the values, and no predicate tells two values of a class
// apart; tried on random predicates, scattered masks included.
#include "symbolic/sets/classes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "flow/program.hpp"

namespace postern {
namespace {

Ruleset with(std::vector<PredicatePtr> predicates, Family family = Family::kIpv4) {
  Ruleset r;
  r.family = family;
  Table t;
  Chain c;
  c.name = "INPUT";
  c.policy = Policy::kAccept;
  for (auto& p : predicates) {
    Rule rule;
    Clause clause;
    clause.predicate = std::move(p);
    clause.hotdrop = constant(false);
    rule.clauses.push_back(clause);
    c.rules.push_back(rule);
  }
  t.chains.push_back(c);
  r.tables.push_back(t);
  return r;
}

Classes classes_of(const std::vector<PredicatePtr>& predicates, Family family = Family::kIpv4) {
  const Ruleset r = with(predicates, family);
  const Program program = Program::compile(r).value();
  return compress(program, {});
}

bool holds(const Predicate& p, u128 v) {
  if (const auto* n = std::get_if<InRange>(&p.node)) return n->lo <= v && v <= n->hi;
  const auto& m = std::get<Masked>(p.node);
  return (v & m.mask) == m.value;
}

// Ascending, without gaps or overlaps, when every class is listed completely.
void expect_partition(const FieldClasses& f, u128 last) {
  std::vector<Interval> all;
  for (const ValueClass& c : f.classes) {
    ASSERT_TRUE(c.complete);
    all.insert(all.end(), c.intervals.begin(), c.intervals.end());
  }
  std::ranges::sort(all, {}, &Interval::lo);
  u128 next = 0;
  for (const Interval& in : all) {
    EXPECT_TRUE(in.lo == next);
    next = in.hi + 1;
  }
  EXPECT_TRUE(next == last + 1);
}

TEST(Classes, NoPredicateTellsTwoValuesOfAClassApart) {
  std::mt19937_64 random(11);
  for (unsigned round = 0; round < 40; ++round) {
    std::vector<PredicatePtr> predicates;
    for (unsigned i = 0; i < 4; ++i) {
      const u128 a = random() & 0xffff, b = random() & 0xffff;
      predicates.push_back(in_range(Field::kSource, std::min(a, b), std::max(a, b)));
      const u128 mask = random() & 0xf0f;
      predicates.push_back(masked(Field::kDestination, random() & mask, mask));
      const u128 t = random() & 0xf1;
      predicates.push_back(masked(Field::kTos, random() & t, t));
    }
    const Classes c = classes_of(predicates);
    expect_partition(c.tos, 255);
    for (unsigned i = 0; i < 200; ++i) {
      const u128 address = i % 2 == 0 ? random() & 0xffff : random() & 0xffffffff,
                 tos = random() & 0xff;
      const auto of_address = c.address.of(address), of_tos = c.tos.of(tos);
      ASSERT_TRUE(of_tos.has_value());
      for (const auto& p : predicates) {
        if (std::holds_alternative<Const>(p->node)) continue;
        const bool is_tos = mentions(*p, Field::kTos);
        if (!is_tos && !of_address) continue;  // in a class too scattered to list
        const u128 canonical =
            is_tos ? c.tos.classes[*of_tos].canonical : c.address.classes[*of_address].canonical;
        EXPECT_EQ(holds(*p, is_tos ? tos : address), holds(*p, canonical));
      }
    }
  }
}

TEST(Classes, BothEndsShareTheirCuts) {
  const Classes c =
      classes_of({equals(Field::kSourcePort, 53), in_range(Field::kDestinationPort, 80, 90)});
  EXPECT_EQ(c.port.count(), 5u);
  EXPECT_EQ(c.port.of(53), 1u);
  EXPECT_EQ(c.port.of(85), 3u);
  expect_partition(c.port, 65535);
  expect_partition(c.address, 0xffffffff);
}

// RFC 5737's addresses, 127.0.0.1, else the first.
TEST(Classes, WitnessesTakeDocumentationAddresses) {
  const auto number = [](std::string_view text) { return Address::parse(text)->value; };
  struct Row {
    const char *first, *last, *taken;
  };
  for (const Row& row :
       {Row{"192.0.0.0", "192.0.255.255", "192.0.2.9"}, Row{"192.0.2.0", "192.0.2.8", "192.0.2.1"},
        Row{"198.51.0.0", "198.51.255.255", "198.51.100.9"},
        Row{"203.0.0.0", "203.0.255.255", "203.0.113.9"},
        Row{"203.0.113.64", "203.0.114.255", "203.0.113.64"},
        Row{"203.0.112.0", "203.0.113.0", "203.0.113.0"},
        Row{"127.0.0.0", "127.255.255.255", "127.0.0.1"},
        Row{"10.0.0.0", "10.255.255.255", "10.0.0.0"}}) {
    const u128 first = number(row.first);
    const Classes c = classes_of({in_range(Field::kSource, first, number(row.last))});
    EXPECT_TRUE(c.address.classes[*c.address.of(first)].canonical == number(row.taken))
        << row.first;
  }
}

TEST(Classes, SixteenBytesAddressesAreTheSameSmallIntegers) {
  const u128 net = u128{0x20010db8} << 96;
  const Classes c =
      classes_of({masked(Field::kSource, net, u128{0xffffffff} << 96)}, Family::kIpv6);
  const auto at = c.address.of(net + 5);
  ASSERT_TRUE(at.has_value());
  EXPECT_TRUE(c.address.classes[*at].intervals.front() == (Interval{net, net | low_bits(96)}));
  EXPECT_TRUE(c.address.classes[*at].canonical == net + 9);
}

TEST(Classes, AnswersHaveTheirQueriesCuts) {
  const Classes c = classes_of({equals(Field::kIcmpType, 8), equals(Field::kIcmpType, 13)});
  // 0 and 14 answer what a rule tells apart; 16 and 18 answer what none does.
  EXPECT_NE(c.icmp_type.of(0), c.icmp_type.of(14));
  EXPECT_EQ(c.icmp_type.of(16), c.icmp_type.of(18));
  EXPECT_NE(c.icmp_type.of(3), c.icmp_type.of(9));
  EXPECT_EQ(icmp_partner(Family::kIpv4, 8), 0);
  EXPECT_EQ(icmp_partner(Family::kIpv6, 129), 128);
  EXPECT_EQ(icmp_partner(Family::kIpv4, 3), 3);
}

TEST(Classes, InterfacesHaveExamplesForPrefixesAndForNobody) {
  const Classes c = classes_of({interface_is(false, InterfacePattern::parse("eth0")),
                                interface_is(true, InterfacePattern::parse("eth+")),
                                interface_is(false, InterfacePattern::parse("tun+"))});
  EXPECT_EQ(c.interface_names[kNoInterface], "");
  EXPECT_EQ(c.interface_names[kLoopbackInterface], "lo");
  const auto count = [&](const auto& test) {
    return std::ranges::count_if(c.interface_names, test);
  };
  EXPECT_EQ(count([](const std::string& n) { return n == "eth0"; }), 1);
  EXPECT_EQ(count([](const std::string& n) { return n.starts_with("eth") && n != "eth0"; }), 1);
  EXPECT_EQ(count([](const std::string& n) { return n.starts_with("tun"); }), 1);
  EXPECT_EQ(c.interface_names.size(), 6u);
}

TEST(Classes, OnlyMarkBitsThatMatterAreFollowed) {
  Ruleset r = with({masked(Field::kMark, 1, 1), masked(Field::kCtMark, 4, 4)});
  const auto add = [&](Effect effect) {
    Rule rule;
    rule.action = std::move(effect);
    r.tables[0].chains[0].rules.push_back(rule);
  };
  add(SetMark{.value = 7, .mask = 7});
  const Program set_only = Program::compile(r).value();
  EXPECT_EQ(compress(set_only, {}).mark_bits, std::vector<std::uint8_t>{0});
  EXPECT_TRUE(compress(set_only, {}).connmark_bits.empty());
  add(SetConnmark{.op = SetConnmark::Op::kSave, .ctmask = 0xff, .nfmask = 0xff});
  const Program saved = Program::compile(r).value();
  EXPECT_EQ(compress(saved, {}).connmark_bits, std::vector<std::uint8_t>{2});
  EXPECT_EQ(compress(saved, {}).mark_bits, (std::vector<std::uint8_t>{0, 2}));
}

}  // namespace
}  // namespace postern
