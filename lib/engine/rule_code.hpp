// Rules compiled for speed: each rule's clauses become one short-circuit graph of leaf tests, all
// in one array. A node tests one field and names the node to go to when it holds and when it does
// not, so that evaluation is a loop without stack, call or allocation. Invariants: edges lead
// forward only (evaluation ends); kMatch, kNoMatch and kHotdrop end it; every node carries the
// index of the clause that it belongs to, so that a failure names its clause. Covered by
// tests/unit/engine_rule_code_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/chooser.hpp"
#include "ir/ruleset.hpp"
#include "meaning/predicate.hpp"

namespace postern {

// What a rule reads of a packet: the values of every field, and the interfaces as indexes into the
// list of names that the code was compiled for (0: no interface, the empty name).
struct Reading {
  std::array<u128, kFieldCount> field{};
  std::uint16_t in = 0, out = 0;
  std::span<const std::uint8_t> tcp_options;

  u128& operator[](Field f) { return field[static_cast<std::size_t>(f)]; }
  u128 operator[](Field f) const { return field[static_cast<std::size_t>(f)]; }
};

class RuleCode {
 public:
  static constexpr std::int32_t kMatch = -1, kNoMatch = -2, kHotdrop = -3;

  struct Outcome {
    std::int32_t end = kNoMatch;
    std::uint32_t clause = 0;  // that decided, when not kMatch
  };

  // `interfaces` are the names behind Reading::in and ::out; the first is empty.
  RuleCode(Family family, std::vector<std::string> interfaces)
      : family_(family), interfaces_(std::move(interfaces)) {}

  // Compiles one rule; returns its entry. `place` names the rule to the chooser.
  std::int32_t add(const Rule& rule, std::string place);
  // The chooser is asked for opaque leaves, when they are reached. Inline: the engine's hot loop.
  Outcome run(std::int32_t entry, const Reading& packet, Chooser& chooser) const {
    std::uint32_t clause = 0;
    std::int32_t at = entry;
    while (at >= 0) {
      const Node& node = nodes_[static_cast<std::size_t>(at)];
      clause = node.clause;
      bool yes = false;
      if (node.op == Op::kRange) {
        yes = low_word(packet[node.field]) - node.a <= node.b;
      } else if (node.op == Op::kMask) {
        yes = (low_word(packet[node.field]) & node.b) == node.a;
      } else if (node.op != Op::kOpaque) {
        yes = holds(node, packet);
      } else {
        const std::uint64_t chosen = chooser.choose(questions_[node.a]);
        if (chosen == 2) return {kHotdrop, clause};
        yes = chosen == 1;
      }
      at = yes ? node.on_true : node.on_false;
    }
    return {at, clause};
  }
  // Does any rule read this field (so that it need not be filled in)?
  bool reads(Field field) const { return reads_[static_cast<std::size_t>(field)]; }

 private:
  enum class Op : std::uint8_t {
    kRange,
    kMask,
    kWideRange,
    kWideMask,
    kInterfaceIn,
    kInterfaceOut,
    kTcpOption,
    kOpaque,
  };
  // kRange: value - a <= b. kMask: (value & b) == a. Wide ones: a indexes wide_.
  // kInterface*: a indexes interface_sets_. kTcpOption: a is the kind. kOpaque: a indexes
  // questions_.
  struct Node {
    Op op;
    Field field;
    std::uint16_t clause;
    std::int32_t on_true, on_false;
    std::uint64_t a, b;
  };
  struct Wide {
    u128 value, bound;
  };  // lo and hi, or value and mask

  std::int32_t compile(const Predicate& predicate, std::int32_t on_true, std::int32_t on_false,
                       std::uint16_t clause);
  template <class Operands>
  std::int32_t compile_list(const Operands& operands, bool conjunction, std::int32_t on_true,
                            std::int32_t on_false, std::uint16_t clause);
  // A part of a rule's conjunction, in order; a hotdrop drops when it holds.
  struct Conjunct {
    PredicatePtr predicate;
    std::uint16_t clause;
    bool hotdrop;
  };
  void flatten(const PredicatePtr& predicate, std::uint16_t clause,
               std::vector<Conjunct>& to) const;
  std::int32_t push(Node node);
  Node leaf(const Predicate& predicate);
  // The tests that are rarer than ranges and masks of narrow fields.
  bool holds(const Node& node, const Reading& packet) const;
  static constexpr std::uint64_t low_word(u128 value) { return static_cast<std::uint64_t>(value); }

  Family family_;
  std::vector<std::string> interfaces_;
  std::string place_;  // of the rule that is being compiled
  std::vector<Node> nodes_;
  std::vector<Wide> wide_;
  std::vector<std::vector<bool>> interface_sets_;
  std::vector<Choice> questions_;
  std::array<bool, kFieldCount> reads_{};
};

}  // namespace postern
