// The space of packets and flows: which Boolean variables describe them, in which order, and what
// the classes behind their values mean.
//
// Idea: every field is compressed once to equivalence classes (classes.hpp), so that IPv4 and IPv6
// become the same small integers. An Axis is one coordinate: a flow's own (constant for all its
// packets), a packet's own, or what conntrack knows. A flow's addresses, ports and interfaces are
// named after its ends: the initiator sends the first packet. Which end a rule calls "source"
// depends on the direction of the packet (binding.hpp), so no set is ever permuted. Invariants:
// both ends share their classes; codes without a class are in no set that comes out of Model (they
// are outside domain()). The variable order stands in space.cpp and nowhere else. Covered by
// tests/unit/walk_test.cpp and tests/unit/classes_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bits.hpp"
#include "symbolic/sets/bdd.hpp"
#include "symbolic/sets/classes.hpp"

namespace postern {

enum class Axis : std::uint8_t {
  // Of the flow: the same in all its packets.
  kInitiator,
  kResponder,  // addresses
  kInitiatorPort,
  kResponderPort,
  kInitiatorInterface,
  kResponderInterface,  // the wire towards that end; the empty name: local end
  kInitiatorType,
  kResponderType,  // addrtype classes of the addresses
  kProtocol,
  kIcmpType,
  kIcmpCode,     // of the initiator's packets; answers carry its partner
  kInitialMark,  // skb mark that a local initiator gives its packets
  // Of one packet.
  kTcpFlags,
  kLength,
  kTtl,
  kTos,
  kHasMac,
  kInitiatorMac,
  kResponderMac,  // the sender's; codes by its address (mac_codes.hpp), 0 for the other end's
  kFragmentOffset,
  kTruncated,
  kTcpOptions,  // one variable for each kind that some rule tests
  // What rules see of conntrack, and marks as they change along the way.
  kState,      // class number = CtState
  kDirection,  // 0: the packet runs in the entry's original direction
  kFirst,      // 1: the entry is not confirmed yet
  kSeenReply,
  kAssured,
  kExpected,  // 1: the entry is this flow's own, and a helper had announced the flow
  kMark,
  kConnmark,   // current value, the bits that some rule tests
  kUntracked,  // before the lookup: 1 marked UNTRACKED (NOTRACK), more: a template (templates.hpp)
  kZone,       // a template before the lookup, a pair of zones behind it (zones.hpp)
  kTtlNow,     // where rules write them (rewriting.hpp): no variables elsewhere
  kTosNow,
  // The same where a chain, or a path, was entered.
  kMarkBefore,
  kConnmarkBefore,
  kUntrackedBefore,
  kZoneBefore,
  kTtlBefore,
  kTosBefore,
  kCount,
};
inline constexpr std::size_t kAxisCount = static_cast<std::size_t>(Axis::kCount);
std::string_view name(Axis axis);

// The axes of a flow (a set of flows depends on no other, but for kConnmark where it says so).
std::span<const Axis> flow_axes();
// The axes of a single packet.
std::span<const Axis> packet_axes();

// One coordinate as it lies in the BDD.
struct AxisLayout {
  std::vector<unsigned>
      variables;  // most significant bit first; for bit axes: one per entry of bits
  const FieldClasses* classes = nullptr;  // null for bit axes (marks, TCP options)
  std::vector<std::uint8_t>
      bits;  // bit axes: which bit (or TCP option kind) each variable stands for
};

class Space {
 public:
  Space(Classes classes, std::size_t node_limit);
  Space(const Space&) = delete;
  Space& operator=(const Space&) = delete;

  Bdd& bdd() { return bdd_; }
  const Bdd& bdd() const { return bdd_; }
  const Classes& classes() const { return classes_; }
  const AxisLayout& layout(Axis axis) const { return layouts_[static_cast<std::size_t>(axis)]; }
  // Which axis and which of its variables (index into layout().variables) a BDD variable is;
  // nullopt for scratch variables, which no finished set mentions.
  std::optional<std::pair<Axis, unsigned>> meaning(unsigned variable) const;

