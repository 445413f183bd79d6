// Covered by tests/unit/lint_flows_test.cpp.
#include "analyzer/checks/flows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

// In the order in which canonical values are chosen: what an administrator looks at first.
constexpr Axis kFlowOrder[] = {
    Axis::kProtocol,  Axis::kInitiatorInterface, Axis::kResponderInterface, Axis::kInitiator,
    Axis::kResponder, Axis::kInitiatorPort,      Axis::kResponderPort,      Axis::kIcmpType,
    Axis::kIcmpCode,  Axis::kInitiatorType,      Axis::kResponderType};
constexpr Axis kPacketOrder[] = {Axis::kTcpFlags};
constexpr u128 kPreferredPorts[] = {80, 443, 22};

bool has_ports(u128 protocol) { return protocol == protocol::kTcp || protocol == protocol::kUdp; }

std::vector<std::pair<Axis, u128>> preferred_values(const Space& space, Path path) {
  std::vector<std::pair<Axis, u128>> values;
  if (path == Path::kLoopback) {
    const u128 here = space.classes().family == Family::kIpv4 ? u128{0x7f000001} : u128{1};
    values = {{Axis::kInitiator, here}, {Axis::kResponder, here}};
  }
  return values;
}

// A flow from a socket to itself is its own answer: nothing that a check speaks of.
bool is_own_answer(const FlowPoint& point) {
  return point.at(Axis::kInitiator).value == point.at(Axis::kResponder).value &&
         point.at(Axis::kInitiatorPort).value == point.at(Axis::kResponderPort).value &&
         has_ports(point.at(Axis::kProtocol).value);
}

u128 value_of(const FlowPoint& point, Axis axis) {
  const auto found = point.find(axis);
  POSTERN_CHECK(found != point.end(), "a flow without one of its axes");
  return found->second.value;
}

void add_interface(std::vector<std::string>& words, const Space& space, const FlowPoint& point,
                   const char* option, Axis axis) {
  const std::uint32_t number = point.at(axis).number;
  if (number == kNoInterface) return;
  words.insert(words.end(), {option, space.classes().interface_names[number]});
}

std::string flag_list(unsigned flags) {
  static constexpr std::pair<unsigned, const char*> kNames[] = {
      {tcp_flag::kFin, "FIN"}, {tcp_flag::kSyn, "SYN"}, {tcp_flag::kRst, "RST"},
      {tcp_flag::kPsh, "PSH"}, {tcp_flag::kAck, "ACK"}, {tcp_flag::kUrg, "URG"}};
  std::string list;
  for (const auto& [bit, name] : kNames) {
    if ((flags & bit) != 0) list += (list.empty() ? "" : ",") + std::string(name);
  }
  return list.empty() ? "NONE" : list;
}

const Effect* effect_of(const ProgramRule& rule) { return std::get_if<Effect>(&rule.rule->action); }

// The rule that a witness names; nullopt when the program has no such rule.
std::optional<RuleId> find_rule(const Program& program, const MatchedRule& matched) {
  for (const ProgramChain& chain : program.chains()) {
    if (chain.table != matched.table || chain.chain->name != matched.chain) continue;
    if (matched.number == 0 || matched.number > chain.count) return std::nullopt;
    return chain.first + matched.number - 1;
  }
  return std::nullopt;
}

// Is this what the packet's own header says, and its interfaces? No state, mark or entry.
bool of_header(const Predicate& predicate) {
  return std::ranges::none_of(kFields, [&](const FieldInfo& field) {
    const bool beside = field.field == Field::kMark || field.field >= Field::kCtState;
    return beside && mentions(predicate, field.field);
  });
}

PredicatePtr conditions(const Rule& rule, bool header_only) {
  std::vector<PredicatePtr> clauses;
  for (const Clause& clause : rule.clauses) {
    if (!header_only || of_header(*clause.predicate)) clauses.push_back(clause.predicate);
  }
  return all(std::move(clauses));
}

