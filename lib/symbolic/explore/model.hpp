// The packet-set reader of one ruleset: exact sets of flows for the three questions (design.md 4,
// "Flows"), for all flows at once, by a fixpoint over the states of a flow's conntrack entry.
//
//   auto model = Model::build(program, questions, options);          // questions: only for their
//   cuts auto m = (*model)->question(Path::kLoopback, predicate);          // M as a set auto
//   answer = (*model)->connect(Path::kLoopback, *m); if (!answer->flows.must.empty()) ... // yes,
//   for every value of opaques
//
// Every answer is a Triple of sets. `may`: for some value of the opaques (limit, statistic, unknown
// modules ...: independent at each evaluation); `must`: for all of them; `unmodelled`: points for
// which something on the way is not modelled (NAT, zones, helpers): the honest answer there is
// `unknown`. Points in none of the three are proved impossible, for packet sequences of any length.
//
// Everything may end in BudgetEnded (the node limit): then the answer is `unknown`.
// A model is not thread-safe (asking adds nodes); several models are independent.
// Covered by tests/unit/flow_sets_test.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "flow/program.hpp"
#include "scenario/scenario.hpp"
#include "symbolic/entries/abstract_entry.hpp"
#include "symbolic/explore/expected_flows.hpp"
#include "symbolic/explore/surroundings.hpp"
#include "symbolic/nat/translation.hpp"
#include "symbolic/sets/space.hpp"

