// From sets of flows to questions in words, and from witnesses back to rules: what the checks that
// ask about whole flows share. Covered by tests/unit/lint_flows_test.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/between_hosts.hpp"
#include "analyzer/checks/check.hpp"

namespace postern {

// The paths on which somebody outside a program of this host begins a flow that a ruleset is there
// to filter: from a wire, through the host, and over lo.
inline constexpr Path kFilteredPaths[] = {Path::kIn, Path::kForward, Path::kLoopback};

PredicatePtr protocol_is(std::uint8_t protocol);

// One class of every axis that tells flows (and with `packet`, single packets) apart, and the value
// that stands for it.
struct AxisPoint {
  std::uint32_t number = 0;
  u128 value = 0;
};
using FlowPoint = std::map<Axis, AxisPoint>;
// The canonical element of a set that is not empty: over lo between 127.0.0.1 (::1) and itself, to
// port 80, where the set has such flows.
FlowPoint canonical_point(Space& space, Path path, Set flows, bool packet);
// The set of that one class of each axis.
Set point_set(Space& space, const FlowPoint& point);

// `verb` about exactly this flow, in the words of `postern query`: interfaces, addresses, ports,
// ICMP type, and the TCP flags when the point has them.
std::vector<std::string> words_for(Verb verb, const Space& space, Path path,
                                   const FlowPoint& point);

// The rule of the filter table that accepted this packet in INPUT or FORWARD (OUTPUT when it was
// the only one); nullopt when a policy did.
std::optional<RuleId> accepting_rule(const Program& program, const WitnessStep& step);
// The rule that lets this conversation pass because of its source port: the first that tests it (as
// destination port of an answer), of the filter table where it has one; nullopt when no rule of the
// witness does.
std::optional<RuleId> port_testing_rule(const Program& program, const Answer& answer);
// Does the packet match this rule on its way?
bool matches_rule(const Program& program, const WitnessStep& step, RuleId rule);

// The line of the built-in chain whose policy lets a packet in on this path.
Place policy_place(const Program& program, Path path);

// The condition under which a packet may get to a rule and match it, earlier rules left aside: its
// own clauses, and those of some row of jumps from a built-in chain.
PredicatePtr way_to(const Program& program, RuleId rule);
// The flows whose first packet, in some state and with some mark, may match the rule: flow axes.
Budgeted<Set> flows_let_in(Model& model, Path path, const Program& program, RuleId rule);

}  // namespace postern
