#include "symbolic/rules/pieces.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "net/protocol.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

constexpr std::array kCutOff{Axis::kTcpFlags, Axis::kTcpOptions, Axis::kTruncated};
Set offset_0(Space& space) { return space.class_is(Axis::kFragmentOffset, 0); }

constexpr std::array kCards{Axis::kHasMac, Axis::kInitiatorMac, Axis::kResponderMac};

// What a later piece shares with the whole: the flow. Its length is kept beside, and if asked for
// whose card sent it.
Set of_flow(Space& space, Set packets, bool with_card) {
  std::vector<Axis> gone;
  for (std::size_t i = 0; i < kAxisCount; ++i) {
    const auto axis = static_cast<Axis>(i);
    bool own = std::ranges::find(flow_axes(), axis) != flow_axes().end();
    const bool card = std::ranges::find(kCards, axis) != kCards.end();
    // (iptables-nft reads some bytes of it as ports.)
    const bool port = axis == Axis::kInitiatorPort || axis == Axis::kResponderPort;
    if (port && space.classes().backend == Backend::kNft) own = false;
    if (!own && axis != Axis::kLength && !(card && with_card)) gone.push_back(axis);
  }
  return space.exists(packets, gone);
}

Set by_any_wire(Space& space, Set packets) {
  static constexpr std::array kWire{Axis::kInitiatorInterface, Axis::kResponderInterface};
  return space.exists(packets, kWire);
}

// Replaces each class of the axis by all those that `becomes` says of it.
template <class Becomes>
Set mapped(Space& space, Axis axis, Set packets, const Becomes& becomes) {
  const auto& classes = space.layout(axis).classes->classes;
  if (classes.size() == 1) return packets;
  Bdd& bdd = space.bdd();
  const std::array old{axis};
  Set result = kNothing;
  for (std::uint32_t c = 0; c < classes.size(); ++c) {
    const Set here = bdd.both(packets, space.class_is(axis, c));
    if (here.empty()) continue;
    const Set now = space.class_set_if(
        axis, [&](const ValueClass& other) { return becomes(classes[c], other); });
    result = bdd.either(result, bdd.both(space.exists(here, old), now));
  }
  return result;
}

u128 least(const ValueClass& c) {
  u128 value = c.intervals.front().lo;
  for (const Interval& i : c.intervals) value = std::min(value, i.lo);
  return value;
}
u128 greatest(const ValueClass& c) {
  u128 value = 0;
  for (const Interval& i : c.intervals) value = std::max(value, i.hi);
  return value;
}

Set longer(Space& space, Set pieces, unsigned by) {
  return mapped(space, Axis::kLength, pieces, [&](const ValueClass& one, const ValueClass& whole) {
    return greatest(whole) >= least(one) + by;
  });
}
Set shorter(Space& space, Set packets, unsigned by) {
  return mapped(space, Axis::kLength, packets, [&](const ValueClass& whole, const ValueClass& one) {
    return greatest(whole) >= least(one) + by;
  });
}

// The whole has the TOS of its first piece, but that any piece may tell of congestion (RFC 3168).
bool keeps_tos(const ValueClass& first, const ValueClass& whole) {
  constexpr u128 kCongested = 3;
  for (u128 tos = 0; tos < 256; ++tos) {
    if (!first.holds(tos)) continue;
    if (whole.holds(tos) || whole.holds(tos | kCongested)) return true;
  }
  return false;
}

}  // namespace

bool may_be_cut(std::uint8_t protocol) {
  return protocol == protocol::kAh || layer4_header_size(protocol) > kLeastFragment;
}

Set any_later_piece(Space& space) { return space.bdd().complement(offset_0(space)); }

