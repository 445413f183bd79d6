#include "meaning/predicate.hpp"

#include <algorithm>

#include "base/overloaded.hpp"

namespace postern {
namespace {

PredicatePtr make(auto node) {
  return std::make_shared<const Predicate>(Predicate{std::move(node)});
}

const Const* as_const(const PredicatePtr& p) { return std::get_if<Const>(&p->node); }

// Shared by all() and any(): `unit` is the constant that changes nothing, its opposite decides.
template <class Node>
PredicatePtr join(std::vector<PredicatePtr> operands, bool unit) {
  std::vector<PredicatePtr> kept;
  for (auto& operand : operands) {
    if (const Const* c = as_const(operand)) {
      if (c->value != unit) return constant(!unit);
      continue;
    }
    kept.push_back(std::move(operand));
  }
  if (kept.empty()) return constant(unit);
  if (kept.size() == 1) return kept.front();
  return make(Node{std::move(kept)});
}

template <class Test>
bool some_node(const Predicate& p, const Test& test) {
  if (test(p)) return true;
  const auto below = [&](const PredicatePtr& q) { return some_node(*q, test); };
  return std::visit(Overloaded{[&](const Not& n) { return below(n.operand); },
                               [&](const All& n) { return std::ranges::any_of(n.operands, below); },
                               [&](const Any& n) { return std::ranges::any_of(n.operands, below); },
                               [](const auto&) { return false; }},
                    p.node);
}

}  // namespace

// Shared: every clause holds a constant (its hotdrop), and large rulesets hold many clauses.
PredicatePtr constant(bool value) {
  static const PredicatePtr kTrue = make(Const{true}), kFalse = make(Const{false});
  return value ? kTrue : kFalse;
}

PredicatePtr in_range(Field field, u128 lo, u128 hi) {
  if (lo > hi) return constant(false);
  if (lo == 0 && hi >= low_bits(info(field).width)) return constant(true);
  return make(InRange{field, lo, hi});
}

PredicatePtr equals(Field field, u128 value) { return in_range(field, value, value); }

PredicatePtr masked(Field field, u128 value, u128 mask) {
  if ((value & ~mask) != 0) return constant(false);
  if (mask == 0) return constant(true);
  return make(Masked{field, value, mask});
}

PredicatePtr interface_is(bool output, InterfacePattern pattern) {
  if (pattern.prefix && pattern.name.empty()) return constant(true);
  return make(InterfaceIs{output, std::move(pattern)});
}

PredicatePtr tcp_option(std::uint8_t kind) { return make(TcpOption{kind}); }
PredicatePtr opaque(std::string why, bool may_drop) {
  return make(Opaque{std::move(why), may_drop, false});
}
PredicatePtr opaque_of_packet(std::string why) { return make(Opaque{std::move(why), false, true}); }

PredicatePtr negate(PredicatePtr operand) {
  if (const Const* c = as_const(operand)) return constant(!c->value);
  if (const Not* n = std::get_if<Not>(&operand->node)) return n->operand;
  return make(Not{std::move(operand)});
}

PredicatePtr all(std::vector<PredicatePtr> operands) {
  return join<All>(std::move(operands), true);
}
PredicatePtr any(std::vector<PredicatePtr> operands) {
  return join<Any>(std::move(operands), false);
}
PredicatePtr negate_if(bool inverted, PredicatePtr operand) {
  return inverted ? negate(std::move(operand)) : operand;
}

PredicatePtr has_transport(std::uint8_t protocol) {
  return all({equals(Field::kProtocol, protocol), equals(Field::kFragmentOffset, 0),
              equals(Field::kTruncated, 0)});
}

PredicatePtr has_entry() {
  return in_range(Field::kCtState, static_cast<u128>(CtState::kNew),
                  static_cast<u128>(CtState::kRelated));
}

bool mentions(const Predicate& predicate, Field field, u128 bits) {
  return some_node(predicate, [&](const Predicate& p) {
    if (const auto* n = std::get_if<InRange>(&p.node)) return n->field == field;
    const auto* n = std::get_if<Masked>(&p.node);
    return n != nullptr && n->field == field && (n->mask == 0 || (n->mask & bits) != 0);
  });
}

bool has_opaque(const Predicate& predicate) {
  return some_node(predicate,
                   [](const Predicate& p) { return std::holds_alternative<Opaque>(p.node); });
}

}  // namespace postern
