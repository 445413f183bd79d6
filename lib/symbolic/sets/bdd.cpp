#include "symbolic/sets/bdd.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/check.hpp"

namespace postern {
namespace {

constexpr std::size_t kInitialBuckets = 1u << 12;
constexpr std::size_t kInitialCache = 1u << 12;
constexpr std::size_t kLargestCache = 1u << 22, kLargestCache3 = 1u << 20;

std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0x9e3779b97f4a7c15u;
  x ^= x >> 29;
  return x;
}

std::uint64_t pair(std::uint32_t a, std::uint32_t b) {
  return (static_cast<std::uint64_t>(a) << 32) | b;
}

}  // namespace

std::string_view why(const BudgetEnded& ended) {
  return ended.time ? "time: the packet sets took too long" : "the packet sets outgrew their limit";
}

Bdd::Bdd(unsigned variables, std::size_t node_limit)
    : variables_(variables), node_limit_(node_limit) {
  nodes_ = {{variables, 0, 0}, {variables, 1, 1}};
  buckets_.assign(kInitialBuckets, 0);
  known_.assign(kInitialCache, {});
  known3_.assign(kInitialCache, {});
}

void Bdd::grow_table() {
  buckets_.assign(buckets_.size() * 2, 0);
  const std::size_t bits = buckets_.size() - 1;
  for (std::uint32_t i = 2; i < nodes_.size(); ++i) {
    Node& n = nodes_[i];
    auto& head = buckets_[mix(pair(n.low, n.high) + n.variable * 0x100000001b3u) & bits];
    n.next = head;
    head = i;
  }
  if (known_.size() < kLargestCache) known_.assign(known_.size() * 2, {});
  if (known3_.size() < kLargestCache3) known3_.assign(known3_.size() * 2, {});
}

std::uint32_t Bdd::make(std::uint32_t variable, std::uint32_t low, std::uint32_t high) {
  if (low == high) return low;
  constexpr std::uint32_t kBetweenChecks = 1 << 14;
  if (++made_ % kBetweenChecks == 0) check_time();
  const std::uint64_t hash = mix(pair(low, high) + variable * 0x100000001b3u);
  for (std::uint32_t i = buckets_[hash & (buckets_.size() - 1)]; i != 0; i = nodes_[i].next) {
    const Node& n = nodes_[i];
    if (n.low == low && n.high == high && n.variable == variable) return i;
  }
  if (nodes_.size() >= node_limit_) throw BudgetEnded{};
  const auto id = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({variable, low, high});
  if (nodes_.size() > buckets_.size()) {
    grow_table();
  } else {
    auto& head = buckets_[hash & (buckets_.size() - 1)];
    nodes_[id].next = head;
    head = id;
  }
  return id;
}

Bdd::Known& Bdd::slot(Op op, std::uint32_t a, std::uint32_t b) {
  const std::uint64_t hash = mix(mix(pair(a, b)) + static_cast<std::uint32_t>(op));
  return known_[hash & (known_.size() - 1)];
}

Bdd::Known3& Bdd::slot(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  const std::uint64_t hash = mix(mix(pair(a, b)) + pair(c, static_cast<std::uint32_t>(op)));
  return known3_[hash & (known3_.size() - 1)];
}

std::optional<std::uint32_t> Bdd::terminal(Op op, std::uint32_t a, std::uint32_t b) {
  switch (op) {
    case Op::kAnd:
      if (a == 0 || b == 0) return 0;
      if (a == 1 || a == b) return b;
      if (b == 1) return a;
      break;
    case Op::kOr:
      if (a == 1 || b == 1) return 1;
      if (a == 0 || a == b) return b;
      if (b == 0) return a;
      break;
    case Op::kMinus:
      if (a == 0 || b == 1 || a == b) return 0;
      if (b == 0) return a;
      break;
    case Op::kSame:
      if (a == b) return 1;
      if (a == 1) return b;
      if (b == 1) return a;
      break;
    case Op::kDisjoint:
      if (a == 0 || b == 0) return 1;
      if (a == 1 || b == 1 || a == b) return 0;
      break;
    default:
      break;
  }
  return std::nullopt;
}

std::uint32_t Bdd::apply(Op op, std::uint32_t a, std::uint32_t b) {
  if (const auto known = terminal(op, a, b)) return *known;
  if (op != Op::kMinus && a > b) std::swap(a, b);
  const auto code = static_cast<std::uint32_t>(op);
  {
    const Known& hit = slot(op, a, b);
    if (hit.op == code && hit.operands == pair(a, b)) return hit.result;
  }
  const Node x = nodes_[a], y = nodes_[b];
  const std::uint32_t variable = std::min(x.variable, y.variable);
  const bool in_x = x.variable == variable, in_y = y.variable == variable;
  const std::uint32_t low = apply(op, in_x ? x.low : a, in_y ? y.low : b);
  std::uint32_t result = 0;
  if (op == Op::kDisjoint) {
    result = low == 0 ? 0 : apply(op, in_x ? x.high : a, in_y ? y.high : b);
  } else {
    result = make(variable, low, apply(op, in_x ? x.high : a, in_y ? y.high : b));
  }
  slot(op, a, b) = {pair(a, b), code, result};
  return result;
}

