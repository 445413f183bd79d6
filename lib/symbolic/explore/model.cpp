#include "symbolic/explore/model.hpp"

#include <algorithm>

#include "net/protocol.hpp"
#include "symbolic/explore/model_impl.hpp"
#include "symbolic/nat/nat_cuts.hpp"
#include "symbolic/rules/routing.hpp"

namespace postern {
namespace {

bool is_on(const Program& program, TrackingMode mode) {
  return mode == TrackingMode::kOn || (mode == TrackingMode::kAuto && program.tracks());
}

// The end of a budget becomes a value.
template <class Body>
auto budgeted(const Body& body) -> Budgeted<decltype(body())> {
  try {
    return body();
  } catch (const BudgetEnded& ended) {
    return tl::unexpected(ended);
  }
}

// ModelOptions::call_limit, as long as it lives.
class CallTime {
 public:
  CallTime(Bdd& bdd, const std::optional<std::chrono::milliseconds>& limit)
      : bdd_(bdd), limits_(limit && !bdd.deadline()) {
    if (limits_) bdd_.set_deadline(std::chrono::steady_clock::now() + *limit);
  }
  CallTime(const CallTime&) = delete;
  CallTime& operator=(const CallTime&) = delete;
  ~CallTime() {
    if (limits_) bdd_.set_deadline(std::nullopt);
  }

