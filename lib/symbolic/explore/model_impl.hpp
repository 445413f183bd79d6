// Inside Model: what its parts share. Not for other files' use.
#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "symbolic/explore/announcements.hpp"
#include "symbolic/explore/arrival.hpp"
#include "symbolic/explore/explore.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

// Both ends of the flows of one path.
struct PathGuards {
  Guards initiator, responder;
  Bindings bound = {};                   // where NAT is followed
  std::optional<LedErrors> errors = {};  // Model::Impl::lead_errors()
};

// ICMP errors that quote another flow.
struct RelatedErrors {
  // By the binding of the quoted flow (as FlowState::nat), with its connmark (kConnmarkBefore) and
  // the error's own pair of zones, in which it is found (kZone).
  std::map<std::uint16_t, Set> by_nat;
  Set unmodelled = kNothing;  // about flows that are not followed
  Set unchecked = kNothing;   // ... and surely not let through, as Z3 is not asked
};

// Is that end of the path's flows this host?
bool is_local(Path path, FlowEnd end);

struct Model::Impl {
  Impl(const Program& program_, std::span<const PredicatePtr> questions,
       const ModelOptions& options_);

  const Program& program;
  ModelOptions options;
  bool tracking;
  Space space;
  Translations translations;
  Templates templates;
  Reader reader;
  ChainWalker chains;
  Automaton automaton;
  std::map<std::tuple<Path, Set, bool>, std::unique_ptr<PathGuards>> guards_by_flows;
  std::map<std::pair<Path, FlowEnd>, Set> sendable_sets;
  std::optional<Structure> structure;
  Announcements announcements;

  Bdd& bdd() { return space.bdd(); }
  Set flows_of(Set packets) { return space.exists(packets, packet_axes()); }
  Set sendable(Path path, FlowEnd sender);
  // The guards of a path, for these flows (flow axes).
  // `follow`: NAT rules are followed, else they are not modelled.
  PathGuards& guards(Path path, Set flows, bool follow = false);
  Set walked_with(Path path, Set flows);
  void find_bindings(Path path, Set flows, Bindings& bound);
  Set comes_back(const NatVariant& nat);
  Set unchanged(Path path, const NatVariant& nat);
  // Flows whose end a binding to the range may leave as it is.
  Set perhaps_same(FlowEnd end, std::uint8_t range);
  // Flows that NAT may bind, somewhere, as far as the walk of the path tells (flow axes).
  Set bound_flows(Path path, Set flows);
  // In which zones they are (at least; of more flows, perhaps).
  const FlowZones& zones_of(Path path, Set flows);
  std::map<std::pair<Path, Set>, FlowZones> flow_zones;
  bool follows() const { return tracking && translations.some(); }
  // May what is sent to another end than the path's come to the path?
  bool moves_destination(Path path) const {
    return (follows() || translations.leads_elsewhere()) && translations.moves_destination(path);
  }
  // May a rule give a helper in a way that is not followed?
  bool strange_help() const {
    return postern::strange_help(templates, space.classes().zones, program);
  }
  // Does a rule ask for more of an entry than its state, direction and mark?
  bool reads_tuples() const;
  WalkOptions walk_options() const {
    return {.backend = program.ruleset().backend,
            .tracking = tracking,
            .interleaved = options.interleaved};
  }
  Explorer explorer(Path path, Set flows, Script script, bool must, bool follow = false);
  // Packets that carry a flow's entry without being of the flow: ICMP errors, the host's own resets
  // (others.cpp); and how they may change its connmark: over kConnmarkBefore and kConnmark.
  Set carriers(FlowEnd sender, bool resets);
  // Does some rule of raw do something else to a packet that has an entry?
  bool raw_heeds_entries() const;
  Set marks_by_others();
  std::optional<Set> marks_by_others_known;
  // Flows of m whose initiator may send an ICMP error that is RELATED to a flow that it opened.
  RelatedErrors related(Path path, Set m, bool must);
  const RelatedErrors& parent_addresses(Path path, bool must);
  static std::vector<Path> parent_paths(Path path);
  bool may_go_to(Path own, FlowEnd end, Path path) const;
  Set sources_of_nat();
  Set announced_parents(Path path, Set all);
  Set related_let_through(Path path);
  // led_errors.cpp
  bool leads_errors(Path path) const;
  Set errors_to_openers(Path path);
  LedHere errors_led_here(Path path, const PredicatePtr& m);
  void lead_errors(Path path, Set flows);
  Quotable openers(Path path, Set error, const QuotedEntry& entry);
  Quotable quotable(Path path, Set error, const QuotedEntry& entry, bool must);
  void look_for_quotable(Path path, Set flows, const QuotedEntry& entry, FlowEnd end, bool must,
                         Quotable& best);
  // Pairs of zones (kZone) in which an error to that end finds one of a flow's entries.
  Set quoted_in(std::uint16_t entry, FlowEnd end);
  std::map<std::pair<Path, bool>, RelatedErrors> parent_sets;
  const ExpectedFlows& expected(Path path, bool must) {
    return announcements.of(
        path, must ? Announcements::Certainty::kMust : Announcements::Certainty::kMay);
  }
  // shared_entries.cpp: DCCP, whose flows share entries, where a rule tells its ports apart (flow
  // axes).
  Set entries_without_ports();
  std::optional<Set> without_ports;
  // All flows of the path that share an entry with one of these.
  Set sharers(Path path, Set flows);
  // Where such flows get, if a state of one is all the others'.
  Exploration shared_world(Path path, Set flows, Script script);
  // What an entry that is shared may let through (packets of m), let both ends of say (flows of m),
  // lead to (flows of m), or have for parents that are none in this world.
  Set delivered_by_sharers(Path path, Set m, const Arrival& asked, Script script);
  Set connected_by_sharers(Path path, Set m, const Arrival& asked);
  Set tracked_by_sharers(Path path, Set m, const std::string& entry_state, const Arrival& asked);
  Set parents_by_sharers(Path path, Set all, const Exploration& world);
  // Flows of m that are answered `unknown` whatever the search finds: those that a helper's
  // expectation may let through.
  Set beyond(Path path, Set m);
  Set let_through_as_announced(Guards& end, std::uint16_t zone);
  // May there be flows on the path whose two directions are one tuple (from an address and port to
  // themselves)? Those that surely are such: never answered `yes`. Flow axes.
  bool to_itself(Path path) const;
  Set own_tuple(Path path);
  Set may_be_own_tuple(Path path);
  Set answered_over_lo(Path path);
  // Flows that may be such, and whose packets may meet several zones, or one of one direction: what
  // they find then is not followed.
  Set one_tuple_in_zones(Path path, Set flows);
  // Flows that had an entry at some moment which may lead them to where it is asked for, or that
  // met what is not modelled.
  Set with_entry(const Exploration& world, const Arrival& asked);
  // ... packets of m that may be delivered in a flow that may be such a one.
  Set delivered_to_itself(Path path, Set m, const Exploration& world, const Arrival& asked);
  void take_out(Set surely_own, Triple& answer, std::vector<Set>& may, std::vector<Set>& must);

