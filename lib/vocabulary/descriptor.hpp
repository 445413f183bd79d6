// How an extension is described: its options (names, value types, inversion) and its meaning. One
// file of lib/vocabulary/match or target holds one descriptor; parsing, canonical printing, inversion
// and the support table are all derived from it.
//
// The binder (ir/bind.cpp) walks the words of a rule, finds each option in the descriptor that owns
// it, parses its values by type, and hands the whole as Arguments to `meaning`.
// Covered by tests/unit/vocabulary_test.cpp and the tables in corpus/matches, corpus/targets.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "meaning/effect.hpp"
#include "meaning/predicate.hpp"
#include "net/family.hpp"
#include "text/diagnostic.hpp"
#include "vocabulary/value.hpp"

namespace postern {

// One option of an extension, as the user may write it.
struct OptionSpec {
  std::string_view name;                        // canonical, with dashes: "--dport"
  std::vector<std::string_view> aliases = {};   // "--destination-port"
  ValueType type = {};                          // value.hpp: what words follow, and how they print
  bool invertible = false;
  bool required = false;
  std::string_view excludes = {};               // group name: at most one option of a group
};

// An option as bound in one rule. `values` has one Value per word that the type asks for.
struct BoundOption {
  const OptionSpec* spec = nullptr;
  bool inverted = false;
  std::vector<Value> values;
  Span span;
};

// Everything `meaning` may look at.
struct Arguments {
  Family family = Family::kIpv4;
  std::span<const BoundOption> options;
  // -p of the same rule: number and whether it was inverted; nullopt when absent (or "all").
  std::optional<std::uint8_t> protocol;
  bool protocol_inverted = false;

  const BoundOption* find(std::string_view name) const;   // by canonical name; nullptr when absent
  bool has(std::string_view name) const { return find(name) != nullptr; }
};

// A match's meaning. `hotdrop`: when the rule's earlier clauses hold and this is true, the packet is
// dropped on the spot (kernel: par->hotdrop; kernel-facts 42), legacy backend only.
struct MatchMeaning {
  PredicatePtr predicate;
  PredicatePtr hotdrop = constant(false);
};

// What `meaning` functions return on bad combinations: one sentence and what would be right; the
// binder adds the place.
struct Complaint {
  std::string message;
  std::string help;
};

struct Match {
  std::string_view name;                              // as after -m
  std::vector<Family> families = {Family::kIpv4, Family::kIpv6};
  // The match needs -p of one of these protocols (not inverted); empty: any.
  std::vector<std::uint8_t> protocols = {};
  std::vector<OptionSpec> options = {};
  std::function<tl::expected<MatchMeaning, Complaint>(const Arguments&)> meaning;
  // A rule with it switches connection tracking on for the family (kernel-facts 1).
  bool switches_on_tracking = false;
  // Canonical text after "-m name", when deriving it from the options is not enough.
  std::function<std::string(const Arguments&)> print = {};
};

struct Target {
  std::string_view name;                              // as after -j
  std::vector<Family> families = {Family::kIpv4, Family::kIpv6};
  std::vector<std::uint8_t> protocols = {};
  std::vector<OptionSpec> options = {};
  std::function<tl::expected<Effect, Complaint>(const Arguments&)> effect;
  // As for matches, except that an effect NoTrack never switches tracking on (CT --notrack).
  bool switches_on_tracking = false;
  std::function<std::string(const Arguments&)> print = {};
};

}  // namespace postern
