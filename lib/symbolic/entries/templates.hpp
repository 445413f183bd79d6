// What CT targets ask for, before the lookup: the requests of a ruleset, numbered.
//
// Idea: a packet in `raw` carries nothing, the UNTRACKED mark, or one request; the first rule that
// gives it one of them decides (kernel-facts 23). So one axis (kUntracked) holds all three: 0, 1,
// and from kFirst on the requests. A request that is not followed has no number: packets that would
// get it meet something that is not modelled. The zone of a request stands on an axis of its own
// (zones.hpp): one for a zone alone has no number here, one for a helper in a zone has both.
// Covered by tests/unit/expected_flows_test.cpp.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "flow/program.hpp"

namespace postern {

// The helpers that are followed.
enum class Helper : std::uint8_t { kNone, kFtp, kTftp, kIrc };

class Templates {
 public:
  static constexpr std::uint32_t kFirst = 2;  // 0: nothing, 1: UNTRACKED

  explicit Templates(const Program& program);

  // How many values the axis has.
  std::uint32_t values() const { return kFirst + static_cast<std::uint32_t>(helpers_.size()); }
  // What packets get by this rule; 0: it is no CT rule, gives a zone alone, or is not followed.
  std::uint32_t of(RuleId rule) const { return numbers_[rule]; }
  // Does it give a helper (which is followed) and a zone?
  bool in_zone(RuleId rule) const { return in_zone_[rule]; }
  Helper helper(std::uint32_t value) const { return helpers_[value - kFirst]; }
  // Does a request that is followed give a helper, or this one?
  bool help() const;
  bool help(Helper helper) const;
  // May a rule give a helper in a way that is not followed (another helper, a target that nobody
  // knows)? (One whose zone is not followed: zones.hpp.)
  bool strange_help() const { return strange_help_; }
  // Does a rule write connmarks, so that the master of an expected flow may have any?
  bool mark() const { return mark_; }

 private:
  std::vector<std::uint32_t> numbers_;  // by RuleId
  std::vector<bool> in_zone_;           // by RuleId
  std::vector<Helper> helpers_;         // by value - kFirst
  bool strange_help_ = false, mark_ = false;
};

}  // namespace postern
