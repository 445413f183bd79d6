// PST201: in INPUT or FORWARD the policy or a last unconditional rule accepts, although some rule
// there drops NEW traffic. "NEW" are packets that begin a flow: in state NEW, or without any state
// where they are UNTRACKED or tracking is off. Covered by tests/cli/lint_test.cpp.
#include <fmt/format.h>

#include <set>

#include "analyzer/checks/checks.hpp"
#include "analyzer/checks/flows.hpp"
#include "net/protocol.hpp"

namespace postern::check {
namespace {

// What can begin a flow: no answers, no ICMP errors. conntrack calls a TCP segment NEW when it is a
// SYN or a plain ACK (kernel-facts 28, 30).
PredicatePtr begins_flow(Family family) {
  const bool v4 = family == Family::kIpv4;
  const auto icmp = v4 ? protocol::kIcmp : protocol::kIcmpv6;
  const std::uint8_t flags = tcp_flag::kFin | tcp_flag::kSyn | tcp_flag::kRst | tcp_flag::kAck;
  const PredicatePtr kind = any(
      {all({protocol_is(protocol::kTcp), any({masked(Field::kTcpFlags, tcp_flag::kSyn, flags),
                                              masked(Field::kTcpFlags, tcp_flag::kAck, flags)})}),
       all({protocol_is(icmp), equals(Field::kIcmpType, v4 ? 8 : 128)}),
       negate(any({protocol_is(protocol::kTcp), protocol_is(icmp)}))});
  // Whole packets: a cut header may be dropped by a match instead of a rule (kernel-facts 42).
  return all({kind, equals(Field::kFragmentOffset, 0), equals(Field::kTruncated, 0)});
}

// What is found on the paths through one hook.
struct HookFindings {
  std::optional<Path> path;  // one with packets that are accepted by default
  Set packets = {};
  std::optional<RuleId> last;  // the last rule that accepts them; nullopt: the policy
  std::set<RuleId> drops;
  bool unmodelled = false;
};

Budgeted<HookFindings> look(LintRun& run, std::span<const Path> paths) {
  Model& model = *run.model();
  HookFindings all;
  for (const Path path : paths) {
    const auto beginning = model.question(path, begins_flow(run.ruleset().family));
    if (!beginning) return tl::unexpected(beginning.error());
    const auto found = model.accepted_by_default(path, *beginning);
    if (!found) return tl::unexpected(found.error());
    all.drops.insert(found->drops.begin(), found->drops.end());
    all.unmodelled = all.unmodelled || found->unmodelled;
    if (all.path || found->packets.empty()) continue;
    all.path = path;
    all.packets = found->packets;
    all.last = found->rule;
  }
  return all;
}

Finding finding_for(LintRun& run, std::string_view chain, const HookFindings& found) {
  const Program& program = *run.program();
  Finding finding{.id = "PST201"};
  finding.place = found.last ? place_of(program, *found.last) : policy_place(program, *found.path);
  finding.message =
      fmt::format("{} accepts by {} what no rule names, although it drops other new traffic", chain,
                  found.last ? "its last rule" : "its policy");
  finding.reasons = {"a list of what is forbidden is never complete"};
  finding.help = fmt::format("accept what is meant, then end {} with DROP", chain);
  for (const RuleId rule : found.drops) {
    finding.related.push_back({{}, place_of(program, rule), "new traffic is dropped here"});
  }
  return finding;
}

void ask(LintRun& run, std::string_view chain, std::span<const Path> paths) {
  const std::string question = fmt::format("does {} accept new traffic by default", chain);
  const auto found =
      run.model() == nullptr ? Budgeted<HookFindings>(tl::unexpect, run.ended()) : look(run, paths);
  if (!found) {
    return run.leave_open(
        {.id = "PST201", .question = question, .why = std::string(why(found.error()))});
  }
  if (!found->path || found->drops.empty()) {
    if (found->unmodelled) return run.leave_unmodelled("PST201", question);
    return run.answered();
  }
  Finding finding = finding_for(run, chain, *found);
  Space& space = run.model()->space();
  const FlowPoint point = canonical_point(space, *found->path, found->packets, true);
  Answer answer = run.ask(words_for(Verb::kDeliver, space, *found->path, point), *found->path);
  if (answer.truth != Truth::kYes) {
    return run.leave_open(
        {.id = "PST201",
         .question = question,
         .why = answer.reasons.empty() ? "the witness was not confirmed" : answer.reasons.front()});
  }
  finding.answer = std::move(answer);
  run.answered();
  run.report(std::move(finding));
}

}  // namespace

void default_accept(LintRun& run) {
  static constexpr Path kInput[] = {Path::kIn, Path::kLoopback}, kForward[] = {Path::kForward};
  ask(run, "INPUT", kInput);
  ask(run, "FORWARD", kForward);
}

}  // namespace postern::check
