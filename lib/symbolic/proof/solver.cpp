#include "symbolic/proof/solver.hpp"

#include <z3++.h>

#include <optional>
#include <unordered_map>

#include "base/check.hpp"

namespace postern {
namespace {

// A constant (no Z3 needed) or an expression. width 0: Boolean.
struct Entry {
  unsigned width = 0;
  std::optional<u128> constant;
  std::optional<z3::expr> expression;
};

struct ConstantKey {
  u128 value;
  unsigned width;
  bool operator==(const ConstantKey&) const = default;
};
struct ConstantHash {
  std::size_t operator()(const ConstantKey& k) const {
    const auto low = static_cast<std::uint64_t>(k.value);
    const auto high = static_cast<std::uint64_t>(k.value >> 64);
    return (low * 0x9e3779b97f4a7c15U) ^ (high + k.width * 0x2545f491U);
  }
};

// Runs a construction: Z3's complaints about it are our bugs.
template <class Make>
auto guarded(Make&& make) {
  try {
    return make();
  } catch (const z3::exception& e) {
    throw InternalError(std::string("Z3: ") + e.msg());
  }
}

}  // namespace

struct Solver::State {
  // The order of members matters: expressions die before the context they belong to.
  std::unique_ptr<z3::context> context;
  std::unique_ptr<z3::solver> solver;
  std::vector<Entry> entries;
  std::unordered_map<unsigned, Term> by_ast;  // Z3's id of an expression we hold -> its term
  std::unordered_map<ConstantKey, Term, ConstantHash> constants;
  std::optional<z3::model> model;
  std::size_t checks = 0;
  unsigned fresh = 0;

  ~State() {
    model.reset();
    entries.clear();
    solver.reset();
    context.reset();
  }

  z3::context& open() {
    if (!context) {
      guarded([&] {
        context = std::make_unique<z3::context>();
        // QF_FD is the incremental SAT core for finite domains: 100 x faster here than the SMT core
        // on many small questions (encoding.md, section B).
        solver = std::make_unique<z3::solver>(*context, "QF_FD");
        z3::params parameters(*context);
        parameters.set("random_seed", 0U);
        solver->set(parameters);
      });
    }
    return *context;
  }

  Term constant(u128 value, unsigned width) {
    const auto [at, is_new] =
        constants.try_emplace({value, width}, Term{static_cast<std::uint32_t>(entries.size())});
    if (is_new) entries.push_back({width, value, std::nullopt});
    return at->second;
  }

  Term keep(const z3::expr& e) {
    const auto [at, is_new] = by_ast.try_emplace(Z3_get_ast_id(e.ctx(), e),
                                                 Term{static_cast<std::uint32_t>(entries.size())});
    if (is_new) entries.push_back({e.is_bool() ? 0 : e.get_sort().bv_size(), std::nullopt, e});
    return at->second;
  }

  const Entry& at(Term t) const { return entries[t.id]; }

  // The Z3 expression of any term.
  z3::expr expression(Term t) {
    if (!at(t).expression) {
      z3::context& c = open();
      const u128 value = *at(t).constant;
      const unsigned width = at(t).width;
      entries[t.id].expression =
          width == 0 ? c.bool_val(value != 0) : c.bv_val(to_decimal(value).c_str(), width);
    }
    return *entries[t.id].expression;
  }

  std::string unique(std::string_view name) {
    return std::string(name) + "!" + std::to_string(fresh++);
  }

