#include "symbolic/rules/passage.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/check.hpp"
#include "flow/conntrack.hpp"
#include "symbolic/nat/rerouting.hpp"
#include "symbolic/rules/pieces.hpp"
#include "symbolic/rules/routing.hpp"

namespace postern {
namespace {

constexpr std::array kPresent{Axis::kMark, Axis::kUntracked, Axis::kTtlNow, Axis::kTosNow};
// What a packet carries to its lookup.
constexpr std::array kOfNow{Axis::kMark, Axis::kUntracked,  Axis::kConnmark, Axis::kConnmarkBefore,
                            Axis::kZone, Axis::kZoneBefore, Axis::kTtlNow,   Axis::kTosNow};
constexpr std::array kConntrackAxes{Axis::kState,     Axis::kDirection, Axis::kFirst,
                                    Axis::kSeenReply, Axis::kAssured,   Axis::kExpected};

class PathWalker {
 public:
  PathWalker(Space& space, ChainWalker& chains, const Program& program, Path path, FlowEnd sender,
             const WalkOptions& options, const RuleObserver& observer)
      : space_(space),
        bdd_(space.bdd()),
        chains_(chains),
        program_(program),
        options_(options),
        observer_(observer),
        flow_path_(path),
        sender_(sender),
        path_(sender == FlowEnd::kInitiator ? path : reverse(path)),
        any_mark_(options.unrouted || options.any_mark),
        saves_marks_(any_mark_ && flow_path_ != Path::kForward && saves_marks(program)),
        rerouted_(in_world(WalkOptions::World::kRerouted) && changes_what_routes(program)),
        copies_(in_world(WalkOptions::World::kSentByTargets) &&
                program.sender_of(OpaqueTarget::Sends::kCopies)) {}

  PathWalk run(Set only) {
    result_.start = bdd_.both(sent(), only);
    Set live = bdd_.both(result_.start, initial());
    if (path_ == Path::kLoopback) {
      loopback(live);
    } else {
      passage_ = &result_.direct;
      attached_ = false;
      before_nat_ = true;
      for (const Hook hook : hooks(path_)) {
        if (hook == Hook::kInput) break;
        live = hook_walk(hook, live);
        if (hook == Hook::kPrerouting || hook == Hook::kOutput) live = route(live);
        if (hook == Hook::kPrerouting) live = one_hop(outlive_hop(live));
      }
      path_ == Path::kIn ? deliver(live) : settle(Fate::kDelivered, live);
    }
    return result_;
  }

 private:
  // Does NAT replace the far end of what the initiator sends, before routing sees it (or for what
  // this host sends, before routing has the last word)?
  bool moves() const {
    const Translations* all = chains_.translations();
    if (all == nullptr) return false;
    return all->leads_elsewhere() ||
           (options_.follow && options_.tracking && all->moves_destination(flow_path_));
  }
  bool replaces_destination() const {
    const std::uint8_t range = options_.nat.destination;
    return range != 0 && !chains_.translations()->range(range).keeps_address;
  }
  bool is_local() const { return path_ == Path::kOut || path_ == Path::kLoopback; }
  // Is this of what a local end sends, in that world, or for claims that hold in any?
  bool in_world(WalkOptions::World world) const {
    return is_local() && (options_.unrouted || options_.world == world);
  }
  bool foreign() const { return options_.errors && sender_ == FlowEnd::kInitiator; }
  bool opens() const { return !options_.nat.some() || sender_ == options_.nat.originator; }

  Set sent() {
    if (options_.world == WalkOptions::World::kGroupsForwarded) {
      return can_set_out_to_groups(space_, options_.tracking);
    }
    if (options_.world == WalkOptions::World::kFragmentsUnjoined ||
        options_.world == WalkOptions::World::kJoinedOverLo) {
      return can_set_out_unjoined(space_, flow_path_);
    }
    if (options_.world == WalkOptions::World::kEchoed) {
      return unrouted(space_, flow_path_, sender_, options_.tracking);
    }
    const bool replaced = sender_ == FlowEnd::kInitiator
                              ? moves() || options_.nat.of_error() ||
                                    (options_.loose && chains_.translations()->some())
                              : options_.nat.destination != 0;
    const auto which = options_.from_anywhere ? unrouted_anywhere
                       : options_.unrouted    ? unrouted
                                              : can_set_out;
    const Translations* nat = chains_.translations();
    const bool known = options_.from_anywhere || options_.unrouted || !replaced;
    const Set all = known ? which(space_, flow_path_, sender_, options_.tracking)
                          : can_set_out_translated(space_, flow_path_, sender_, options_.tracking,
                                                   nat != nullptr && nat->leads_elsewhere());
    return sender_ == FlowEnd::kInitiator ? bdd_.either(all, options_.led) : all;
  }

