#include "engine/nat_bind.hpp"

#include "engine/nat_address.hpp"
#include "engine/nat_port.hpp"

namespace postern {
namespace {

// From what a flow comes: protocol, address, port or id, and the zone if it is of both directions:
// flows are filed by this, and a zone of one direction is not looked at (hash_by_source).
CtTuple source_of(const CtTuple& tuple, ConntrackZone zone) {
  CtTuple source = tuple;
  source.zone = zone.one_way() ? 0 : zone.original;
  source.destination = 0;
  source.destination_key = 0;
  return source;
}

bool source_in_range(const CtTuple& tuple, const NatRange& range) {
  if (range.addresses &&
      (tuple.source < range.addresses->low || tuple.source > range.addresses->high)) {
    return false;
  }
  return !range.ports || key_in_range(tuple, Manip::kSource, *range.ports);
}

// NAT never meets a tuple whose answers have none: such a packet has no entry.
CtTuple inverse_of(const CtTuple& tuple) { return *tuple.inverse(); }

}  // namespace

bool NatBinder::taken(const CtTuple& tuple, const ConntrackEntry& entry) const {
  return table_.taken(inverse_of(tuple), entry);
}

void NatBinder::bind(const ConntrackEntryPtr& entry, Manip manip, const NatRange& range,
                     const std::string& place) {
  if (entry->confirmed()) return;
  const CtTuple current = inverse_of(entry->reply);
  const CtTuple chosen = unique_tuple(current, *entry, manip, range, place);
  if (chosen != current) {
    entry->reply = inverse_of(chosen);
    entry->status |= changed_bit(manip);
  }
  if (manip == Manip::kSource) {
    sources_[source_of(entry->original, entry->zone())].push_back(entry);
  }
  entry->status |= done_bit(manip);
}

void NatBinder::follow_master(const ConntrackEntryPtr& entry) {
  if (entry->confirmed() || !entry->follow) return;
  const FollowMaster follow = *entry->follow;
  const CtTuple& talk =
      follow.direction == CtDirection::kReply ? entry->master->original : entry->master->reply;
  NatRange range;
  range.addresses = NatRange::Addresses{talk.destination, talk.destination};
  bind(entry, Manip::kSource, range, "expected");
  range.addresses = NatRange::Addresses{talk.source, talk.source};
  range.ports = NatRange::Ports{follow.port, follow.port};
  bind(entry, Manip::kDestination, range, "expected");
}

// The source that another flow from the same place has been given, if it fits
// (find_appropriate_src).
std::optional<CtTuple> NatBinder::earlier_mapping(const CtTuple& current,
                                                  const ConntrackEntry& entry,
                                                  const NatRange& range) {
  const auto at = sources_.find(source_of(current, entry.zone()));
  if (at == sources_.end()) return std::nullopt;
  auto& list = at->second;
  std::erase_if(list, [](const auto& weak) {
    const auto flow = weak.lock();
    return !flow || flow->dying;
  });
  for (auto it = list.rbegin(); it != list.rend(); ++it) {
    const auto flow = it->lock();
    if (flow->original.zone != entry.original.zone) continue;
    const CtTuple mapped = inverse_of(flow->reply);
    CtTuple candidate = current;
    candidate.source = mapped.source;
    candidate.source_key = mapped.source_key;
    if (source_in_range(candidate, range)) return candidate;
  }
  return std::nullopt;
}

CtTuple NatBinder::unique_tuple(const CtTuple& current, const ConntrackEntry& entry, Manip manip,
                                const NatRange& range, const std::string& place) {
  if (manip == Manip::kSource && !range.random) {
    if (source_in_range(current, range)) {
      if (!taken(current, entry) || table_.met_only_itself(current, entry)) return current;
    } else if (const auto earlier = earlier_mapping(current, entry, range)) {
      if (!taken(*earlier, entry)) return *earlier;
    }
  }
  CtTuple tuple = current;
  choose_address(tuple, manip, range, entry.zone().id());
  if (!range.random) {
    if (!range.ports) {
      if (!taken(tuple, entry)) return tuple;
    } else if (!range.base && key_in_range(tuple, manip, *range.ports) &&
               (range.ports->low == range.ports->high || !taken(tuple, entry))) {
      return tuple;
    }
  }
  const auto is_taken = [&](const CtTuple& candidate, unsigned left) {
    return table_.taken_even_if_scarce(inverse_of(candidate), entry, left);
  };
  choose_port(tuple, manip, range, is_taken, chooser_, place);
  return tuple;
}

}  // namespace postern
