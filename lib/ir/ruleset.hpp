// The IR: tables, chains and rules with meaning attached, every part with its place in the text.
// Immutable once bound. Canonical printing (ir/print.hpp) and equality are by printed form.
// Invariants: chains of a table have distinct names; Jump and Goto name an existing user chain of
// the same table (the binder refuses others); a rule that was written with "-s a,b" stands here
// once per address, with the same span. Covered by tests/unit/bind_test.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "meaning/effect.hpp"
#include "meaning/predicate.hpp"
#include "net/family.hpp"
#include "text/source.hpp"

namespace postern {

enum class TableName : std::uint8_t { kRaw, kMangle, kNat, kFilter, kSecurity };
inline constexpr std::size_t kTableCount = 5;
std::string_view text(TableName table);

// The code that runs a ruleset: ip_tables (iptables-legacy), or nf_tables, into whose expressions
// iptables-nft puts it.
enum class Backend : std::uint8_t { kLegacy, kNft };
std::string_view text(Backend backend);  // "nft"

enum class Policy : std::uint8_t { kAccept, kDrop };

struct Counters {
  std::uint64_t packets = 0, bytes = 0;
};

// One match of a rule: "-s 192.0.2.0/24" (module empty) or "-m tcp --dport 80".
struct Clause {
  std::string module;   // as after -m; empty for -s -d -i -o -p -f
  std::string printed;  // canonical text, "-m NAME" included
  PredicatePtr predicate;
  PredicatePtr hotdrop;  // see MatchMeaning
  Span span;
  bool known = true;                  // false: opaque, reported as PST001
  bool switches_on_tracking = false;  // copied from the match's descriptor
};

struct NoTarget {};  // counts and goes on
struct Jump {
  std::size_t chain;
};  // index into Table::chains
struct Goto {
  std::size_t chain;
};
using Action = std::variant<NoTarget, Jump, Goto, Effect>;

struct Rule {
  std::optional<Counters> counters;
  std::vector<Clause> clauses;  // in evaluation order
  Action action = NoTarget{};
  std::string target;          // as after -j/-g; empty without
  std::string printed_target;  // canonical "-j X --options", or "-g X"
  Span target_span;
  bool target_known = true;
  bool switches_on_tracking = false;  // by its target: see Target in vocabulary/descriptor.hpp
  Span span;                          // the whole line without its line end
};

struct Chain {
  std::string name;
  std::optional<Policy> policy;  // only built-in chains have one
  std::optional<Counters> counters;
  std::vector<Rule> rules;
  Span span;  // of its ":NAME" line
  bool builtin() const { return policy.has_value(); }
};

struct Table {
  TableName name = TableName::kFilter;
  std::vector<Chain> chains;  // in order of declaration
  Span span;                  // of its "*name" line
  const Chain* find(std::string_view chain) const;
  std::optional<std::size_t> index(std::string_view chain) const;
};

struct Ruleset {
  Family family = Family::kIpv4;
  Backend backend = Backend::kLegacy;  // its clauses mean what this one makes of them
  std::shared_ptr<const SourceFile> source;
  std::vector<Table> tables;  // at most one of each name: a repeated table replaces
  const Table* find(TableName name) const;
};

}  // namespace postern
