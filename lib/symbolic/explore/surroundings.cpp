#include "symbolic/explore/surroundings.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "net/protocol.hpp"
#include "symbolic/explore/model_impl.hpp"
#include "symbolic/rules/pieces.hpp"
#include "symbolic/rules/routing.hpp"

namespace postern {
namespace {

using World = WalkOptions::World;

// Does the rule do just this?
template <class Kind>
bool does(const ProgramRule& rule) {
  const Effect* effect = std::get_if<Effect>(&rule.rule->action);
  return effect != nullptr && std::holds_alternative<Kind>(*effect);
}

class Wonder {
 public:
  Wonder(Model::Impl& model, Path path, Set m)
      : model_(model), space_(model.space), bdd_(model.bdd()), path_(path), m_(m) {}

  // Conntrack finds an entry by a packet's headers, whoever sent it and from where: who sends in
  // the name of both ends has its packets taken for answers, where some packet of it may open a
  // flow. (IPv4 takes nothing off a wire that comes from an address of this host: there it is the
  // flow itself that is opened.)
  bool forged(bool entry) {
    if (!model_.tracking || m_.empty()) return false;
    const Set opens = state(CtState::kNew);
    if (entry && !bdd_.disjoint(m_, bdd_.both(let_through(usual()), opens))) return true;
    const Set answers = bdd_.either(state(CtState::kEstablished), state(CtState::kRelated));
    if (bdd_.disjoint(m_, bdd_.both(all_let_through(), answers))) return false;
    if (is_local()) return true;
    const bool v6 = space_.classes().family == Family::kIpv6;
    if (path_ == Path::kIn && !v6) {
      const Set own = may_come(all_let_through(), kNothing);
      return !bdd_.disjoint(m_, bdd_.both(own, answers));
    }
    return opens_by_its_wire(Path::kForward) || (v6 && opens_by_its_wire(Path::kIn));
  }

  // Is the initiator a process of this host, whose raw socket may send what it likes?
  bool is_local() const { return path_ == Path::kOut || path_ == Path::kLoopback; }

  // May what only answers leave this host: as a packet of a flow that another has opened, or (what
  // its kernel and REJECT send, which carries an entry into raw OUTPUT already) about one?
  bool replies() {
    if (path_ != Path::kOut || !model_.tracking || m_.empty()) return false;
    const Set answers = bdd_.either(state(CtState::kEstablished), state(CtState::kRelated));
    if (!bdd_.disjoint(m_, bdd_.both(all_let_through(), answers))) return true;
    return model_.raw_heeds_entries() &&
           !bdd_.disjoint(m_, model_.carriers(FlowEnd::kInitiator, true));
  }

  bool bridged(const Set asked) {
    WalkOptions how = model_.walk_options();
    how.follow = model_.follows();
    how.unrouted = true;
    const PathWalk walk = walk_path(space_, model_.chains, model_.program, Path::kForward,
                                    FlowEnd::kInitiator, how, {}, model_.flows_of(asked));
    return !bdd_.disjoint(asked, may_come(let_through(walk), kNothing));
  }

  // To iptables-nft an authentication header is the protocol; conntrack looks behind it.
  bool wrapped() {
    const Classes& classes = space_.classes();
    const bool v6 = classes.family == Family::kIpv6;
    if (!model_.tracking || !v6 || classes.backend != Backend::kNft) return false;
    const Set header = space_.protocol_is(protocol::kAh);
    const Set asked = bdd_.both(m_, header);
    if (asked.empty()) return false;
    const Set none = bdd_.either(state(CtState::kInvalid), state(CtState::kUntracked));
    return !bdd_.disjoint(asked, bdd_.minus(let_through(usual()), none));
  }

  bool groups(const Set asked) {
    const PathWalk walk = walk_in(World::kGroupsForwarded, Path::kForward, asked);
    if (let_through(walk).empty()) return false;
    // A packet to a group comes to INPUT as well, and leaves an entry there.
    const Set own = bdd_.both(flow_of(asked), to_everybody());
    const PathWalk in = walk_in(World::kUsual, Path::kIn, own);
    return !bdd_.disjoint(asked, may_come(let_through(walk), let_through_as_sent(in)));
  }