  // Packets that kept their destination go on only where routing takes it this way.
  Set route(Set live) {
    if (sender_ != FlowEnd::kInitiator || replaces_destination()) return live;
    if (!moves() && options_.led.empty()) return live;
    if (options_.world == WalkOptions::World::kGroupsForwarded ||
        options_.world == WalkOptions::World::kEchoed) {
      return live;
    }
    const bool by_rules = options_.world == WalkOptions::World::kKeptByRules;
    const auto which = moves() && !by_rules ? can_keep_its_destination : can_set_out;
    const Set taken = bdd_.both(live, which(space_, flow_path_, sender_, options_.tracking));
    settle(Fate::kDropped, bdd_.minus(live, taken));
    return taken;
  }

  // Not what comes to routing and no further, nor groups, nor (no rule is dead for it) by a bridge.
  Set forwarded() {
    const bool groups = options_.world == WalkOptions::World::kGroupsForwarded;
    if (path_ != Path::kForward || options_.unrouted || groups) return kNothing;
    return bdd_.minus(kEverything, options_.led);
  }

  // Behind PREROUTING nobody forwards what has no hop left (ip_forward). (A bridge does, which no
  // rule is dead for.)
  Set outlive_hop(Set live) {
    if (path_ != Path::kForward || options_.unrouted) return live;
    const std::optional<Axis> now = space_.present(Field::kTtl);
    const Set spent = space_.values(now.value_or(Axis::kTtl), 0, 1);
    settle(Fate::kDropped, bdd_.both(live, spent));
    return bdd_.minus(live, spent);
  }

  // (Where no rule writes the TTL, its readers know: Binding::ttl_decremented.)
  Set one_hop(Set live) {
    if (path_ != Path::kForward || !space_.present(Field::kTtl)) return live;
    return Relations(space_).rewrite(live, Field::kTtl, one_hop_less);
  }

  // Marks as the packet sets out with them; the connmark is remembered.
  Set initial() {
    const bool echoed = options_.world == WalkOptions::World::kEchoed;
    const bool rewritten = echoed || options_.world == WalkOptions::World::kJoinedOverLo;
    Set s = echoed ? space_.class_is(Axis::kZone, 0) : bare();
    if (copies_)
      s = bdd_.both(space_.class_is(Axis::kZone, 0), space_.class_range(Axis::kUntracked, 0, 1));
    s = bdd_.both(s, rewritten ? space_.domain() : space_.as_sent());
    for (const std::uint8_t bit : space_.layout(Axis::kMark).bits) {
      if (is_local() && any_mark_) break;
      if (echoed || options_.world == WalkOptions::World::kMarked) break;
      const Set now = *space_.bit(Axis::kMark, bit);
      const auto asked = space_.bit(Axis::kInitialMark, bit);
      const bool own = is_local() && sender_ == FlowEnd::kInitiator && asked.has_value();
      s = bdd_.both(s, own ? bdd_.same(now, *asked) : bdd_.complement(now));
    }
    for (const std::uint8_t bit : space_.layout(Axis::kConnmark).bits) {
      s = bdd_.both(
          s, bdd_.same(*space_.bit(Axis::kConnmark, bit), *space_.bit(Axis::kConnmarkBefore, bit)));
    }
    return s;
  }

  // Neither marked UNTRACKED nor with a template.
  Set bare() {
    return bdd_.both(space_.class_is(Axis::kUntracked, 0), space_.class_is(Axis::kZone, 0));
  }

  void settle(Fate fate, Set packets) {
    Set& place = (*passage_)[fate];
    place = bdd_.either(place, space_.exists(packets, kPresent));
  }

