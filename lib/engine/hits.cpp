// Counters of a walk, as the scenario's result lists them (walk.hpp).
#include "engine/walk.hpp"
#include "ir/print.hpp"

namespace postern {

void Walker::collect(Hits& hits, std::optional<Family> family) const {
  for (RuleId id = 0; id < rules_.size(); ++id) {
    if (rules_[id].packets == 0) continue;
    const ProgramRule& rule = program_.rules()[id];
    const ProgramChain& chain = program_.chains()[rule.chain];
    hits.rules.push_back({chain.table, chain.chain->name, rule.number, rules_[id].packets,
                          rules_[id].bytes, print(*rule.rule, chain.chain->name), family});
  }
  for (ChainId id = 0; id < policies_.size(); ++id) {
    if (policies_[id].packets == 0) continue;
    const ProgramChain& chain = program_.chains()[id];
    const bool accepts = chain.chain->policy == Policy::kAccept;
    hits.policies.push_back({chain.table, chain.chain->name, 0, policies_[id].packets,
                             policies_[id].bytes, accepts ? "ACCEPT" : "DROP", family});
  }
  for (std::size_t hook = 0; hook < kHookCount; ++hook) {
    for (std::size_t table = 0; table < kTableCount; ++table) {
      const Counters& counted = unwritten_[hook][table];
      if (counted.packets == 0) continue;
      hits.policies.push_back({static_cast<TableName>(table),
                               std::string(text(static_cast<Hook>(hook))), 0, counted.packets,
                               counted.bytes, "ACCEPT", family});
    }
  }
}

}  // namespace postern
