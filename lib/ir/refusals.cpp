#include "ir/refusals.hpp"

#include <algorithm>

namespace postern {
namespace {

std::optional<std::string> refused(const Extension& extension, const Arguments& arguments,
                                   const RulePlace& place) {
  return extension.match != nullptr ? kernel_refuses(*extension.match, arguments, place)
                                    : kernel_refuses(*extension.target, arguments, place);
}

// Does the kernel look at anything but the options?
template <class Descriptor>
bool restricted(const Descriptor* descriptor) {
  return descriptor != nullptr && (!descriptor->protocols.empty() || !descriptor->tables.empty() ||
                                   !descriptor->hooks.empty() || descriptor->refused != nullptr);
}

// ... at the hooks, for one?
template <class Descriptor>
bool by_place_too(const Descriptor* descriptor) {
  return descriptor != nullptr && (!descriptor->hooks.empty() || descriptor->refused != nullptr);
}

template <class Descriptor>
bool asks_options(const Descriptor* descriptor) {
  return descriptor != nullptr && descriptor->refused != nullptr;
}

// What iptables-nft translates does not come to the kernel as the match that it would refuse.
bool loaded_as_translated(const Extension& extension, const Arguments& arguments) {
  if (extension.match == nullptr || !beside_inverted_protocol(*extension.match, arguments)) {
    return false;
  }
  const auto meaning = bind_match(*extension.match, arguments);
  return meaning && meaning->translated != nullptr;
}

// By chain: the built-in chains from which jumps lead there, in the order of the table.
std::vector<std::vector<std::string_view>> hooks_by_chain(const Table& table) {
  std::vector<std::vector<std::string_view>> hooks(table.chains.size());
  for (std::size_t start = 0; start < table.chains.size(); ++start) {
    if (!table.chains[start].builtin()) continue;
    std::vector<bool> seen(table.chains.size(), false);
    std::vector<std::size_t> next{start};
    while (!next.empty()) {
      const std::size_t chain = next.back();
      next.pop_back();
      if (seen[chain]) continue;
      seen[chain] = true;
      hooks[chain].push_back(table.chains[start].name);
      for (const Rule& rule : table.chains[chain].rules) {
        if (const auto* jump = std::get_if<Jump>(&rule.action)) next.push_back(jump->chain);
        if (const auto* go = std::get_if<Goto>(&rule.action)) next.push_back(go->chain);
      }
    }
  }
  return hooks;
}

}  // namespace

void Refusals::add(const Draft& draft, std::size_t chain) {
  for (const Extension& match : draft.matches) consider(draft, match, chain);
  if (draft.target) consider(draft, *draft.target, chain);
}

// Most extensions are kept out here: a table may have hundreds of thousands of rules.
void Refusals::consider(const Draft& draft, const Extension& extension, std::size_t chain) {
  if (!extension.unknown_option.empty()) return;
  if (!restricted(extension.match) && !restricted(extension.target)) return;
  const bool by_place = by_place_too(extension.match) || by_place_too(extension.target);
  const Arguments arguments = draft.arguments(extension, family_);
  if (backend_ == Backend::kNft && loaded_as_translated(extension, arguments)) return;
  const RulePlace anywhere{text(table_), {}};
  if (!by_place && !refused(extension, arguments, anywhere)) return;
  Extension kept{extension.name, extension.span, extension.match, extension.target};
  if (asks_options(extension.match) || asks_options(extension.target)) {
    kept.options = extension.options;
  }
  pending_.push_back({chain, std::move(kept), draft.protocol});
}

void Refusals::report(const Table& table, Diagnostics& warnings) const {
  if (pending_.empty()) return;
  const auto hooks = hooks_by_chain(table);
  for (const Pending& one : pending_) {
    Draft draft;
    draft.protocol = one.protocol;
    const Arguments arguments = draft.arguments(one.extension, family_);
    const auto why = refused(one.extension, arguments, {text(table_), hooks[one.chain]});
    if (!why) continue;
    warnings.push_back({Severity::kError,
                        "PST002",
                        one.extension.span,
                        "the kernel refuses " + one.extension.name + " here: " + *why,
                        "correct it: with this rule nothing of table " + std::string(text(table_)) +
                            " is loaded, although iptables-restore --test takes it",
                        {}});
  }
}

}  // namespace postern
