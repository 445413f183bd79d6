#include "flow/program.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace postern {
namespace {

// Which table/hook pairs exist, by the name of the built-in chain.
std::optional<Hook> hook_named(std::string_view chain) {
  for (std::size_t i = 0; i < kHookCount; ++i) {
    if (text(static_cast<Hook>(i)) == chain) return static_cast<Hook>(i);
  }
  return std::nullopt;
}

std::optional<std::size_t> callee_index(const Action& action) {
  if (const auto* jump = std::get_if<Jump>(&action)) return jump->chain;
  if (const auto* go = std::get_if<Goto>(&action)) return go->chain;
  return std::nullopt;
}

bool switches_on_tracking(const Rule& rule) {
  return rule.switches_on_tracking ||
         std::ranges::any_of(rule.clauses, &Clause::switches_on_tracking);
}

// Depth-first search without recursion over the call graph. Writes the finishing order (callees
// first) and one diagnostic for each jump that closes a loop.
class CallOrder {
 public:
  CallOrder(std::span<const ProgramChain> chains, std::span<const ProgramRule> rules)
      : chains_(chains), rules_(rules), colour_(chains.size(), Colour::kWhite) {}

  void run() {
    for (ChainId id = 0; id < chains_.size(); ++id) {
      if (colour_[id] == Colour::kWhite) visit(id);
    }
  }

  std::vector<ChainId> callees_first;
  Diagnostics loops;

 private:
  enum class Colour : std::uint8_t { kWhite, kOpen, kDone };
  struct Frame {
    ChainId chain;
    RuleId next;
  };

  void visit(ChainId root) {
    std::vector<Frame> stack;
    const auto open = [&](ChainId id) {
      colour_[id] = Colour::kOpen;
      stack.push_back({id, chains_[id].first});
    };
    open(root);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      const ProgramChain& chain = chains_[frame.chain];
      if (frame.next == chain.first + chain.count) {
        colour_[frame.chain] = Colour::kDone;
        callees_first.push_back(frame.chain);
        stack.pop_back();
        continue;
      }
      const ProgramRule& rule = rules_[frame.next++];
      if (!rule.callee) continue;
      if (colour_[*rule.callee] == Colour::kOpen) {
        report(rule);
      } else if (colour_[*rule.callee] == Colour::kWhite) {
        open(*rule.callee);
      }
    }
  }

  void report(const ProgramRule& rule) {
    const std::string& target = chains_[*rule.callee].chain->name;
    loops.push_back({.code = "loop",
                     .span = rule.rule->target_span,
                     .message = "this jump leads back into chain " + target +
                                ", which is still running: the kernel refuses such a loop",
                     .help = "remove one of the jumps between " + target + " and this rule",
                     .notes = {{chains_[*rule.callee].chain->span, "the chain is declared here"}}});
  }

  std::span<const ProgramChain> chains_;
  std::span<const ProgramRule> rules_;
  std::vector<Colour> colour_;
};

}  // namespace

Result<Program> Program::compile(const Ruleset& ruleset) {
  Program program;
  program.ruleset_ = &ruleset;
  for (const Table& table : ruleset.tables) {
    const auto base = static_cast<ChainId>(program.chains_.size());
    for (const Chain& chain : table.chains) {
      const auto id = static_cast<ChainId>(program.chains_.size());
      const auto first = static_cast<RuleId>(program.rules_.size());
      std::uint32_t number = 0;
      for (const Rule& rule : chain.rules) {
        const auto callee = callee_index(rule.action);
        POSTERN_CHECK(!callee || *callee < table.chains.size(), "a jump out of its table");
        program.rules_.push_back(
            {&rule, id, ++number,
             callee ? std::optional(base + static_cast<ChainId>(*callee)) : std::nullopt});
        program.tracks_ = program.tracks_ || switches_on_tracking(rule);
      }
      program.chains_.push_back({&chain, table.name, first, number});
      const auto hook = chain.builtin() ? hook_named(chain.name) : std::nullopt;
      if (!hook) continue;
      program.entries_[static_cast<std::size_t>(*hook)][static_cast<std::size_t>(table.name)] = id;
    }
  }
  CallOrder order(program.chains_, program.rules_);
  order.run();
  if (!order.loops.empty()) return tl::unexpected(std::move(order.loops));
  program.callers_first_.assign(order.callees_first.rbegin(), order.callees_first.rend());
  return program;
}

bool Program::has_opaque_target() const {
  return std::ranges::any_of(rules_, &ProgramRule::has_opaque_target);
}

std::optional<RuleId> Program::sender_of(OpaqueTarget::Sends what) const {
  for (RuleId r = 0; r < rules_.size(); ++r) {
    const auto* effect = std::get_if<Effect>(&rules_[r].rule->action);
    const auto* target = effect == nullptr ? nullptr : std::get_if<OpaqueTarget>(effect);
    if (target != nullptr && target->sends == what) return r;
  }
  return std::nullopt;
}

std::optional<ChainId> Program::entry(Hook hook, TableName table) const {
  return entries_[static_cast<std::size_t>(hook)][static_cast<std::size_t>(table)];
}

}  // namespace postern
