// ICMP errors that go to what NAT made of the opener of the flow that they quote (for MASQUERADE:
// an address of this host), and that NAT leads on to the opener before routing.
//
// Idea: what such an error becomes is any address, so that it is walked as under a binding of its
// own (NatVariant::By::kError), whose destination is anything. As routing sees that one only, it
// may set out to addresses that routing would keep from the path. The errors are in nothing that
// is surely so: a witness has to show the quoted flow (analyzer/led_error.cpp).
// Followed on a router's path, where there is one pair of zones.
// Covered by tests/unit/related_error_test.cpp and tests/agreement/adversary_test.cpp.
#include "symbolic/explore/model_impl.hpp"
#include "symbolic/rules/routing.hpp"

namespace postern {

bool Model::Impl::leads_errors(Path path) const {
  return tracking && translations.leads_errors(path) && automaton.pairs() == 1;
}

// With those that routing takes the path by itself.
Set Model::Impl::errors_to_openers(Path path) {
  if (!leads_errors(path)) return kNothing;
  return bdd().both(can_set_out_translated(space, path, FlowEnd::kInitiator, tracking),
                    carriers(FlowEnd::kInitiator, false));
}

LedHere Model::Impl::errors_led_here(Path path, const PredicatePtr& m) {
  if (!tracking || sources_of_nat().empty()) return {};
  const Set all = can_set_out_translated(space, path, FlowEnd::kInitiator, tracking);
  const Set led = bdd().minus(all, sendable(path, FlowEnd::kInitiator));
  const Set asked = bdd().both(reader.read_once(*m, Binding{.question = true}).may, led);
  const Set errors = bdd().both(asked, carriers(FlowEnd::kInitiator, false));
  if (errors.empty()) return {};
  const Set here = bdd().both(errors, parent_addresses(path, false).unmodelled);
  if (leads_errors(path)) return {.asked = here};
  const Set through = related_let_through(path);
  return {.asked = bdd().minus(here, through), .open = bdd().both(here, through)};
}

// The guards of such errors among `flows`, for all that explores these from then on.
void Model::Impl::lead_errors(Path path, Set flows) {
  PathGuards& both = guards(path, flows, true);
  if (both.errors) return;
  WalkOptions how = walk_options();
  how.follow = true;
  how.nat = translations.of_errors();
  const Set only = bdd().both(flows, carriers(FlowEnd::kInitiator, false));
  const PathWalk walk = walk_path(space, chains, program, path, FlowEnd::kInitiator, how, {}, only);
  const Guards of_errors(space, walk, FlowEnd::kInitiator, true);
  both.errors.emplace(
      LedErrors{translations.number_of_errors(path), BoundGuards{how.nat, of_errors, of_errors}});
}

Quotable Model::Impl::openers(Path path, Set error, const QuotedEntry& entry) {
  const auto like = [&](Axis own, Axis of) {
    return space.class_is(own, space.classes_in(error, of).front());
  };
  const Set all = bdd().both(flows_of(sendable(path, FlowEnd::kInitiator)),
                             like(Axis::kInitiatorInterface, Axis::kResponderInterface));
  Quotable best{.path = path, .opened = true};
  constexpr FlowEnd kEnd = FlowEnd::kInitiator;
  if (path == Path::kForward) {
    const Set back = bdd().both(all, like(Axis::kResponderInterface, Axis::kInitiatorInterface));
    look_for_quotable(path, back, entry, kEnd, false, best);
  }
  if (best.flows.empty()) look_for_quotable(path, all, entry, kEnd, false, best);
  best.opened = true;
  return best;
}

}  // namespace postern