Set cut_first(Space& space) {
  const Set protocols = space.protocols(may_be_cut);
  const Set part = space.class_set_if(Axis::kTruncated, [](const ValueClass& c) {
    return c.holds(static_cast<u128>(HeaderPart::kFlags)) ||
           c.holds(static_cast<u128>(HeaderPart::kPorts));
  });
  return space.bdd().both(space.bdd().both(offset_0(space), part), protocols);
}

Set looks_whole(Space& space) {
  return space.bdd().both(offset_0(space), space.class_is(Axis::kTruncated, 0));
}

Set put_together(Space& space, Set first, Set later) {
  Bdd& bdd = space.bdd();
  later = bdd.minus(later, offset_0(space));
  first = bdd.both(first, offset_0(space));
  if (first.empty() || later.empty()) return kNothing;
  const Set uncut = bdd.both(first, looks_whole(space));
  const Set cut = space.exists(bdd.both(first, cut_first(space)), kCutOff);
  first = bdd.both(bdd.either(uncut, cut), looks_whole(space));
  first = mapped(space, Axis::kTos, longer(space, first, 1), keeps_tos);
  if (const auto now = space.present(Field::kTos)) first = mapped(space, *now, first, keeps_tos);
  const Set rest = of_flow(space, longer(space, later, kLeastFragment), false);
  return bdd.either(bdd.both(first, by_any_wire(space, rest)),
                    bdd.both(by_any_wire(space, first), rest));
}

Set parts_of(Space& space, Set packets, Set pieces, bool apart) {
  Bdd& bdd = space.bdd();
  if (apart) packets = space.exists(by_any_wire(space, packets), kCards);
  const Set later = bdd.minus(pieces, offset_0(space));
  const Set first = bdd.both(pieces, offset_0(space));
  const Set uncut = bdd.both(first, looks_whole(space)), cut = bdd.both(first, cut_first(space));
  std::vector<Axis> walked;
  for (auto i = static_cast<std::size_t>(Axis::kState); i < kAxisCount; ++i) {
    walked.push_back(static_cast<Axis>(i));
  }
  packets = space.exists(packets, walked);
  Set of_first =
      mapped(space, Axis::kTos, shorter(space, packets, 1),
             [](const ValueClass& whole, const ValueClass& one) { return keeps_tos(one, whole); });
  const Set result =
      bdd.either(bdd.both(uncut, of_first), bdd.both(cut, space.exists(of_first, kCutOff)));
  const Set of_later = of_flow(space, shorter(space, packets, kLeastFragment), true);
  return bdd.either(result, bdd.both(later, of_later));
}

// (A first piece has a fragment header that the whole lacks, and 8 bytes of the transport header;
// of IPv6 it has all of that, or nobody puts it together.)
Set cut_up(Space& space, Set packets) {
  Bdd& bdd = space.bdd();
  constexpr unsigned kFragmentHeader = 8;
  const Set first = mapped(space, Axis::kLength, bdd.both(packets, offset_0(space)),
                           [](const ValueClass& whole, const ValueClass& one) {
                             return greatest(whole) + kFragmentHeader > least(one);
                           });
  std::vector<Axis> lost{Axis::kLength, Axis::kFragmentOffset, Axis::kTcpFlags, Axis::kTcpOptions,
                         Axis::kTruncated};
  // (iptables-nft reads some bytes of a later piece as ports.)
  if (space.classes().backend == Backend::kNft) {
    lost.insert(lost.end(), {Axis::kInitiatorPort, Axis::kResponderPort});
  }
  const Set later = bdd.both(space.exists(packets, lost), any_later_piece(space));
  const Set uncut = bdd.both(later, space.class_is(Axis::kTruncated, 0));
  const Set all = bdd.both(bdd.either(first, uncut), space.domain());
  if (space.classes().family == Family::kIpv6) return all;
  const Set cut = bdd.both(space.exists(first, kCutOff), cut_first(space));
  return bdd.either(all, bdd.both(cut, space.domain()));
}

Set trimmed(Space& space, Set packets) { return shorter(space, packets, 1); }

}  // namespace postern
