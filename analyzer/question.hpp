// A question, in iptables' own words: "connect -i lo -p tcp --sport 1234 ! --dport 1234".
//
// VERB MATCH...: VERB is deliver, connect or track; MATCH is read by the same vocabulary as a
// rule's (ir/bind.hpp, read_match_words). Besides matches a question may hold --path P,
// --entry-state S (track only), --to-destination A, --to-port P, --find F,... and --every F,...
// Design: design.md section 4, "Flows". Covered by tests/unit/question_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/hooks.hpp"
#include "ir/ruleset.hpp"
#include "text/diagnostic.hpp"

namespace postern {

enum class Verb : std::uint8_t { kDeliver, kConnect, kTrack };
std::string_view text(Verb verb);  // "deliver"

// One question about one family. `paths` is never empty; each path is answered on its own.
struct Question {
  Verb verb = Verb::kConnect;
  Family family = Family::kIpv4;
  std::vector<Clause> match;  // M; clauses of all, in order
  std::vector<Path> paths;
  std::optional<std::string> entry_state;  // upper case: "SYN_SENT"
  std::optional<Prefix> to_destination;    // the flow's destination as delivered
  std::optional<std::uint16_t> to_port;
  bool not_to_destination = false, not_to_port = false;  // inverted by `!`
  std::vector<Field> find, every;                        // numeric fields; disjoint
  std::shared_ptr<const SourceFile> source;
  std::string text;  // canonical: what the answer's `query` shows

  // M as one predicate over the flow's first packet.
  PredicatePtr predicate() const;
};

// What the command line gives beside the words.
struct QuestionDefaults {
  std::optional<Path> path;
  std::vector<std::string> find, every;  // field names, comma lists allowed
};

// The text that the spans of a question's errors refer to: the words joined by blanks.
std::shared_ptr<const SourceFile> joined_words(const std::vector<std::string>& words);

// The family that the words alone decide (an address, -p icmpv6), if any.
std::optional<Family> family_of_words(const std::vector<std::string>& words);

// Errors: unknown verb, matches that M may not name, --find/--every of unknown or non-numeric
// fields, --path that contradicts -i/-o. Each with its place in the joined words.
// Paths when neither --path nor the interfaces decide: -i X alone: in and forward; -o X alone: out
// (--path forward asks the other); -i lo or -o lo: loopback; both and not lo: forward; none: all
// four.
Result<Question> read_question(const std::vector<std::string>& words, Family family,
                               const QuestionDefaults& defaults = {});

}  // namespace postern