Set Bdd::literal(unsigned variable, bool positive) {
  POSTERN_CHECK(variable < variables_, "no such variable");
  return {positive ? make(variable, 0, 1) : make(variable, 1, 0)};
}

Set Bdd::both(Set a, Set b) { return {apply(Op::kAnd, a.id, b.id)}; }
Set Bdd::either(Set a, Set b) { return {apply(Op::kOr, a.id, b.id)}; }
Set Bdd::minus(Set a, Set b) { return {apply(Op::kMinus, a.id, b.id)}; }
Set Bdd::same(Set a, Set b) { return {apply(Op::kSame, a.id, b.id)}; }
bool Bdd::disjoint(Set a, Set b) { return apply(Op::kDisjoint, a.id, b.id) == 1; }

std::uint32_t Bdd::if_then_else(std::uint32_t c, std::uint32_t a, std::uint32_t b) {
  if (c == 1 || a == b) return a;
  if (c == 0) return b;
  if (a == 1 && b == 0) return c;
  if (b == 0) return apply(Op::kAnd, c, a);
  if (a == 1) return apply(Op::kOr, c, b);
  constexpr auto kCode = static_cast<std::uint32_t>(Op::kChoose);
  {
    const Known3& hit = slot(Op::kChoose, a, b, c);
    if (hit.op == kCode && hit.operands == pair(a, b) && hit.third == c) return hit.result;
  }
  const Node x = nodes_[a], y = nodes_[b], z = nodes_[c];
  const std::uint32_t v = std::min({x.variable, y.variable, z.variable});
  const auto low = [v](const Node& n, std::uint32_t id) { return n.variable == v ? n.low : id; };
  const auto high = [v](const Node& n, std::uint32_t id) { return n.variable == v ? n.high : id; };
  const std::uint32_t l = if_then_else(low(z, c), low(x, a), low(y, b));
  const std::uint32_t result = make(v, l, if_then_else(high(z, c), high(x, a), high(y, b)));
  slot(Op::kChoose, a, b, c) = {pair(a, b), c, kCode, result};
  return result;
}

Set Bdd::choose(Set condition, Set yes, Set no) {
  return {if_then_else(condition.id, yes.id, no.id)};
}

Set Bdd::cube(std::span<const unsigned> variables) {
  std::vector<unsigned> sorted(variables.begin(), variables.end());
  std::ranges::sort(sorted, std::greater{});
  std::uint32_t result = 1;
  for (const unsigned v : sorted) {
    if (result == 1 || nodes_[result].variable != v) result = make(v, 0, result);
  }
  return {result};
}

std::uint32_t Bdd::quantify(std::uint32_t a, std::uint32_t cube) {
  while (cube != 1 && nodes_[cube].variable < nodes_[a].variable) cube = nodes_[cube].high;
  if (cube == 1 || a <= 1) return a;
  constexpr auto kCode = static_cast<std::uint32_t>(Op::kExists);
  {
    const Known& hit = slot(Op::kExists, a, cube);
    if (hit.op == kCode && hit.operands == pair(a, cube)) return hit.result;
  }
  const Node x = nodes_[a];
  const std::uint32_t low = quantify(x.low, cube);
  std::uint32_t result = 0;
  if (x.variable == nodes_[cube].variable) {
    result = low == 1 ? 1 : apply(Op::kOr, low, quantify(x.high, cube));
  } else {
    result = make(x.variable, low, quantify(x.high, cube));
  }
  slot(Op::kExists, a, cube) = {pair(a, cube), kCode, result};
  return result;
}

Set Bdd::exists(Set a, Set cube) { return {quantify(a.id, cube.id)}; }

