// Covered by tests/unit/report_test.cpp.
#include "analyzer/finding.hpp"

#include <algorithm>

#include "base/bits.hpp"

namespace postern {

std::string text(const IntervalList& intervals) {
  if (intervals.empty()) return "none";
  std::string out;
  for (const auto& [low, high] : intervals) {
    if (!out.empty()) out += ",";
    out += to_decimal(low);
    if (high != low) out += "-" + to_decimal(high);
  }
  return out;
}

bool is_one_value(const IntervalList& intervals) {
  return intervals.size() == 1 && intervals.front().first == intervals.front().second;
}

std::string source_ports_text(const IntervalList& ports) {
  return (is_one_value(ports) ? "source port " : "each of the source ports ") + text(ports);
}

std::string_view over_loopback(Path path) {
  return path == Path::kLoopback ? " over loopback" : "";
}

Place place_of(const Program& program, RuleId rule) {
  const ProgramRule& found = program.rules()[rule];
  const ProgramChain& chain = program.chains()[found.chain];
  return {.table = chain.table,
          .chain = chain.chain->name,
          .number = found.number,
          .text = std::string(program.ruleset().source->slice(found.rule->span)),
          .span = found.rule->span};
}

Place place_of(const Ruleset& ruleset, const Table& table, const Chain& chain) {
  return {.table = table.name,
          .chain = chain.name,
          .number = 0,
          .text = std::string(ruleset.source->slice(chain.span)),
          .span = chain.span};
}

PlaceIndex::PlaceIndex(const Ruleset& ruleset) : ruleset_(ruleset) {
  for (const Table& table : ruleset.tables) {
    for (const Chain& chain : table.chains) {
      entries_.push_back({chain.span, &table, &chain, 0});
      for (std::uint32_t i = 0; i < chain.rules.size(); ++i) {
        entries_.push_back({chain.rules[i].span, &table, &chain, i + 1});
      }
    }
  }
  std::ranges::stable_sort(entries_, {}, [](const Entry& entry) { return entry.span.begin; });
}

Place PlaceIndex::at(Span span) const {
  auto next = std::ranges::upper_bound(entries_, span.begin, {},
                                       [](const Entry& entry) { return entry.span.begin; });
  if (next == entries_.begin() || std::prev(next)->span.end < span.end) {
    return {.text = std::string(ruleset_.source->slice(span)), .span = span};
  }
  const Entry& entry = *std::prev(next);
  Place place = place_of(ruleset_, *entry.table, *entry.chain);
  place.number = entry.number;
  place.span = entry.span;
  place.text = std::string(ruleset_.source->slice(entry.span));
  return place;
}

}  // namespace postern
