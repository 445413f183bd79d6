// What lint says: findings, the questions that it had to leave open, and how many it asked. Plain
// data; analyzer/report/ prints it. Places are spans of the ruleset's source.
// Covered by tests/unit/report_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/answer.hpp"
#include "flow/program.hpp"
#include "text/diagnostic.hpp"

namespace postern {

// A rule, a chain (number 0) or a policy, as findings name it.
struct Place {
  std::optional<TableName> table = {};
  std::string chain = {};
  std::uint32_t number = 0;  // within its chain, from 1; 0: the chain itself
  std::string text = {};     // of the rule, as written
  Span span = {};
};

// Another rule that the finding speaks of. `id` when it is a result of the same root cause that
// would be a finding of its own (PST309 below PST301).
struct Related {
  std::string id = {};
  Place place = {};
  std::string message = {};
};

std::string text(const IntervalList& intervals);  // "0-1233,1235-65535"; "none" when empty
// "source port 53", "each of the source ports 53,1024-2047".
std::string source_ports_text(const IntervalList& ports);
bool is_one_value(const IntervalList& intervals);
// " over loopback" where that is the path: a finding's first line should say it.
std::string_view over_loopback(Path path);

// PST202's own keys: port numbers.
struct PortHole {
  IntervalList sport, opens, opens_only_thus;
};

struct Finding {
  std::string id = {};  // "PST202"; the name stands on its page (explain.hpp)
  Severity severity = Severity::kWarning;
  Place place = {};
  std::string message = {};               // one sentence
  std::vector<std::string> reasons = {};  // further sentences, in order
  std::string help = {};                  // what would be right; may be empty
  std::vector<Related> related = {};
  std::optional<PortHole> hole = {};
  std::optional<Answer> answer = {};  // its witness was replayed; a proof where it says no
};

// A question of a check that got no answer.
struct OpenQuestion {
  std::string id = {};  // of the check
  std::string question = {};
  std::string why = {};
  bool met_nat = false;  // because of NAT, where it is not followed (docs/fidelity.md)
  Span span = {};
};

// Lint's own questions. unknown counts those of `open`.
struct LintStatistics {
  std::uint64_t answered = 0;  // yes or no
  std::uint64_t unknown = 0;   // without those that met NAT
  std::uint64_t met_nat = 0;
};

struct LintReport {
  std::vector<Finding> findings = {};  // by place, then identifier
  std::vector<OpenQuestion> open = {};
  LintStatistics statistics = {};
};

Place place_of(const Program& program, RuleId rule);
Place place_of(const Ruleset& ruleset, const Table& table, const Chain& chain);

// Finds the rule or chain line that holds a span. `ruleset` must outlive it.
class PlaceIndex {
 public:
  explicit PlaceIndex(const Ruleset& ruleset);
  // A place with nothing but the span and its text when no rule or chain holds it.
  Place at(Span span) const;

 private:
  struct Entry {
    Span span;
    const Table* table;
    const Chain* chain;
    std::uint32_t number;  // 0: the chain's own line
  };
  const Ruleset& ruleset_;
  std::vector<Entry> entries_;  // by begin
};

}  // namespace postern
