// Walks a packet through one table's chain at one hook: rules in order, jumps and gotos with an
// explicit stack, counters, and the effects that targets have on the packet and its entry
// (kernel-facts 9, 22, 23). A REJECT and a mapping are only reported: what follows is the caller's
// business.
// Covered by tests/unit/engine_walk_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/chooser.hpp"
#include "engine/engine.hpp"
#include "engine/rule_code.hpp"
#include "engine/trace.hpp"
#include "engine/traveller.hpp"
#include "flow/program.hpp"

namespace postern {

struct WalkVerdict {
  bool accepted = true;
  const Reject* reject = nullptr;  // with accepted == false
  const Nat* nat = nullptr;        // with accepted == true: the mapping that a rule asks for
  RuleId rule = 0;                 // that asked for it
};

class Walker {
 public:
  // Both must outlive the walker.
  Walker(const Program& program, const World& world, Backend backend);

  const Program& program() const { return program_; }
  bool reads(Field field) const { return code_.reads(field); }
  // True without counting anything when the ruleset has no such table; a chain that its text leaves
  // out is there all the same with the legacy backend, empty and with policy ACCEPT. Throws
  // Unmodelled at a helper that is not (helper.hpp).
  WalkVerdict walk(Hook hook, TableName table, Traveller& packet, Chooser& chooser, Trace* trace);

  // "nat POSTROUTING 1"
  std::string place(RuleId rule) const { return place(program_.rules()[rule]); }
  // Adds what was counted since the last clear to `hits`; `family` is set in each when given.
  void collect(Hits& hits, std::optional<Family> family) const;
  void clear();

 private:
  enum class Kind : std::uint8_t {
    kContinue,
    kAccept,
    kDrop,
    kReturn,
    kJump,
    kGoto,
    kReject,
    kNat,
    kLowerMss,
    kEffect,
    kToSocket,
    kOpaque,
  };
  struct Step {
    std::int32_t code = RuleCode::kMatch;
    Kind kind = Kind::kContinue;
    ChainId callee = 0;
    const Effect* effect = nullptr;
  };
  struct Frame {
    RuleId next;
    ChainId chain;
  };
  std::string place(const ProgramRule& rule) const;
  Step compile(const ProgramRule& rule);
  Kind kind_of(const Effect& effect) const;
  void apply(const Effect& effect, RuleId rule, Traveller& packet);
  Kind choose(const ProgramRule& rule, const Step& step, Chooser& chooser) const;
  bool finds_socket(const ProgramRule& rule, const ToSocket& target, Chooser& chooser,
                    Traveller& packet) const;
  TraceStep blank_step(Hook hook, TableName table, ChainId chain, const Traveller& packet) const;
  void note_rule(Trace& trace, TraceStep step, RuleId id, const RuleCode::Outcome& outcome,
                 const Traveller& packet) const;

  const Program& program_;
  const World& world_;
  std::vector<std::string> devices_;
  Backend backend_;
  RuleCode code_;
  std::vector<Step> steps_;                    // by RuleId
  std::vector<Counters> rules_, policies_;     // by RuleId, by ChainId
  std::vector<std::uint32_t> template_marks_;  // of CT rules, by RuleId
  // Built-in chains that a table of the text has without naming them: legacy tables come with all
  // of theirs, nft makes only those that are named.
  std::array<std::array<Counters, kTableCount>, kHookCount> unnamed_{};
  std::vector<Frame> stack_;  // kept to save allocations
};

}  // namespace postern
