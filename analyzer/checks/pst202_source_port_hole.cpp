// PST202: one source port can connect to at least two destination ports that are closed to an
// arbitrary source port from 1024 on. TCP and UDP, on every path that begins outside (and on lo).
// Holes through one rule are one finding. Covered by tests/cli/lint_golden_test.cpp.
#include <fmt/format.h>

#include <map>

#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/port_hole.hpp"
#include "net/protocol.hpp"

namespace postern::check {
namespace {

class SourcePortHoles {
 public:
  explicit SourcePortHoles(LintRun& run) : run_(run) {}

  void ask(Path path, std::uint8_t protocol) {
    const std::string question = fmt::format("is there a source port that opens others ({}, {})",
                                             protocol_name(protocol), text(path));
    const auto search = search_port_holes(*run_.model(), *run_.program(), path, protocol);
    if (!search) return leave_open(question, std::string(why(search.error())));
    if (search->unmodelled) return run_.leave_unmodelled("PST202", question);
    if (search->undecided) {
      return leave_open(question,
                        "what an arbitrary source port can reach depends on what the text does "
                        "not decide (chance, time, sets, the values that NAT takes)");
    }
    for (const HoleFlow& hole : search->holes) add(hole, path, protocol, *search, question);
    for (const HoleFlow& hole : search->conditional) add(hole, path, protocol, *search, question);
    run_.answered();
  }

  void report() {
    for (Finding& finding : findings_) run_.report(std::move(finding));
  }

 private:
  void leave_open(const std::string& question, std::string why) {
    run_.leave_open({.id = "PST202", .question = question, .why = std::move(why)});
  }

  void add(const HoleFlow& hole, Path path, std::uint8_t protocol, const HoleSearch& search,
           const std::string& question) {
    Space& space = run_.model()->space();
    Answer answer = run_.ask(words_for(Verb::kConnect, space, path, hole.flow), path);
    if (answer.truth != Truth::kYes) {
      return leave_open(question, answer.reasons.empty() ? "the witness was not confirmed"
                                                         : answer.reasons.front());
    }
    if (search.others_undecided) make_conditional(answer);
    auto rule = port_testing_rule(*run_.program(), answer);
    if (!rule) rule = accepting_rule(*run_.program(), answer.beginning());
    const std::string where = fmt::format("{} ({})", protocol_name(protocol), text(path));
    if (rule && merged(*rule, hole, where)) return;
    Finding finding{.id = "PST202"};
    if (!answer.conditional) finding.severity = Severity::kError;
    finding.place = rule ? place_of(*run_.program(), *rule) : policy_place(*run_.program(), path);
    finding.message =
        fmt::format("whoever binds {} {} connects{} to ports that are closed to others",
                    is_one_value(hole.ports.sport)
                        ? fmt::format("{} source port", protocol_name(protocol))
                        : fmt::format("one of the {} source ports", protocol_name(protocol)),
                    text(hole.ports.sport), over_loopback(path));
    finding.reasons = {fmt::format(
        "a source port is chosen by the client; an arbitrary one such as {} is kept out "
        "of these ports",
        to_decimal(search.arbitrary_port))};
    finding.help = "accept answers by --ctstate ESTABLISHED,RELATED instead of by their ports";
    finding.hole = hole.ports;
    finding.answer = std::move(answer);
    if (rule) by_rule_[*rule] = findings_.size();
    findings_.push_back(std::move(finding));
  }

  // The hole is there only while others are kept out.
  void make_conditional(Answer& answer) {
    answer.conditional = true;
    answer.assumptions.push_back(
        "an arbitrary source port is kept out, which hangs on what the text does not decide "
        "(chance, "
        "time, sets, the values that NAT takes)");
  }

  // The rule has a finding already: say there what else it opens.
  bool merged(RuleId rule, const HoleFlow& hole, const std::string& where) {
    const auto known = by_rule_.find(rule);
    if (known == by_rule_.end()) return false;
    findings_[known->second].reasons.push_back(
        fmt::format("the same rule for {}: {} opens {}, of these only thus {}", where,
                    source_ports_text(hole.ports.sport), text(hole.ports.opens),
                    text(hole.ports.opens_only_thus)));
    return true;
  }

  LintRun& run_;
  std::vector<Finding> findings_;
  std::map<RuleId, std::size_t> by_rule_;
};

}  // namespace

void source_port_hole(LintRun& run) {
  if (run.model() == nullptr) {
    run.leave_open({.id = "PST202",
                    .question = "is there a source port that opens others",
                    .why = std::string(why(run.ended()))},
                   2 * std::size(kFilteredPaths));
    return;
  }
  SourcePortHoles holes(run);
  for (const std::uint8_t protocol : {protocol::kTcp, protocol::kUdp}) {
    for (const Path path : kFilteredPaths) holes.ask(path, protocol);
  }
  holes.report();
}

}  // namespace postern::check