// Between two hosts the two ends differ, also where the rules do not tell them apart.
void separate_ends(const Space& space, FlowPoint& point) {
  const AxisPoint& initiator = point.at(Axis::kInitiator);
  AxisPoint& responder = point.at(Axis::kResponder);
  if (initiator.value != responder.value) return;
  const FieldClasses& addresses = *space.layout(Axis::kResponder).classes;
  const bool v4 = space.classes().family == Family::kIpv4;
  // RFC 5737 and RFC 3849; then whatever else the class has.
  std::vector<u128> values{v4 ? u128{0xc0000201} : (u128{0x20010db8} << 96) + 1,
                           v4 ? u128{0xc6336409} : (u128{0x20010db8} << 96) + 9};
  for (const Interval& interval : addresses.classes[responder.number].intervals) {
    for (u128 value = interval.lo; value <= interval.hi && value < interval.lo + 3; ++value) {
      if ((value & 0xff) != 0) values.push_back(value);
    }
    values.push_back(interval.lo);
    values.push_back(interval.hi);
  }
  for (const u128 value : values) {
    if (value == initiator.value || addresses.of(value) != responder.number) continue;
    responder.value = value;
    return;
  }
}

// The part of `flows` with this value, when there is one; noted in `point`.
Set narrowed(Space& space, Set flows, Axis axis, u128 value, FlowPoint& point) {
  const std::optional<std::uint32_t> number = space.layout(axis).classes->of(value);
  if (!number) return flows;
  const Set part = space.bdd().both(flows, space.class_is(axis, *number));
  if (part.empty()) return flows;
  point[axis] = {*number, value};
  return part;
}

// A network's own address looks like a slip in a witness: its first host then, where there is one.
u128 host_in(const ValueClass& addresses) {
  const u128 value = addresses.canonical;
  if ((value & 0xff) != 0 || value == 0) return value;
  const bool next = std::ranges::any_of(
      addresses.intervals, [&](const Interval& i) { return i.lo <= value && value < i.hi; });
  return next ? value + 1 : value;
}

// Chooses what `point` leaves open.
void complete(Space& space, Set flows, bool packet, FlowPoint& point) {
  std::vector<Axis> order(std::begin(kFlowOrder), std::end(kFlowOrder));
  if (packet) order.insert(order.end(), std::begin(kPacketOrder), std::end(kPacketOrder));
  const std::vector<std::uint32_t> chosen = space.canonical(flows, order);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const ValueClass& of = space.layout(order[i]).classes->classes[chosen[i]];
    u128 value = of.canonical;
    if (order[i] == Axis::kInitiator || order[i] == Axis::kResponder) value = host_in(of);
    point.try_emplace(order[i], AxisPoint{chosen[i], value});
  }
}

PredicatePtr way(const Program& program, RuleId rule, bool header_only) {
  // Callers stand before their callees, so each chain's condition is complete when it is used.
  std::vector<std::vector<PredicatePtr>> ways(program.chains().size());
  std::vector<PredicatePtr> into(program.chains().size(), constant(false));
  for (const ChainId chain : program.callers_first()) {
    const ProgramChain& info = program.chains()[chain];
    into[chain] = info.chain->builtin() ? constant(true) : any(std::move(ways[chain]));
    for (RuleId id = info.first; id < info.first + info.count; ++id) {
      const ProgramRule& caller = program.rules()[id];
      if (!caller.callee) continue;
      ways[*caller.callee].push_back(all({into[chain], conditions(*caller.rule, header_only)}));
    }
  }
  const ProgramRule& target = program.rules()[rule];
  return all({into[target.chain], conditions(*target.rule, header_only)});
}

}  // namespace

PredicatePtr protocol_is(std::uint8_t protocol) { return equals(Field::kProtocol, protocol); }

FlowPoint canonical_point(Space& space, Path path, Set flows, bool packet) {
  FlowPoint fixed;
  for (const auto& [axis, value] : preferred_values(space, path)) {
    flows = narrowed(space, flows, axis, value, fixed);
  }
  FlowPoint point;
  for (const u128 port : kPreferredPorts) {
    point = fixed;
    const Set some = narrowed(space, flows, Axis::kResponderPort, port, point);
    complete(space, some, packet, point);
    if (path != Path::kLoopback) separate_ends(space, point);
    if (!is_own_answer(point)) break;
  }
  return point;
}

Set point_set(Space& space, const FlowPoint& point) {
  Set set = kEverything;
  for (const auto& [axis, at] : point) {
    set = space.bdd().both(set, space.class_is(axis, at.number));
  }
  return set;
}