  // Points whose coordinate is one of the classes [first, last].
  Set class_range(Axis axis, std::uint32_t first, std::uint32_t last);
  Set class_is(Axis axis, std::uint32_t number);
  // From an address to itself, as far as the classes know single addresses; 0 is nobody's.
  Set from_itself();
  // Points whose coordinate is a class that lies in [lo, hi] (classes never straddle a cut of the
  // rules or of the question; one that straddles lo or hi is left out).
  Set values(Axis axis, u128 lo, u128 hi);
  Set class_set(Axis axis, const std::vector<bool>& member);
  template <class Test>
  Set class_set_if(Axis axis, const Test& test) {
    std::vector<bool> member;
    for (const ValueClass& c : layout(axis).classes->classes) member.push_back(test(c));
    return class_set(axis, member);
  }
  // Of protocols whose number (of a class: its canonical one) passes `test`.
  template <class Test>
  Set protocols(const Test& test) {
    return class_set_if(Axis::kProtocol, [&](const ValueClass& c) {
      return test(static_cast<std::uint8_t>(c.canonical));
    });
  }
  Set protocol_is(std::uint8_t number) {
    return protocols([number](std::uint8_t p) { return p == number; });
  }
  // Points whose coordinate is a class with values of [lo, hi]: they may be one of those.
  Set may_be(Axis axis, u128 lo, u128 hi);
  Set may_be(Axis axis, u128 value) { return may_be(axis, value, value); }
  // Variable of one bit of a bit axis; nullopt when no rule depends on that bit (then it is 0 for
  // marks, and free for TCP options).
  std::optional<Set> bit(Axis axis, std::uint8_t bit, bool positive = true);

  // The axis of what TTL or TOS is by now; nullopt where no rule writes it: it is as it was sent.
  std::optional<Axis> present(Field field) const;
  // Nothing has been rewritten yet: each of them is as it was sent.
  Set as_sent();

  // Every code that stands for a class.
  Set domain() const { return domain_; }
  Set cube(std::span<const Axis> axes);
  Set exists(Set s, std::span<const Axis> axes) { return bdd_.exists(s, cube(axes)); }
  // Points for which the set holds whatever the axes' (valid) values are.
  Set forall(Set s, std::span<const Axis> axes);

  // Which classes of the axis occur in the set, ascending.
  std::vector<std::uint32_t> classes_in(Set s, Axis axis);
  // Their values, merged and ascending. For interface axes use classes_in and names.
  std::vector<Interval> intervals(Set s, Axis axis);
  // The same with the axis fixed point by point: class number at a fully fixed point.
  std::uint32_t class_at(const std::vector<std::uint8_t>& point, Axis axis) const;

  // The canonical element: axes one by one in `order`, for each the class whose canonical value is
  // preferred (classes.hpp: preference) among those that the set still allows. Result: one class
  // per axis of `order`. REQUIRES: not empty.
  std::vector<std::uint32_t> canonical(Set s, std::span<const Axis> order);

 private:
  friend class SpaceBuilder;
  Set bounded(std::span<const unsigned> variables, std::uint32_t bound, bool at_least);

  Classes classes_;
  FieldClasses binary_;
  std::array<AxisLayout, kAxisCount> layouts_;
  std::vector<std::optional<std::pair<Axis, unsigned>>> meanings_;

 public:
  // Scratch copies of the bits that a walk changes, for composing relations (relation.cpp).
  std::vector<unsigned> mark_scratch, connmark_scratch, untracked_scratch, zone_scratch,
      ttl_scratch, tos_scratch;

 private:
  Bdd bdd_;
  Set domain_ = kEverything;
  std::optional<Set> from_itself_;
};

}  // namespace postern
