// What conntrack can say of a packet at all: which of its coordinates go together (passage.hpp).
// Covered by tests/unit/walk_test.cpp.
#include "flow/conntrack.hpp"
#include "symbolic/rules/passage.hpp"

namespace postern {

Set conntrack_domain(Space& space) {
  Bdd& bdd = space.bdd();
  const auto zero = [&](std::initializer_list<Axis> axes) {
    Set s = kEverything;
    for (const Axis axis : axes) s = bdd.both(s, space.class_is(axis, 0));
    return s;
  };
  const auto state = [&](CtState s) {
    return space.class_is(Axis::kState, static_cast<std::uint32_t>(s));
  };
  const Set no_entry = zero({Axis::kDirection, Axis::kFirst, Axis::kSeenReply, Axis::kAssured});
  const Set unreplied = zero({Axis::kDirection, Axis::kSeenReply});
  Set s = bdd.both(bdd.either(state(CtState::kInvalid), state(CtState::kUntracked)), no_entry);
  s = bdd.either(s, bdd.both(state(CtState::kNew), unreplied));
  const bool expects = space.classes().expects;
  if (expects) s = bdd.both(s, zero({Axis::kExpected}));
  s = bdd.either(s, bdd.both(state(CtState::kEstablished), zero({Axis::kFirst})));
  Set related = zero({Axis::kFirst});
  if (expects) {
    related = bdd.both(related, zero({Axis::kExpected}));
    related = bdd.either(related, bdd.both(unreplied, space.class_is(Axis::kExpected, 1)));
  }
  return bdd.either(s, bdd.both(state(CtState::kRelated), related));
}

}  // namespace postern
