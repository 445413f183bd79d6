#include "symbolic/rules/rows.hpp"

#include <algorithm>
#include <utility>

namespace postern {
namespace {

constexpr std::size_t kShortest = 2;

bool only_judges(const ProgramRule& rule) {
  if (rule.callee) return false;
  const Effect* effect = std::get_if<Effect>(&rule.rule->action);
  if (effect == nullptr) return true;
  // What TCPMSS makes longer is taken in another way by walks that are loose.
  if (const auto* annotate = std::get_if<Annotate>(effect)) return !annotate->mss;
  return std::holds_alternative<Accept>(*effect) || std::holds_alternative<Drop>(*effect) ||
         std::holds_alternative<Return>(*effect) || std::holds_alternative<Reject>(*effect);
}

}  // namespace

Rows::Rows(const Program& program) : program_(program), length_(program.rules().size()) {
  for (const ProgramChain& chain : program.chains()) {
    std::size_t length = 0;
    for (RuleId r = chain.first + chain.count; r-- > chain.first;) {
      length = only_judges(program.rules()[r]) ? length + 1 : 0;
      length_[r] = length < kShortest ? 0 : length;
    }
  }
}

const Row& Rows::find(RuleId first, Reader& reader, const Binding& binding,
                      const std::function<Row()>& read) {
  std::vector<Set> wanted = key(first, reader, binding);
  auto& known = known_[first];
  for (const auto& row : known) {
    if (row->key == wanted) return *row;
  }
  auto row = std::make_unique<Row>(read());
  row->key = std::move(wanted);
  known.push_back(std::move(row));
  return *known.back();
}

std::vector<Set> Rows::key(RuleId first, Reader& reader, const Binding& binding) const {
  std::vector<Set> result;
  const auto add = [&](const PredicatePtr& predicate) {
    const MayMust one = reader.read(predicate, binding);
    result.push_back(one.may);
    result.push_back(one.must);
  };
  for (RuleId r = first; r < first + length_[first]; ++r) {
    for (const Clause& clause : program_.rules()[r].rule->clauses) {
      add(clause.predicate);
      if (clause.hotdrop) add(clause.hotdrop);
    }
  }
  return result;
}

}  // namespace postern
