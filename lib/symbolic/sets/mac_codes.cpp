#include "symbolic/sets/mac_codes.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "base/overloaded.hpp"

namespace postern {
namespace {

// Which cards are told apart at which source addresses.
class Collector {
 public:
  Collector(Family family, const FieldClasses& address, const FieldClasses& mac)
      : family_(family),
        address_(address),
        mac_(mac),
        everywhere_(mac.count()),
        at_(address.count()) {}

  // All of them hold together wherever a test of one of them counts.
  void add(std::span<const PredicatePtr> together) {
    Interval source{0, ~u128{0}};
    for (const PredicatePtr& p : together) narrow(*p, source);
    for (const PredicatePtr& p : together) tests(*p, source);
  }

  MacCodes result() {
    MacCodes result;
    for (std::uint32_t e = 0; e < mac_.count(); ++e) {
      if (everywhere_[e]) result.everywhere.push_back(e);
    }
    std::map<std::vector<std::uint32_t>, std::vector<bool>> groups;
    std::size_t most = 0;
    for (std::uint32_t a = 0; a < address_.count(); ++a) {
      std::vector<std::uint32_t>& apart = at_[a];
      std::ranges::sort(apart);
      apart.erase(std::unique(apart.begin(), apart.end()), apart.end());
      std::erase_if(apart, [&](std::uint32_t e) { return everywhere_[e]; });
      auto& member = groups[apart];
      member.resize(address_.count());
      member[a] = true;
      most = std::max(most, apart.size());
    }
    for (auto& [apart, member] : groups) result.groups.push_back({apart, std::move(member)});
    const auto count = static_cast<std::uint32_t>(1 + result.everywhere.size() + most);
    for (std::uint32_t i = 0; i < count; ++i)
      result.codes.classes.push_back({{{i, i}}, true, i, i});
    return result;
  }

 private:
  void narrow(const Predicate& predicate, Interval& source) {
    if (const auto* both = std::get_if<All>(&predicate.node)) {
      for (const PredicatePtr& p : both->operands) narrow(*p, source);
    } else if (const auto* range = std::get_if<InRange>(&predicate.node)) {
      if (range->field == Field::kSource) within(range->lo, range->hi, source);
    } else if (const auto* masked = std::get_if<Masked>(&predicate.node)) {
      if (masked->field != Field::kSource) return;
      const u128 rest = low_bits(address_bits(family_)) & ~masked->mask;
      if ((rest & (rest + 1)) == 0) within(masked->value, masked->value | rest, source);
    }
  }
  static void within(u128 lo, u128 hi, Interval& source) {
    source = {std::max(source.lo, lo), std::min(source.hi, hi)};
  }

  void tests(const Predicate& predicate, const Interval& source) {
    const auto below = [&](const std::vector<PredicatePtr>& operands) {
      for (const PredicatePtr& p : operands) tests(*p, source);
    };
    std::visit(Overloaded{[&](const InRange& n) {
                            if (n.field != Field::kMacSource) return;
                            test(source, [&](u128 v) { return n.lo <= v && v <= n.hi; });
                          },
                          [&](const Masked& n) {
                            if (n.field != Field::kMacSource) return;
                            test(source, [&](u128 v) { return (v & n.mask) == n.value; });
                          },
                          [&](const Not& n) { tests(*n.operand, source); },
                          [&](const All& n) { below(n.operands); },
                          [&](const Any& n) { below(n.operands); }, [](const auto&) {}},
               predicate.node);
  }

  template <class Test>
  void test(const Interval& source, const Test& holds) {
    const bool anywhere = source.lo == 0 && source.hi == ~u128{0};
    for (std::uint32_t e = 0; e < mac_.count(); ++e) {
      if (!holds(mac_.classes[e].canonical)) continue;
      if (anywhere) {
        everywhere_[e] = true;
        continue;
      }
      // Classes never straddle a cut, and the rule's source is one.
      for (std::uint32_t a = 0; a < address_.count(); ++a) {
        const u128 value = address_.classes[a].canonical;
        if (source.lo <= value && value <= source.hi) at_[a].push_back(e);
      }
    }
  }

  Family family_;
  const FieldClasses& address_;
  const FieldClasses& mac_;
  std::vector<bool> everywhere_;
  std::vector<std::vector<std::uint32_t>> at_;  // by address class
};

enum class Answer : std::uint8_t { kOut, kMixed, kIn };

Answer of_parts(std::size_t in, std::size_t all) {
  if (in == 0) return Answer::kOut;
  return in == all ? Answer::kIn : Answer::kMixed;
}

}  // namespace

MacCodes mac_codes(const Program& program, std::span<const PredicatePtr> questions,
                   const FieldClasses& address, const FieldClasses& mac) {
  Collector collector(program.ruleset().family, address, mac);
  if (mac.count() > 1) {
    for (const ProgramRule& rule : program.rules()) {
      std::vector<PredicatePtr> together;
      for (const Clause& clause : rule.rule->clauses) {
        together.push_back(clause.predicate);
        // What drops a packet by the way counts before the clauses behind it are asked.
        if (clause.hotdrop) collector.add(std::array{clause.hotdrop});
      }
      collector.add(together);
    }
    for (const PredicatePtr& question : questions) collector.add(std::array{question});
  }
  return collector.result();
}

Set MacReader::addresses(FlowEnd sender, std::size_t group) {
  const auto [it, fresh] = addresses_.try_emplace({sender, group}, kNothing);
  const Axis axis = sender == FlowEnd::kInitiator ? Axis::kInitiator : Axis::kResponder;
  if (fresh) {
    it->second = space_.class_set(axis, space_.classes().mac_codes.groups[group].addresses);
  }
  return it->second;
}

MayMust MacReader::read(FlowEnd sender, const std::vector<bool>& holds) {
  Bdd& bdd = space_.bdd();
  const MacCodes& table = space_.classes().mac_codes;
  const Axis axis = sender == FlowEnd::kInitiator ? Axis::kInitiatorMac : Axis::kResponderMac;
  const auto is = [&](std::uint32_t e) { return static_cast<bool>(holds[e]); };
  const auto marked = [&](const std::vector<std::uint32_t>& list) {
    return static_cast<std::size_t>(std::ranges::count_if(list, is));
  };
  const auto all_in = static_cast<std::size_t>(std::ranges::count(holds, true));
  const std::size_t in_everywhere = marked(table.everywhere);
  MayMust result;
  Set told = kNothing;
  for (std::size_t g = 0; g < table.groups.size(); ++g) {
    const auto& apart = table.groups[g].apart;
    const std::size_t named_in = in_everywhere + marked(apart);
    const Answer others =
        of_parts(all_in - named_in, holds.size() - table.everywhere.size() - apart.size());
    // Nothing is told apart here: open, and not worth a set.
    if (others == Answer::kMixed && named_in == 0) continue;
    std::vector<bool> may, must;
    const auto say = [&](Answer answer) {
      may.push_back(answer != Answer::kOut);
      must.push_back(answer == Answer::kIn);
    };
    say(others);
    for (const auto* list : {&table.everywhere, &apart}) {
      for (const std::uint32_t e : *list) say(is(e) ? Answer::kIn : Answer::kOut);
    }
    while (may.size() < table.codes.count()) say(others);
    const Set from = addresses(sender, g);
    told = bdd.either(told, from);
    result.may = bdd.either(result.may, bdd.both(from, space_.class_set(axis, may)));
    result.must = bdd.either(result.must, bdd.both(from, space_.class_set(axis, must)));
  }
  result.may = bdd.either(result.may, bdd.complement(told));
  return result;
}

}  // namespace postern
