// A ruleset made ready to run: every chain once, in one flat numbering, with the built-in chain for
// each (hook, table) found. A call is a call; nothing is unfolded.
// Invariants: no chain reaches itself (the kernel refuses loops, and so does compile); rules of one
// chain are contiguous. Covered by tests/unit/program_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "flow/hooks.hpp"
#include "ir/ruleset.hpp"
#include "text/diagnostic.hpp"

namespace postern {

using ChainId = std::uint32_t;
using RuleId = std::uint32_t;  // index into Program::rules

struct ProgramRule {
  const Rule* rule = nullptr;
  ChainId chain = 0;
  std::uint32_t number = 1;       // within its chain, from 1
  std::optional<ChainId> callee;  // for Jump and Goto

  // Is its target one that nobody knows, or that is not modelled? Anything may come of it.
  bool has_opaque_target() const {
    const auto* effect = std::get_if<Effect>(&rule->action);
    return effect != nullptr && std::holds_alternative<OpaqueTarget>(*effect);
  }
};

struct ProgramChain {
  const Chain* chain = nullptr;
  TableName table = TableName::kFilter;
  RuleId first = 0;  // its rules are [first, first + count)
  std::uint32_t count = 0;
};

class Program {
 public:
  // `ruleset` must outlive the program. Errors: a jump loop (each loop once, at the jump).
  static Result<Program> compile(const Ruleset& ruleset);

  const Ruleset& ruleset() const { return *ruleset_; }
  std::span<const ProgramChain> chains() const { return chains_; }
  std::span<const ProgramRule> rules() const { return rules_; }
  // The built-in chain that `table` runs at `hook`; nullopt when the ruleset lacks it.
  std::optional<ChainId> entry(Hook hook, TableName table) const;
  // Chains in an order in which every caller stands before its callees.
  std::span<const ChainId> callers_first() const { return callers_first_; }
  // Has any rule an opaque target?
  bool has_opaque_target() const;
  // The first rule whose target sends packets by itself, copies (TEE) or segments (SYNPROXY).
  std::optional<RuleId> sender_of(OpaqueTarget::Sends what) const;
  // Does this ruleset switch connection tracking on by itself (kernel-facts 1)?
  bool tracks() const { return tracks_; }

 private:
  const Ruleset* ruleset_ = nullptr;
  std::vector<ProgramChain> chains_;
  std::vector<ProgramRule> rules_;
  std::vector<ChainId> callers_first_;
  std::array<std::array<std::optional<ChainId>, kTableCount>, kHookCount> entries_{};
  bool tracks_ = false;
};

}  // namespace postern