  Set state_range(CtState first, CtState last) {
    return space_.class_range(Axis::kState, static_cast<std::uint32_t>(first),
                              static_cast<std::uint32_t>(last));
  }
  Set state_is(CtState state) { return state_range(state, state); }

  void loopback(Set live) {
    passage_ = &result_.direct;
    attached_ = false;
    before_nat_ = true;
    live = route(hook_walk(Hook::kOutput, live));
    live = hook_walk(Hook::kPostrouting, live);
    if (options_.world == WalkOptions::World::kJoinedOverLo) return joined_over_lo(live);
    confirmed_ = true;
    const Set lost = options_.tracking ? state_is(CtState::kInvalid) : kNothing;
    const Set second = bdd_.both(live, lost);
    attached_ = true;
    const Set first = bdd_.minus(live, lost);
    const Set others = hook_walk(Hook::kPrerouting, cut_over_lo(first));
    deliver(bdd_.either(hook_walk(Hook::kPrerouting, trimmed_over_lo(first)), joined(others)));
    // Looked up afresh: what conntrack said is forgotten.
    if (second.empty()) return;
    passage_ = &result_.again;
    attached_ = confirmed_ = false;
    afresh_ = true;
    const std::array template_of_output{Axis::kUntracked};
    Set fresh = trimmed_over_lo(second);
    fresh = space_.exists(space_.exists(fresh, kConntrackAxes), template_of_output);
    fresh = bdd_.both(zone_parked(fresh), bare());
    fresh = hook_walk(Hook::kPrerouting, fresh);
    settle(Fate::kDelivered, hook_walk(Hook::kInput, fresh));
  }

  // What IPv6 takes for a packet's end is not what OUTPUT has counted (ip6_rcv_core).
  Set trimmed_over_lo(Set live) {
    const bool v6 = space_.classes().family == Family::kIpv6;
    if (!v6 || !in_world(WalkOptions::World::kTrimmedOverLo)) return live;
    return bdd_.either(live, trimmed(space_, live));
  }

  // Pieces that carry what conntrack says of the whole are not put together before raw: any of
  // IPv6, UNTRACKED ones of IPv4 (nf_defrag_ipv6, nf_defrag_ipv4).
  Set cut_over_lo(Set live) {
    if (!in_world(WalkOptions::World::kCutOverLo)) return kNothing;
    const bool v6 = space_.classes().family == Family::kIpv6;
    if (!options_.tracking && (!v6 || space_.classes().defragments)) return kNothing;
    return cut_up(space_, v6 ? live : bdd_.both(live, state_is(CtState::kUntracked)));
  }

  // IPv4 puts them together before INPUT.
  Set joined(Set pieces) {
    if (space_.classes().family == Family::kIpv6) return pieces;
    const Set all = put_together(space_, pieces, any_later_piece(space_));
    return bdd_.both(all, result_.start);
  }

  // Whole packets between the ends of some piece that has left, as if nobody had seen them before.
  void joined_over_lo(Set pieces) {
    pieces = bdd_.either(pieces, result_.early_unmodelled);
    for (const Fate f : {Fate::kUnmodelled, Fate::kElsewhere}) {
      pieces = bdd_.either(pieces, (*passage_)[f]);
    }
    constexpr std::array kEnds{Axis::kInitiator, Axis::kResponder, Axis::kProtocol};
    std::vector<Axis> others;
    for (std::size_t i = 0; i < kAxisCount; ++i) {
      const auto axis = static_cast<Axis>(i);
      const bool moved = axis == Axis::kResponder && moves();
      if (moved || std::ranges::find(kEnds, axis) == kEnds.end()) others.push_back(axis);
    }
    result_ = {};
    passage_ = &result_.direct;
    attached_ = false;
    const Set whole = can_set_out(space_, flow_path_, sender_, true);
    const Set live = bdd_.both(bdd_.both(whole, initial()), space_.exists(pieces, others));
    settle(Fate::kDelivered, hook_walk(Hook::kInput, hook_walk(Hook::kPrerouting, live)));
  }