  // What routing has the last word on, taken out of an answer: impossible, or `unknown` without the
  // host.
  void route(Path path, Triple& answer, std::vector<Set>& may, std::vector<Set>& must);
  // The searches that an answer takes, one by one: what must happen or may, and whether flows may
  // be expected.
  struct Search {
    bool must, expecting;
    bool whole = false;  // no packet has a wrong checksum
  };
  std::vector<Search> searches(Path path);
  Arrival arrival(Path path, const PredicatePtr& to) {
    return {space, reader, path, translations.variants(path), to};
  }
  // Flows that, left open, may arrive as asked for: NAT that is followed leads nowhere else.
  Set may_arrive(Path path, const Arrival& asked);
  DeliverAnswer deliver(Path path, Set m, const PredicatePtr& to);
  void deliver(Path path, Set m, Set flows, const Arrival& arrival, Search how,
               DeliverAnswer& answer);
  ConnectAnswer connect(Path path, Set m, const PredicatePtr& to);
  TrackAnswer track(Path path, Set m, const std::string& entry_state, const PredicatePtr& to);
  std::vector<FlowStep> deliver_steps(Path path, Set m, Set goal, bool must,
                                      const PredicatePtr& to);
  std::vector<FlowStep> deliver_steps(Path path, Set m, Set goal, Search how,
                                      const Arrival& arrival);
  std::vector<FlowStep> connect_steps(Path path, Set m, Set goal, bool must,
                                      const PredicatePtr& to);
  Set choose_mark(Set packets, Set errors, QuotedEntry& quoted);
  std::vector<FlowStep> track_steps(Path path, Set m, const std::string& entry_state, Set goal,
                                    bool must, const PredicatePtr& to);
  std::vector<FlowStep> entry_steps(Path path, Set flows, const QuotedEntry& entry, FlowEnd end,
                                    bool must);
  bool wanted(std::uint16_t entry, const std::string& entry_state) const;
  const Structure& facts();
  bool same_entries_without(RuleId rule);
  Set undecided(RuleId rule, const Binding& binding);
  Conversed conversed(Path path, Set flows);
  Surroundings surroundings(Path path, const PredicatePtr& m, Denied denied);
  std::vector<NatVariant> before_filter(Path path) const;
  DefaultAccept accepted_by_default(Path path, Set beginning);
};

}  // namespace postern