  bool answered() {
    if (!model_.tracking || path_ == Path::kForward) return false;
    const Set asked = bdd_.both(m_, to_everybody());
    if (asked.empty()) return false;
    const Set all = let_through_as_sent(usual());
    return !bdd_.disjoint(asked, bdd_.minus(may_come(all, kNothing), begins()));
  }

  bool marked() {
    const bool off_a_wire = path_ == Path::kIn || path_ == Path::kForward;
    if (!off_a_wire || !space_.classes().marks_are_read || m_.empty()) return false;
    if (bdd_.disjoint(m_, let_through(walk_in(World::kMarked, path_, m_)))) return false;
    // An error may hang on the flow that it quotes.
    const Set errors = space_.protocols(
        [](std::uint8_t p) { return p == protocol::kIcmp || p == protocol::kIcmpv6; });
    const bool any_flow = model_.tracking && !bdd_.disjoint(m_, errors);
    const Set flows = any_flow ? Set{kEverything} : m_;
    return matters(World::kMarked, flows, FlowEnd::kInitiator) ||
           matters(World::kMarked, flows, FlowEnd::kResponder);
  }

  // A target that sends such a packet by itself, if the rules let it through.
  std::optional<RuleId> sent_by() {
    if (!is_local() || !model_.tracking || m_.empty()) return std::nullopt;
    const auto copies = model_.program.sender_of(OpaqueTarget::Sends::kCopies);
    const auto segments = model_.program.sender_of(OpaqueTarget::Sends::kSegments);
    if (copies) {
      const Set there = let_through(walk_in(World::kSentByTargets, path_, m_));
      if (!bdd_.disjoint(m_, bdd_.minus(there, let_through(usual())))) return copies;
    }
    if (!segments) return std::nullopt;
    const Set tcp = space_.protocol_is(protocol::kTcp);
    const bool any =
        !bdd_.disjoint(bdd_.both(m_, tcp), all_let_through()) || model_.raw_heeds_entries();
    return any && !bdd_.disjoint(m_, tcp) ? segments : std::nullopt;
  }

  // Does what this host sends hang on the device that OUTPUT sees?
  bool rerouted() {
    if (path_ == Path::kForward || m_.empty() || !changes_what_routes(model_.program)) return false;
    const bool answers = path_ != Path::kOut && model_.tracking;
    return (is_local() && matters(World::kRerouted, m_, FlowEnd::kInitiator)) ||
           (answers && matters(World::kRerouted, m_, FlowEnd::kResponder));
  }

  // What this host sends to everybody comes back to it, too, by the interface that it left by, with
  // what OUTPUT has given it (dev_loopback_xmit). (In IPv4 any address may be a broadcast address.)
  bool echoed(Set asked) {
    const bool untracks = some_untracks();
    const bool marks =
        space_.classes().marks_are_read || !space_.layout(Axis::kConnmark).bits.empty();
    if (!untracks && !marks) return false;
    if (space_.classes().family == Family::kIpv6) asked = bdd_.both(asked, to_everybody());
    Set through = let_through(walk_in(World::kEchoed, Path::kIn, asked));
    if (model_.tracking) through = bdd_.both(through, begins());
    if (!untracks) through = bdd_.minus(through, state(CtState::kUntracked));
    return !bdd_.disjoint(asked, through);
  }

  // The copy passes POSTROUTING first, with the same entry, which stays when the copy is dropped:
  // the packet itself finds there what the copy has written (ip_mc_output; measured).
  bool copied() {
    if (path_ != Path::kOut || !model_.tracking ||
        !marks_entries_in(Hook::kPostrouting, TableName::kMangle))
      return false;
    const bool v6 = space_.classes().family == Family::kIpv6;
    const Set asked = v6 ? bdd_.both(m_, to_everybody()) : m_;
    return !bdd_.disjoint(asked, bdd_.both(all_let_through(), fresh()));
  }

