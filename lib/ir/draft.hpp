// A rule whose words have been given to their owners (rule_reader.hpp) but which has no meaning yet
// (rule_finish.hpp makes it). Internal to lib/ir.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/ruleset.hpp"
#include "syntax/ast.hpp"
#include "text/diagnostic.hpp"
#include "vocabulary/descriptor.hpp"

namespace postern {

// One word as the program gets it: quotes off.
struct RuleWord {
  std::string text;
  Span span;
};

// A match or a target as the rule names it, with what was written for it.
struct Extension {
  std::string name;
  Span span;                     // from -m or -j to the last word that belongs here
  const Match* match = nullptr;  // both null: postern does not know it
  const Target* target = nullptr;
  std::vector<BoundOption> options = {};
  std::vector<RuleWord> words = {};  // all words that belong here, as written; name left out
  std::string unknown_option = {};   // not empty: a known extension got an option that it lacks

  bool known() const { return match != nullptr || target != nullptr; }
  std::span<const OptionSpec> specs() const {
    if (match != nullptr) return match->options;
    if (target != nullptr) return target->options;
    return {};
  }
};

template <class T>
struct Given {
  T value{};
  bool inverted = false;
  Span span;
};

struct Draft {
  // The command: 'A', 'I', 'N' or 'P'; '\0' none (a question).
  char command = '\0';
  Given<std::string> chain;
  std::optional<Given<std::string>> chain_argument;  // -I's number, -P's policy
  std::optional<Given<std::vector<Prefix>>> source, destination;
  std::optional<Given<InterfacePattern>> input, output;
  std::optional<Given<std::uint8_t>> protocol;
  std::optional<Given<bool>> fragment;
  std::optional<Counters> counters;
  std::vector<Extension> matches;
  std::optional<Extension> target;                // an extension's
  std::optional<Given<std::string>> jump, go_to;  // chains
  bool other_family = false;                      // -4 in an IPv6 ruleset, or the reverse

  Arguments arguments(const Extension& extension, Family family) const {
    Arguments result{.family = family, .options = extension.options};
    if (protocol && protocol->value != 0) {
      result.protocol = protocol->value;
      result.protocol_inverted = protocol->inverted;
    }
    return result;
  }
};

// What binding one rule may look at and where its trouble goes.
class ChainNames;
struct RuleContext {
  const SourceFile& source;
  Family family;
  Backend backend;           // whose meaning matches get
  const ChainNames* chains;  // nullptr: a question, which names no chain
  Diagnostics& errors;
  Diagnostics& warnings;

  void error(std::string code, Span span, std::string message, std::string help = "") const {
    errors.push_back(
        {Severity::kError, std::move(code), span, std::move(message), std::move(help), {}});
  }
  void unknown(Span span, std::string message, std::string help) const {
    warnings.push_back(
        {Severity::kWarning, "PST001", span, std::move(message), std::move(help), {}});
  }
  bool question() const { return chains == nullptr; }
};

// The chains of one table, by name: known before any rule is bound.
class ChainNames {
 public:
  virtual ~ChainNames() = default;
  // Where the chain stands in Table::chains, if it exists when the rule at `offset` is read.
  virtual std::optional<std::size_t> find(std::string_view name, std::uint32_t offset) const = 0;
  virtual bool builtin(std::string_view name) const = 0;
};

}  // namespace postern