  // Through INPUT, to which IPv4 puts fragments together where nobody has tracked them
  // (pieces.hpp).
  void deliver(Set live) {
    if (options_.tracking || space_.classes().defragments ||
        space_.classes().family != Family::kIpv4) {
      return settle(Fate::kDelivered, hook_walk(Hook::kInput, live));
    }
    // (What is cut short may be no piece.)
    const Set alone = bdd_.both(live, space_.class_is(Axis::kFragmentOffset, 0));
    settle(Fate::kDropped, bdd_.minus(live, alone));
    const Set arrived = hook_walk(Hook::kInput, alone);
    settle(Fate::kDelivered, arrived);
    // Of a piece that met what is not modelled nothing is known.
    const Set strange = bdd_.either((*passage_)[Fate::kUnmodelled], result_.early_unmodelled);
    // iptables-nft tells them by bytes that are not followed.
    const bool nft = space_.classes().backend == Backend::kNft;
    const Set later = nft ? any_later_piece(space_) : bdd_.either(live, strange);
    const auto whole = [&](Set first) {
      return bdd_.both(put_together(space_, first, later), result_.start);
    };
    const Set through = hook_walk(Hook::kInput, bdd_.minus(whole(live), alone));
    const Set accepted = bdd_.either(arrived, through);
    result_.joined = of_headers(bdd_.either(through, whole(strange)));
    const Set whole_ones = of_headers(arrived);
    result_.pieces = bdd_.minus(of_headers(parts_of(space_, accepted, live, false)), whole_ones);
    const Set apart = of_headers(parts_of(space_, accepted, live, true));
    result_.scattered = bdd_.minus(bdd_.minus(apart, whole_ones), result_.pieces);
  }

  // Over flow and packet axes.
  Set of_headers(Set packets) {
    std::vector<Axis> others;
    for (auto i = static_cast<std::size_t>(Axis::kState); i < kAxisCount; ++i) {
      others.push_back(static_cast<Axis>(i));
    }
    return space_.exists(packets, others);
  }

  // What the first lookup took for the packet's zone is remembered.
  Set zone_parked(Set packets) {
    const auto& now = space_.layout(Axis::kZone).variables;
    if (now.empty()) return packets;
    Bdd::VariableMap map(bdd_.variables());
    std::iota(map.begin(), map.end(), 0u);
    const std::array old{Axis::kZoneBefore};
    packets = space_.exists(packets, old);
    const auto& before = space_.layout(Axis::kZoneBefore).variables;
    for (std::size_t i = 0; i < now.size(); ++i) map[now[i]] = before[i];
    return bdd_.rename(packets, map);
  }

  Set hook_walk(Hook hook, Set live) {
    for (const Stage& stage : stages(hook, options_.backend)) {
      if (live.empty()) break;
      switch (stage.kind) {
        case Stage::Kind::kDefragment:
          break;  // routing.cpp: where it is tracked, what sets out is whole
        case Stage::Kind::kTable:
          before_lookup_ = stage.table == TableName::kRaw && !attached_;
          live = table(hook, stage.table, live);
          break;
        case Stage::Kind::kConntrack:
          if (!attached_) live = lookup(live);
          break;
        case Stage::Kind::kNat:
          live = nat(hook, live);
          break;
        case Stage::Kind::kConfirm:
          break;
      }
    }
    return live;
  }