  // and (identity true) or or (identity false) over distinct operands.
  Term join(std::span<const Term> terms, bool identity) {
    std::vector<Term> kept;
    kept.reserve(terms.size());
    for (const Term t : terms) {
      if (t == boolean(!identity)) return t;
      if (t != boolean(identity)) kept.push_back(t);
    }
    if (kept.empty()) return boolean(identity);
    if (kept.size() == 1) return kept.front();
    return guarded([&] {
      z3::expr_vector parts(open());
      for (const Term t : kept) parts.push_back(expression(t));
      return keep(identity ? z3::mk_and(parts) : z3::mk_or(parts));
    });
  }
};

Solver::Solver() : state_(std::make_unique<State>()) {
  state_->constant(0, 0);
  state_->constant(1, 0);
}
Solver::~Solver() = default;
Solver::Solver(Solver&&) noexcept = default;

Term Solver::number(u128 value, unsigned width) {
  POSTERN_CHECK(width > 0 && (value & ~low_bits(width)) == 0, "a number fits its width");
  return state_->constant(value, width);
}

Term Solver::fresh_boolean(std::string_view name) {
  return guarded(
      [&] { return state_->keep(state_->open().bool_const(state_->unique(name).c_str())); });
}

Term Solver::fresh_bits(std::string_view name, unsigned width) {
  return guarded(
      [&] { return state_->keep(state_->open().bv_const(state_->unique(name).c_str(), width)); });
}

Term Solver::named(Term definition, std::string_view name) {
  POSTERN_CHECK(width(definition) == 0, "only Booleans are named");
  if (is_constant(definition) || state_->expression(definition).is_const()) return definition;
  const Term result = fresh_boolean(name);
  guarded(
      [&] { state_->solver->add(state_->expression(result) == state_->expression(definition)); });
  return result;
}

Term Solver::negate(Term a) {
  if (is_constant(a)) return boolean(a == kFalse);
  return guarded([&] {
    const z3::expr e = state_->expression(a);
    if (e.is_not()) return state_->keep(e.arg(0));
    return state_->keep(!e);
  });
}

Term Solver::all(std::span<const Term> terms) { return state_->join(terms, true); }
Term Solver::any(std::span<const Term> terms) { return state_->join(terms, false); }
Term Solver::both(Term a, Term b) {
  const Term terms[] = {a, b};
  return all(terms);
}
Term Solver::either(Term a, Term b) {
  const Term terms[] = {a, b};
  return any(terms);
}

Term Solver::choose(Term condition, Term yes, Term no) {
  if (yes == no || condition == kTrue) return yes;
  if (condition == kFalse) return no;
  if (width(yes) == 0) {
    return either(both(condition, yes), both(negate(condition), no));
  }
  return guarded([&] {
    return state_->keep(
        z3::ite(state_->expression(condition), state_->expression(yes), state_->expression(no)));
  });
}

Term Solver::equal(Term a, Term b) {
  POSTERN_CHECK(width(a) == width(b), "only equal widths are compared");
  if (a == b) return kTrue;
  if (is_constant(a) && is_constant(b)) return boolean(constant_value(a) == constant_value(b));
  return guarded([&] { return state_->keep(state_->expression(a) == state_->expression(b)); });
}

Term Solver::in_range(Term a, u128 lo, u128 hi) {
  const unsigned bits = width(a);
  const u128 top = low_bits(bits);
  if (lo > hi || lo > top) return kFalse;
  if (is_constant(a)) return boolean(lo <= constant_value(a) && constant_value(a) <= hi);
  if (lo == hi) return equal(a, number(lo, bits));
  return guarded([&] {
    const Term below =
        hi >= top
            ? kTrue
            : state_->keep(z3::ule(state_->expression(a), state_->expression(number(hi, bits))));
    const Term above =
        lo == 0
            ? kTrue
            : state_->keep(z3::uge(state_->expression(a), state_->expression(number(lo, bits))));
    return both(above, below);
  });
}

Term Solver::bit_and(Term a, Term b) {
  if (is_constant(a)) std::swap(a, b);
  if (is_constant(b)) {
    const u128 mask = constant_value(b);
    if (is_constant(a)) return number(constant_value(a) & mask, width(a));
    if (mask == 0) return b;
    if (mask == low_bits(width(a))) return a;
  }
  return guarded([&] { return state_->keep(state_->expression(a) & state_->expression(b)); });
}

Term Solver::bit_xor(Term a, Term b) {
  if (is_constant(a)) std::swap(a, b);
  if (is_constant(b)) {
    if (is_constant(a)) return number(constant_value(a) ^ constant_value(b), width(a));
    if (constant_value(b) == 0) return a;
  }
  return guarded([&] { return state_->keep(state_->expression(a) ^ state_->expression(b)); });
}

Term Solver::decrement(Term a) {
  const unsigned bits = width(a);
  if (is_constant(a)) return number((constant_value(a) - 1) & low_bits(bits), bits);
  return guarded(
      [&] { return state_->keep(state_->expression(a) - state_->expression(number(1, bits))); });
}

bool Solver::is_constant(Term t) const { return state_->at(t).constant.has_value(); }
u128 Solver::constant_value(Term t) const { return *state_->at(t).constant; }
unsigned Solver::width(Term t) const { return state_->at(t).width; }

void Solver::require(Term fact) {
  if (fact == kTrue) return;
  guarded([&] {
    const z3::expr e = state_->expression(fact);
    state_->solver->add(e);
  });
}

CheckResult Solver::check(std::span<const Term> assumptions, std::chrono::milliseconds limit) {
  ++state_->checks;
  state_->model.reset();
  for (const Term t : assumptions) {
    if (t == kFalse) return CheckResult::kUnsatisfiable;
  }
  if (limit.count() <= 0) return CheckResult::kUnknown;
  // Assumptions must be Booleans by name; naming adds definitions, so it comes before the check.
  std::vector<Term> names;
  for (const Term t : assumptions) {
    if (t != kTrue) names.push_back(named(t, "assume"));
  }
  try {
    z3::context& c = state_->open();
    z3::params parameters(c);
    parameters.set("timeout", static_cast<unsigned>(limit.count()));
    state_->solver->set(parameters);
    z3::expr_vector parts(c);
    for (const Term t : names) parts.push_back(state_->expression(t));
    switch (state_->solver->check(parts)) {
      case z3::sat:
        state_->model = state_->solver->get_model();
        return CheckResult::kSatisfiable;
      case z3::unsat:
        return CheckResult::kUnsatisfiable;
      case z3::unknown:
        break;
    }
  } catch (const z3::exception&) {
    // Out of memory or interrupted: an answer, not an error.
  }
  return CheckResult::kUnknown;
}

u128 Solver::value(Term t) {
  if (is_constant(t)) return constant_value(t);
  POSTERN_CHECK(state_->model.has_value(), "a value needs a solution");
  return guarded([&]() -> u128 {
    const z3::expr e = state_->model->eval(state_->expression(t), true);
    if (width(t) == 0) return e.is_true() ? 1 : 0;
    u128 value = 0;
    for (const char* digit = Z3_get_numeral_string(e.ctx(), e); *digit != '\0'; ++digit) {
      value = value * 10 + static_cast<u128>(*digit - '0');
    }
    return value;
  });
}

std::size_t Solver::terms() const { return state_->entries.size(); }
std::size_t Solver::checks() const { return state_->checks; }
bool Solver::opened() const { return state_->context != nullptr; }

}  // namespace postern