 private:
  Bdd& bdd_;
  bool limits_;
};

// Every public function runs in here.
template <class Impl, class Body>
auto call(Impl& impl, const Body& body) -> Budgeted<decltype(body())> {
  const CallTime time(impl.bdd(), impl.options.call_limit);
  return budgeted([&] {
    impl.bdd().check_time();
    return body();
  });
}

}  // namespace

Model::Impl::Impl(const Program& program_, std::span<const PredicatePtr> questions,
                  const ModelOptions& options_)
    : program(program_),
      options(options_),
      tracking(is_on(program_, options_.tracking)),
      space(compress(program_, with_nat_cuts(program_, questions)), options_.node_limit),
      translations(program_, options_.route_localnet),
      templates(program_),
      reader(space, &translations),
      chains(space, reader, program_, &translations, &templates),
      automaton(options_.conntrack, space.classes().zones, !space.classes().connmark_bits.empty()),
      announcements(*this) {
  if (strange_help()) translations.follow_no_master();
  if (templates.help()) translations.follow_masters(templates.help(Helper::kIrc));
  bdd().set_deadline(options.deadline);
  bdd().check_time();
}

bool Model::Impl::reads_tuples() const {
  constexpr std::array kTold{Field::kCtStatus,
                             Field::kCtOriginalSource,
                             Field::kCtOriginalDestination,
                             Field::kCtReplySource,
                             Field::kCtReplyDestination,
                             Field::kCtOriginalSourcePort,
                             Field::kCtOriginalDestinationPort,
                             Field::kCtReplySourcePort,
                             Field::kCtReplyDestinationPort};
  return std::ranges::any_of(program.rules(), [&](const ProgramRule& rule) {
    return std::ranges::any_of(rule.rule->clauses, [&](const Clause& clause) {
      return std::ranges::any_of(kTold,
                                 [&](Field field) { return mentions(*clause.predicate, field); });
    });
  });
}

Set Model::Impl::sendable(Path path, FlowEnd sender) {
  const auto known = sendable_sets.find({path, sender});
  if (known != sendable_sets.end()) return known->second;
  // Where NAT comes before routing, what routing would refuse may set out as well.
  const bool moved = sender == FlowEnd::kInitiator && moves_destination(path);
  const Set all =
      moved ? can_set_out_translated(space, path, sender, tracking, translations.leads_elsewhere())
            : can_set_out(space, path, sender, tracking);
  return sendable_sets[{path, sender}] = all;
}

// Pieces of one packet come by any interface.
Set Model::Impl::walked_with(Path path, Set flows) {
  const bool pieces = !tracking && !space.classes().defragments && path == Path::kIn;
  if (!pieces || space.classes().family != Family::kIpv4) return flows;
  constexpr std::array kWire{Axis::kInitiatorInterface};
  return space.exists(flows, kWire);
}

PathGuards& Model::Impl::guards(Path path, Set flows, bool follow) {
  follow = follow && follows();
  auto& place = guards_by_flows[{path, flows, follow}];
  if (place == nullptr) {
    const auto one = [&](FlowEnd sender) {
      WalkOptions how = walk_options();
      how.follow = follow;
      how.led = errors_to_openers(path);
      const Set all = walked_with(path, flows);
      const PathWalk walk = walk_path(space, chains, program, path, sender, how, {}, all);
      return Guards(space, walk, sender, chains.has_coins());
    };
    place = std::make_unique<PathGuards>(
        PathGuards{one(FlowEnd::kInitiator), one(FlowEnd::kResponder)});
    if (follow) find_bindings(path, flows, place->bound);
  }
  return *place;
}

// The bindings that some first packet may get, each with its own walks.
void Model::Impl::find_bindings(Path path, Set flows, Bindings& bound) {
  const auto variants = translations.variants(path);
  const Set first = space.class_is(Axis::kFirst, 1);
  for (std::size_t i = 0; i < variants.size(); ++i) {
    WalkOptions how = walk_options();
    how.follow = true;
    how.nat = variants[i];
    const auto walk = [&](FlowEnd sender) {
      return walk_path(space, chains, program, path, sender, how, {}, flows);
    };
    const FlowEnd opener = variants[i].originator;
    const FlowEnd other = opener == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator;
    const PathWalk opening = walk(opener);
    // Dropped ones count: they leave no entry, but `track` goes on from there.
    Set begun = kNothing;
    for (std::size_t f = 0; f < kFateCount; ++f) {
      const auto fate = static_cast<Fate>(f);
      if (fate != Fate::kElsewhere && fate != Fate::kTurned)
        begun = bdd().either(begun, opening.direct[fate]);
    }
    if (bdd().disjoint(begun, first)) continue;
    // A range may leave open what rules see: that counts as a coin.
    Guards of_opener(space, opening, opener, true), of_other(space, walk(other), other, true);
    const bool by_initiator = opener == FlowEnd::kInitiator;
    bound.emplace(static_cast<std::uint16_t>(i + 1),
                  BoundGuards{variants[i], by_initiator ? of_opener : of_other,
                              by_initiator ? of_other : of_opener,
                              variants[i].source != 0 && variants[i].source == translations.clash(),
                              comes_back(variants[i]), unchanged(path, variants[i])});
  }
}

Set Model::Impl::perhaps_same(FlowEnd end, std::uint8_t range) {
  if (range == 0) return kEverything;
  if (range == translations.clash()) return kNothing;  // another port, surely
  return bdd().complement(Ends(space, &translations).surely_other(end, translations.range(range)));
}

Set Model::Impl::unchanged(Path path, const NatVariant& nat) {
  if (nat.follows_master()) return kEverything;
  const FlowEnd opener = nat.originator;
  const FlowEnd other = opener == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator;
  const Path own = opener == FlowEnd::kInitiator ? path : reverse(path);
  const bool remote = own == Path::kIn || own == Path::kForward;
  // IPv4 takes nothing off a wire that comes from an address of this host.
  const bool one_of_ours = nat.source != 0 && nat.source != translations.clash() &&
                           !translations.range(nat.source).keeps_address &&
                           !translations.range(nat.source).address;
  if (one_of_ours && remote && program.ruleset().family == Family::kIpv4) return kNothing;
  return bdd().both(perhaps_same(opener, nat.source), perhaps_same(other, nat.destination));
}

// Each half that the binding has changed must be led back by a rule, or have stayed as it was.
Set Model::Impl::comes_back(const NatVariant& nat) {
  if (!translations.all_followed() || chains.opaque_targets() != 0) return kEverything;
  const FlowEnd opener = nat.originator;
  const FlowEnd other = opener == FlowEnd::kInitiator ? FlowEnd::kResponder : FlowEnd::kInitiator;
  Set result = kEverything;
  if (!translations.moves_destination()) result = perhaps_same(opener, nat.source);
  if (translations.sources().empty()) {
    result = bdd().both(result, perhaps_same(other, nat.destination));
  }
  return result;
}

Explorer Model::Impl::explorer(Path path, Set flows, Script script, bool must, bool follow) {
  PathGuards& both = guards(path, flows, follow);
  Explorer result(space, automaton, both.initiator, both.responder, path, tracking, script, must);
  if (!both.bound.empty()) result.follow(both.bound);
  if (path == Path::kLoopback && follow && follows() && automaton.pairs() > 1) {
    result.tell_apart(flows, zones_of(path, flows).several);
  }
  if (both.errors) result.lead_errors(*both.errors);
  if (must) return result;
  result.let_others_mark(marks_by_others());
  if (follow && follows() && script != Script::kOpener) {
    if (translations.may_stray(path)) result.allow_strays(both.initiator.walk().moved);
    // (To `track`, whose ends are both free, packets of another flow's entry change nothing.)
    if (translations.moves_destination() && !both.bound.empty() && script != Script::kTrack) {
      result.allow_reopened(bound_flows(path, flows), reads_tuples());
    }
  }
  return result;
}

Set Model::Impl::bound_flows(Path path, Set flows) {
  PathGuards& both = guards(path, flows, true);
  Set bound = kNothing;
  for (Guards* end : {&both.initiator, &both.responder}) {
    bound = bdd().either(bound, end->walk().direct[Fate::kElsewhere]);
  }
  std::vector<Axis> others;
  for (std::size_t i = 0; i < kAxisCount; ++i) {
    const auto axis = static_cast<Axis>(i);
    if (std::ranges::find(flow_axes(), axis) == flow_axes().end()) others.push_back(axis);
  }
  return space.exists(bound, others);
}

const FlowZones& Model::Impl::zones_of(Path path, Set flows) {
  for (const auto& [key, known] : flow_zones) {
    if (key.first == path && bdd().subset(flows, key.second)) return known;
  }
  PathGuards& both = guards(path, flows, true);
  const auto& pairs = automaton.zones().pairs();
  FlowZones result;
  Set before = kNothing;
  for (std::uint8_t pair = 0; pair < pairs.size(); ++pair) {
    Set here = bdd().either(both.initiator.flows_in(pair), both.responder.flows_in(pair));
    for (auto& [number, bound] : both.bound) {
      here = bdd().either(
          here, bdd().either(bound.initiator.flows_in(pair), bound.responder.flows_in(pair)));
    }
    const bool one_way = pairs[pair].original != pairs[pair].reply;
    result.several = bdd().either(result.several, one_way ? here : bdd().both(here, before));
    before = bdd().either(before, here);
    result.in.push_back(here);
  }
  return flow_zones[{path, flows}] = std::move(result);
}

bool Model::Impl::wanted(std::uint16_t entry, const std::string& entry_state) const {
  return any_entry(automaton.infos(), entry, [&](const EntryInfo& info) {
    return entry_state.empty() || info.state == entry_state;
  });
}

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;

Budgeted<std::unique_ptr<Model>> Model::build(const Program& program,
                                              std::span<const PredicatePtr> questions,
                                              const ModelOptions& options) {
  return budgeted([&] {
    return std::unique_ptr<Model>(new Model(std::make_unique<Impl>(program, questions, options)));
  });
}

Space& Model::space() { return impl_->space; }
void Model::set_deadline(Bdd::Deadline deadline) { impl_->bdd().set_deadline(deadline); }
bool Model::tracking() const { return impl_->tracking; }
std::span<const EntryInfo> Model::entries() const { return impl_->automaton.infos(); }

const Automaton& Model::automaton() const { return impl_->automaton; }

Budgeted<Set> Model::question(Path path, const PredicatePtr& m) {
  return call(*impl_, [&] {
    const Set asked = impl_->reader.read_once(*m, Binding{.question = true}).may;
    return impl_->bdd().both(asked, impl_->sendable(path, FlowEnd::kInitiator));
  });
}

Budgeted<LedHere> Model::errors_led_here(Path path, const PredicatePtr& m) {
  return call(*impl_, [&] { return impl_->errors_led_here(path, m); });
}

Set Model::may_be_own_tuple(Path path) { return impl_->may_be_own_tuple(path); }

Set Model::entries_without_ports() { return impl_->entries_without_ports(); }

Budgeted<Set> Model::errors_to_openers(Path path) {
  return call(*impl_, [&] { return impl_->errors_to_openers(path); });
}

Budgeted<Set> Model::anything(Path path) { return sendable(path, false); }

Budgeted<Set> Model::sendable(Path path, bool reply) {
  return call(*impl_, [&] {
    return impl_->sendable(path, reply ? FlowEnd::kResponder : FlowEnd::kInitiator);
  });
}

Budgeted<Set> Model::under_nat(Path path, Set flows) {
  return call(*impl_, [&] {
    if (!impl_->follows()) return Set{kNothing};
    // A clash may befall any.
    if (impl_->translations.clashes(path)) return flows;
    Set bound = impl_->bound_flows(path, flows);
    for (const auto& [id, zone] : impl_->expected(path, false).zones) {
      for (const auto& [number, announced] : zone.followed) {
        bound = impl_->bdd().either(bound, announced);
      }
    }
    return impl_->bdd().both(flows, bound);
  });
}

Budgeted<Set> Model::strays(Path path, Set flows) {
  return call(*impl_, [&] {
    if (!impl_->follows()) return Set{kNothing};
    const Set announced = impl_->expected(path, false).strays;
    if (!impl_->translations.may_stray(path)) return announced;
    return impl_->bdd().either(announced, impl_->guards(path, flows, true).initiator.walk().moved);
  });
}

Budgeted<Set> Model::comes_back(const NatVariant& nat) {
  return call(*impl_, [&] { return impl_->comes_back(nat); });
}
Budgeted<Set> Model::unchanged(Path path, const NatVariant& nat) {
  return call(*impl_, [&] { return impl_->unchanged(path, nat); });
}

Budgeted<FlowZones> Model::zones(Path path, Set flows) {
  return call(*impl_, [&] { return impl_->zones_of(path, flows); });
}

Budgeted<ExpectedFlows> Model::expected(Path path) {
  return call(*impl_, [&] { return impl_->expected(path, false); });
}
Budgeted<std::vector<Master>> Model::masters(Path path, Set goal, const FlowStep& step) {
  const FlowEnd sender = step.reply ? FlowEnd::kResponder : FlowEnd::kInitiator;
  const std::uint16_t zone = impl_->automaton.zones().pairs()[step.pair].id();
  return call(*impl_,
              [&] { return impl_->announcements.masters(path, goal, sender, zone, step.nat); });
}
Budgeted<std::vector<FlowStep>> Model::master_steps(const Master& master, Set flow, bool must) {
  return call(*impl_, [&] { return impl_->announcements.steps(master, flow, must); });
}

Budgeted<Set> Model::sendable_translated(Path path) {
  return call(*impl_, [&] {
    return can_set_out_translated(impl_->space, path, FlowEnd::kResponder, impl_->tracking);
  });
}

Budgeted<Set> Model::routed(Path path) {
  const auto which = moves_destination(path) ? can_keep_its_destination : can_set_out;
  return call(*impl_,
              [&] { return which(impl_->space, path, FlowEnd::kInitiator, impl_->tracking); });
}

const Translations& Model::translations() const { return impl_->translations; }

bool Model::moves_destination(Path path) const { return impl_->moves_destination(path); }

std::optional<std::uint16_t> Model::entry_index(const AbstractEntry& entry) const {
  return impl_->automaton.find(entry);
}

Budgeted<DeliverAnswer> Model::deliver(Path path, Set m, const PredicatePtr& to) {
  return call(*impl_, [&] { return impl_->deliver(path, m, to); });
}
Budgeted<ConnectAnswer> Model::connect(Path path, Set m, const PredicatePtr& to) {
  return call(*impl_, [&] { return impl_->connect(path, m, to); });
}
Budgeted<TrackAnswer> Model::track(Path path, Set m, const std::string& entry_state,
                                   const PredicatePtr& to) {
  return call(*impl_, [&] { return impl_->track(path, m, entry_state, to); });
}

Budgeted<std::vector<FlowStep>> Model::deliver_steps(Path path, Set m, Set goal, bool must,
                                                     const PredicatePtr& to) {
  return call(*impl_, [&] { return impl_->deliver_steps(path, m, goal, must, to); });
}
Budgeted<std::vector<FlowStep>> Model::connect_steps(Path path, Set m, Set goal, bool must,
                                                     const PredicatePtr& to) {
  return call(*impl_, [&] { return impl_->connect_steps(path, m, goal, must, to); });
}
Budgeted<std::vector<FlowStep>> Model::track_steps(Path path, Set m, const std::string& entry_state,
                                                   Set goal, bool must, const PredicatePtr& to) {
  return call(*impl_, [&] { return impl_->track_steps(path, m, entry_state, goal, must, to); });
}

Budgeted<Quotable> Model::quotable(Path path, Set error, const QuotedEntry& entry, bool must) {
  return call(*impl_, [&] { return impl_->quotable(path, error, entry, must); });
}
Budgeted<Quotable> Model::openers(Path path, Set error, const QuotedEntry& entry) {
  return call(*impl_, [&] { return impl_->openers(path, error, entry); });
}
Budgeted<std::vector<FlowStep>> Model::entry_steps(Path path, Set flows, const QuotedEntry& entry,
                                                   FlowEnd end, bool must) {
  return call(*impl_, [&] { return impl_->entry_steps(path, flows, entry, end, must); });
}

Budgeted<const Structure*> Model::structure() {
  return call(*impl_, [&]() -> const Structure* { return &impl_->facts(); });
}

std::vector<RuleId> Model::opaque_rules() const { return impl_->chains.opaque_rules(); }
std::vector<RuleId> Model::unmodelled_rules() const { return impl_->chains.unmodelled_rules(); }

Budgeted<DefaultAccept> Model::accepted_by_default(Path path, Set beginning) {
  return call(*impl_, [&] { return impl_->accepted_by_default(path, beginning); });
}

Budgeted<Conversed> Model::conversed(Path path, Set flows) {
  return call(*impl_, [&] { return impl_->conversed(path, flows); });
}

Budgeted<Surroundings> Model::surroundings(Path path, const PredicatePtr& m, Denied denied) {
  return call(*impl_, [&] { return impl_->surroundings(path, m, denied); });
}

Budgeted<bool> Model::same_entries_without(RuleId rule) {
  return call(*impl_, [&] { return impl_->same_entries_without(rule); });
}

}  // namespace postern