  Set table(Hook hook, TableName name, Set live) {
    const auto chain = program_.entry(hook, name);
    if (!chain) {
      if (!by_rule()) return live;
      settle(Fate::kElsewhere, live);
      return kNothing;
    }
    TableContext context;
    context.binding = Binding::at(hook, path_, sender_);
    context.binding.before_lookup = before_lookup_;
    context.binding.confirmed = confirmed_ && !afresh_;
    context.binding.any_connmark = saves_marks_ && !before_lookup_;
    context.binding.interleaved = options_.interleaved && options_.tracking && !before_lookup_;
    context.binding.any_mark = any_mark_ && (is_local() || saves_marks_);
    context.attaches = before_lookup_;
    context.entries = options_.tracking;
    context.loose = options_.loose;
    context.loose_nat = options_.loose_nat;
    show_binding(context.binding, hook, name);
    context.follows = follows_;
    context.wanted = wanted_;
    context.turns = turns_;
    context.initiator_is_remote = flow_path_ == Path::kIn || flow_path_ == Path::kForward;
    context.forwarded = hook == Hook::kPrerouting ? forwarded() : kNothing;
    const Outcomes out = chains_.run(*chain, live, context, observer_);
    if (before_lookup_) {
      const Set lost = bdd_.either(out[Outcome::kDropped], out[Outcome::kReset]);
      note_early(lost, out[Outcome::kUnmodelled]);
    } else {
      settle(confirmed_ ? Fate::kDroppedConfirmed : Fate::kDropped, out[Outcome::kDropped]);
      settle(confirmed_ ? Fate::kResetConfirmed : Fate::kReset, out[Outcome::kReset]);
      settle(Fate::kUnmodelled, out[Outcome::kUnmodelled]);
    }
    if (turns_) settle(Fate::kTurned, out[Outcome::kBoundElsewhere]);
    if (!follows_) return out[Outcome::kAccepted];
    const bool early = *follows_ == Hook::kPrerouting || *follows_ == Hook::kOutput;
    settle(early && leads_off_groups() ? Fate::kTurned : Fate::kElsewhere,
           out[Outcome::kBoundElsewhere]);
    if (early && !options_.nat.some()) note_moved(out[Outcome::kBoundElsewhere]);
    if (!by_rule()) return out[Outcome::kAccepted];
    settle(Fate::kElsewhere, out[Outcome::kAccepted]);
    return out[Outcome::kBound];
  }

  // What rules see of NAT here.
  void show_binding(Binding& b, Hook hook, TableName name) const {
    b.nat = options_.nat;
    if (rerouted_ && hook == Hook::kOutput) b.device = SeenDevice::kAny;
    if (!options_.nat.some()) return;
    const bool over_lo = path_ == Path::kLoopback;
    b.before_nat = before_nat_;
    b.to_host = flow_path_ == Path::kIn || over_lo;
    b.behind_source =
        hook == Hook::kInput && name == TableName::kSecurity && options_.backend == Backend::kNft;
    // Over lo everything was settled on the way out.
    b.behind_source = b.behind_source || (over_lo && confirmed_);
    if (rerouted_ && hook == Hook::kOutput) return;
    b.device = seen_device(hook, flow_path_, sender_, options_.nat, *chains_.translations());
  }

  // Only those go on here that a rule binds? No rule gives a flow another port because its own is
  // taken (a clash).
  bool by_rule() const {
    return follows_ && wanted_ != 0 && wanted_ != chains_.translations()->clash();
  }

  // Of what is for groups, does DNAT leave nothing there (which is then routed as any other)?
  bool leads_off_groups() const {
    if (options_.world != WalkOptions::World::kGroupsForwarded) return false;
    const Translations& all = *chains_.translations();
    return std::ranges::none_of(all.by_rules(flow_path_), [&](const NatVariant& nat) {
      return nat.destination != 0 && all.range(nat.destination).keeps_address;
    });
  }

  void note_moved(Set packets) {
    std::vector<Axis> others;
    for (std::size_t i = 0; i < kAxisCount; ++i) {
      const auto axis = static_cast<Axis>(i);
      if (std::ranges::find(flow_axes(), axis) == flow_axes().end()) others.push_back(axis);
    }
    result_.moved = bdd_.either(result_.moved, space_.exists(packets, others));
  }

  // Before the lookup nothing of conntrack is in the sets.
  void note_early(Set lost, Set unmodelled) {
    result_.early = bdd_.either(result_.early, space_.exists(lost, kOfNow));
    if (!afresh_) result_.early_first = result_.early;
    result_.early_unmodelled =
        bdd_.either(result_.early_unmodelled, space_.exists(unmodelled, kOfNow));
  }

