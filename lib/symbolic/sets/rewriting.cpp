#include "symbolic/sets/rewriting.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace postern {
namespace {

constexpr int kLargest = 255;

bool is_followed(Field field) { return field == Field::kTtl || field == Field::kTos; }

}  // namespace

std::optional<Field> rewritten_field(const Effect& effect) {
  std::optional<Field> field;
  if (const auto* set = std::get_if<SetField>(&effect)) field = set->field;
  if (const auto* add = std::get_if<AddField>(&effect)) field = add->field;
  return field && is_followed(*field) ? field : std::nullopt;
}

std::uint32_t rewritten(const Effect& effect, std::uint32_t value) {
  if (const auto* add = std::get_if<AddField>(&effect)) {
    return static_cast<std::uint32_t>(
        std::clamp(static_cast<int>(value) + add->delta, 0, kLargest));
  }
  const auto* set = std::get_if<SetField>(&effect);
  POSTERN_CHECK(set != nullptr, "a target that writes no header field");
  return static_cast<std::uint32_t>(((value & ~set->mask) ^ set->value) & kLargest);
}

std::uint32_t one_hop_less(std::uint32_t ttl) { return ttl == 0 ? 0 : ttl - 1; }

std::vector<Change> changes_of(const Program& program, Field field) {
  std::vector<Change> changes;
  for (const ProgramRule& rule : program.rules()) {
    const auto* effect = std::get_if<Effect>(&rule.rule->action);
    if (effect == nullptr || rewritten_field(*effect) != field) continue;
    changes.emplace_back([effect](std::uint32_t value) { return rewritten(*effect, value); });
  }
  if (field == Field::kTtl && !changes.empty()) changes.emplace_back(one_hop_less);
  return changes;
}

}  // namespace postern
