// Covered by tests/unit/lint_hole_test.cpp.
#include "analyzer/checks/port_hole.hpp"

#include <algorithm>

#include "analyzer/checks/port_blind.hpp"

namespace postern {
namespace {

constexpr Axis kSport = Axis::kInitiatorPort, kDport = Axis::kResponderPort;

u128 ports_from(const ValueClass& ports, u128 from) {
  u128 count = 0;
  for (const Interval& interval : ports.intervals) {
    const u128 low = std::max(interval.lo, from);
    if (low <= interval.hi) count += interval.hi - low + 1;
  }
  return count;
}

// The class that holds the most source ports from 1024 on; the first of them when several do.
std::uint32_t arbitrary_class(const FieldClasses& ports) {
  std::uint32_t best = 0;
  for (std::uint32_t i = 1; i < ports.count(); ++i) {
    if (ports_from(ports.classes[i], 1024) > ports_from(ports.classes[best], 1024)) best = i;
  }
  return best;
}

class HoleFinder {
 public:
  HoleFinder(Space& space, Path path, Set open, Set arbitrary_open)
      : space_(space),
        path_(path),
        bdd_(space.bdd()),
        open_(open),
        holes_(bdd_.minus(open, arbitrary_open)) {}

  std::vector<HoleFlow> find() {
    std::vector<std::uint32_t> sports = space_.classes_in(holes_, kSport);
    std::vector<HoleFlow> found;
    while (!sports.empty()) {
      const std::uint32_t sport = sports.front();
      const auto flow = best_flow(sport);
      if (!flow) {
        sports.erase(sports.begin());
        continue;
      }
      found.push_back(describe(*flow, sports));
    }
    return found;
  }

 private:
  Set at(Set set, Axis axis, std::uint32_t number) {
    return bdd_.both(set, space_.class_is(axis, number));
  }
  Set without(Set set, Axis axis) { return space_.exists(set, {&axis, 1}); }

  // Between which ends are at least two destination ports in `row`? (No destination port in the
  // result.)
  Set at_least_two(Set row) {
    Set once = kNothing, twice = kNothing;
    for (const std::uint32_t dport : space_.classes_in(row, kDport)) {
      const Set here = without(at(row, kDport, dport), kDport);
      const bool several = ports_from(space_.classes().port.classes[dport], 0) > 1;
      twice = bdd_.either(twice, several ? here : bdd_.both(once, here));
      once = bdd_.either(once, here);
    }
    return twice;
  }

  // A flow through the hole of this source port, between the two ends for whom it opens the largest
  // class of destination ports; nullopt when it opens no more than one port between any two ends.
  std::optional<FlowPoint> best_flow(std::uint32_t sport) {
    const Set row = at(holes_, kSport, sport);
    const Set wide = bdd_.both(row, at_least_two(row));
    if (wide.empty()) return std::nullopt;
    std::uint32_t best = 0;
    u128 most = 0;
    for (const std::uint32_t dport : space_.classes_in(wide, kDport)) {
      const u128 count = ports_from(space_.classes().port.classes[dport], 0);
      if (count > most) std::tie(best, most) = std::pair(dport, count);
    }
    const Set ends = without(at(wide, kDport, best), kDport);
    return canonical_point(space_, path_, bdd_.both(wide, ends), false);
  }

  // The destination ports in `set` for one source port, everything else as in `ends`.
  Set row_between(Set set, Set ends, std::uint32_t sport) {
    return without(at(bdd_.both(set, ends), kSport, sport), kSport);
  }

  IntervalList ports_of(Set set, Axis axis) {
    IntervalList list;
    for (const Interval& interval : space_.intervals(set, axis)) {
      list.emplace_back(interval.lo, interval.hi);
    }
    return list;
  }

  // Takes from `sports` all that open the same ports between the same two ends.
  HoleFlow describe(const FlowPoint& flow, std::vector<std::uint32_t>& sports) {
    FlowPoint fixed = flow;
    fixed.erase(kSport);
    fixed.erase(kDport);
    const Set ends = point_set(space_, fixed);
    const Set opens = row_between(open_, ends, flow.at(kSport).number);
    const Set only_thus = row_between(holes_, ends, flow.at(kSport).number);
    Set same = kNothing;
    std::erase_if(sports, [&](std::uint32_t sport) {
      if (row_between(open_, ends, sport) != opens) return false;
      if (row_between(holes_, ends, sport) != only_thus) return false;
      same = bdd_.either(same, space_.class_is(kSport, sport));
      return true;
    });
    return {flow, {ports_of(same, kSport), ports_of(opens, kDport), ports_of(only_thus, kDport)}};
  }

