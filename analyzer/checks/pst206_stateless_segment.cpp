// PST206: a TCP segment is delivered to a port to which no connect from that source holds. Segments
// that one rule lets in are one finding. Covered by tests/cli/lint_golden_test.cpp.
#include <fmt/format.h>

#include <set>

#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/flows.hpp"
#include "net/protocol.hpp"

namespace postern::check {
namespace {

// A finding takes all that its rule could have let in, so this many rules per path are enough.
constexpr int kMostRules = 32;

class StatelessSegments {
 public:
  StatelessSegments(LintRun& run, Path path)
      : run_(run), path_(path), bdd_(run.model()->space().bdd()) {}

  void ask() {
    try {
      if (!sets()) return leave_open(std::string(kBudgetEnded));
      search();
    } catch (const BudgetEnded&) {
      leave_open(std::string(kBudgetEnded));
    }
  }

 private:
  std::string question() const {
    return fmt::format("are TCP segments let in where nobody can connect ({})", text(path_));
  }
  void leave_open(std::string why) {
    run_.leave_open({.id = "PST206", .question = question(), .why = std::move(why)});
  }

  bool sets() {
    const auto tcp = run_.model()->question(path_, protocol_is(protocol::kTcp));
    if (!tcp) return false;
    // Nobody connects to a broadcast, whatever the rules say.
    const Set m = to_one_host(run_.model()->space(), *tcp);
    const auto delivered = run_.model()->deliver(path_, m);
    const auto connected = run_.model()->connect(path_, m);
    if (!delivered || !connected) return false;
    const Set closed_to = bdd_.either(connected->flows.may, connected->flows.unmodelled);
    stray_ = bdd_.minus(delivered->packets.must, closed_to);
    const Set possible = bdd_.either(delivered->packets.may, delivered->packets.unmodelled);
    maybe_stray_ = bdd_.minus(delivered->packets.may, connected->flows.must);
    maybe_unmodelled_ = bdd_.both(bdd_.either(delivered->packets.unmodelled,
                                              bdd_.both(possible, connected->flows.unmodelled)),
                                  bdd_.complement(connected->flows.must));
    return true;
  }

  void search() {
    Set rest = stray_;
    for (int round = 0; !rest.empty() && round < kMostRules; ++round) rest = take_one(rest);
    if (gave_up_) return;
    if (stray_.empty() && !maybe_unmodelled_.empty()) {
      return run_.leave_unmodelled("PST206", question());
    }
    if (stray_.empty() && !maybe_stray_.empty()) {
      return leave_open(
          "whether they pass, or whether one can connect, depends on rules that the "
          "text does not decide");
    }
    run_.answered();
  }

  // Reports the canonical segment of `rest` and returns what its rule does not explain: the flows
  // that begin elsewhere.
  Set take_one(Set rest) {
    Space& space = run_.model()->space();
    const FlowPoint point = canonical_point(space, path_, rest, true);
    Answer answer = run_.ask(words_for(Verb::kDeliver, space, path_, point), path_);
    if (answer.truth != Truth::kYes) {
      leave_open(answer.reasons.empty() ? "the witness was not confirmed" : answer.reasons.front());
      gave_up_ = true;
      return kNothing;
    }
    const auto rule = accepting_rule(*run_.program(), answer.witness.front());
    report(rule, std::move(answer));
    if (!rule) return kNothing;
    const auto explained = run_.model()->question(path_, way_to(*run_.program(), *rule));
    if (!explained) return kNothing;
    const Set flows = space.exists(bdd_.either(*explained, point_set(space, point)), packet_axes());
    return bdd_.minus(rest, flows);
  }

  // Another path may have led to the same rule: one cause, one finding.
  bool merged(Span place) {
    for (Finding& finding : run_.findings()) {
      if (finding.id != "PST206" || finding.place.span != place) continue;
      finding.reasons.push_back(fmt::format("the same happens on the path {}", text(path_)));
      return true;
    }
    return false;
  }

  void report(std::optional<RuleId> rule, Answer answer) {
    if (rule && merged(run_.program()->rules()[*rule].rule->span)) return;
    Finding finding{.id = "PST206"};
    if (rule) {
      finding.place = place_of(*run_.program(), *rule);
      finding.message =
          "this rule lets TCP segments in to ports to which nobody can connect from there";
    } else {
      finding.place = policy_place(*run_.program(), path_);
      finding.message = fmt::format(
          "the policy of {} lets TCP segments in to ports to which nobody "
          "can connect from there",
          finding.place.chain);
    }
    const bool opens = answer.witness.front().packet.flags == tcp_flag::kSyn;
    finding.reasons = {
        opens ? "even the SYN gets in, but the connection cannot be held: some later packet "
                "of it is dropped"
              : "no connection can be opened there, yet the segment reaches its port: "
                "enough to scan ports and to disturb connections"};
    finding.help = opens
                       ? "accept the answers, too, or drop what cannot be answered"
                       : "accept only segments of known connections: --ctstate ESTABLISHED,RELATED";
    finding.answer = std::move(answer);
    run_.report(std::move(finding));
  }

  LintRun& run_;
  Path path_;
  Bdd& bdd_;
  Set stray_, maybe_stray_, maybe_unmodelled_;
  bool gave_up_ = false;
};

}  // namespace

void stateless_segment(LintRun& run) {
  if (run.model() == nullptr) {
    run.leave_open({.id = "PST206",
                    .question = "are TCP segments let in where nobody can connect",
                    .why = std::string(kBudgetEnded)},
                   std::size(kFilteredPaths));
    return;
  }
  for (const Path path : kFilteredPaths) StatelessSegments(run, path).ask();
}

}  // namespace postern::check
