// Covered by tests/unit/lint_translation_test.cpp.
#include "analyzer/checks/translation.hpp"

#include <algorithm>
#include <ranges>

namespace postern {
namespace {

constexpr Field kTuples[] = {Field::kCtOriginalSource,     Field::kCtOriginalDestination,
                             Field::kCtOriginalSourcePort, Field::kCtOriginalDestinationPort,
                             Field::kCtReplySource,        Field::kCtReplyDestination,
                             Field::kCtReplySourcePort,    Field::kCtReplyDestinationPort};

// The bits of the entry's status that it looks at.
u128 status_bits(const Predicate& predicate) {
  if (const auto* masked = std::get_if<Masked>(&predicate.node)) {
    return masked->field == Field::kCtStatus ? masked->mask : 0;
  }
  if (const auto* range = std::get_if<InRange>(&predicate.node)) {
    return range->field == Field::kCtStatus ? ~u128{0} : 0;
  }
  if (const auto* inverted = std::get_if<Not>(&predicate.node)) {
    return status_bits(*inverted->operand);
  }
  u128 bits = 0;
  const auto add = [&](const std::vector<PredicatePtr>& operands) {
    for (const PredicatePtr& operand : operands) bits |= status_bits(*operand);
  };
  if (const auto* every = std::get_if<All>(&predicate.node)) add(every->operands);
  if (const auto* some = std::get_if<Any>(&predicate.node)) add(some->operands);
  return bits;
}

}  // namespace

Translation::Translation(const Program& program, bool follows_nat)
    : program_(program),
      first_only_(follows_nat),
      rules_(program.rules().size()),
      chains_(program.chains().size()) {
  for (const ProgramRule& rule : program.rules()) {
    const auto* effect = std::get_if<Effect>(&rule.rule->action);
    if (effect == nullptr) continue;
    // Its RST comes to rules of nat with the entry of the flow that is refused (kernel-facts 47).
    const auto* reject = std::get_if<Reject>(effect);
    if (reject != nullptr && reject->tcp_reset) first_only_ = false;
    const bool anything = std::holds_alternative<OpaqueTarget>(*effect);
    const auto* nat = std::get_if<Nat>(effect);
    if (nat == nullptr && !anything) continue;
    using Kind = Nat::Kind;
    const auto is = [&](Kind kind) { return anything || nat->kind == kind; };
    source_ = source_ || is(Kind::kSource) || is(Kind::kMasquerade) || is(Kind::kNetmap);
    destination_ =
        destination_ || is(Kind::kDestination) || is(Kind::kRedirect) || is(Kind::kNetmap);
  }
  if (!source_ && !destination_) return;
  const auto order = program.callers_first();
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    const ChainId chain = *at;
    const ProgramChain& info = program.chains()[chain];
    for (RuleId rule = info.first; rule < info.first + info.count; ++rule) {
      rules_[rule] = std::ranges::any_of(program.rules()[rule].rule->clauses,
                                         [&](const Clause& clause) { return tests(clause); });
      chains_[chain] = chains_[chain] || tests(rule);
    }
    anywhere_ = anywhere_ || chains_[chain];
  }
}

bool Translation::tests(const Clause& clause) const {
  const u128 bits = status_bits(*clause.predicate);
  return (source_ && (bits & ct_status::kSourceNat) != 0) ||
         (destination_ && (bits & ct_status::kDestinationNat) != 0) ||
         std::ranges::any_of(kTuples,
                             [&](Field field) { return mentions(*clause.predicate, field); });
}

bool Translation::tests(RuleId rule) const {
  const auto& callee = program_.rules()[rule].callee;
  return rules_[rule] || (callee && chains_[*callee]);
}

bool Translation::may_match(RuleId rule, const RuleFacts& facts) const {
  if (!anywhere_) return false;
  const ProgramRule& here = program_.rules()[rule];
  if (first_only_ && program_.chains()[here.chain].table == TableName::kNat) return false;
  const auto& clauses = here.rule->clauses;
  if (!facts.alone) {
    return std::ranges::any_of(facts.at_odds,
                               [&](std::size_t clause) { return tests(clauses[clause]); });
  }
  const auto one = [&](RuleId r) { return tests(r); };
  // Who takes its packets is not always known: then any rule may be what lets others by.
  return rules_[rule] || facts.taken_by.empty() || std::ranges::any_of(facts.taken_by, one) ||
         std::ranges::any_of(facts.jumps, [&](RuleId r) { return rules_[r]; });
}

}  // namespace postern