namespace postern {

template <class T>
using Budgeted = tl::expected<T, BudgetEnded>;

// The value; the end of a budget is thrown, for one catch around many steps.
template <class T>
T take(Budgeted<T> value) {
  if (!value) throw value.error();
  return std::move(*value);
}

struct ModelOptions {
  TrackingMode tracking = TrackingMode::kAuto;
  ConntrackConfig conntrack = {};
  std::size_t node_limit = 12'000'000;  // 24 bytes each, roughly
  Bdd::Deadline deadline = {};          // of building, and of what follows
  // Of each call of a public function, where no deadline stands.
  std::optional<std::chrono::milliseconds> call_limit = {};
  bool route_localnet = false;  // some interface takes packets to 127.0.0.0/8 off its wire
  // Other packets of a flow may change its entry between two hooks of one (interleaved.hpp): more
  // may happen than does.
  bool interleaved = false;
};

struct Triple {
  Set may, must, unmodelled;
};

// The state of a flow between two packets: its entry (0: none; else an index into Model::entries())
// and, in `deliver`, whether a packet has reached the far end. The connmark of the entry is in the
// sets (axis kConnmark).
struct FlowState {
  std::uint16_t entry = 0;
  bool reached = false;
  // How NAT bound the entry: index into Translations::variants() of the path, from 1; 0: not at
  // all. One that is bound stands alone here (edges_zones.cpp).
  std::uint16_t nat = 0;
  auto operator<=>(const FlowState&) const = default;
};

// One of a flow's entries in several zones.
struct EntryPart {
  std::uint16_t zone = 0;   // as conntrack -L prints it: the id of either direction
  std::uint8_t pair = 0;    // number of the pair of zones (zones.hpp)
  std::uint16_t entry = 0;  // index into Model::entries()
};

// What users call the entry: state word, who is the originator, status bits.
struct EntryInfo {
  std::uint8_t protocol_class = 0;  // 6 TCP, 17 UDP, 1 ICMP, ...; 0 generic
  std::string state;                // "SYN_SENT"; empty for stateless protocols
  bool by_responder = false;        // roles swapped: the flow's responder is its originator
  bool seen_reply = false, assured = false;
  std::string text;     // hidden state included
  AbstractEntry entry;  // one representative, where alike ones were merged
  // Of entries in other zones than the default one: all that stand; the rest is said of the first.
  std::vector<EntryPart> parts;
};

// Does one of the entries that the number stands for pass the test?
template <class Test>
bool any_entry(std::span<const EntryInfo> infos, std::uint16_t number, const Test& test) {
  if (number == 0) return false;
  if (infos[number].parts.empty()) return test(infos[number]);
  for (const EntryPart& part : infos[number].parts) {
    if (test(infos[part.entry])) return true;
  }
  return false;
}

// One packet (or one wait) of a sequence. `packets` are the packets that do this, over flow and
// packet axes: the witness takes its canonical element. `segment` says what conntrack makes of it.
struct FlowStep {
  bool wait = false;        // no packet: the entry expires
  bool reply = false;       // sent by the responder
  std::uint16_t nat = 0;    // the binding under which the packet goes, as FlowState::nat
  bool translated = false;  // an answer under NAT: its headers are those of the entry's reply tuple
  std::uint8_t pair = 0;    // the zones of the entry that it meets or makes (zones.hpp)
  bool fresh = false;       // it finds no entry
  bool quotes = false;      // an ICMP error about another flow, which is bound as `nat`
  std::uint8_t zone = 0;    // the packet's own pair
  FlowState before, after;
  CtState state = CtState::kInvalid;  // seen after the (last) lookup
  std::string segment;                // "SYN", "ACK", "request", ... and how its numbers lie
  std::uint16_t transition = 0;       // index into Model::transitions
  PacketKind kind = PacketKind::kGeneric;
  Condition condition = Condition::kAlways;  // which numbers make it come true
  SctpPacket sctp = {};                      // its chunks
  bool coarse = false;  // an over-approximated outcome: no `yes` may rest on it
  bool accepted = false;
  Set quoted_mark = kEverything;  // connmarks (kConnmark) of the flow that it quotes
  bool announced = false;  // its flow had been announced by a helper: another flow comes before it
  std::string payload = {};  // what its bytes say, if it matters
  Set packets;
};

// A set of flows that reached a state, split by how many steps it took (waits count as steps).
struct Reached {
  FlowState state;
  Set flows;                  // flow axes and kConnmark
  std::vector<Set> by_depth;  // new at that depth; their union is `flows`
};

// The fixpoint: every state that some flow can be in. `reached` is inductive: closed under every
// packet that may be sent and under expiry (what the Z3 certificate re-checks).
struct Exploration {
  std::vector<Reached> states;  // sorted by state
  Set unmodelled;               // flows that met something that is not modelled
  unsigned depth = 0;           // layers until nothing changed
};

// deliver: packets over flow and packet axes (and kInitialMark).
struct DeliverAnswer {
  Triple packets;             // that match M and can be accepted at the destination
  std::vector<Set> by_depth;  // `may`, split by how many steps come before (minimal)
  std::vector<Set> must_by_depth;
  Exploration may, must;  // the outsider's world, M or not
  // Flows whose first end may send an error that is RELATED (may), with the connmark of the flow
  // that it quotes (kConnmarkBefore) and the error's own pair of zones (kZone), by that one's
  // binding.
  std::map<std::uint16_t, Set> related;
  // ICMP errors which NAT may lead on, with the opener of the flow that they quote, and which are
  // then let through. (What is not in packets.may is in packets.unmodelled.)
  Set led = kNothing;
  // Some error is not among the answer's, and nothing else than the sets' walk says why.
  bool errors_unchecked = false;
  // Those of packets.unmodelled that are left open only because the flow may be from an address to
  // itself.
  Set to_itself = kNothing;
};

// ICMP errors that routing would keep from a path, and NAT may lead to it. Where deliver() follows
// them (errors_to_openers() has some) `asked` are to be asked about there beside question(); else
// `open` are those that some rules may let through, and `asked` the others.
struct LedHere {
  Set asked = kNothing, open = kNothing;
};

// What is known of the entry that an ICMP error carries.
struct QuotedEntry {
  std::uint16_t nat = 0;   // as FlowState::nat
  Set mark = kEverything;  // kConnmark
  std::uint8_t zone = 0;   // the error's own pair of zones, in which it is found
};

// Flows (of `path`) that an ICMP error may quote. They end where it goes to or, `opened`, begin
// there; none of them after `steps` or more.
struct Quotable {
  Set flows = kNothing;
  Path path = Path::kIn;
  bool opened = false;
  std::size_t steps = SIZE_MAX;
};

// In which pairs of zones the packets of a flow come to a lookup, sent by either end and however
// NAT has bound it (flow axes). `several`: in more than one, or in one that tells the directions
// apart.
struct FlowZones {
  std::vector<Set> in;  // by pair
  Set several = kNothing;
};

// connect: flows (flow axes). script[k] names the k-th packet.
struct ConnectAnswer {
  Triple flows;
  Set to_itself = kNothing;  // as DeliverAnswer's
};

// track: flows for which some sequence leaves an entry of the wanted kind.
struct TrackAnswer {
  Triple flows;
  std::vector<Set> by_depth;
  std::vector<Set> must_by_depth;
  Exploration may, must;
};

// How one rule lives, over everything that can happen (all paths, directions, states of all flows,
// and the host's own replies).
struct RuleFacts {
  bool alone = false;  // its own conditions can hold together, for some packet at some hook of it
  std::vector<std::size_t> at_odds = {};  // else: few of its clauses that already cannot
  bool called = false;                    // some packet gets to its chain
  bool reached = false;                   // ... and to the rule, matching or not
  bool matched = false;                   // ... and matches (may)
  bool unmodelled = false;  // something before it is not modelled: a negative fact is not proved
  // Why a rule that is alone and called never matches; nothing of it when that is not known.
  bool excluded = false;     // its conditions and those of `jumps` exclude each other
  bool wrong_state = false;  // its packets arrive, but never in a state that it, or a jump, names
  std::vector<RuleId> jumps = {};         // on the ways from built-in chains to it
  std::vector<RuleId> taken_by = {};      // earlier rules that take its packets: few that suffice
  std::vector<RuleId> untracked_by = {};  // wrong_state: NOTRACK rules that meet them
};

struct Structure {
  std::vector<RuleFacts> rules;  // by RuleId
  // Flows under NAT were walked as they are bound: of a rule of the nat table, which meets first
  // packets only, all is said.
  bool follows_nat = false;
};

// What the filter table's INPUT (paths in and loopback) or FORWARD lets in although no rule of it
// was meant to: packets that come to its policy, or to a last rule without conditions, which
// accepts. PST201.
struct DefaultAccept {
  Set packets = {};                 // surely (for every value of opaques); flow and packet axes
  std::optional<RuleId> rule = {};  // the last rule; nullopt: the policy
  std::vector<RuleId> drops = {};   // rules there that drop packets of the same kind (may)
  bool unmodelled = false;
};

// By rule: the source ports (axis kInitiatorPort) of flows whose packets come to it in an honest
// conversation: of the first end, and of the other.
struct Conversed {
  std::vector<Set> asking, answering;
};

class Automaton;

class Model {
 public:
  // `program` must outlive the model. `questions` are predicates whose cuts must be kept apart.
  static Budgeted<std::unique_ptr<Model>> build(const Program& program,
                                                std::span<const PredicatePtr> questions,
                                                const ModelOptions& options);
  ~Model();

