#include "ir/ruleset.hpp"

#include <algorithm>
#include <array>

namespace postern {

std::string_view text(Backend backend) { return backend == Backend::kNft ? "nft" : "legacy"; }

std::string_view text(TableName table) {
  static constexpr std::array<std::string_view, kTableCount> kNames{"raw", "mangle", "nat",
                                                                    "filter", "security"};
  return kNames[static_cast<std::size_t>(table)];
}

std::optional<std::size_t> Table::index(std::string_view chain) const {
  const auto it = std::ranges::find(chains, chain, &Chain::name);
  if (it == chains.end()) return std::nullopt;
  return static_cast<std::size_t>(it - chains.begin());
}

const Chain* Table::find(std::string_view chain) const {
  const auto at = index(chain);
  return at ? &chains[*at] : nullptr;
}

const Table* Ruleset::find(TableName table) const {
  const auto it = std::ranges::find(tables, table, &Table::name);
  return it == tables.end() ? nullptr : &*it;
}

}  // namespace postern
