#include "ir/print.hpp"

#include <fmt/format.h>

#include "ir/spell.hpp"

namespace postern {
namespace {

std::string header(const Chain& chain) {
  std::string_view policy = "-";
  if (chain.policy) policy = *chain.policy == Policy::kAccept ? "ACCEPT" : "DROP";
  const Counters counters = chain.counters.value_or(Counters{});
  return fmt::format(":{} {} [{}:{}]\n", chain.name, policy, counters.packets, counters.bytes);
}

}  // namespace

std::string print(const Rule& rule, std::string_view chain) {
  std::string line = "-A " + spell(chain);
  for (const Clause& clause : rule.clauses) {
    line += ' ';
    line += clause.printed;
  }
  if (!rule.printed_target.empty()) {
    line += ' ';
    line += rule.printed_target;
  }
  return line;
}

std::string print(const Ruleset& ruleset) {
  std::string out;
  for (const Table& table : ruleset.tables) {
    out += fmt::format("*{}\n", text(table.name));
    for (const Chain& chain : table.chains) out += header(chain);
    for (const Chain& chain : table.chains) {
      for (const Rule& rule : chain.rules) {
        if (rule.counters) {
          out += fmt::format("[{}:{}] ", rule.counters->packets, rule.counters->bytes);
        }
        out += print(rule, chain.name) + "\n";
      }
    }
    out += "COMMIT\n";
  }
  return out;
}

}  // namespace postern