  Space& space();
  bool tracking() const;
  std::span<const EntryInfo> entries() const;  // [0] is "no entry"
  // What the entries' numbers stand for in several zones.
  const Automaton& automaton() const;

  // From then on everything ends in BudgetEnded; nullopt: never. Building has its own
  // (ModelOptions).
  void set_deadline(Bdd::Deadline deadline);

  // Initiator's packets that match M as first seen (in PREROUTING, or OUTPUT) and can set out on
  // the path: flow axes, packet axes and kInitialMark. May be called for any path.
  Budgeted<Set> question(Path path, const PredicatePtr& m);
  // ICMP errors that match M and are not in question(): they may be led to the path by NAT as
  // RELATED to a flow whose opener got their destination. Axes as question()'s.
  Budgeted<LedHere> errors_led_here(Path path, const PredicatePtr& m);
  // Every ICMP error that may be so led, whatever routing makes of it.
  Budgeted<Set> errors_to_openers(Path path);
  // Flows that may be from an address and port to themselves, as far as the classes tell.
  Set may_be_own_tuple(Path path);
  // Protocols (flow axes) of which conntrack keeps no ports, where some rule tells these apart: an
  // entry that flows on other ports made may let a packet through (`unmodelled`). Z3 is not asked.
  Set entries_without_ports();
  // Everything that can set out on the path.
  Budgeted<Set> anything(Path path);
  // Everything that one end may send on the path of a flow, as the fixpoint takes it: the
  // initiator's half is anything(path). Flow axes, packet axes and kInitialMark.
  Budgeted<Set> sendable(Path path, bool reply);
  // Those of `flows` (flow axes) whose packets may be bound by a NAT rule that is followed.
  Budgeted<Set> under_nat(Path path, Set flows);
  // Flows whose entries NAT may make on another path, where their INVALID packets come by this one.
  Budgeted<Set> strays(Path path, Set flows);
  // Flows so bound whose answers may arrive as such though they find no entry in their zones.
  Budgeted<Set> comes_back(const NatVariant& nat);
  // Flows of the path that a binding may leave as they are.
  Budgeted<Set> unchanged(Path path, const NatVariant& nat);
  // Where over lo each of the flows meets zones: what has several of them is followed apart.
  Budgeted<FlowZones> zones(Path path, Set flows);
  // Flows whose first packet may fulfil an expectation, as deliver, connect and track take it.
  Budgeted<ExpectedFlows> expected(Path path);
  // Honest conversations that announce the flow (`goal`: one flow) of a step that is: the simplest
  // first.
  Budgeted<std::vector<Master>> masters(Path path, Set goal, const FlowStep& step);
  Budgeted<std::vector<FlowStep>> master_steps(const Master& master, Set flow, bool must);
  // May NAT change the destination of the path's first packets before routing?
  bool moves_destination(Path path) const;
  const Translations& translations() const;
  // Where NAT may move the destination: what the responder can send in answer to a packet that was
  // moved, and what the initiator sends that routing takes along the path as it is.
  Budgeted<Set> sendable_translated(Path path);
  Budgeted<Set> routed(Path path);
  // The state number of an entry between packets (merged ones share it); nullopt: not a state.
  std::optional<std::uint16_t> entry_index(const AbstractEntry& entry) const;

