// Rewrites a ruleset's text at random without changing what it means, up to a renaming that the
// caller maps its questions by: other ports, another interface, another protocol or another
// spelling of it, stretches of chains moved into user chains, other chain names, rules in between
// that do not matter.
//
// Invariants: the renaming is one to one on what the text names; a moved stretch keeps its order,
// and falls back to where it stood (a goto only moves a chain's end); inserted rules end no packet
// of the questions. Used by tests/cli/rewriting_test.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace postern::test {

struct Renaming {
  std::map<std::string, std::string> words;  // "1234" -> "40112", "eth0" -> "wlan7", ...
  // Words of a line, each replaced when it has a new name.
  std::string operator()(const std::string& line) const;
};

// How often each kind of change was made.
struct RewriteCounts {
  unsigned ports = 0, interfaces = 0, protocols = 0, spellings = 0, chains_split = 0, gotos = 0,
           chains_renamed = 0, inserted = 0;
};

struct RewriteOptions {
  std::vector<std::string> ports;       // to rename; each to another number
  std::string from_interface;           // empty: interfaces stay
  std::string from_protocol, protocol;  // empty: protocols stay
  // Only inserted rules that no check can find fault with (counting, LOG); else also rules for
  // traffic that no question speaks of.
  bool neutral = false;
};

class Rewriter {
 public:
  explicit Rewriter(std::uint64_t seed) : random_(seed) {}

  // The renaming for these options; rewrite() uses the last one.
  const Renaming& draw(const RewriteOptions& options);
  std::string rewrite(const std::string& text, const RewriteOptions& options);
  const RewriteCounts& counts() const { return counts_; }
  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }

 private:
  struct Chain {
    std::string name, policy;
    std::vector<std::string> rules;  // without "-A NAME "
  };
  std::string fresh_name(const char* prefix);
  std::string table(const std::string& name, std::vector<Chain> chains,
                    const RewriteOptions& options);
  void split(std::vector<Chain>& chains);
  void insert(std::vector<Chain>& chains, bool neutral);
  void rename_chains(std::vector<Chain>& chains);
  void respell(std::vector<Chain>& chains);

  std::mt19937_64 random_;
  Renaming renaming_;
  RewriteCounts counts_;
  unsigned names_ = 0;
};

}  // namespace postern::test
