// A small package of reduced ordered binary decision diagrams, our own (encoding.md, advice 3).
//
// Idea: nodes live in one growing array, a unique table makes equal functions equal numbers, and
// one lossy cache remembers results. Nothing is ever freed: a model is built, asked and dropped as
// a whole. Recursion is only ever as deep as there are variables. Invariants: a node's children
// stand below it in the order (greater variable) and differ; equal sets have equal ids, so == is
// equality of functions. Every operation may throw BudgetEnded. Covered by tests/unit/bdd_test.cpp.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace postern {

// Thrown when the node limit is reached, or the time is up; stops at Model's public functions,
// which turn it into `unknown`. Not an error of ours nor of the input. What was computed before
// stays true: nobody may keep a result that was under way.
struct BudgetEnded {
  bool time = false;  // else nodes
};

// What an answer says of it.
std::string_view why(const BudgetEnded& ended);

// A Boolean function over the variables of one Bdd; a set of whatever the variables describe.
struct Set {
  std::uint32_t id = 0;
  auto operator<=>(const Set&) const = default;
  bool empty() const { return id == 0; }
};
inline constexpr Set kNothing{0}, kEverything{1};

// What a predicate may be and must be.
struct MayMust {
  Set may = kNothing, must = kNothing;
};

class Bdd {
 public:
  struct Node {
    std::uint32_t variable, low, high;
    std::uint32_t next = 0;  // of the unique table's bucket: found with the node, in one cache line
  };
  using VariableMap = std::vector<std::uint32_t>;  // old variable -> new one

  Bdd(unsigned variables, std::size_t node_limit);

  using Deadline = std::optional<std::chrono::steady_clock::time_point>;
  // From then on operations throw BudgetEnded; nullopt: never.
  void set_deadline(Deadline deadline) { deadline_ = deadline; }
  const Deadline& deadline() const { return deadline_; }
  // Throws when the time is up. Operations call it by themselves now and then.
  void check_time() const {
    if (deadline_ && std::chrono::steady_clock::now() >= *deadline_) throw BudgetEnded{true};
  }

  unsigned variables() const { return variables_; }
  std::size_t size() const { return nodes_.size(); }
  std::size_t node_limit() const { return node_limit_; }
  // The node behind a set other than nothing and everything.
  const Node& node(Set s) const { return nodes_[s.id]; }
  unsigned top(Set s) const { return nodes_[s.id].variable; }  // variables() for the constants

  Set literal(unsigned variable, bool positive = true);
  Set both(Set a, Set b);
  Set either(Set a, Set b);
  Set minus(Set a, Set b);
  Set complement(Set a) { return minus(kEverything, a); }
  Set same(Set a, Set b);  // where both agree
  Set choose(Set condition, Set yes, Set no);
  bool disjoint(Set a, Set b);
  bool subset(Set a, Set b) { return minus(a, b).empty(); }

  // A cube is a conjunction of positive literals: the variables to be quantified.
  Set cube(std::span<const unsigned> variables);
  Set exists(Set a, Set cube);
  Set forall(Set a, Set cube) { return complement(exists(complement(a), cube)); }
  // exists(both(a, b), cube) without the intermediate result.
  Set both_exists(Set a, Set b, Set cube);
  // Cofactor by a conjunction of literals: those variables disappear from `a`.
  Set restrict(Set a, Set literals);
  // Renames variables; the map must keep their order on the variables that `a` mentions.
  Set rename(Set a, const VariableMap& map);

  // Variables that the set depends on, ascending.
  std::vector<unsigned> support(Set a) const;
  // Nodes below the sets, shared ones once.
  std::size_t count_nodes(std::span<const Set> sets) const;
  // The least point (false before true, in variable order) as one entry per variable: 0, 1, or 2
  // for "does not matter". REQUIRES: not empty.
  std::vector<std::uint8_t> least(Set a) const;
  // Is the point (one bit per variable) in the set?
  bool contains(Set a, const std::vector<bool>& point) const;

 private:
  enum class Op : std::uint32_t {
    kAnd = 1,
    kOr,
    kMinus,
    kSame,
    kExists,
    kRestrict,
    kDisjoint,
    kChoose,
    kBothExists
  };
  struct alignas(16) Known {  // of two operands
    std::uint64_t operands = 0;
    std::uint32_t op = 0, result = 0;
  };
  struct alignas(32) Known3 {  // of three
    std::uint64_t operands = 0;
    std::uint32_t third = 0, op = 0, result = 0;
  };

  std::uint32_t make(std::uint32_t variable, std::uint32_t low, std::uint32_t high);
  void grow_table();
  std::uint32_t apply(Op op, std::uint32_t a, std::uint32_t b);
  std::uint32_t quantify(std::uint32_t a, std::uint32_t cube);
  std::uint32_t and_quantify(std::uint32_t a, std::uint32_t b, std::uint32_t cube);
  std::uint32_t cofactor(std::uint32_t a, std::uint32_t literals);
  std::uint32_t if_then_else(std::uint32_t c, std::uint32_t a, std::uint32_t b);
  Known& slot(Op op, std::uint32_t a, std::uint32_t b);
  Known3& slot(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c);
  // The known result of a terminal case, if it is one.
  static std::optional<std::uint32_t> terminal(Op op, std::uint32_t a, std::uint32_t b);

  unsigned variables_;
  std::size_t node_limit_;
  Deadline deadline_;
  std::uint32_t made_ = 0;  // calls of make()
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> buckets_;
  std::vector<Known> known_;
  std::vector<Known3> known3_;
};

}  // namespace postern
