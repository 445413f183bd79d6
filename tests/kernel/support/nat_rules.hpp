// Broad NAT rules, so that a good part of the flows is translated: what the descriptors give
// (rule_source.hpp) matches too seldom. Covered by campaign_test.cpp, which asks for 10 %.
#pragma once

#include <string>

#include "tests/kernel/support/constants.hpp"
#include "tests/kernel/support/random.hpp"

namespace postern::kernel {

class NatSource {
 public:
  NatSource(Random& random, const Constants& constants) : random_(random), constants_(constants) {}
  // What stands behind "-A CHAIN" of one rule for this chain of the nat table.
  std::string rule(const std::string& chain);

 private:
  bool v4() const { return constants_.family == Family::kIpv4; }
  std::string address();
  std::string place(bool ports);
  std::string flags(bool persistent);
  std::string source_target(const std::string& chain, bool ports);
  std::string destination_target(bool ports);

  Random& random_;
  const Constants& constants_;
};

}  // namespace postern::kernel
