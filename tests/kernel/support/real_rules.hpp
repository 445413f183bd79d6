// Scenarios of rules from rulesets that people use: /shared/corpus/real, read when the tests run.
// Some stretches of a file's chains are taken, with the chains that they call; devices, hosts and
// ports are those that these rules test, so that the traffic meets them. What the text leaves open
// (limit, recent, sets ...) is left out. Covered by campaign_test.cpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/kernel/support/scenarios.hpp"

namespace postern::kernel {

class RealRules {
 public:
  // Reads what iptables takes, by the INDEX.tsv in `directory`; files too large to be bound again
  // and again are left out.
  explicit RealRules(const std::filesystem::path& directory);
  std::size_t files() const { return files_.size(); }

  MadeScenario make(std::uint64_t seed, std::size_t packets, Abilities abilities) const;

 private:
  struct Chain {
    std::string name, head;  // ":NAME POLICY [0:0]"
    std::vector<std::string> rules;
    std::vector<std::vector<std::string>> calls;  // of each rule: names behind -j and -g
  };
  struct Table {
    std::string name;
    std::vector<Chain> chains;
  };
  struct File {
    std::string name;
    Family family = Family::kIpv4;
    std::vector<Table> tables;
  };
  static std::vector<Table> read(const std::string& text, Family family, Abilities abilities);
  static std::string cut(Random& random, const Table& table);

  std::vector<File> files_;
};

}  // namespace postern::kernel