  bool kept() {
    const bool asks = space_.classes().address_type.count() > 1;
    if (path_ != Path::kIn || !asks || !model_.moves_destination(path_) || m_.empty()) return false;
    const Set kept = let_through(walk_in(World::kKeptByRules, path_, m_));
    return !bdd_.disjoint(m_, may_come(bdd_.minus(kept, let_through(usual())), kNothing));
  }

  bool bound() {
    if (path_ != Path::kOut || !model_.follows() || m_.empty()) return false;
    const auto ways = model_.translations.by_rules(Path::kLoopback);
    return std::ranges::any_of(ways, [&](const NatVariant& nat) {
      if (nat.originator != FlowEnd::kInitiator || nat.destination == 0) return false;
      const EndRange& to = model_.translations.range(nat.destination);
      if (!on_loopback(to, space_.classes().family)) return false;
      const PathWalk walk = walk_in(World::kBoundSocket, path_, m_, FlowEnd::kInitiator, nat);
      return !bdd_.disjoint(m_, may_come(let_through(walk), kNothing));
    });
  }

  bool unjoined(const Set asked) {
    const PathWalk walk = walk_in(World::kFragmentsUnjoined, Path::kOut, asked);
    return !bdd_.disjoint(asked, may_come(let_through(walk), kNothing));
  }

  bool joined_over_lo() {
    const PathWalk walk = walk_in(World::kJoinedOverLo, Path::kLoopback, m_);
    const Set before = let_through(usual()), more = bdd_.minus(let_through(walk), before);
    return !more.empty() && !bdd_.disjoint(m_, may_come(bdd_.either(more, before), kNothing));
  }

  // Does what becomes of the flow hang on which wire its ends are behind: may it be opened by
  // another, or are answers that take another looked up where its own are not (or heard, for a
  // conversation)?
  bool asymmetric(Denied denied) {
    const bool conversation = denied == Denied::kConversation;
    if (path_ == Path::kLoopback || (!model_.tracking && !conversation)) return false;
    Set held = bdd_.both(m_, all_let_through());
    if (denied == Denied::kPacket) held = bdd_.minus(held, begins());
    if (held.empty()) return false;
    return (!conversation && opened_elsewhere(held)) || answers_hang_on_wires(held, conversation);
  }

  // IPv6's UDP takes a length of 0 for a longer one that stands elsewhere (RFC 2675), and its
  // sockets hear such a packet; to conntrack it is INVALID (udp_error).
  bool lengthless() {
    const bool here = path_ == Path::kIn || path_ == Path::kLoopback;
    if (!here || !model_.tracking || space_.classes().family != Family::kIpv6) return false;
    if (bdd_.disjoint(m_, all_let_through())) return false;
    const Set udp = space_.protocol_is(protocol::kUdp);
    const Set none = bdd_.either(state(CtState::kInvalid), state(CtState::kUntracked));
    return !bdd_.disjoint(bdd_.both(flow_of(m_), udp), bdd_.both(let_through(usual()), none));
  }

  // Does the receiver of some pieces put together what no rule has let through?
  bool in_pieces() {
    const bool here = path_ == Path::kIn || path_ == Path::kLoopback;
    const bool joined_here = here && space_.classes().family == Family::kIpv4;
    if (model_.tracking || space_.classes().defragments || joined_here) return false;
    const Set through = let_through(usual());
    return !bdd_.disjoint(m_, bdd_.minus(put_together(space_, through, through), through));
  }

