#include "symbolic/rules/guards.hpp"

#include <algorithm>

#include "symbolic/entries/kinds.hpp"

namespace postern {
namespace {

constexpr std::array kSightAxes{Axis::kState,   Axis::kDirection, Axis::kFirst, Axis::kSeenReply,
                                Axis::kAssured, Axis::kExpected,  Axis::kZone,  Axis::kZoneBefore};
constexpr std::array kBesidesFlags{Axis::kLength,    Axis::kTtl,          Axis::kTos,
                                   Axis::kHasMac,    Axis::kInitiatorMac, Axis::kResponderMac,
                                   Axis::kTcpOptions};
// What a kind of packet depends on beside the flow.
constexpr std::array kKindAxes{Axis::kTcpFlags, Axis::kTruncated, Axis::kFragmentOffset};

// Kinds that differ only by TCP flags share the rest.
bool tcp_kind(PacketKind kind) {
  return kind == PacketKind::kTcpSyn || kind == PacketKind::kTcpSynAck ||
         kind == PacketKind::kTcpFin || kind == PacketKind::kTcpAck ||
         kind == PacketKind::kTcpRst || kind == PacketKind::kTcpInvalid;
}

// The result for a key, computed once. Kept only when it is finished: making it may throw.
template <class Map, class Make>
Set remembered(Map& known, const typename Map::key_type& key, const Make& make) {
  const auto it = known.find(key);
  if (it != known.end()) return it->second;
  const Set result = make();
  known.emplace(key, result);
  return result;
}

}  // namespace

Guards::Guards(Space& space, PathWalk walk, FlowEnd sender, bool coins)
    : space_(space), walk_(walk), sender_(sender), coins_(coins) {}

// Points from which two different connmarks may come out.
Set Guards::undetermined(Set relation) {
  Bdd& bdd = space_.bdd();
  const std::array now{Axis::kConnmark};
  Set result = kNothing;
  for (const std::uint8_t bit : space_.layout(Axis::kConnmark).bits) {
    const Set one = *space_.bit(Axis::kConnmark, bit);
    result = bdd.either(result, bdd.both(space_.exists(bdd.both(relation, one), now),
                                         space_.exists(bdd.minus(relation, one), now)));
  }
  return result;
}

// What happens whatever the coins say: nothing else may.
Passage Guards::sure(const Passage& may, Set others) {
  Bdd& bdd = space_.bdd();
  const std::array now{Axis::kConnmark};
  Passage result;
  for (std::size_t f = 0; f < kFateCount; ++f) {
    Set rest = others;
    for (std::size_t g = 0; g < kFateCount; ++g) {
      if (g != f) rest = bdd.either(rest, space_.exists(may.fates[g], now));
    }
    rest = bdd.either(rest, undetermined(may.fates[f]));
    result.fates[f] = bdd.minus(may.fates[f], rest);
  }
  return result;
}

const Passage& Guards::passage(bool again, bool must) {
  if (!must || !coins_) return again ? walk_.again : walk_.direct;
  auto& known = again ? must_again_ : must_direct_;
  if (known) return *known;
  Bdd& bdd = space_.bdd();
  const Set lost = again ? walk_.early : walk_.early_first;
  Set others = bdd.either(bdd.either(lost, walk_.early_unmodelled), walk_.ambiguous);
  if (again) {  // the first half may have lost it
    Set first_half = kNothing;
    for (const Set s : walk_.direct.fates) first_half = bdd.either(first_half, s);
    first_half = bdd.both(first_half, space_.class_is(Axis::kState, 0));
    std::vector<Axis> gone(kSightAxes.begin(), kSightAxes.end());
    gone.push_back(Axis::kConnmark);
    gone.push_back(Axis::kConnmarkBefore);
    others = bdd.either(others, space_.exists(first_half, gone));
  } else {
    // An INVALID packet that may come to the second lookup is not surely lost in the first half.
    std::vector<Axis> gone(kSightAxes.begin(), kSightAxes.end());
    gone.push_back(Axis::kConnmark);
    gone.push_back(Axis::kConnmarkBefore);
    Set second = walk_.early;
    for (const Set s : walk_.again.fates) second = bdd.either(second, space_.exists(s, gone));
    others = bdd.either(others, bdd.both(second, space_.class_is(Axis::kState, 0)));
  }
  known = sure(again ? walk_.again : walk_.direct, others);
  return *known;
}

Set Guards::seen(const Case& c) {
  Bdd& bdd = space_.bdd();
  const Set relation = passage(c.again, c.must)[c.fate];
  if (relation.id <= 1) return relation;
  auto& support = support_[relation.id];
  if (support.empty()) support = bdd.support(relation);
  if (c.sight.foreign()) return seen_related(relation, c);
  // Only what the relation depends on: sights that it does not tell apart share their result.
  Set literals = kEverything;
  const auto fix = [&](Axis axis, std::uint32_t value) {
    const auto& variables = space_.layout(axis).variables;
    for (std::size_t i = variables.size(); i-- > 0;) {
      if (!std::ranges::binary_search(support, variables[i])) continue;
      const bool one = ((value >> (variables.size() - 1 - i)) & 1) != 0;
      literals = bdd.both(bdd.literal(variables[i], one), literals);
    }
  };
  fix(Axis::kState, static_cast<std::uint32_t>(c.sight.state));
  fix(Axis::kDirection, c.sight.reply ? 1 : 0);
  fix(Axis::kFirst, c.sight.first ? 1 : 0);
  fix(Axis::kSeenReply, c.sight.seen_reply ? 1 : 0);
  fix(Axis::kAssured, c.sight.assured ? 1 : 0);
  fix(Axis::kExpected, c.sight.expected ? 1 : 0);
  fix(Axis::kZone, c.sight.zone);
  if (c.again) fix(Axis::kZoneBefore, c.first_zone);
  return remembered(seen_, {relation.id, literals.id},
                    [&] { return bdd.restrict(relation, literals); });
}

// A RELATED packet carries another flow's entry: any direction and status. Its connmark stays open
// here (kConnmarkBefore): who asks knows what such flows may be marked with.
Set Guards::seen_related(Set relation, const Case& c) {
  const std::tuple key{relation.id, c.must, c.sight.zone, c.again ? c.first_zone : std::uint8_t{0}};
  const auto known = related_.find(key);
  if (known != related_.end()) return known->second;
  Bdd& bdd = space_.bdd();
  const std::array now{Axis::kConnmark};
  const std::array unknown{Axis::kDirection, Axis::kSeenReply, Axis::kAssured};
  Set state = bdd.both(space_.class_is(Axis::kState, static_cast<std::uint32_t>(CtState::kRelated)),
                       space_.class_is(Axis::kFirst, 0));
  if (space_.classes().expects) state = bdd.both(state, space_.class_is(Axis::kExpected, 0));
  state = bdd.both(state, space_.class_is(Axis::kZone, c.sight.zone));
  if (c.again) state = bdd.both(state, space_.class_is(Axis::kZoneBefore, c.first_zone));
  const Set here = space_.exists(bdd.restrict(relation, state), now);
  const Set result = c.must ? space_.forall(here, unknown) : space_.exists(here, unknown);
  return related_[key] = result;
}

bool Guards::comes_in(std::uint8_t zone, bool again) {
  if (!space_.classes().zones.some()) return zone == 0;
  const auto [it, fresh] = comes_in_.try_emplace({zone, again}, false);
  if (!fresh) return it->second;
  const Set here = space_.class_is(Axis::kZone, zone);
  for (const Set fate : (again ? walk_.again : walk_.direct).fates) {
    it->second = it->second || !space_.bdd().disjoint(fate, here);
  }
  return it->second;
}

Set Guards::flows_in(std::uint8_t zone) {
  std::vector<Axis> others;
  for (std::size_t i = 0; i < kAxisCount; ++i) {
    const auto axis = static_cast<Axis>(i);
    if (std::ranges::find(flow_axes(), axis) == flow_axes().end()) others.push_back(axis);
  }
  Bdd& bdd = space_.bdd();
  const Set here = space_.class_is(Axis::kZone, zone);
  Set result = kNothing;
  for (const Passage* passage : {&walk_.direct, &walk_.again}) {
    for (const Set fate : passage->fates) {
      result = bdd.either(result, space_.exists(bdd.both(fate, here), others));
    }
  }
  return result;
}

// Later pieces, which have no transport header at all, and those whose header is cut short, where
// conntrack cares.
Set Guards::cut_short() {
  Bdd& bdd = space_.bdd();
  const Set read = space_.protocols(invalid_if_cut);
  return bdd.either(bdd.minus(read, space_.class_is(Axis::kTruncated, 0)),
                    bdd.complement(space_.class_is(Axis::kFragmentOffset, 0)));
}

Set Guards::kind_set(PacketKind kind) {
  const auto it = kinds_.find(kind);
  if (it != kinds_.end()) return it->second;
  if (kind == PacketKind::kCut) return kinds_[kind] = cut_short();
  const Family family = space_.classes().family;
  const auto value = [](const ValueClass& c) { return static_cast<std::uint8_t>(c.canonical); };
  const std::uint8_t own = family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6;
  const bool icmp = kind == PacketKind::kIcmpRequest || kind == PacketKind::kIcmpReply ||
                    kind == PacketKind::kIcmpOther || kind == PacketKind::kIcmpUntracked;
  // Flags SYN and type 0 stand in where they do not count.
  const Set flags = space_.class_set_if(Axis::kTcpFlags, [&](const ValueClass& c) {
    return !tcp_kind(kind) || packet_kind(family, protocol::kTcp, value(c), 0) == kind;
  });
  const Set types = space_.class_set_if(Axis::kIcmpType, [&](const ValueClass& c) {
    const std::uint8_t type =
        sender_ == FlowEnd::kInitiator ? value(c) : icmp_partner(family, value(c));
    return packet_kind(family, own, 0, type) == kind;
  });
  const auto protocols = [&](bool of_own_icmp) {
    return space_.class_set_if(Axis::kProtocol, [&](const ValueClass& c) {
      const std::uint8_t number = value(c);
      if (tcp_kind(kind)) return number == protocol::kTcp;
      if (of_own_icmp || number == own) return of_own_icmp && number == own;
      return may_be(kind, family, number);
    });
  };
  Bdd& bdd = space_.bdd();
  Set flow = protocols(false);
  if (icmp) flow = bdd.either(flow, bdd.both(protocols(true), types));
  return kinds_[kind] = bdd.minus(bdd.both(flow, flags), cut_short());
}

Set Guards::packets(const Case& c) {
  const Set cut = seen(c);
  if (c.kind) return space_.bdd().both(cut, kind_set(*c.kind));
  return c.must ? space_.bdd().minus(cut, kind_set(PacketKind::kCut)) : cut;
}

Set Guards::flows(const Case& c) {
  const Set cut = seen(c);
  if (cut.empty()) return cut;
  Bdd& bdd = space_.bdd();
  const Set rest =
      remembered(projected_, {cut.id, 0}, [&] { return space_.exists(cut, kBesidesFlags); });
  if (!c.kind) {
    return remembered(projected_, {cut.id, c.must ? 1 : 2}, [&] {
      return space_.exists(c.must ? bdd.minus(rest, kind_set(PacketKind::kCut)) : rest, kKindAxes);
    });
  }
  return remembered(projected_, {cut.id, 3 + static_cast<int>(*c.kind)}, [&] {
    return bdd.both_exists(rest, kind_set(*c.kind), space_.cube(kKindAxes));
  });
}

Set Guards::unmodelled_early() { return space_.exists(walk_.early_unmodelled, packet_axes()); }

}  // namespace postern