  Space& space_;
  Path path_;
  Bdd& bdd_;
  Set open_, holes_;
};

class Search {
 public:
  Search(Model& model, const Program& program, Path path, std::uint8_t protocol,
         const Triple& flows)
      : model_(model),
        space_(model.space()),
        program_(program),
        path_(path),
        protocol_(protocol),
        flows_(flows),
        arbitrary_(arbitrary_class(space_.classes().port)) {}

  HoleSearch run() {
    Bdd& bdd = space_.bdd();
    HoleSearch result;
    result.arbitrary_port = space_.classes().port.classes[arbitrary_].canonical;
    const Set possible = bdd.either(flows_.may, flows_.unmodelled);
    const Set maybe_open = open_to_arbitrary(possible);
    const Set surely_open = open_to_arbitrary(flows_.must);
    result.holes = holes(flows_.must, maybe_open);
    if (!result.holes.empty()) return result;
    // A hole for some values: of what lets the source port in, or of what else lets in all others.
    const Set known_open = open_to_arbitrary(flows_.unmodelled);
    result.conditional = holes(flows_.may, maybe_open);
    if (!result.conditional.empty()) return result;
    result.conditional = holes(flows_.must, bdd.either(surely_open, known_open));
    result.others_undecided = !result.conditional.empty();
    if (!result.conditional.empty()) return result;
    result.unmodelled = !flows_.unmodelled.empty() && !holes(possible, surely_open).empty();
    if (result.unmodelled || holes(apart(flows_.may), surely_open).empty()) return result;
    result.undecided = !holes(apart_in_conversations(), surely_open).empty();
    return result;
  }

 private:
  Set open_to_arbitrary(Set set) {
    const Axis sport = kSport;
    return space_.exists(space_.bdd().both(set, space_.class_is(kSport, arbitrary_)), {&sport, 1});
  }
  std::vector<HoleFlow> holes(Set open, Set arbitrary_open) {
    return HoleFinder(space_, path_, open, arbitrary_open).find();
  }
  // Those whose source port some rule tells apart from an arbitrary one: chance treats all others
  // alike.
  Set apart(Set flows) {
    const auto apart = told_apart(program_, space_.classes().port, path_, protocol_, arbitrary_);
    return space_.bdd().both(flows, space_.class_set(kSport, apart));
  }

  // ... by a rule that their packets come to.
  Set apart_in_conversations() {
    const Conversed came = take(model_.conversed(path_, flows_.may));
    const auto meets = [&](RuleId rule, bool answers, std::uint32_t one, std::uint32_t other) {
      const Set here = (answers ? came.answering : came.asking)[rule];
      const Set ports =
          space_.bdd().either(space_.class_is(kSport, one), space_.class_is(kSport, other));
      return !space_.bdd().disjoint(here, ports);
    };
    const auto apart =
        told_apart(program_, space_.classes().port, path_, protocol_, arbitrary_, meets);
    return space_.bdd().both(flows_.may, space_.class_set(kSport, apart));
  }

  Model& model_;
  Space& space_;
  const Program& program_;
  Path path_;
  std::uint8_t protocol_;
  const Triple& flows_;
  std::uint32_t arbitrary_;
};

}  // namespace

Budgeted<HoleSearch> search_port_holes(Model& model, const Program& program, Path path,
                                       std::uint8_t protocol) {
  const auto m = model.question(path, protocol_is(protocol));
  if (!m) return tl::unexpected(m.error());
  try {
    const auto answer =
        model.connect(path, between_hosts(model.space(), path, *m, model.moves_destination(path)));
    if (!answer) return tl::unexpected(answer.error());
    // A socket that talks to itself has one source port for each destination port.
    Triple flows = answer->flows;
    flows.unmodelled = model.space().bdd().minus(flows.unmodelled, answer->to_itself);
    return Search(model, program, path, protocol, flows).run();
  } catch (const BudgetEnded& ended) {
    return tl::unexpected(ended);
  }
}

}  // namespace postern