  Set lookup(Set live) {
    // Answers to a flow under NAT.
    if (options_.loose && !foreign()) live = chains_.any_ends(live);
    const Set marked = space_.class_is(Axis::kUntracked, 1);
    Set untracked = bdd_.both(live, marked), tracked = bdd_.minus(live, marked);
    if (!options_.tracking) {
      return bdd_.either(bdd_.both(tracked, state_is(CtState::kInvalid)),
                         bdd_.both(untracked, state_is(CtState::kUntracked)));
    }
    const Set never = bdd_.both(tracked, never_tracked());
    untracked = bdd_.either(untracked, in_pair(0, never));
    tracked = into_zones(bdd_.minus(tracked, never));
    note_requests(bdd_.either(untracked, tracked));
    note_ambiguous(untracked, tracked);
    if (options_.nat.some()) return lookup_bound(tracked);
    // Any state and status: the exploration asks only for those that an entry gives.
    const Set seen = state_range(CtState::kInvalid, CtState::kRelated);
    // ... where a checksum is wrong, of what is never tracked as well.
    tracked = bdd_.either(bdd_.both(tracked, seen),
                          bdd_.both(into_zones(never), state_is(CtState::kInvalid)));
    return bdd_.either(tracked, bdd_.both(untracked, state_is(CtState::kUntracked)));
  }

  Set in_pair(std::uint32_t pair, Set packets) {
    if (space_.layout(Axis::kZone).variables.empty()) return packets;
    const std::array axis{Axis::kZone};
    return bdd_.both(space_.exists(packets, axis), space_.class_is(Axis::kZone, pair));
  }

  // What the templates ask for (zones.hpp), once the mark is settled.
  Set into_zones(Set tracked) {
    const Zones& zones = space_.classes().zones;
    if (!zones.some()) return tracked;
    Set result = bdd_.both(tracked, space_.class_is(Axis::kZone, 0));
    for (const Zones::Way& way : zones.ways()) {
      Set of = space_.class_is(Axis::kZone, way.of);
      for (std::uint8_t bit = 0; way.mark && bit < 16; ++bit) {
        const bool one = ((*way.mark >> bit) & 1) != 0;
        of = bdd_.both(of, space_.bit(Axis::kMark, bit, one).value_or(kEverything));
      }
      result = bdd_.either(result, in_pair(way.pair, bdd_.both(tracked, of)));
    }
    return result;
  }

  void note_requests(Set live) {
    const std::uint32_t values = space_.classes().untracked.count();
    for (std::uint32_t k = 0; values > Templates::kFirst && k < values; ++k) {
      const Set with = bdd_.both(live, space_.class_is(Axis::kUntracked, k));
      for (std::uint32_t pair = 0; pair < space_.classes().zones.pairs().size(); ++pair) {
        const Set here = bdd_.both(with, space_.class_is(Axis::kZone, pair));
        Set& place = result_.requests[{k, pair}];
        place = bdd_.either(place, space_.exists(here, kOfNow));
      }
    }
  }

  void note_ambiguous(Set untracked, Set tracked) {
    const auto& present = kOfNow;
    Set before = space_.exists(untracked, present);
    const std::size_t pairs = space_.classes().zones.pairs().size();
    for (std::uint32_t pair = 0; pair < pairs; ++pair) {
      const Set here =
          space_.exists(bdd_.both(tracked, space_.class_is(Axis::kZone, pair)), present);
      result_.ambiguous = bdd_.either(result_.ambiguous, bdd_.both(before, here));
      before = bdd_.either(before, here);
    }
  }

  // Packets whose entry has the binding, and errors about it. An INVALID answer goes to where it
  // was sent, which is nowhere here; what the opener sends without an entry is another walk's.
  Set lookup_bound(Set tracked) {
    if (options_.nat.of_error()) return bdd_.both(tracked, of_another_flow());
    if (opens()) return bdd_.both(tracked, state_range(CtState::kNew, CtState::kRelated));
    settle(Fate::kDropped, bdd_.both(tracked, state_is(CtState::kInvalid)));
    return bdd_.both(tracked, state_is(CtState::kEstablished));
  }

  Set of_another_flow() {
    const Set related = bdd_.both(state_is(CtState::kRelated), space_.class_is(Axis::kFirst, 0));
    return space_.classes().expects ? bdd_.both(related, space_.class_is(Axis::kExpected, 0))
                                    : related;
  }

