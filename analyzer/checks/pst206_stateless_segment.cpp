// PST206: a TCP segment is delivered to a port to which no connect from that source holds, whatever
// the values of what the text does not decide (a port behind a rate limit is no closed port).
//
// Two kinds of causes are told apart. Where even the SYN gets in, some later packet of the
// conversation is dropped: one finding for each place that drops it. Elsewhere a rule lets in what
// cannot open a connection: one finding for each such rule. A rule that has several causes of one
// kind shows the first; the next appears once that is mended.
// Covered by tests/unit/lint_segment_test.cpp and tests/cli/lint_golden_test.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/conversation.hpp"
#include "analyzer/checks/flows.hpp"
#include "net/protocol.hpp"

namespace postern::check {
namespace {

// A finding takes all that its rule could have let in, so this many rules per path are enough.
constexpr int kMostRules = 64;

// One that is cut short has no ports to reach, and neither has a later fragment. Nobody connects
// from port 0, which rules against it need not drop from the middle of a connection, too.
PredicatePtr segments() {
  return all({protocol_is(protocol::kTcp), equals(Field::kTruncated, 0),
              equals(Field::kFragmentOffset, 0), negate(equals(Field::kSourcePort, 0))});
}

// What a witness of PST206 comes from.
struct Cause {
  std::optional<RuleId> rule;  // that lets the segment in; nullopt: a policy
  bool opens = false;          // the segment is a SYN
  Course course = {};          // then: what becomes of the rest
};

struct Known {
  Cause cause;
  std::size_t finding;  // index
  std::vector<Path> paths;
};

class StatelessSegments {
 public:
  explicit StatelessSegments(LintRun& run)
      : run_(run), space_(run.model()->space()), bdd_(run.model()->space().bdd()) {}

  void ask(Path path) {
    path_ = path;
    gave_up_ = false;
    try {
      sets();
      search();
    } catch (const BudgetEnded& ended) {
      leave_open(std::string(why(ended)));
    }
  }

  void report() {
    for (Finding& finding : findings_) run_.report(std::move(finding));
  }

 private:
  std::string question() const {
    return fmt::format("are TCP segments let in where nobody can connect ({})", text(path_));
  }
  void leave_open(std::string why) {
    run_.leave_open({.id = "PST206", .question = question(), .why = std::move(why)});
  }

  void sets() {
    const Set tcp = take(run_.model()->question(path_, segments()));
    // Nobody connects to a broadcast, or from no address at all, whatever the rules say.
    const Set all = between_hosts(space_, path_, tcp, run_.model()->moves_destination(path_));
    const Set m = path_ == Path::kLoopback ? stays_here(of_this_host(space_, all)) : all;
    const DeliverAnswer delivered = take(run_.model()->deliver(path_, m));
    const ConnectAnswer connected = take(run_.model()->connect(path_, m));
    const Set possible = bdd_.either(delivered.packets.may, delivered.packets.unmodelled);
    const Set closed = bdd_.minus(possible, connected.flows.may);
    // Where NAT may take a flow another way, that way decides whether one can connect.
    const Set elsewhere = take(run_.model()->strays(path_, space_.exists(m, packet_axes())));
    const Triple there =
        connected_there(space_.exists(bdd_.both(closed, elsewhere), packet_axes()));
    const Set maybe_there = bdd_.minus(bdd_.either(there.may, there.unmodelled), there.must);
    const Set here = bdd_.minus(closed, there.must);
    const Set undecided = bdd_.either(connected.flows.unmodelled, maybe_there);
    const Set surely = bdd_.both(bdd_.minus(here, undecided), delivered.packets.may);
    stray_ = bdd_.both(surely, delivered.packets.must);
    if (stray_.empty()) stray_ = surely;
    // A socket that talks to itself is nobody's hole.
    const Set let_in = bdd_.minus(delivered.packets.unmodelled, delivered.to_itself);
    const Set open = bdd_.minus(undecided, connected.to_itself);
    maybe_unmodelled_ = bdd_.both(here, bdd_.either(let_in, open));
  }

  // Where NAT may lead a flow out (docker's published ports), it is no flow over loopback.
  Set stays_here(Set flows) {
    return bdd_.minus(flows,
                      take(run_.model()->strays(path_, space_.exists(flows, packet_axes()))));
  }