  // Does what becomes of the flow hang on which lengths, and which pieces, rules behind POSTROUTING
  // see of a packet over lo? (A first piece counts for the whole.)
  bool otherwise_over_lo(World world) {
    if (path_ != Path::kLoopback || m_.empty()) return false;
    const bool v6 = space_.classes().family == Family::kIpv6;
    const bool told = space_.classes().length.count() > 1 || marks_entries_behind_lo();
    if (v6 ? !told : !some_untracks()) return false;
    const std::vector<NatVariant> all = ways();
    const Set flows = model_.flows_of(m_), headers = headers_of(m_);
    const auto more = [&](const NatVariant& nat, Set only, FlowEnd sender) {
      const PathWalk usual = walk_of(World::kUsual, path_, only, sender, nat);
      const PathWalk there = walk_of(world, path_, only, sender, nat);
      if (more_gets_over_lo(usual, there)) return true;
      const bool arrives = world == World::kTrimmedOverLo && sender == FlowEnd::kInitiator;
      return arrives && !bdd_.subset(bdd_.both(m_, let_through(there)), let_through(usual));
    };
    return all.size() > kMostBindings || std::ranges::any_of(all, [&](const NatVariant& nat) {
             return more(nat, headers, FlowEnd::kInitiator) ||
                    more(nat, flows, FlowEnd::kInitiator) ||
                    (model_.tracking && more(nat, flows, FlowEnd::kResponder));
           });
  }

  bool scattered() {
    if (model_.tracking || m_.empty()) return false;
    const Set all = model_.guards(path_, model_.flows_of(m_)).initiator.walk().scattered;
    return !bdd_.disjoint(m_, all);
  }

 private:
  PathWalk walk_in(World world, Path path, Set packets, FlowEnd sender = FlowEnd::kInitiator,
                   const NatVariant& nat = {}) {
    return walk_of(world, path, model_.flows_of(packets), sender, nat);
  }
  PathWalk walk_of(World world, Path path, Set only, FlowEnd sender, const NatVariant& nat) {
    WalkOptions how = model_.walk_options();
    how.follow = model_.follows();
    how.world = world;
    how.nat = nat;
    return walk_path(space_, model_.chains, model_.program, path, sender, how, {}, only);
  }

  // As the search has walked it.
  const PathWalk& usual() {
    return model_.guards(path_, model_.flows_of(m_), true).initiator.walk();
  }

  // ... under any binding, too.
  Set all_let_through() {
    PathGuards& all = model_.guards(path_, model_.flows_of(m_), true);
    Set s = let_through(all.initiator.walk());
    for (auto& [number, bound] : all.bound) s = bdd_.either(s, let_through(bound.initiator.walk()));
    return s;
  }

  // Does some packet that comes by a wire of the packets in question open a flow?
  bool opens_by_its_wire(Path path) {
    constexpr std::array kWire{Axis::kInitiatorInterface};
    std::vector<Axis> gone;
    for (std::size_t i = 0; i < kAxisCount; ++i) {
      if (static_cast<Axis>(i) != kWire.front()) gone.push_back(static_cast<Axis>(i));
    }
    const PathWalk walk = walk_in(World::kUsual, path, space_.exists(m_, gone));
    const Set first = bdd_.both(let_through(walk), state(CtState::kNew));
    return !bdd_.disjoint(first, conntrack_domain(space_));
  }

  static constexpr std::size_t kMostBindings = 8;  // more are not walked
  static constexpr std::array kWires{Axis::kInitiatorInterface, Axis::kResponderInterface};

  bool opened_elsewhere(Set held) {
    const Set first =
        bdd_.both(let_through(walk_in(World::kUsual, path_, space_.exists(m_, kWires))), fresh());
    const Set own = flow_of(first, true), all = flow_of(first);
    const bool marked = !space_.layout(Axis::kConnmark).bits.empty();
    return !bdd_.disjoint(held, marked ? all : bdd_.minus(all, own));
  }

  bool answers_hang_on_wires(Set held, bool heard) {
    const Set everywhere = flow_of(held);
    const Set flows = bdd_.both(flow_of(held, true), opened(everywhere, heard));
    const auto hangs = [&](Set looked_up) {
      const Set otherwise = bdd_.both(space_.exists(looked_up, kWires), flows);
      return !bdd_.subset(otherwise, looked_up);
    };
    const std::vector<NatVariant> all_ways = ways();
    if (all_ways.size() > kMostBindings) return true;
    return std::ranges::any_of(all_ways, [&](const NatVariant& nat) {
      const PathWalk walk = walk_in(World::kUsual, path_, everywhere, FlowEnd::kResponder, nat);
      Set all = let_through(walk);
      for (const Set fate : walk.direct.fates) all = heard ? all : bdd_.either(all, fate);
      return hangs(all) ||
             std::ranges::any_of(walk.requests, [&](const auto& one) { return hangs(one.second); });
    });
  }

