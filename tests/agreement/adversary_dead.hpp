// Rules that lint calls dead (PST101, 103, 305), against what the adversary's packets match.
// Used by tests/agreement/adversary_test.cpp.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "analyzer/checks/translation.hpp"
#include "engine/engine.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

class DeadRules {
 public:
  DeadRules(const Program& program, const Structure& structure)
      : program_(program), structure_(structure), open_(program, structure.follows_nat) {}

  bool dead(RuleId rule) const {
    const RuleFacts& facts = structure_.rules[rule];
    return !facts.matched && !facts.unmodelled && !open_.may_match(rule, facts);
  }
  // Rules that are called dead where NAT is followed.
  bool some_under_nat() const {
    if (!structure_.follows_nat) return false;
    for (RuleId rule = 0; rule < program_.rules().size(); ++rule) {
      if (dead(rule)) return true;
    }
    return false;
  }
  // A dead one that a packet has matched, as text; empty: none.
  std::string matched(const Trace& trace) const {
    for (const TraceStep& step : trace) {
      if (step.kind != TraceStep::Kind::kRule || !step.matched || !dead(step.rule)) continue;
      return std::string(program_.ruleset().source->slice(program_.rules()[step.rule].rule->span)) +
             (step.own_reply ? " (by an answer of this host)" : "");
    }
    return "";
  }

 private:
  const Program& program_;
  const Structure& structure_;
  Translation open_;
};

// Did the packet meet a DNAT rule that names several addresses?
inline bool met_range(const Program& program, const Trace& trace) {
  return std::ranges::any_of(trace, [&](const TraceStep& step) {
    if (step.kind != TraceStep::Kind::kRule || !step.matched || step.own_reply) return false;
    const Effect* effect = std::get_if<Effect>(&program.rules()[step.rule].rule->action);
    const Nat* nat = effect == nullptr ? nullptr : std::get_if<Nat>(effect);
    return nat != nullptr && nat->kind == Nat::Kind::kDestination && nat->low &&
           nat->low->value != nat->high->value;
  });
}

}  // namespace postern