  // IPv6 neighbour discovery and its like (kernel-facts 41).
  Set never_tracked() {
    if (space_.classes().family == Family::kIpv4) return kNothing;
    const Set icmp = space_.protocol_is(protocol::kIcmpv6);
    const bool own = sender_ == FlowEnd::kInitiator;
    const Set types = space_.class_set_if(Axis::kIcmpType, [&](const ValueClass& c) {
      const auto type = static_cast<std::uint8_t>(c.canonical);
      return icmp_class(Family::kIpv6, own ? type : icmp_partner(Family::kIpv6, type)) ==
             IcmpClass::kUntracked;
    });
    return bdd_.both(bdd_.both(icmp, types), space_.class_is(Axis::kTruncated, 0));
  }

  // nat is consulted for the first packet of a flow only; on lo everything is decided on the way
  // out.
  Set nat(Hook hook, Set live) {
    if (!options_.tracking || (confirmed_ && attached_)) return live;
    // ... and not for one that follows its master.
    if (!opens() || options_.nat.by != NatVariant::By::kRule) {  // translated (back)
      before_nat_ = false;
      return live;
    }
    // An expected flow's first packet is RELATED.
    const Set fresh = space_.classes().expects
                          ? bdd_.either(state_is(CtState::kNew), state_is(CtState::kRelated))
                          : state_is(CtState::kNew);
    const Set first = bdd_.both(space_.class_is(Axis::kFirst, 1), fresh);
    before_lookup_ = false;
    const bool early = hook == Hook::kPrerouting || hook == Hook::kOutput;
    // Over lo, PREROUTING and INPUT ask only for what was INVALID in OUTPUT.
    if (options_.follow && !afresh_ && Translations::follows(hook, sender_, flow_path_)) {
      follows_ = hook;
      wanted_ = early ? options_.nat.destination : options_.nat.source;
    }
    if (options_.follow && !afresh_ && early && sender_ == FlowEnd::kResponder) turns_ = hook;
    const Set through = table(hook, TableName::kNat, bdd_.both(live, first));
    turns_.reset();
    follows_.reset();
    before_nat_ = false;
    const Set later = bdd_.minus(live, first);
    if (!options_.loose) return bdd_.either(through, later);
    if (!foreign()) return bdd_.either(through, chains_.any_ends(later));
    if (early) return bdd_.either(through, chains_.any_end(later, FlowEnd::kResponder));
    // The new source is seen by rules behind the NAT of sources alone.
    const bool seen = sources_seen(path_, options_.backend);
    return bdd_.either(through, seen ? chains_.any_end(later, FlowEnd::kInitiator) : later);
  }

  Space& space_;
  Bdd& bdd_;
  ChainWalker& chains_;
  const Program& program_;
  const WalkOptions& options_;
  const RuleObserver& observer_;
  Path flow_path_;
  FlowEnd sender_;
  Path path_;
  bool any_mark_ = false;     // of sockets, without following which
  bool saves_marks_ = false;  // ... of this host's sockets, in a flow's entry
  bool rerouted_ = false;     // OUTPUT may see another device than POSTROUTING
  bool copies_ = false;       // of TEE come to OUTPUT, UNTRACKED
  PathWalk result_{};
  Passage* passage_ = nullptr;
  bool attached_ = false;   // second half of loopback: the lookup is done
  bool confirmed_ = false;  // behind the confirmation
  bool afresh_ = false;
  bool before_lookup_ = false;
  bool before_nat_ = false;              // the packet's ends are as on the wire
  std::optional<Hook> follows_, turns_;  // while the nat table is walked
  std::uint8_t wanted_ = 0;
};

}  // namespace

bool saves_marks(const Program& program) {
  return std::ranges::any_of(program.rules(), [](const ProgramRule& rule) {
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    const auto* connmark = effect == nullptr ? nullptr : std::get_if<SetConnmark>(effect);
    return connmark != nullptr && connmark->op == SetConnmark::Op::kSave;
  });
}

bool sources_seen(Path path, Backend backend) {
  return path == Path::kLoopback || (path == Path::kIn && backend == Backend::kNft);
}

PathWalk walk_path(Space& space, ChainWalker& chains, const Program& program, Path path,
                   FlowEnd sender, const WalkOptions& options, const RuleObserver& observer,
                   Set only) {
  return PathWalker(space, chains, program, path, sender, options, observer).run(only);
}

}  // namespace postern