  // Flows that some packet may open, of the far end's, too, by whichever wire.
  Set opened(Set packets, bool conversation) {
    if (space_.classes().expects || !model_.tracking) return kEverything;
    Set first = let_through(walk_in(World::kUsual, path_, packets));
    if (!conversation) {
      const PathWalk back = walk_in(World::kUsual, path_, packets, FlowEnd::kResponder);
      first = bdd_.either(first, let_through(back));
    }
    return flow_of(bdd_.both(first, fresh()));
  }

  // No binding, and each that a rule may give.
  std::vector<NatVariant> ways() {
    std::vector<NatVariant> all{NatVariant{}};
    if (model_.follows()) {
      std::ranges::copy(model_.translations.variants(path_), std::back_inserter(all));
    }
    return all;
  }

  // Through, or to where this walk does not follow.
  Set let_through(const PathWalk& walk) {
    Set s = walk.early_unmodelled;
    for (const Passage* half : {&walk.direct, &walk.again}) {
      for (const Fate f : {Fate::kDelivered, Fate::kUnmodelled, Fate::kElsewhere}) {
        s = bdd_.either(s, (*half)[f]);
      }
    }
    return s;
  }

  // ... but for what DNAT leads off.
  Set let_through_as_sent(const PathWalk& walk) {
    const Set all = let_through(walk);
    return keeps_a_destination() ? all : bdd_.minus(all, walk.moved);
  }

  bool some_untracks() const { return std::ranges::any_of(model_.program.rules(), does<NoTrack>); }

  bool marks_entries_in(Hook hook, TableName table) {
    const auto entry = model_.program.entry(hook, table);
    const auto rules = model_.program.rules();
    return entry && std::ranges::any_of(model_.chains.below(*entry), [&](ChainId id) {
             const ProgramChain& chain = model_.program.chains()[id];
             return std::ranges::any_of(rules.subspan(chain.first, chain.count), does<SetConnmark>);
           });
  }
  bool marks_entries_behind_lo() {
    constexpr std::array kTables{TableName::kRaw, TableName::kMangle, TableName::kNat,
                                 TableName::kFilter, TableName::kSecurity};
    return std::ranges::any_of(kTables, [&](TableName table) {
      return marks_entries_in(Hook::kPrerouting, table) || marks_entries_in(Hook::kInput, table);
    });
  }

  // Do rules let more of these packets through there, under any binding?
  bool matters(World world, Set packets, FlowEnd sender) {
    const std::vector<NatVariant> all = ways();
    return all.size() > kMostBindings || std::ranges::any_of(all, [&](const NatVariant& nat) {
             return matters(world, packets, sender, nat);
           });
  }
  bool matters(World world, Set packets, FlowEnd sender, const NatVariant& nat) {
    const PathWalk usual = walk_in(World::kUsual, path_, packets, sender, nat);
    const PathWalk there = walk_in(world, path_, packets, sender, nat);
    if (!bdd_.subset(there.early_unmodelled, usual.early_unmodelled)) return true;
    return std::ranges::any_of(
        std::array{Fate::kDelivered, Fate::kUnmodelled, Fate::kElsewhere, Fate::kReset},
        [&](Fate f) {
          return !bdd_.subset(there.direct[f], usual.direct[f]) ||
                 !bdd_.subset(there.again[f], usual.again[f]);
        });
  }

  static constexpr std::array kFates{
      Fate::kDelivered,      Fate::kReset,   Fate::kUnmodelled,      Fate::kElsewhere,
      Fate::kResetConfirmed, Fate::kDropped, Fate::kDroppedConfirmed};
  static constexpr std::array kSizes{Axis::kLength, Axis::kFragmentOffset, Axis::kTruncated};

