// An answer to a question: three-valued, with its proof or its packets. Data; how it is found
// stands in query.hpp, how it is printed in answer_text.cpp and answer_json.cpp.
//
// Invariants: `yes` has a witness that the engine replayed as expected (`replayed`); `no` and `yes`
// have `completeness`; `unknown` has at least one reason. Covered by tests/unit/query_test.cpp.
#pragma once

#include <algorithm>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/on_kernel.hpp"
#include "analyzer/question.hpp"
#include "scenario/result.hpp"
#include "scenario/scenario.hpp"

namespace postern {

enum class Truth : std::uint8_t { kYes, kNo, kUnknown };
std::string_view text(Truth truth);  // "yes"

// A reason of `unknown` that no rule is to blame for.
inline constexpr std::string_view kApproximated =
    "it hangs on a step of connection tracking that is only approximated";

// Closed intervals, sorted, disjoint and not adjacent.
using IntervalList = std::vector<std::pair<u128, u128>>;
// Every combination of values is meant (a box), never a projection. Fields not named are those of
// the witness.
using FieldBox = std::map<Field, IntervalList>;

struct MatchedRule {
  TableName table = TableName::kFilter;
  std::string chain;
  std::uint32_t number = 1;  // within its chain, from 1
  std::uint32_t line = 1;    // in the ruleset's file
  std::string text;          // as the file has it
};

// One packet of a witness, in order, with what the engine saw.
struct WitnessStep {
  Packet packet;
  Path path = Path::kIn;
  std::string sender;  // "outsider", "far end", "client", "server", "host"
  Verdict verdict = Verdict::kDropped;
  std::map<Hook, CtState> ctstate;
  std::vector<MatchedRule> rules;        // in the order in which they matched
  std::vector<EntryReport> entries;      // conntrack table after the packet
  std::optional<std::uint32_t> wait_ms;  // pause before the packet (an entry expires)
  bool of_master = false;                // of another flow, in which a helper is told of this one
};

struct Completeness {
  std::string kind = "any-length";
  std::string by = "fixpoint";  // "fixpoint", "induction" or "direct" (a replayed witness)
  unsigned depth = 0;           // layers until nothing changed; packets of the witness
  bool certified = false;       // the invariant was re-checked by Z3
};

struct Answer {
  std::string query;
  std::string file;  // name of the ruleset's source
  Verb verb = Verb::kConnect;
  Path path = Path::kIn;
  Family family = Family::kIpv4;
  Backend backend = Backend::kLegacy;  // that runs the ruleset
  Truth truth = Truth::kUnknown;
  std::vector<std::string> reasons;  // why unknown
  bool conditional = false;          // yes only for some values of what the text does not decide
  std::vector<std::string> assumptions;
  std::optional<Completeness> completeness;
  std::vector<WitnessStep> witness;
  std::optional<Scenario> scenario;  // replays the witness (--scenario)
  FieldBox generalised, within_question;
  std::map<Field, u128> found;  // --find: the values
  bool replayed = false;
  std::optional<OnKernel> on_kernel;  // --on-kernel: what Linux makes of the witness

  // The first packet of the flow itself (a master's come before it). REQUIRES: a witness.
  const WitnessStep& beginning() const {
    return *std::ranges::find(witness, false, &WitnessStep::of_master);
  }
};

// "127.0.0.1-127.0.0.9", "0-65535", "tcp": one field's value or interval as users read it.
std::string field_text(Field field, Family family, std::pair<u128, u128> interval);

// For a terminal; `color` adds ANSI escapes.
std::string to_text(const Answer& answer, bool color = false);
// Of which combinations a box does not speak: "src = dst" (no host sends to itself by a wire; over
// lo that is a flow to itself only with one port); "" where it has none such.
std::string box_exception(const Answer& answer, const FieldBox& box);
// One element of "answers" (docs/schema/postern-1.json).
nlohmann::json to_json(const Answer& answer);
// Keys that findings share with answers: conditional, assumptions, witness, generalised, replayed,
// on_kernel.
nlohmann::json witness_json(const Answer& answer);
// Commands that reproduce the first packet: "nc -p 1234 127.0.0.1 80"; empty when there is none.
std::vector<std::string> reproduction(const Answer& answer);

}  // namespace postern
