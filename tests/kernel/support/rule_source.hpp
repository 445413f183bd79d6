// Random matches and targets, drawn from the descriptors in the registry: a new extension is drawn
// as soon as it is described and has its table in corpus/. Options are chosen by the descriptor's
// own rules (required, excluding each other), values by their type from the scenario's constants
// and from the words that the extension's table uses. Only what the model decides is drawn: no
// opaque meaning, nothing that the kernel refuses at that place. Covered by campaign_test.cpp.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flow/hooks.hpp"
#include "tests/kernel/support/constants.hpp"
#include "tests/kernel/support/random.hpp"
#include "vocabulary/descriptor.hpp"

namespace postern::kernel {

// The words behind each option in corpus/matches and corpus/targets, of rules that load.
class Phrasebook {
 public:
  static const Phrasebook& get();
  // Each one is the list of words of one occurrence; may be empty.
  const std::vector<std::vector<std::string>>& words(std::string_view extension,
                                                     std::string_view option) const;

 private:
  Phrasebook();
  void read(const std::string& stem, const std::string& rule);
  std::map<std::string, std::map<std::string, std::vector<std::vector<std::string>>>> words_;
};

// What the engine models of the effects that it may still refuse; found out by asking it.
struct Abilities {
  bool nat = false, zones = false, helpers = false;
  static Abilities probe();
};

class RuleSource {
 public:
  RuleSource(Random& random, const Constants& constants, Backend backend, bool tracking,
             Abilities abilities)
      : random_(random),
        constants_(constants),
        backend_(backend),
        tracking_(tracking),
        abilities_(abilities) {}

  // The rule's "-p": text, and number when it is not inverted.
  struct Protocol {
    std::string text;
    std::optional<std::uint8_t> number;
    bool inverted = false;
  };
  Protocol protocol();
  // " -s ...", " ! -i ..." or nothing.
  std::string builtin_options(const RulePlace& place, bool builtin_chain);
  // " -m NAME ...", or nothing when no extension would do.
  std::string match(const RulePlace& place, const Protocol& protocol);
  // " -j NAME ...".
  std::string target(const RulePlace& place, const Protocol& protocol);

 private:
  using Words = std::vector<std::string>;
  std::string bang(unsigned percent) { return random_.chance(percent) ? " !" : ""; }
  std::string address();
  std::string network();
  std::string port() { return std::to_string(random_.pick(constants_.ports)); }
  std::string port_range();
  std::string number(const OptionSpec& spec);
  Words list_words(std::string_view extension, const OptionSpec& spec);
  Words value_words(std::string_view extension, const OptionSpec& spec);
  std::optional<Words> from_table(std::string_view extension, const OptionSpec& spec);
  std::optional<std::vector<BoundOption>> options(std::string_view extension,
                                                  std::span<const OptionSpec> specs,
                                                  const Arguments& rule);
  std::optional<std::string> try_match(const Match& match, const RulePlace& place,
                                       const Arguments& rule);
  std::optional<std::string> try_target(const Target& target, const RulePlace& place,
                                        const Arguments& rule);
  bool can_run(const Effect& effect) const;

  Random& random_;
  const Constants& constants_;
  Backend backend_;
  bool tracking_;
  Abilities abilities_;
};

}  // namespace postern::kernel