  bool more_gets_over_lo(const PathWalk& usual, const PathWalk& there) {
    const Set first = space_.class_is(Axis::kFragmentOffset, 0);
    const auto more = [&](Set then, Set now) {
      const Set any_size = space_.exists(bdd_.both(then, first), kSizes);
      return !bdd_.subset(any_size, space_.exists(now, kSizes));
    };
    if (more(there.early_unmodelled, usual.early_unmodelled)) return true;
    const auto half = [&](const Passage& then, const Passage& now) {
      return std::ranges::any_of(std::span(kFates).first(5),
                                 [&](Fate f) { return more(then[f], now[f]); });
    };
    return half(there.direct, usual.direct) || half(there.again, usual.again) ||
           (marks_entries_behind_lo() && !bdd_.subset(marks(there, true), marks(usual, false)));
  }

  // Connmarks that packets change, whatever becomes of them. (Of a later piece iptables-nft reads
  // other ports.)
  Set marks(const PathWalk& walk, bool in_pieces) {
    Set s = kNothing, unchanged = kEverything;
    for (const Passage* half : {&walk.direct, &walk.again}) {
      for (const Fate f : kFates) s = bdd_.either(s, (*half)[f]);
    }
    for (const std::uint8_t bit : space_.layout(Axis::kConnmark).bits) {
      const Set before = *space_.bit(Axis::kConnmarkBefore, bit);
      unchanged = bdd_.both(unchanged, bdd_.same(*space_.bit(Axis::kConnmark, bit), before));
    }
    s = bdd_.minus(s, unchanged);
    constexpr std::array kUnread{Axis::kInitiatorPort, Axis::kResponderPort, Axis::kTcpFlags,
                                 Axis::kTcpOptions};
    const Set later = bdd_.minus(s, space_.class_is(Axis::kFragmentOffset, 0));
    if (in_pieces) s = bdd_.either(s, space_.exists(later, kUnread));
    return space_.exists(s, kSizes);
  }

  Set state(CtState of) { return space_.class_is(Axis::kState, static_cast<std::uint32_t>(of)); }
  // What takes no entry.
  Set begins() {
    return bdd_.either(bdd_.either(state(CtState::kInvalid), state(CtState::kUntracked)), fresh());
  }
  Set fresh() { return bdd_.both(state(CtState::kNew), space_.class_is(Axis::kFirst, 1)); }

  // May DNAT give a port alone?
  bool keeps_a_destination() {
    const auto ways = model_.translations.by_rules(path_);
    return std::ranges::any_of(ways, [&](const NatVariant& nat) {
      return nat.destination != 0 && model_.translations.range(nat.destination).keeps_address;
    });
  }

  // Of what some walk lets through: what needs no entry, and of flows whose first packet gets there
  // (or is in `elsewhere`) the rest as well. Errors need one of any flow to the same end.
  Set may_come(Set through, Set elsewhere) {
    through = bdd_.both(through, conntrack_domain(space_));
    const Set first = bdd_.both(bdd_.either(through, elsewhere), fresh());
    const Set flows = flow_of(first);
    constexpr std::array kButResponder{Axis::kInitiator, Axis::kInitiatorPort, Axis::kResponderPort,
                                       Axis::kProtocol};
    const Set ends =
        space_.classes().expects ? Set{kEverything} : space_.exists(flows, kButResponder);
    Set s = bdd_.both(through, begins());
    const Set later = bdd_.either(state(CtState::kNew), state(CtState::kEstablished));
    s = bdd_.either(s, bdd_.both(bdd_.both(through, later), flows));
    return bdd_.either(s, bdd_.both(bdd_.both(through, state(CtState::kRelated)), ends));
  }

  Set headers_of(Set packets) {
    std::vector<Axis> others;
    for (auto i = static_cast<std::size_t>(Axis::kState); i < kAxisCount; ++i) {
      others.push_back(static_cast<Axis>(i));
    }
    return space_.exists(packets, others);
  }

