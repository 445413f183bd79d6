#include "symbolic/sets/relation.hpp"

#include <array>
#include <numeric>

namespace postern {

std::vector<Relations::Group> Relations::groups(const Writes& writes) const {
  std::vector<Group> result;
  if (writes.mark) result.push_back({Axis::kMarkBefore, Axis::kMark, &space_.mark_scratch});
  if (writes.connmark) {
    result.push_back({Axis::kConnmarkBefore, Axis::kConnmark, &space_.connmark_scratch});
  }
  if (writes.untracked) {
    result.push_back({Axis::kUntrackedBefore, Axis::kUntracked, &space_.untracked_scratch});
  }
  if (writes.zone) result.push_back({Axis::kZoneBefore, Axis::kZone, &space_.zone_scratch});
  if (writes.ttl) result.push_back({Axis::kTtlBefore, Axis::kTtlNow, &space_.ttl_scratch});
  if (writes.tos) result.push_back({Axis::kTosBefore, Axis::kTosNow, &space_.tos_scratch});
  return result;
}

Set Relations::identity(const Writes& writes) {
  Bdd& bdd = space_.bdd();
  Set result = kEverything;
  for (const Group& g : groups(writes)) {
    const auto& before = space_.layout(g.before).variables;
    const auto& now = space_.layout(g.current).variables;
    for (std::size_t i = 0; i < now.size(); ++i) {
      result = bdd.both(result, bdd.same(bdd.literal(before[i]), bdd.literal(now[i])));
    }
  }
  return result;
}

Set Relations::compose(Set live, Set summary, const Writes& writes) {
  Bdd& bdd = space_.bdd();
  if (!writes.any()) return bdd.both(live, summary);
  Bdd::VariableMap park(bdd.variables()), enter(bdd.variables());
  std::iota(park.begin(), park.end(), 0u);
  std::iota(enter.begin(), enter.end(), 0u);
  std::vector<unsigned> scratch;
  for (const Group& g : groups(writes)) {
    const auto& before = space_.layout(g.before).variables;
    const auto& now = space_.layout(g.current).variables;
    for (std::size_t i = 0; i < now.size(); ++i) {
      park[now[i]] = (*g.scratch)[i];
      enter[before[i]] = (*g.scratch)[i];
      scratch.push_back((*g.scratch)[i]);
    }
  }
  return bdd.both_exists(bdd.rename(live, park), bdd.rename(summary, enter), bdd.cube(scratch));
}

Set Relations::assign(Set live, unsigned variable, bool value) {
  Bdd& bdd = space_.bdd();
  const std::array one{variable};
  return bdd.both(bdd.exists(live, bdd.cube(one)), bdd.literal(variable, value));
}

Set Relations::flip(Set live, unsigned variable) {
  Bdd& bdd = space_.bdd();
  return bdd.choose(bdd.literal(variable), bdd.restrict(live, bdd.literal(variable, false)),
                    bdd.restrict(live, bdd.literal(variable)));
}

Set Relations::set_bits(Set live, Axis axis, std::uint32_t value, std::uint32_t mask) {
  const AxisLayout& l = space_.layout(axis);
  for (std::size_t i = 0; i < l.bits.size(); ++i) {
    const bool one = ((value >> l.bits[i]) & 1) != 0;
    if (((mask >> l.bits[i]) & 1) != 0) {
      live = assign(live, l.variables[i], one);
    } else if (one) {
      live = flip(live, l.variables[i]);
    }
  }
  return live;
}

Set Relations::copy_bits(Set live, Axis from, std::uint32_t copy, Axis to, std::uint32_t clear) {
  Bdd& bdd = space_.bdd();
  const AxisLayout& l = space_.layout(to);
  for (std::size_t i = 0; i < l.bits.size(); ++i) {
    const std::uint8_t bit = l.bits[i];
    const bool clears = ((clear >> bit) & 1) != 0;
    const bool copies = ((copy >> bit) & 1) != 0;
    const unsigned variable = l.variables[i];
    // A source bit that nobody follows is 0.
    const auto source = copies ? space_.bit(from, bit) : std::nullopt;
    if (!source) {
      if (clears) live = assign(live, variable, false);
    } else if (clears) {
      const std::array one{variable};
      live = bdd.both(bdd.exists(live, bdd.cube(one)), bdd.same(bdd.literal(variable), *source));
    } else {
      live = bdd.choose(*source, flip(live, variable), live);
    }
  }
  return live;
}

Set Relations::set_connmark(Set live, const SetConnmark& effect) {
  switch (effect.op) {
    case SetConnmark::Op::kSet:
      return set_bits(live, Axis::kConnmark, effect.value, effect.ctmask);
    case SetConnmark::Op::kSave:
      return copy_bits(live, Axis::kMark, effect.nfmask, Axis::kConnmark, effect.ctmask);
    case SetConnmark::Op::kRestore:
      return copy_bits(live, Axis::kConnmark, effect.ctmask, Axis::kMark, effect.nfmask);
  }
  return live;
}

Set Relations::set_untracked(Set live, std::uint32_t value) {
  const std::array axis{Axis::kUntracked};
  return space_.bdd().both(space_.exists(live, axis), space_.class_is(Axis::kUntracked, value));
}

Set Relations::set_zone(Set live, std::uint32_t number) {
  const std::array axis{Axis::kZone};
  return space_.bdd().both(space_.exists(live, axis), space_.class_is(Axis::kZone, number));
}

Set Relations::rewrite(Set live, Field field, const Change& change) {
  const std::array now{space_.present(field).value()};
  const FieldClasses& of = *space_.layout(now[0]).classes;
  std::vector<std::uint32_t> becomes;
  for (const ValueClass& c : of.classes) {
    becomes.push_back(of.of(change(static_cast<std::uint32_t>(c.canonical))).value());
  }
  Bdd& bdd = space_.bdd();
  Set result = kNothing;
  for (std::uint32_t to = 0; to < of.count(); ++to) {
    std::vector<bool> from;
    for (const std::uint32_t c : becomes) from.push_back(c == to);
    const Set moved = space_.exists(bdd.both(live, space_.class_set(now[0], from)), now);
    result = bdd.either(result, bdd.both(moved, space_.class_is(now[0], to)));
  }
  return result;
}

Set Relations::forget_marks(Set live) {
  return space_.exists(live, std::array{Axis::kMark, Axis::kConnmark});
}

}  // namespace postern
