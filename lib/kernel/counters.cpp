// What iptables-save prints, by chain; and hits: the difference of two counter readings.
// Covered by tests/kernel/harness_test.cpp.
#include "kernel/counters.hpp"

#include <optional>

namespace postern::kernel {
namespace {

std::optional<TableName> table_named(std::string_view name) {
  for (std::size_t i = 0; i < kTableCount; ++i) {
    if (text(static_cast<TableName>(i)) == name) return static_cast<TableName>(i);
  }
  return std::nullopt;
}

std::string_view word(std::string_view line, std::size_t at) {
  for (; at > 0; --at) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return {};
    line.remove_prefix(blank + 1);
  }
  return line.substr(0, line.find(' '));
}

}  // namespace

RuleTexts read_saved(std::string_view saved) {
  RuleTexts texts;
  std::optional<TableName> table;
  while (!saved.empty()) {
    const std::size_t end = saved.find('\n');
    const std::string_view line = saved.substr(0, end);
    saved.remove_prefix(end == std::string_view::npos ? saved.size() : end + 1);
    if (line.starts_with('*')) {
      table = table_named(line.substr(1));
      if (table) texts.tables.push_back(*table);
    } else if (table && line.starts_with(':')) {
      texts.policies[{*table, std::string(word(line, 0).substr(1))}] = word(line, 1);
    } else if (table && line.starts_with("-A ")) {
      texts.rules[{*table, std::string(word(line, 1))}].emplace_back(line);
    }
  }
  return texts;
}

Outcome<void> CounterWatch::hits(std::vector<RuleHit>& rules, std::vector<RuleHit>& policies) {
  auto now = source_->read();
  if (!now) return tl::unexpected(now.error());
  if (!before_.empty() && before_.size() != now->size()) {
    return tl::unexpected(std::string("the number of rules changed while the scenario ran"));
  }
  for (std::size_t i = 0; i < now->size(); ++i) {
    const auto& [place, value] = (*now)[i];
    const Counters before = before_.empty() ? Counters{} : before_[i].value;
    if (value.packets == before.packets) continue;
    RuleHit hit{place.table,
                place.chain,
                place.number,
                value.packets - before.packets,
                value.bytes - before.bytes,
                {},
                label_};
    if (place.number == 0) {
      hit.text = texts_.policies[{place.table, place.chain}];
      policies.push_back(std::move(hit));
    } else {
      const auto& chain = texts_.rules[{place.table, place.chain}];
      if (place.number <= chain.size()) hit.text = chain[place.number - 1];
      rules.push_back(std::move(hit));
    }
  }
  before_ = std::move(*now);
  return {};
}

}  // namespace postern::kernel