std::vector<std::string> words_for(Verb verb, const Space& space, Path path,
                                   const FlowPoint& point) {
  std::vector<std::string> words{std::string(text(verb))};
  if (path == Path::kLoopback) {
    words.insert(words.end(), {"-i", "lo"});
  } else {
    add_interface(words, space, point, "-i", Axis::kInitiatorInterface);
    add_interface(words, space, point, "-o", Axis::kResponderInterface);
  }
  const auto protocol = value_of(point, Axis::kProtocol);
  words.insert(words.end(), {"-p", protocol_name(static_cast<std::uint8_t>(protocol))});
  const Family family = space.classes().family;
  words.insert(words.end(), {"-s", Address{family, value_of(point, Axis::kInitiator)}.text()});
  words.insert(words.end(), {"-d", Address{family, value_of(point, Axis::kResponder)}.text()});
  if (has_ports(protocol)) {
    words.insert(words.end(), {"--sport", to_decimal(value_of(point, Axis::kInitiatorPort))});
    words.insert(words.end(), {"--dport", to_decimal(value_of(point, Axis::kResponderPort))});
  }
  if (protocol == protocol::kTcp && point.contains(Axis::kTcpFlags)) {
    const auto flags = static_cast<unsigned>(value_of(point, Axis::kTcpFlags));
    words.insert(words.end(), {"--tcp-flags", "ALL", flag_list(flags)});
  }
  return words;
}

std::optional<RuleId> accepting_rule(const Program& program, const WitnessStep& step) {
  std::optional<RuleId> accepted;
  for (const MatchedRule& matched : step.rules) {
    if (matched.table != TableName::kFilter) continue;
    const auto rule = find_rule(program, matched);
    if (!rule) continue;
    const Effect* effect = effect_of(program.rules()[*rule]);
    if (effect != nullptr && std::holds_alternative<Accept>(*effect)) accepted = rule;
  }
  return accepted;
}

namespace {

// The last rule of this step that tests `field` and lets the packet go on, in the filter table or
// in any.
std::optional<RuleId> testing_rule(const Program& program, const WitnessStep& step, Field field,
                                   bool any_table) {
  std::optional<RuleId> testing;
  for (const MatchedRule& matched : step.rules) {
    if (!any_table && matched.table != TableName::kFilter) continue;
    const auto id = find_rule(program, matched);
    if (!id) continue;
    const ProgramRule& rule = program.rules()[*id];
    const Effect* effect = effect_of(rule);
    const bool lets = rule.callee || (effect != nullptr && std::holds_alternative<Accept>(*effect));
    const bool tests = std::ranges::any_of(
        rule.rule->clauses, [&](const Clause& c) { return mentions(*c.predicate, field); });
    if (lets && tests) testing = id;
  }
  return testing;
}

}  // namespace

std::optional<RuleId> port_testing_rule(const Program& program, const Answer& answer) {
  const Address client = answer.beginning().packet.source;
  const std::uint16_t port = answer.beginning().packet.source_port;
  for (const bool any_table : {false, true}) {
    for (const WitnessStep& step : answer.witness) {
      const bool sent = step.packet.source == client && step.packet.source_port == port;
      const Field field = sent ? Field::kSourcePort : Field::kDestinationPort;
      if (const auto rule = testing_rule(program, step, field, any_table)) return rule;
    }
  }
  return std::nullopt;
}

bool matches_rule(const Program& program, const WitnessStep& step, RuleId rule) {
  return std::ranges::any_of(
      step.rules, [&](const MatchedRule& matched) { return find_rule(program, matched) == rule; });
}

Place policy_place(const Program& program, Path path) {
  const Hook hook = path == Path::kForward ? Hook::kForward : Hook::kInput;
  const auto chain = program.entry(hook, TableName::kFilter);
  const Table* filter = program.ruleset().find(TableName::kFilter);
  if (!chain || filter == nullptr) return {};
  return place_of(program.ruleset(), *filter, *program.chains()[*chain].chain);
}

PredicatePtr way_to(const Program& program, RuleId rule) { return way(program, rule, false); }

Budgeted<Set> flows_let_in(Model& model, Path path, const Program& program, RuleId rule) {
  const auto packets = model.question(path, way(program, rule, true));
  if (!packets) return packets;
  try {
    return model.space().exists(*packets, packet_axes());
  } catch (const BudgetEnded& ended) {
    return tl::unexpected(ended);
  }
}

}  // namespace postern
