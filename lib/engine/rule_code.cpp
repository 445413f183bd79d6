#include "engine/rule_code.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/overloaded.hpp"

namespace postern {
namespace {

constexpr std::uint64_t low(u128 value) { return static_cast<std::uint64_t>(value); }
constexpr bool narrow(u128 value) { return (value >> 64) == 0; }

// Does the option list of a TCP header hold this kind (xt_tcpudp, tcp_find_option)? Kinds 0 and 1
// are one byte long, every other carries its length; a length below 2 counts as 1.
bool has_tcp_option(std::span<const std::uint8_t> options, std::uint64_t kind) {
  for (std::size_t at = 0; at < options.size();) {
    if (options[at] == kind) return true;
    if (options[at] < 2) {
      ++at;
    } else {
      const std::size_t length = at + 1 < options.size() ? options[at + 1] : 1;
      at += std::max<std::size_t>(length, 1);
    }
  }
  return false;
}

}  // namespace

std::int32_t RuleCode::push(Node node) {
  nodes_.push_back(node);
  return static_cast<std::int32_t>(nodes_.size()) - 1;
}

RuleCode::Node RuleCode::leaf(const Predicate& predicate) {
  Node node{Op::kRange, Field::kSource, 0, kMatch, kNoMatch, 0, 0};
  const auto read = [&](Field field) {
    node.field = field;
    reads_[static_cast<std::size_t>(field)] = true;
  };
  const auto wide = [&](Op op, u128 value, u128 bound) {
    node.op = op;
    node.a = wide_.size();
    wide_.push_back({value, bound});
  };
  std::visit(
      Overloaded{[&](const InRange& n) {
                   read(n.field);
                   const bool all_narrow = family_ == Family::kIpv4 || info(n.field).width <= 64;
                   if (!all_narrow || !narrow(n.hi)) return wide(Op::kWideRange, n.lo, n.hi);
                   node.op = Op::kRange;
                   node.a = low(n.lo);
                   node.b = low(n.hi - n.lo);
                 },
                 [&](const Masked& n) {
                   read(n.field);
                   // a mask without high bits never looks at them
                   if (!narrow(n.mask)) return wide(Op::kWideMask, n.value, n.mask);
                   node.op = Op::kMask;
                   node.a = low(n.value);
                   node.b = low(n.mask);
                 },
                 [&](const InterfaceIs& n) {
                   node.op = n.output ? Op::kInterfaceOut : Op::kInterfaceIn;
                   node.a = interface_sets_.size();
                   std::vector<bool> set;
                   for (const auto& name : interfaces_) set.push_back(n.pattern.matches(name));
                   interface_sets_.push_back(std::move(set));
                 },
                 [&](const TcpOption& n) {
                   node.op = Op::kTcpOption;
                   node.a = n.kind;
                 },
                 [&](const Opaque& n) {
                   node.op = Op::kOpaque;
                   node.a = questions_.size();
                   questions_.push_back({n.why, place_, n.may_drop ? 3U : 2U, 0});
                 },
                 [](const auto&) { POSTERN_CHECK(false, "not a leaf"); }},
      predicate.node);
  return node;
}

// Built from the last operand backwards, so that every edge leads to a node that exists already.
template <class Operands>
std::int32_t RuleCode::compile_list(const Operands& operands, bool conjunction,
                                    std::int32_t on_true, std::int32_t on_false,
                                    std::uint16_t clause) {
  std::int32_t next = conjunction ? on_true : on_false;
  for (auto it = operands.rbegin(); it != operands.rend(); ++it) {
    next = conjunction ? compile(**it, next, on_false, clause)
                       : compile(**it, on_true, next, clause);
  }
  return next;
}

std::int32_t RuleCode::compile(const Predicate& predicate, std::int32_t on_true,
                               std::int32_t on_false, std::uint16_t clause) {
  if (const auto* n = std::get_if<Const>(&predicate.node)) {
    if (n->value) return on_true;
    // A test whose both ends are "no", so that the clause shows in the outcome.
    return push({Op::kMask, Field::kSource, clause, on_false, on_false, 0, 0});
  }
  if (const auto* n = std::get_if<Not>(&predicate.node)) {
    return compile(*n->operand, on_false, on_true, clause);
  }
  if (const auto* n = std::get_if<All>(&predicate.node)) {
    return compile_list(n->operands, true, on_true, on_false, clause);
  }
  if (const auto* n = std::get_if<Any>(&predicate.node)) {
    return compile_list(n->operands, false, on_true, on_false, clause);
  }
  Node node = leaf(predicate);
  node.clause = clause;
  node.on_true = on_true;
  node.on_false = on_false;
  return push(node);
}

std::int32_t RuleCode::add(const Rule& rule, Backend backend, std::string place) {
  place_ = std::move(place);
  std::int32_t next = kMatch;
  for (std::size_t i = rule.clauses.size(); i-- > 0;) {
    const auto clause = static_cast<std::uint16_t>(i);
    next = compile(*rule.clauses[i].predicate, next, kNoMatch, clause);
    const PredicatePtr& hotdrop = rule.clauses[i].hotdrop;
    if (backend != Backend::kLegacy || !hotdrop) continue;
    const auto* never = std::get_if<Const>(&hotdrop->node);
    if (never != nullptr && !never->value) continue;
    next = compile(*hotdrop, kHotdrop, next, clause);
  }
  return next;
}

bool RuleCode::holds(const Node& node, const Reading& packet) const {
  switch (node.op) {
    case Op::kRange: return low(packet[node.field]) - node.a <= node.b;
    case Op::kMask: return (low(packet[node.field]) & node.b) == node.a;
    case Op::kWideRange: {
      const Wide& wide = wide_[node.a];
      return packet[node.field] - wide.value <= wide.bound - wide.value;
    }
    case Op::kWideMask: return (packet[node.field] & wide_[node.a].bound) == wide_[node.a].value;
    case Op::kInterfaceIn: return interface_sets_[node.a][packet.in];
    case Op::kInterfaceOut: return interface_sets_[node.a][packet.out];
    case Op::kTcpOption: return has_tcp_option(packet.tcp_options, node.a);
    case Op::kOpaque: break;
  }
  return false;
}

RuleCode::Outcome RuleCode::run(std::int32_t entry, const Reading& packet, Chooser& chooser) const {
  std::uint32_t clause = 0;
  std::int32_t at = entry;
  while (at >= 0) {
    const Node& node = nodes_[static_cast<std::size_t>(at)];
    clause = node.clause;
    if (node.op != Op::kOpaque) {
      at = holds(node, packet) ? node.on_true : node.on_false;
      continue;
    }
    const std::uint64_t chosen = chooser.choose(questions_[node.a]);
    at = chosen == 2 ? kHotdrop : chosen == 1 ? node.on_true : node.on_false;
  }
  return {at, clause};
}

}  // namespace postern