  // Which of the flows hold a conversation on the path that NAT may take them to? There they differ
  // in the interface that the changed destination gives.
  Triple connected_there(Set flows) {
    if (flows.empty()) return {kNothing, kNothing, kNothing};
    const Path other = path_ == Path::kIn ? Path::kForward : Path::kIn;
    const std::array differs{Axis::kResponderInterface};
    const Set tcp = take(run_.model()->question(other, segments()));
    const Set same = bdd_.both(tcp, space_.exists(flows, differs));
    const ConnectAnswer connected = take(run_.model()->connect(
        other, between_hosts(space_, other, same, run_.model()->moves_destination(other))));
    const auto here = [&](Set set) { return bdd_.both(flows, space_.exists(set, differs)); };
    const Triple& all = connected.flows;
    return {here(all.may), here(all.must), here(all.unmodelled)};
  }

  void search() {
    const Set syns =
        bdd_.both(stray_, space_.values(Axis::kTcpFlags, tcp_flag::kSyn, tcp_flag::kSyn));
    const Set opened = space_.exists(syns, packet_axes());
    unheard_ = kNothing;
    take_all(syns);
    take_all(bdd_.minus(bdd_.minus(stray_, syns), bdd_.minus(opened, unheard_)));
    if (gave_up_) return;
    if (stray_.empty() && !maybe_unmodelled_.empty()) {
      return run_.leave_unmodelled("PST206", question());
    }
    run_.answered();
  }

  void take_all(Set rest) {
    for (int round = 0; !rest.empty() && round < kMostRules; ++round) rest = take_one(rest);
  }

  // A segment that gets in only because its checksum is wrong, which makes it INVALID, is heard by
  // no end: others of its flow may be.
  Set without_unheard(Set rest, const FlowPoint& point, const Answer& answer) {
    Set flows = space_.exists(point_set(space_, point), packet_axes());
    if (const auto rule = accepting_rule(*run_.program(), answer.beginning())) {
      const auto let_in = flows_let_in(*run_.model(), path_, *run_.program(), *rule);
      if (!let_in) return give_up(std::string(why(let_in.error())));
      flows = bdd_.either(flows, *let_in);
    }
    unheard_ = bdd_.either(unheard_, flows);
    const Set alike = space_.class_is(Axis::kTcpFlags, point.at(Axis::kTcpFlags).number);
    return bdd_.minus(rest, bdd_.both(flows, alike));
  }

  // Reports the canonical segment of `rest` and returns what its rule does not explain: the flows
  // that begin elsewhere.
  Set take_one(Set rest) {
    const FlowPoint point = canonical_point(space_, path_, rest, true);
    Answer answer = run_.ask(words_for(Verb::kDeliver, space_, path_, point), path_);
    if (answer.truth != Truth::kYes) {
      return give_up(answer.reasons.empty() ? "the witness was not confirmed"
                                            : answer.reasons.front());
    }
    if (answer.beginning().packet.bad_checksum) return without_unheard(rest, point, answer);
    Course conversation = hold_conversation(*run_.program(), answer);
    if (conversation.held) {
      return give_up("the sets say that nobody can connect, but the engine holds a conversation");
    }
    Cause cause{.rule = accepting_rule(*run_.program(), answer.beginning())};
    cause.opens = answer.beginning().packet.flags == tcp_flag::kSyn;
    if (cause.opens) cause.course = std::move(conversation);
    if (!cause.opens) answer = let_in_first(point, std::move(answer));
    add(cause, std::move(answer));
    if (!cause.rule) return kNothing;
    const auto explained = flows_let_in(*run_.model(), path_, *run_.program(), *cause.rule);
    if (!explained) return kNothing;
    const Set flows = space_.exists(point_set(space_, point), packet_axes());
    return bdd_.minus(rest, bdd_.either(*explained, flows));
  }

  // The segment that gets in before others is the hole, whatever may follow it.
  Answer let_in_first(FlowPoint point, Answer answer) {
    point.at(Axis::kTcpFlags).value = answer.beginning().packet.flags;
    if (answer.witness.size() == 1) return answer;
    Answer first = run_.ask(words_for(Verb::kDeliver, space_, path_, point), path_);
    const bool shorter = first.truth == Truth::kYes && first.witness.size() < answer.witness.size();
    return shorter ? first : answer;
  }

