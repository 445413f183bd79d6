// Why an answer is unknown: it depends on the host, or such traffic may meet what is not followed.
// Covered by tests/unit/query_test.cpp, dccp_test.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "analyzer/query_ask.hpp"
#include "net/protocol.hpp"
#include "symbolic/rules/routing.hpp"

namespace postern {
namespace {

constexpr std::string_view kPutTogether =
    "IPv4 puts fragments together before INPUT where nobody tracks them: of the whole, rules have "
    "seen the pieces alone";
constexpr std::string_view kSharedEntry =
    "conntrack keeps no ports of DCCP: an entry that other ports' packets made may let it through "
    "(docs/fidelity.md 37)";

}  // namespace

std::string Asking::rule_text(RuleId id) const {
  const ProgramRule& rule = program_.rules()[id];
  const SourceFile& source = *program_.ruleset().source;
  return fmt::format("`{}` (line {})", source.slice(rule.rule->span),
                     source.position(rule.rule->span.begin).line);
}

// May the packets that are open meet that rule, as far as its protocol goes? (Errors do by what
// they quote.)
bool Asking::may_meet(RuleId id, Set open) {
  Bdd& bdd = space_.bdd();
  for (const std::uint8_t errors : {protocol::kIcmp, protocol::kIcmpv6}) {
    if (!bdd.disjoint(open, space_.protocol_is(errors))) return true;
  }
  std::vector<Axis> others;
  for (const auto list : {flow_axes(), packet_axes()}) {
    std::ranges::copy_if(list, std::back_inserter(others),
                         [](Axis axis) { return axis != Axis::kProtocol; });
  }
  for (const Clause& clause : program_.rules()[id].rule->clauses) {
    const bool by_protocol = clause.module.empty() && mentions(*clause.predicate, Field::kProtocol);
    if (!by_protocol) continue;
    const Set of = take(model_.question(answer_.path, clause.predicate));
    if (bdd.disjoint(open, space_.exists(of, others))) return false;
  }
  return true;
}

void Asking::answer_unknown(Set open) {
  answer_.truth = Truth::kUnknown;
  if (const bool moved = model_.moves_destination(answer_.path);
      space_.bdd().subset(open, depends_on_host(space_, answer_.path, moved))) {
    std::string affairs;
    for (const HostsAffair& one : hosts_affairs(space_, answer_.path, moved)) {
      if (space_.bdd().disjoint(open, one.flows)) continue;
      affairs += (affairs.empty() ? "" : ", ") + std::string(one.what);
    }
    answer_.reasons.push_back("it depends on this host: " + affairs);
    return;
  }
  if (space_.bdd().subset(open, model_.entries_without_ports())) {
    answer_.reasons.emplace_back(kSharedEntry);
    return;
  }
  auto rules = model_.unmodelled_rules();
  // An unknown target may do anything, NAT included.
  for (const RuleId id : model_.opaque_rules()) {
    if (program_.rules()[id].has_opaque_target()) rules.push_back(id);
  }
  const auto nat = [&](RuleId id) {
    const auto* effect = std::get_if<Effect>(&program_.rules()[id].rule->action);
    return effect != nullptr && std::holds_alternative<Nat>(*effect);
  };
  auto met = rules;
  std::erase_if(met, [&](RuleId id) { return nat(id) && !may_meet(id, open); });
  if (!met.empty()) rules = std::move(met);
  // A NAT rule that is followed may not be where it stands here: the others come first.
  std::stable_partition(rules.begin(), rules.end(),
                        [&](RuleId id) { return !model_.translations().is_followed(id); });
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < rules.size() && i < kShown; ++i) {
    answer_.reasons.push_back(fmt::format(
        "such traffic may meet {}, which is {}", rule_text(rules[i]),
        nat(rules[i]) ? "not followed exactly here (docs/fidelity.md 27)" : "not modelled yet"));
  }
  if (rules.size() > kShown) {
    answer_.reasons.push_back(fmt::format("... and {} more such rules", rules.size() - kShown));
  }
  if (rules.empty()) {
    const bool pieces = !model_.tracking() && !space_.classes().defragments &&
                        program_.ruleset().family == Family::kIpv4 &&
                        answer_.path != Path::kForward;
    answer_.reasons.emplace_back(pieces ? kPutTogether : kApproximated);
  }
}

}  // namespace postern
