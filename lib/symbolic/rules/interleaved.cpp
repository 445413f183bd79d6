#include "symbolic/rules/interleaved.hpp"

#include <algorithm>
#include <array>

#include "flow/conntrack.hpp"
#include "meaning/effect.hpp"

namespace postern {
namespace {

const SetConnmark* connmark_of(const ProgramRule& rule) {
  const Effect* effect = std::get_if<Effect>(&rule.rule->action);
  return effect == nullptr ? nullptr : std::get_if<SetConnmark>(effect);
}

bool writes(const ProgramRule& rule) {
  const SetConnmark* effect = connmark_of(rule);
  return rule.has_opaque_target() || (effect != nullptr && effect->op != SetConnmark::Op::kRestore);
}

bool tests(const ProgramRule& rule, Field field, u128 bits) {
  return std::ranges::any_of(rule.rule->clauses, [&](const Clause& clause) {
    return mentions(*clause.predicate, field, bits) || mentions(*clause.hotdrop, field, bits);
  });
}

bool reads(const ProgramRule& rule) {
  const SetConnmark* effect = connmark_of(rule);
  const bool restores = effect != nullptr && effect->op == SetConnmark::Op::kRestore;
  return restores || tests(rule, Field::kCtMark, ~u128{0});
}

}  // namespace

bool reads_what_others_change(const Program& program) {
  const auto& rules = program.rules();
  constexpr u128 kLive = ct_status::kSeenReply | ct_status::kAssured;
  const auto status = [](const ProgramRule& r) { return tests(r, Field::kCtStatus, kLive); };
  return std::ranges::any_of(rules, status) ||
         (std::ranges::any_of(rules, writes) && std::ranges::any_of(rules, reads));
}

Set connmarks_of_entries(Space& space, const Program& program) {
  const auto& bits = space.layout(Axis::kConnmark).bits;
  Bdd& bdd = space.bdd();
  Set known = kEverything;  // a new entry's is 0
  for (const std::uint8_t bit : bits)
    known = bdd.both(known, *space.bit(Axis::kConnmark, bit, false));
  Relations relations(space);
  const std::array mark{Axis::kMark};
  for (Set before = kNothing; before != known;) {
    before = known;
    for (const ProgramRule& rule : program.rules()) {
      if (!writes(rule)) continue;
      const SetConnmark* effect = connmark_of(rule);
      if (effect == nullptr) return kEverything;
      known = bdd.either(known, space.exists(relations.set_connmark(known, *effect), mark));
    }
  }
  return known;
}

}  // namespace postern