std::uint32_t Bdd::and_quantify(std::uint32_t a, std::uint32_t b, std::uint32_t cube) {
  if (a == 0 || b == 0) return 0;
  if (a == 1 || a == b) return quantify(b, cube);
  if (b == 1) return quantify(a, cube);
  if (a > b) std::swap(a, b);
  const Node x = nodes_[a], y = nodes_[b];
  const std::uint32_t v = std::min(x.variable, y.variable);
  while (cube != 1 && nodes_[cube].variable < v) cube = nodes_[cube].high;
  if (cube == 1) return apply(Op::kAnd, a, b);
  constexpr auto kCode = static_cast<std::uint32_t>(Op::kBothExists);
  {
    const Known3& hit = slot(Op::kBothExists, a, b, cube);
    if (hit.op == kCode && hit.operands == pair(a, b) && hit.third == cube) return hit.result;
  }
  const bool in_x = x.variable == v, in_y = y.variable == v;
  const std::uint32_t low = and_quantify(in_x ? x.low : a, in_y ? y.low : b, cube);
  const bool quantified = nodes_[cube].variable == v;
  std::uint32_t result = 1;
  if (!quantified || low != 1) {
    const std::uint32_t high = and_quantify(in_x ? x.high : a, in_y ? y.high : b, cube);
    result = quantified ? apply(Op::kOr, low, high) : make(v, low, high);
  }
  slot(Op::kBothExists, a, b, cube) = {pair(a, b), cube, kCode, result};
  return result;
}

Set Bdd::both_exists(Set a, Set b, Set cube) { return {and_quantify(a.id, b.id, cube.id)}; }

std::uint32_t Bdd::cofactor(std::uint32_t a, std::uint32_t literals) {
  while (literals > 1 && nodes_[literals].variable < nodes_[a].variable) {
    const Node& l = nodes_[literals];
    literals = l.low == 0 ? l.high : l.low;
  }
  if (literals <= 1 || a <= 1) return a;
  constexpr auto kCode = static_cast<std::uint32_t>(Op::kRestrict);
  {
    const Known& hit = slot(Op::kRestrict, a, literals);
    if (hit.op == kCode && hit.operands == pair(a, literals)) return hit.result;
  }
  const Node x = nodes_[a], l = nodes_[literals];
  std::uint32_t result = 0;
  if (x.variable == l.variable) {
    result = l.low == 0 ? cofactor(x.high, l.high) : cofactor(x.low, l.low);
  } else {
    const std::uint32_t low = cofactor(x.low, literals);
    result = make(x.variable, low, cofactor(x.high, literals));
  }
  slot(Op::kRestrict, a, literals) = {pair(a, literals), kCode, result};
  return result;
}

Set Bdd::restrict(Set a, Set literals) {
  POSTERN_CHECK(!literals.empty(), "restriction by nothing");
  return {cofactor(a.id, literals.id)};
}

Set Bdd::rename(Set a, const VariableMap& map) {
  std::unordered_map<std::uint32_t, std::uint32_t> done{{0, 0}, {1, 1}};
  const auto visit = [&](const auto& self, std::uint32_t id) -> std::uint32_t {
    if (const auto it = done.find(id); it != done.end()) return it->second;
    const Node n = nodes_[id];
    const std::uint32_t low = self(self, n.low), high = self(self, n.high);
    const std::uint32_t v = map[n.variable];
    POSTERN_CHECK(v < nodes_[low].variable && v < nodes_[high].variable,
                  "renaming keeps the order");
    return done[id] = make(v, low, high);
  };
  return {visit(visit, a.id)};
}

std::vector<unsigned> Bdd::support(Set a) const {
  std::vector<bool> used(variables_, false), seen(nodes_.size(), false);
  std::vector<std::uint32_t> todo{a.id};
  while (!todo.empty()) {
    const std::uint32_t id = todo.back();
    todo.pop_back();
    if (id <= 1 || seen[id]) continue;
    seen[id] = true;
    used[nodes_[id].variable] = true;
    todo.push_back(nodes_[id].low);
    todo.push_back(nodes_[id].high);
  }
  std::vector<unsigned> result;
  for (unsigned v = 0; v < variables_; ++v) {
    if (used[v]) result.push_back(v);
  }
  return result;
}

std::size_t Bdd::count_nodes(std::span<const Set> sets) const {
  std::vector<bool> seen(nodes_.size(), false);
  std::vector<std::uint32_t> todo;
  for (const Set s : sets) todo.push_back(s.id);
  std::size_t count = 0;
  while (!todo.empty()) {
    const std::uint32_t id = todo.back();
    todo.pop_back();
    if (id <= 1 || seen[id]) continue;
    seen[id] = true;
    ++count;
    todo.push_back(nodes_[id].low);
    todo.push_back(nodes_[id].high);
  }
  return count;
}

std::vector<std::uint8_t> Bdd::least(Set a) const {
  POSTERN_CHECK(!a.empty(), "an empty set has no least point");
  std::vector<std::uint8_t> point(variables_, 2);
  for (std::uint32_t id = a.id; id != 1;) {
    const Node& n = nodes_[id];
    point[n.variable] = n.low == 0 ? 1 : 0;
    id = n.low == 0 ? n.high : n.low;
  }
  return point;
}

bool Bdd::contains(Set a, const std::vector<bool>& point) const {
  std::uint32_t id = a.id;
  while (id > 1) id = point[nodes_[id].variable] ? nodes_[id].high : nodes_[id].low;
  return id == 1;
}

}  // namespace postern
