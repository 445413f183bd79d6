// One direction of a flow through all the hooks of its path: what becomes of every packet, for
// every state that conntrack could give it, in one walk.
//
// Idea: what conntrack says (state, direction, first packet, SEEN_REPLY, ASSURED) stays free in the
// walk; the exploration (flow_sets.hpp) intersects with what a state of the entry really gives.
// Loopback is one packet on four hooks, keeping entry or UNTRACKED mark and skb mark; a packet that
// was INVALID in OUTPUT is looked up afresh in PREROUTING (kernel-facts 3-5), hence `again`.
// Covered by tests/unit/walk_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "symbolic/rules/chains.hpp"

namespace postern {

// Where a packet ends that came to the lookup. "Confirmed" tells whether a new entry stands: the
// packet died behind its confirmation (loopback only).
enum class Fate : std::uint8_t {
  kDelivered,
  kDropped,
  kReset,
  kDroppedConfirmed,
  kResetConfirmed,
  kUnmodelled,
  kElsewhere,  // bound by NAT in another way than this walk follows
  kTurned,     // opened by the responder, and led by DNAT to another than the initiator
};
inline constexpr std::size_t kFateCount = 8;

// Relations over flow, packet and conntrack axes, kConnmarkBefore and kConnmark (present marks and
// the UNTRACKED mark are quantified away).
struct Passage {
  std::array<Set, kFateCount> fates{};
  Set& operator[](Fate f) { return fates[static_cast<std::size_t>(f)]; }
  Set operator[](Fate f) const { return fates[static_cast<std::size_t>(f)]; }
};

struct PathWalk {
  Set start;             // what can set out
  Set early;             // lost before a lookup: conntrack never sees it
  Set early_first;       // ... before the first of them (over lo there are two)
  Set early_unmodelled;  // met something that is not modelled before the lookup
  // Packets whose (last) lookup is their first; kState of those is INVALID, NEW, ..., UNTRACKED.
  Passage direct;
  // Loopback: packets that were INVALID in OUTPUT and live till PREROUTING; kState is the second
  // lookup's. In `direct` an INVALID packet never gets beyond the first half.
  Passage again;
  // Flows whose first packet a NAT rule may send elsewhere before routing (flow axes).
  Set moved;
  // Packets that coins may send either way at the lookup: tracked or UNTRACKED.
  Set ambiguous;
  // Without conntrack: packets that INPUT may accept, put together from pieces, though they do not
  // come there whole; and pieces of what it accepts that it would not accept alone.
  Set joined, pieces;
  // ... of what it accepts where one of its pieces came by another interface or card.
  Set scattered;
  // Packets that come to a lookup, by what they carry (Axis::kUntracked) and their pair of zones;
  // empty where no CT rule is followed.
  std::map<std::pair<std::uint32_t, std::uint32_t>, Set> requests;
};

struct WalkOptions {
  Backend backend = Backend::kLegacy;
  bool tracking = true;
  bool loose = false;      // TableContext::loose
  bool loose_nat = false;  // TableContext::loose_nat
  // Any addresses (routing.hpp), and any mark on what this host sends (SO_MARK).
  bool unrouted = false;
  bool any_mark = false;       // such a mark alone: to rules that ask for it a coin
  bool from_anywhere = false;  // with `unrouted`: what NAT in OUTPUT leads to the path, too
  // With `loose`: the initiator's packets are named as they are sent, and carry another flow's
  // entry. NAT may lead them to the path from anywhere, and moves the end that they go to before
  // they are routed, and the one that they come from after that (HOOK2MANIP).
  bool errors = false;
  // NAT is followed: packets that its rules bind in another way than `nat` are kElsewhere. With a
  // binding, the walk is of packets with an entry that has it; the opener's first packets get it.
  bool follow = false;
  NatVariant nat = {};
  bool interleaved = false;  // others change its entry meanwhile (interleaved.hpp)
  // A world that answers leave out, whose walk says whether they hang on that (surroundings.hpp).
  enum class World : std::uint8_t {
    kUsual,
    kGroupsForwarded,    // what sets out is for groups, and routed to where it goes
    kMarked,             // packets come with any mark
    kSentByTargets,      // copies of TEE come to OUTPUT, UNTRACKED
    kRerouted,           // OUTPUT sees another device than the one that the packet leaves by
    kKeptByRules,        // an `ip rule` keeps here what is for others, DNAT or not
    kBoundSocket,        // NAT in OUTPUT does not change the device
    kFragmentsUnjoined,  // a raw socket sends them past defragmentation
    kEchoed,             // copies of this host's own packets come back, with any mark, or UNTRACKED
    kJoinedOverLo,       // ... over lo, where PREROUTING puts them together
    kCutOverLo,          // lo carries fragments, which PREROUTING sees each alone
    kTrimmedOverLo,      // a raw socket sends bytes behind the end of its packets
  };
  World world = World::kUsual;
  // Of the initiator, these set out as well, though routing keeps their destination from the path:
  // they come to routing, and no further.
  Set led = kNothing;
};

// `sender`'s packets of a flow whose initiator's packets take `path`.
PathWalk walk_path(Space& space, ChainWalker& chains, const Program& program, Path path,
                   FlowEnd sender, const WalkOptions& options, const RuleObserver& observer = {},
                   Set only = kEverything);

// Does some rule save a packet's mark in its entry (CONNMARK --save-mark)?
bool saves_marks(const Program& program);

// Do rules see what NAT made of a packet's source (in security of INPUT, over lo in PREROUTING)?
bool sources_seen(Path path, Backend backend);

// The conntrack coordinates that can go together: an INVALID or UNTRACKED packet has no entry, ...
Set conntrack_domain(Space& space);

}  // namespace postern