  // `to`: a test of the destination (address and port) that the packet, connect: the first packet,
  // has where it arrives, track: to which the entry leads the initiator's packets; null: any.
  Budgeted<DeliverAnswer> deliver(Path path, Set m, const PredicatePtr& to = nullptr);
  Budgeted<ConnectAnswer> connect(Path path, Set m, const PredicatePtr& to = nullptr);
  // `entry_state`: EntryInfo::state must be this; empty: any entry.
  Budgeted<TrackAnswer> track(Path path, Set m, const std::string& entry_state = {},
                              const PredicatePtr& to = nullptr);

  // A shortest sequence for one flow: `goal` is a part of the answer's set (must not be empty; the
  // flow axes should be fixed, for the steps to belong together). The last step is the goal's own
  // packet.
  Budgeted<std::vector<FlowStep>> deliver_steps(Path path, Set m, Set goal, bool must,
                                                const PredicatePtr& to = nullptr);
  Budgeted<std::vector<FlowStep>> connect_steps(Path path, Set m, Set goal, bool must,
                                                const PredicatePtr& to = nullptr);
  Budgeted<std::vector<FlowStep>> track_steps(Path path, Set m, const std::string& entry_state,
                                              Set goal, bool must,
                                              const PredicatePtr& to = nullptr);

  // Flows that leave such an entry, and that an ICMP error of `error` (one flow) may quote, after
  // the fewest steps.
  Budgeted<Quotable> quotable(Path path, Set error, const QuotedEntry& entry, bool must);
  // Flows of `path` that leave such an entry after the fewest steps, and whose initiator is where
  // an error of `error` (one flow) leaves to: if that can be, by the interface that the error comes
  // by.
  Budgeted<Quotable> openers(Path path, Set error, const QuotedEntry& entry);
  // A shortest sequence after which such an entry stands, for one flow; an error that goes to that
  // end finds it.
  Budgeted<std::vector<FlowStep>> entry_steps(Path path, Set flows, const QuotedEntry& entry,
                                              FlowEnd end, bool must);

  // Per-rule facts for the structural checks. Computed once.
  Budgeted<const Structure*> structure();

  // The rules whose opaques or unmodelled effects the packets of a step meet, in order: what a
  // conditional answer lists.
  std::vector<RuleId> opaque_rules() const;
  std::vector<RuleId> unmodelled_rules() const;

  // `beginning`: a flow's first packets, as question() gives them; of these, the NEW and UNTRACKED
  // ones (all, when tracking is off).
  Budgeted<DefaultAccept> accepted_by_default(Path path, Set beginning);

  // Where the packets of honest conversations go. `flows`: flow axes.
  Budgeted<Conversed> conversed(Path path, Set flows);

  // What a `no` about M takes for granted of the host and its wires.
  Budgeted<Surroundings> surroundings(Path path, const PredicatePtr& m, Denied denied);

  // Does the ruleset without `rule` leave the same entries after every sequence (PST302)?
  Budgeted<bool> same_entries_without(RuleId rule);

  struct Impl;

 private:
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern
