// Covered by tests/unit/lint_hole_test.cpp.
#include "analyzer/checks/port_blind.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/overloaded.hpp"

namespace postern {
namespace {

// Modules whose undecidable part does not read the ports of a packet (their man pages).
constexpr std::array<std::string_view, 15> kBlind{
    "limit", "recent",   "statistic", "time",  "policy", "pkttype",    "physdev", "connlimit",
    "owner", "addrtype", "tcpmss",    "quota", "rt",     "ipv6header", "rpfilter"};

bool blind(const Opaque& opaque) {
  const std::string_view why = opaque.why;
  return std::ranges::find(kBlind, why.substr(0, why.find(':'))) != kBlind.end();
}

// What a predicate is for a packet of which only the protocol is known.
std::optional<bool> by_protocol(const Predicate& p, std::uint8_t protocol) {
  const auto combine = [&](const std::vector<PredicatePtr>& operands,
                           bool decisive) -> std::optional<bool> {
    bool open = false;
    for (const PredicatePtr& operand : operands) {
      const auto value = by_protocol(*operand, protocol);
      if (value == decisive) return decisive;
      open = open || !value;
    }
    return open ? std::nullopt : std::optional(!decisive);
  };
  using Known = std::optional<bool>;
  return std::visit(Overloaded{[](const Const& n) -> Known { return n.value; },
                               [&](const InRange& n) -> Known {
                                 if (n.field != Field::kProtocol) return std::nullopt;
                                 return n.lo <= protocol && protocol <= n.hi;
                               },
                               [&](const Masked& n) -> Known {
                                 if (n.field != Field::kProtocol) return std::nullopt;
                                 return (protocol & n.mask) == n.value;
                               },
                               [&](const Not& n) -> Known {
                                 const Known value = by_protocol(*n.operand, protocol);
                                 return value ? Known(!*value) : std::nullopt;
                               },
                               [&](const All& n) -> Known { return combine(n.operands, false); },
                               [&](const Any& n) -> Known { return combine(n.operands, true); },
                               [](const auto&) -> Known { return std::nullopt; }},
                    p.node);
}

// Does some test of `field` below differ between the two ports, or might an opaque?
bool differs(const Predicate& p, Field field, u128 one, u128 other) {
  const auto some = [&](const std::vector<PredicatePtr>& operands) {
    return std::ranges::any_of(operands, [&](const PredicatePtr& operand) {
      return differs(*operand, field, one, other);
    });
  };
  return std::visit(
      Overloaded{
          [&](const InRange& n) {
            if (n.field != field) return false;
            return (n.lo <= one && one <= n.hi) != (n.lo <= other && other <= n.hi);
          },
          [&](const Masked& n) { return n.field == field && (one & n.mask) != (other & n.mask); },
          [](const Opaque& n) { return !blind(n); },
          [&](const Not& n) { return differs(*n.operand, field, one, other); },
          [&](const All& n) { return some(n.operands); },
          [&](const Any& n) { return some(n.operands); }, [](const auto&) { return false; }},
      p.node);
}

// The chains that packets of this direction walk through.
std::vector<bool> walked(const Program& program, Path path) {
  std::vector<bool> reached(program.chains().size(), false);
  for (const Hook hook : hooks(path)) {
    for (std::size_t table = 0; table < kTableCount; ++table) {
      if (const auto entry = program.entry(hook, static_cast<TableName>(table))) {
        reached[*entry] = true;
      }
    }
  }
  for (const ChainId chain : program.callers_first()) {
    if (!reached[chain]) continue;
    const ProgramChain& info = program.chains()[chain];
    for (RuleId id = info.first; id < info.first + info.count; ++id) {
      if (const auto callee = program.rules()[id].callee) reached[*callee] = true;
    }
  }
  return reached;
}

bool tells_apart(const Rule& rule, std::uint8_t protocol, Field field, u128 one, u128 other) {
  const auto* effect = std::get_if<Effect>(&rule.action);
  const bool unknown_target =
      !rule.target_known || (effect != nullptr && (std::holds_alternative<OpaqueTarget>(*effect) ||
                                                   std::holds_alternative<ToSocket>(*effect)));
  bool found = unknown_target;
  for (const Clause& clause : rule.clauses) {
    const bool never = by_protocol(*clause.predicate, protocol) == false;
    if (never && (!clause.hotdrop || by_protocol(*clause.hotdrop, protocol) == false)) return false;
    found = found || differs(*clause.predicate, field, one, other);
    found = found || (clause.hotdrop && differs(*clause.hotdrop, field, one, other));
  }
  return found;
}

}  // namespace

std::vector<bool> told_apart(const Program& program, const FieldClasses& ports, Path path,
                             std::uint8_t protocol, std::uint32_t arbitrary, const Meets& meets) {
  const std::vector<bool> there = walked(program, path), back = walked(program, reverse(path));
  std::vector<bool> apart(ports.count(), false);
  const u128 other = ports.classes[arbitrary].canonical;
  for (std::uint32_t number = 0; number < ports.count(); ++number) {
    const u128 one = ports.classes[number].canonical;
    for (RuleId id = 0; id < program.rules().size() && !apart[number]; ++id) {
      const ProgramRule& rule = program.rules()[id];
      const auto sees = [&](bool answers) {
        return !meets || meets(id, answers, number, arbitrary);
      };
      apart[number] =
          (there[rule.chain] && tells_apart(*rule.rule, protocol, Field::kSourcePort, one, other) &&
           sees(false)) ||
          (back[rule.chain] &&
           tells_apart(*rule.rule, protocol, Field::kDestinationPort, one, other) && sees(true));
    }
  }
  apart[arbitrary] = false;
  return apart;
}

}  // namespace postern
