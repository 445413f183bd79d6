// What a walk changes on a packet, as images of relations: marks, connmark, the UNTRACKED mark, TTL
// and TOS.
//
// A live set is a relation between a packet as it set out and the present values of those bits. A
// chain's summary is one between the values on entry (the "before" axes) and on exit; composing the
// two is one relational product, so a chain is walked once however often it is called.
// Covered by tests/unit/walk_test.cpp.
#pragma once

#include <cstdint>

#include "meaning/effect.hpp"
#include "symbolic/sets/rewriting.hpp"
#include "symbolic/sets/space.hpp"

namespace postern {

// Which groups of bits a chain may write.
struct Writes {
  bool mark = false, connmark = false, untracked = false, zone = false, ttl = false, tos = false;
  bool any() const { return mark || connmark || untracked || zone || ttl || tos; }
  Writes operator|(const Writes& o) const {
    return {mark || o.mark, connmark || o.connmark, untracked || o.untracked,
            zone || o.zone, ttl || o.ttl,           tos || o.tos};
  }
};

class Relations {
 public:
  explicit Relations(Space& space) : space_(space) {}

  // before == current for the written groups: where a summary starts.
  Set identity(const Writes& writes);
  // `live` (over current) followed by `summary` (before -> current, of the written groups).
  Set compose(Set live, Set summary, const Writes& writes);

  Set set_mark(Set live, const SetMark& effect) {
    return set_bits(live, Axis::kMark, effect.value, effect.mask);
  }
  Set set_connmark(Set live, const SetConnmark& effect);
  // The UNTRACKED mark, or a template (templates.hpp).
  Set set_untracked(Set live, std::uint32_t value = 1);
  // Carries this template, or has this pair of zones (Axis::kZone), from here on.
  Set set_zone(Set live, std::uint32_t number);
  // TTL or TOS (Space::present), as `change` makes it of what it is now.
  Set rewrite(Set live, Field field, const Change& change);
  // All values of the present marks (after a target that nobody knows).
  Set forget_marks(Set live);

 private:
  struct Group {
    Axis before, current;
    const std::vector<unsigned>* scratch;
  };
  std::vector<Group> groups(const Writes& writes) const;
  // bit = (bit & ~mask) ^ value, for every followed bit of the axis.
  Set set_bits(Set live, Axis axis, std::uint32_t value, std::uint32_t mask);
  // to = (to & ~clear) ^ (from & copy), bit by bit.
  Set copy_bits(Set live, Axis from, std::uint32_t copy, Axis to, std::uint32_t clear);
  Set assign(Set live, unsigned variable, bool value);
  Set flip(Set live, unsigned variable);

  Space& space_;
};

}  // namespace postern
