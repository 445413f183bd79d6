#include "engine/rule_code.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/overloaded.hpp"

namespace postern {
namespace {

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

// Are these the same test of one field? (Leaves that depend on nothing else, so that asking twice
// is asking once; never true of opaques.)
bool same_test(const Predicate& left, const Predicate& right) {
  if (const auto* a = std::get_if<InRange>(&left.node)) {
    const auto* b = std::get_if<InRange>(&right.node);
    return b != nullptr && a->field == b->field && a->lo == b->lo && a->hi == b->hi;
  }
  if (const auto* a = std::get_if<Masked>(&left.node)) {
    const auto* b = std::get_if<Masked>(&right.node);
    return b != nullptr && a->field == b->field && a->value == b->value && a->mask == b->mask;
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
  std::visit(Overloaded{[&](const InRange& n) {
                          read(n.field);
                          const bool all_narrow =
                              family_ == Family::kIpv4 || info(n.field).width <= 64;
                          if (!all_narrow || !narrow(n.hi)) return wide(Op::kWideRange, n.lo, n.hi);
                          node.op = Op::kRange;
                          node.a = low_word(n.lo);
                          node.b = low_word(n.hi - n.lo);
                        },
                        [&](const Masked& n) {
                          read(n.field);
                          // a mask without high bits never looks at them
                          if (!narrow(n.mask)) return wide(Op::kWideMask, n.value, n.mask);
                          node.op = Op::kMask;
                          node.a = low_word(n.value);
                          node.b = low_word(n.mask);
                        },
                        [&](const InterfaceIs& n) {
                          node.op = n.output ? Op::kInterfaceOut : Op::kInterfaceIn;
                          node.a = interface_sets_.size();
                          std::vector<bool> set;
                          for (const auto& name : interfaces_)
                            set.push_back(n.pattern.matches(name));
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
                          questions_.back().of_packet = n.of_packet;
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
    next =
        conjunction ? compile(**it, next, on_false, clause) : compile(**it, on_true, next, clause);
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

// The tests that a clause is the conjunction of.
void RuleCode::flatten(const PredicatePtr& predicate, std::uint16_t clause,
                       std::vector<Conjunct>& to) const {
  if (const auto* n = std::get_if<All>(&predicate->node)) {
    for (const PredicatePtr& operand : n->operands) flatten(operand, clause, to);
    return;
  }
  // "-p tcp -m tcp --dport 1 -m multiport ..." asks three times for TCP: once is enough.
  const auto same = [&](const Conjunct& other) {
    return !other.hotdrop && same_test(*other.predicate, *predicate);
  };
  if (std::ranges::none_of(to, same)) to.push_back({predicate, clause, false});
}

std::int32_t RuleCode::add(const Rule& rule, std::string place) {
  place_ = std::move(place);
  std::vector<Conjunct> conjuncts;
  for (std::size_t i = 0; i < rule.clauses.size(); ++i) {
    const auto clause = static_cast<std::uint16_t>(i);
    const PredicatePtr& hotdrop = rule.clauses[i].hotdrop;
    const auto* never = hotdrop ? std::get_if<Const>(&hotdrop->node) : nullptr;
    const bool may_hotdrop = hotdrop && (never == nullptr || never->value);
    if (may_hotdrop) conjuncts.push_back({hotdrop, clause, true});
    flatten(rule.clauses[i].predicate, clause, conjuncts);
  }
  std::int32_t next = kMatch;
  for (auto it = conjuncts.rbegin(); it != conjuncts.rend(); ++it) {
    next = it->hotdrop ? compile(*it->predicate, kHotdrop, next, it->clause)
                       : compile(*it->predicate, next, kNoMatch, it->clause);
  }
  return next;
}

bool RuleCode::holds(const Node& node, const Reading& packet) const {
  switch (node.op) {
    case Op::kWideRange: {
      const Wide& wide = wide_[node.a];
      return packet[node.field] - wide.value <= wide.bound - wide.value;
    }
    case Op::kWideMask:
      return (packet[node.field] & wide_[node.a].bound) == wide_[node.a].value;
    case Op::kInterfaceIn:
      return interface_sets_[node.a][packet.in];
    case Op::kInterfaceOut:
      return interface_sets_[node.a][packet.out];
    case Op::kTcpOption:
      return has_tcp_option(packet.tcp_options, node.a);
    case Op::kRange:
    case Op::kMask:
    case Op::kOpaque:
      break;
  }
  POSTERN_CHECK(false, "run() reads these itself");
}

}  // namespace postern
