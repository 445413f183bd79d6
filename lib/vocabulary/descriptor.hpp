// How an extension is described: its options (names, value types, inversion) and its meaning. One
// file of lib/vocabulary/match or target holds one descriptor; parsing, canonical printing,
// inversion and the support table are all derived from it.
//
// The binder (ir/bind.cpp) walks the words of a rule, finds each option in the descriptor that owns
// it (find_option), reads its values by type (read_option), and has the whole bound and printed
// (bind_match, print_match).
// Covered by tests/unit/vocabulary_test.cpp and the tables in corpus/matches, corpus/targets.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "meaning/effect.hpp"
#include "meaning/predicate.hpp"
#include "net/family.hpp"
#include "text/source.hpp"
#include "vocabulary/value.hpp"

namespace postern {

// One option of an extension, as the user may write it.
struct OptionSpec {
  std::string_view name;                       // canonical, with dashes: "--dport"
  std::vector<std::string_view> aliases = {};  // "--destination-port"
  ValueType type = {};                         // value.hpp: what words follow, and how they print
  bool invertible = false;
  bool required = false;
  std::string_view excludes = {};           // group name: at most one option of a group
  std::uint64_t min = 0, max = 0xffffffff;  // bounds of numbers (kUnsigned, kHex, kRange, kMasked)
  bool multiple = false;                    // may be given more than once
  // Of ports: services of every protocol by name, as getaddrinfo(3) finds them (-p udp --dport
  // ssh).
  bool any_service = false;
};

// An option as bound in one rule; `value` is what read_value (value.hpp) gives for its type.
struct BoundOption {
  const OptionSpec* spec = nullptr;
  bool inverted = false;
  Value value = {};
  Span span = {};
};

// Everything `meaning` may look at.
struct Arguments {
  Family family = Family::kIpv4;
  std::span<const BoundOption> options = {};  // as written, in that order
  // -p of the same rule: number and whether it was inverted; nullopt when absent (or "all").
  std::optional<std::uint8_t> protocol = std::nullopt;
  bool protocol_inverted = false;

  const BoundOption* find(std::string_view name) const;  // by canonical name; nullptr when absent
  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool inverted(std::string_view name) const {
    const BoundOption* option = find(name);
    return option != nullptr && option->inverted;
  }
  // The value of an option that is there, or nullptr; T must be the alternative of its type.
  template <class T>
  const T* get(std::string_view name) const {
    const BoundOption* option = find(name);
    return option == nullptr ? nullptr : &std::get<T>(option->value);
  }
};

// A match's meaning. `hotdrop`: when the rule's earlier clauses hold and this is true, the packet
// is dropped on the spot (kernel: par->hotdrop; kernel-facts 42). `translated`: what iptables-nft
// makes of it, which drops nothing on the spot; null where it runs the kernel's own match.
struct MatchMeaning {
  PredicatePtr predicate;
  PredicatePtr hotdrop = constant(false);
  PredicatePtr translated = nullptr;
};

// Where a rule stands: its table, and every built-in chain from which it can be reached.
struct RulePlace {
  std::string_view table;                   // "filter"
  std::span<const std::string_view> hooks;  // "INPUT", ...
};

struct Match {
  std::string_view name;  // as after -m
  std::vector<Family> families = {Family::kIpv4, Family::kIpv6};
  // The kernel loads it only beside -p of one of these protocols (not inverted); empty: any.
  std::vector<std::uint8_t> protocols = {};
  std::vector<OptionSpec> options = {};
  std::function<tl::expected<MatchMeaning, Complaint>(const Arguments&)> meaning;
  // A rule with it switches connection tracking on for the family (kernel-facts 1).
  bool switches_on_tracking = false;
  // Canonical text after "-m name " (may be empty), when deriving it from the options is not
  // enough. It may rely on `meaning` having accepted the arguments.
  std::function<std::string(const Arguments&)> print = {};
  // As for targets.
  std::vector<std::string_view> tables = {};
  std::vector<std::string_view> hooks = {};
  std::function<std::optional<std::string>(const Arguments&, const RulePlace&)> refused = {};
};

struct Target {
  std::string_view name;  // as after -j
  std::vector<Family> families = {Family::kIpv4, Family::kIpv6};
  std::vector<std::uint8_t> protocols = {};
  std::vector<OptionSpec> options = {};
  std::function<tl::expected<Effect, Complaint>(const Arguments&)> effect;
  // As for matches, except that an effect NoTrack never switches tracking on (CT --notrack).
  bool switches_on_tracking = false;
  std::function<std::string(const Arguments&)> print = {};
  // Where the kernel takes the target; empty: everywhere. Loading refuses it elsewhere although the
  // text parses (check PST002); the binder keeps it.
  std::vector<std::string_view> tables = {};  // "raw", "mangle", "nat", "filter", "security"
  std::vector<std::string_view> hooks = {};   // "INPUT", ...: every hook that reaches the rule
  // What else the kernel refuses: a sentence, or nullopt when it loads.
  std::function<std::optional<std::string>(const Arguments&, const RulePlace&)> refused = {};
};

// Reads one option: the words after it (word_count(spec.type) of them), its `!`, bounds and family.
tl::expected<BoundOption, Complaint> read_option(const OptionSpec& spec, bool inverted,
                                                 std::span<const std::string> words,
                                                 const Arguments& rule);

// Which option of `options` a word names: exactly, by alias, or by a unique beginning as
// getopt_long allows ("--cts" for --ctstate). nullptr when none or several; `ambiguous` tells
// which.
struct FoundOption {
  const OptionSpec* spec = nullptr;
  bool exact = false;
  bool ambiguous = false;
};
FoundOption find_option(std::span<const OptionSpec> options, std::string_view word);

// Everything about the whole that the options alone do not show: protocol, required options,
// options that exclude each other or are repeated; then the descriptor's own meaning.
tl::expected<MatchMeaning, Complaint> bind_match(const Match& match, const Arguments& arguments);
tl::expected<Effect, Complaint> bind_target(const Target& target, const Arguments& arguments);

// Why the kernel does not load a match or target that bound (its protocol, table, hook or values),
// as one sentence; nullopt when it does. One such rule, and no rule of the table loads (check
// PST002).
std::optional<std::string> kernel_refuses(const Match& match, const Arguments& arguments,
                                          const RulePlace& place);
std::optional<std::string> kernel_refuses(const Target& target, const Arguments& arguments,
                                          const RulePlace& place);

// Does the match stand beside `! -p` of a protocol that it needs? The kernel refuses it there, but
// loads what iptables-nft translates (MatchMeaning::translated), which then reads the bytes of
// other protocols.
bool beside_inverted_protocol(const Match& match, const Arguments& arguments);

// Canonical text, "-m NAME ..." or "-j NAME ...", of arguments that bound.
std::string print_match(const Match& match, const Arguments& arguments);
std::string print_target(const Target& target, const Arguments& arguments);
// The same for the options alone, in the order of `specs`: what descriptors without `print` get.
std::string print_options(std::span<const OptionSpec> specs, const Arguments& arguments);

}  // namespace postern
