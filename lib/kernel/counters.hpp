// Rule and policy counters of one loaded ruleset, straight from the kernel: IPT_SO_GET_ENTRIES (and
// its IPv6 twin) for legacy tables, a netlink dump for nft ones. The order of counters never
// changes while a ruleset is loaded. Covered by tests/kernel/harness_test.cpp.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flow/hooks.hpp"
#include "ir/ruleset.hpp"
#include "kernel/netlink.hpp"
#include "net/family.hpp"
#include "scenario/result.hpp"

namespace postern::kernel {

// A counter's place: `number` from 1, or 0 for a policy.
struct CounterPlace {
  TableName table = TableName::kFilter;
  std::string chain;
  std::uint32_t number = 0;
};

struct CounterReading {
  CounterPlace place;
  Counters value;
};

class CounterSource {
 public:
  virtual ~CounterSource() = default;
  // Every rule and every built-in chain's policy of these tables, in a stable order.
  virtual Outcome<std::vector<CounterReading>> read() = 0;
};

// REQUIRES: the thread is in the namespace.
Outcome<std::unique_ptr<CounterSource>> legacy_counters(Family family,
                                                        std::vector<TableName> tables);
Outcome<std::unique_ptr<CounterSource>> nft_counters(Family family, std::vector<TableName> tables);

// The rules of a ruleset as iptables-save prints them: (table, chain) -> texts; and the policies.
struct RuleTexts {
  std::map<std::pair<TableName, std::string>, std::vector<std::string>> rules;
  std::map<std::pair<TableName, std::string>, std::string> policies;
  std::vector<TableName> tables;
};
RuleTexts read_saved(std::string_view saved);

// Watches one family's counters: hits are what rose since the last call.
class CounterWatch {
 public:
  CounterWatch(std::unique_ptr<CounterSource> source, RuleTexts texts, std::optional<Family> label)
      : source_(std::move(source)), texts_(std::move(texts)), label_(label) {}

  const RuleTexts& texts() const { return texts_; }
  // Appends to `rules` and `policies`.
  Outcome<void> hits(std::vector<RuleHit>& rules, std::vector<RuleHit>& policies);

 private:
  std::unique_ptr<CounterSource> source_;
  RuleTexts texts_;
  std::optional<Family> label_;  // printed as "family" when two rulesets are loaded
  std::vector<CounterReading> before_;
};

}  // namespace postern::kernel
