// The list, and which extensions no rule of their table decides. Covered by campaign_test.cpp.
#include "tests/kernel/support/left_out.hpp"

#include <map>
#include <set>
#include <variant>

#include "../../unit/rule_table.hpp"
#include "ir/bind.hpp"

namespace postern::kernel {
namespace {

const std::map<std::string, std::string, std::less<>>& reasons() {
  static const std::map<std::string, std::string, std::less<>> kReasons{
      {"mh", "nobody speaks mobility headers here"},
      {"IDLETIMER", "its timers have one name for the whole machine, not for a namespace"},
  };
  return kReasons;
}

// What the tables' rules that load say of extensions: drawn are only those that one of them
// decides.
class Decided {
 public:
  static const Decided& get() {
    static const Decided decided;
    return decided;
  }
  bool match(std::string_view name, Family family) const {
    return matches_.contains({std::string(name), family});
  }
  bool target(std::string_view name, Family family) const {
    return targets_.contains({std::string(name), family});
  }

 private:
  using Named = std::pair<std::string, Family>;

  Decided() {
    const std::filesystem::path corpus(std::filesystem::path(POSTERN_SOURCE_DIR) / "corpus");
    for (const TableLine& line : read_tables(corpus)) {
      if (!line.truth.empty() || line.verdict != "OK") continue;
      // Tables do not repeat a rule for each family.
      for (const Family family : {Family::kIpv4, Family::kIpv6}) read(line, family);
    }
  }
  void read(const TableLine& line, Family family) {
    const auto bound =
        read_ruleset(std::make_shared<const SourceFile>("table", line.text()), family);
    if (!bound) return;
    for (const Chain& chain : bound->ruleset.tables.at(0).chains) {
      for (const Rule& rule : chain.rules) read(rule, family);
    }
  }
  void read(const Rule& rule, Family family) {
    for (const Clause& clause : rule.clauses) {
      if (!has_opaque(*clause.predicate)) matches_.emplace(clause.module, family);
    }
    const auto* effect = std::get_if<Effect>(&rule.action);
    if (effect == nullptr || std::holds_alternative<OpaqueTarget>(*effect)) return;
    if (std::holds_alternative<ToSocket>(*effect)) return;
    targets_.emplace(rule.target, family);
  }

  std::set<Named> matches_, targets_;
};

constexpr const char* kNothingDecided = "no rule of its table loads and is decided by the text";

std::optional<std::string> listed(std::string_view name) {
  const auto found = reasons().find(name);
  if (found == reasons().end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::optional<std::string> left_out(const Match& match, Family family) {
  if (auto reason = listed(match.name)) return reason;
  if (!Decided::get().match(match.name, family)) return kNothingDecided;
  return std::nullopt;
}

std::optional<std::string> left_out(const Target& target, Family family) {
  if (auto reason = listed(target.name)) return reason;
  if (!Decided::get().target(target.name, family)) return kNothingDecided;
  return std::nullopt;
}

}  // namespace postern::kernel