  // Addresses, ports and protocol alone; the wires, too, if asked for.
  Set flow_of(Set packets, bool with_wires = false) {
    constexpr std::array kKept{Axis::kInitiator, Axis::kResponder, Axis::kInitiatorPort,
                               Axis::kResponderPort, Axis::kProtocol};
    std::vector<Axis> gone;
    for (std::size_t i = 0; i < kAxisCount; ++i) {
      const auto axis = static_cast<Axis>(i);
      const bool wire = with_wires && std::ranges::find(kWires, axis) != kWires.end();
      if (!wire && std::ranges::find(kKept, axis) == kKept.end()) gone.push_back(axis);
    }
    return space_.exists(packets, gone);
  }

  Set to_everybody() {
    if (space_.classes().family == Family::kIpv6) {
      return space_.values(Axis::kResponder, u128{0xff} << 120, ~u128{0});
    }
    return bdd_.either(space_.values(Axis::kResponder, 0xe0000000, 0xefffffff),
                       space_.values(Axis::kResponder, 0xffffffff, 0xffffffff));
  }

  Model::Impl& model_;
  Space& space_;
  Bdd& bdd_;
  Path path_;
  Set m_;
};

}  // namespace

Surroundings Model::Impl::surroundings(Path path, const PredicatePtr& m, Denied denied) {
  const Set asked = reader.read_once(*m, Binding{.question = true}).may;
  const auto of = [&](Set packets) { return bdd().both(asked, packets); };
  Wonder wonder(*this, path, of(sendable(path, FlowEnd::kInitiator)));
  Surroundings result;
  const bool conversation = denied == Denied::kConversation;  // between honest ends
  const bool forged = !conversation && wonder.forged(denied == Denied::kEntry);
  (wonder.is_local() ? result.forged_here : result.forged) = forged;
  result.replies = denied == Denied::kPacket && wonder.replies();
  result.asymmetric = wonder.asymmetric(denied);
  result.wrapped = wonder.wrapped();
  if (path == Path::kForward) {
    // A bridge passes on what a socket has taken, too.
    const bool sockets = std::ranges::any_of(program.rules(), does<ToSocket>);
    const Set dead = bdd().minus(unrouted(space, path, FlowEnd::kInitiator, tracking),
                                 sockets ? kNothing : sendable(path, FlowEnd::kInitiator));
    result.bridged = wonder.bridged(of(bdd().both(dead, by_one_interface(space))));
  }
  if (path == Path::kForward && !conversation) {
    result.groups = wonder.groups(of(can_set_out_to_groups(space, tracking)));
  }
  const bool joins = !tracking && space.classes().defragments && !conversation;
  const bool v4 = space.classes().family == Family::kIpv4;
  if (path == Path::kOut && joins && v4) {
    result.unjoined = wonder.unjoined(bdd().minus(of(can_set_out_unjoined(space, path)),
                                                  of(sendable(path, FlowEnd::kInitiator))));
  }
  if (path == Path::kLoopback && (tracking || joins) && !conversation) {
    result.unjoined = v4 && wonder.joined_over_lo();
  }
  result.answered = wonder.answered();
  result.sent_by = wonder.sent_by();
  result.marked = wonder.marked();
  result.rerouted = wonder.rerouted();
  const bool packet = denied == Denied::kPacket;
  result.echoed = packet && (path == Path::kIn ? wonder.echoed(asked) : wonder.copied());
  result.kept = wonder.kept();
  result.bound = !conversation && wonder.bound();
  result.lengthless = wonder.lengthless();
  result.in_pieces = wonder.in_pieces();
  result.scattered = wonder.scattered();
  const bool carries = tracking || (!v4 && !space.classes().defragments);
  result.cut_over_lo = carries && wonder.otherwise_over_lo(World::kCutOverLo);
  result.trailed = !v4 && !conversation && wonder.otherwise_over_lo(World::kTrimmedOverLo);
  return result;
}

}  // namespace postern
