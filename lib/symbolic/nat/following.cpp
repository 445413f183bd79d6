// Flows that a helper announced, where their master is under NAT: they are bound with their master
// and never come to a rule of nat (nf_nat_follow_master).
//
// Idea: the helper names one end of the master as that end's partner sees it; the announced flow
// goes there, and on to where that end really is. What the end's address was is what the master's
// own packets had: known where a rule's range says it (to the end that the master was sent to), any
// where it is that of whoever opened the master. Each way is a variant beside those by rules.
// Where another flow has taken the announced port, the helper announces a higher one: such a
// variant (kMasterOtherPort) holds the plain one, so that one serves all that may happen, and the
// other what surely can. Sources: engine/nat_bind.cpp, engine/helper.cpp. Covered by
// tests/unit/expected_nat_test.cpp and tests/agreement/adversary_test.cpp.
#include <algorithm>

#include "symbolic/nat/translation.hpp"

namespace postern {
namespace {

constexpr FlowEnd kEnds[] = {FlowEnd::kInitiator, FlowEnd::kResponder};

// An end that becomes what a range says (0: what it was), or any address.
EndRange address_of(const EndRange* range, bool any) {
  EndRange result;
  result.keeps_address = !any && (range == nullptr || range->keeps_address);
  if (!any && range != nullptr) result.address = range->address;
  return result;
}

struct EndsOfFollowing {
  EndRange destination, source;
};

EndsOfFollowing ends_of(const Translations& all, const Following& how) {
  const auto of = [&](std::uint8_t number) { return number == 0 ? nullptr : &all.range(number); };
  const EndRange *to = of(how.master.destination), *from = of(how.master.source);
  const auto changed = [](const EndRange* range) {
    return range != nullptr && !range->keeps_address;
  };
  EndsOfFollowing result;
  // To the opener: back through what the master's two ends have become.
  result.destination = how.to_opener ? address_of(nullptr, changed(from)) : address_of(to, false);
  result.source =
      how.to_opener ? address_of(nullptr, changed(to) || how.any_source) : address_of(from, false);
  result.destination.keeps_port = !how.other_port;
  return result;
}

}  // namespace

std::optional<std::uint8_t> Translations::find(const EndRange& range) const {
  if (range.keeps_address && range.keeps_port) return std::uint8_t{0};
  const auto at = std::ranges::find(ranges_, range);
  if (at == ranges_.end()) return std::nullopt;
  return static_cast<std::uint8_t>(at - ranges_.begin() + 1);
}

// nullopt: the flow would have another name on its path, or its ranges have no number.
std::optional<NatVariant> Translations::bound_as(FlowEnd originator, const Following& how) const {
  const EndsOfFollowing ends = ends_of(*this, how);
  NatVariant result;
  result.originator = originator;
  result.by = how.other_port ? NatVariant::By::kMasterOtherPort : NatVariant::By::kMaster;
  const auto to = find(ends.destination);
  // A source that keeps its address may get another port all the same (ends.cpp).
  const auto from = ends.source.keeps_address ? std::optional(std::uint8_t{0}) : find(ends.source);
  if (!to || !from) return std::nullopt;
  result.destination = *to;
  result.source = *from;
  // The responder's packets name a flow by where it really is.
  if (originator == FlowEnd::kResponder) {
    if (!ends.destination.keeps_address) return std::nullopt;
    result.destination = 0;
  }
  return result;
}

void Translations::follow_masters(bool any_source) {
  if (!some_) return;
  follows_masters_ = true;
  std::map<Path, std::vector<Following>> ways;  // by the path of what is announced, by its opener
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
    std::vector<NatVariant> masters = by_rules(path);
    masters.emplace_back();
    for (const NatVariant& master : masters) {
      if (master.originator != FlowEnd::kInitiator) continue;
      for (const bool other_port : {false, true}) {
        ways[path].push_back({master, false, false, other_port});
        ways[reverse(path)].push_back({master, true, false, other_port});
        if (!any_source) continue;
        for (const Path from : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
          ways[from].push_back({master, true, true, other_port});
        }
      }
    }
  }
  const auto keep = [&](const EndRange& range) {
    if (find(range)) return;
    if (ranges_.size() < kMostRangeNumbers) {
      ranges_.push_back(range);
    } else {
      follows_masters_ = false;
    }
  };
  keep(EndRange{});  // anything
  for (const auto& [path, list] : ways) {
    for (const Following& how : list) {
      const EndsOfFollowing ends = ends_of(*this, how);
      keep(ends.destination);
      if (!ends.source.keeps_address) keep(ends.source);
    }
  }
  if (!follows_masters_) return;
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
    auto& list = following_[path];
    const auto add = [&](const std::optional<NatVariant>& nat) {
      if (nat && std::ranges::find(list, *nat) == list.end()) list.push_back(*nat);
    };
    for (const FlowEnd end : kEnds) {
      for (const Following& how : ways[end == FlowEnd::kInitiator ? path : reverse(path)]) {
        add(bound_as(end, how));
      }
    }
    const std::uint8_t any = *find(EndRange{});
    add(NatVariant{FlowEnd::kInitiator, any, any, NatVariant::By::kMasterOtherPort});
  }
}

std::uint16_t Translations::following(Path path, FlowEnd originator, const Following& how) const {
  const auto list = variants(path);
  const auto index = [&](const NatVariant& nat) {
    const auto at = std::ranges::find(list, nat);
    return at == list.end() ? std::uint16_t{0} : static_cast<std::uint16_t>(at - list.begin() + 1);
  };
  if (const auto nat = bound_as(originator, how)) {
    if (const std::uint16_t number = index(*nat)) return number;
  }
  if (!how.other_port || originator != FlowEnd::kInitiator) return 0;
  const std::uint8_t any = *find(EndRange{});
  return index({originator, any, any, NatVariant::By::kMasterOtherPort});
}

}  // namespace postern