  Set give_up(std::string why) {
    leave_open(std::move(why));
    gave_up_ = true;
    return kNothing;
  }

  // Another rule, or another path, may have led to the same cause: one cause, one finding.
  bool merged(const Cause& cause) {
    for (Known& known : known_) {
      if (known.cause.opens != cause.opens) continue;
      const bool same_rule = known.cause.rule == cause.rule;
      const bool same_end = cause.course.broken && known.cause.course.broken == cause.course.broken;
      if (!same_end && !(same_rule && !cause.course.broken && !known.cause.course.broken)) continue;
      Finding& finding = findings_[known.finding];
      if (cause.rule && !same_rule) {
        add_start(finding, place_of(*run_.program(), *cause.rule));
      } else if (std::ranges::find(known.paths, path_) == known.paths.end()) {
        finding.reasons.push_back(fmt::format("the same happens on the path {}", text(path_)));
      }
      known.paths.push_back(path_);
      return true;
    }
    return false;
  }

  static void add_start(Finding& finding, Place place) {
    const bool known = std::ranges::any_of(
        finding.related, [&](const Related& related) { return related.place.span == place.span; });
    if (known || finding.place.span == place.span) return;
    finding.related.push_back({{}, std::move(place), "what this rule lets in ends there, too"});
  }

  void add(const Cause& cause, Answer answer) {
    if (merged(cause)) return;
    known_.push_back({cause, findings_.size(), {path_}});
    Finding finding{.id = "PST206"};
    finding.place =
        cause.rule ? place_of(*run_.program(), *cause.rule) : policy_place(*run_.program(), path_);
    const std::string who = cause.rule ? "this rule lets"
                            : finding.place.chain.empty()
                                ? "nothing in the filter table stops"
                                : fmt::format("the policy of {} lets", finding.place.chain);
    const std::string in = who.ends_with("lets") ? " in" : "";
    finding.message =
        fmt::format("{} TCP segments{}{} to ports to which nobody can connect from there", who, in,
                    over_loopback(path_));
    if (cause.opens) {
      tell_broken(cause, finding);
    } else {
      finding.reasons = {
          "no connection can be opened there, yet the segment reaches its port: enough to scan "
          "ports and to disturb connections"};
      finding.help = "accept only segments of known connections: --ctstate ESTABLISHED,RELATED";
    }
    finding.answer = std::move(answer);
    findings_.push_back(std::move(finding));
  }

  static void tell_broken(const Cause& cause, Finding& finding) {
    finding.help =
        "accept the answers, too (--ctstate ESTABLISHED), or drop what cannot be answered";
    if (cause.course.heard_by_strangers) {
      finding.reasons = {
          "even the SYN gets in, but NAT does not take all packets of the conversation alike, so "
          "that one end hears a stranger"};
      finding.help = "have conntrack see every packet of what NAT translates: no NOTRACK for some";
      return;
    }
    if (!cause.course.broken) {
      finding.reasons = {"even the SYN gets in, but the conversation cannot go on"};
      return;
    }
    finding.reasons = {fmt::format(
        "even the SYN gets in, but {} is dropped by {}{} {}", cause.course.broken->packet,
        cause.course.broken->by_policy ? "the policy of " : "",
        cause.course.broken->place.table ? text(*cause.course.broken->place.table) : "",
        cause.course.broken->place.chain)};
    finding.related.push_back(
        {{}, cause.course.broken->place, cause.course.broken->packet + " is dropped here"});
  }

  LintRun& run_;
  Space& space_;
  Bdd& bdd_;
  Path path_ = Path::kIn;
  Set stray_, maybe_unmodelled_;
  Set unheard_;  // flows whose SYN, as it gets in, no end hears
  bool gave_up_ = false;
  std::vector<Known> known_;
  std::vector<Finding> findings_;
};

}  // namespace

void stateless_segment(LintRun& run) {
  if (run.model() == nullptr) {
    run.leave_open({.id = "PST206",
                    .question = "are TCP segments let in where nobody can connect",
                    .why = std::string(why(run.ended()))},
                   std::size(kFilteredPaths));
    return;
  }
  StatelessSegments segments(run);
  for (const Path path : kFilteredPaths) segments.ask(path);
  segments.report();
}

}  // namespace postern::check
