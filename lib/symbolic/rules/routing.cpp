#include "symbolic/rules/routing.hpp"

#include <array>

#include "flow/odd_headers.hpp"
#include "net/no_protocol.hpp"
#include "net/protocol.hpp"
#include "symbolic/rules/pieces.hpp"

namespace postern {
namespace {

Set link_local(Space& space, Axis address) {
  return space.values(address, u128{0x3fa} << 118, (u128{0x3fb} << 118) - 1);
}

class Routing {
 public:
  enum class Mode : std::uint8_t {
    kRouted,
    kUnrouted,
    kTranslated,
    kElsewhere,
    kAnywhere,
    kKept,
    kToGroups,
    kUnjoined
  };
  Routing(Space& space, Path path, FlowEnd sender, Mode mode)
      : space_(space),
        bdd_(space.bdd()),
        flow_path_(path),
        path_(sender == FlowEnd::kInitiator ? path : reverse(path)),
        unrouted_(mode == Mode::kUnrouted || mode == Mode::kAnywhere),
        translated_(mode == Mode::kTranslated || mode == Mode::kElsewhere ||
                    mode == Mode::kAnywhere),
        followed_(mode == Mode::kTranslated),
        by_rules_(mode != Mode::kKept),
        to_groups_(mode == Mode::kToGroups),
        unjoined_(mode == Mode::kUnjoined),
        v4_(space.classes().family == Family::kIpv4) {
    const bool initiator = sender == FlowEnd::kInitiator;
    source_ = initiator ? Axis::kInitiator : Axis::kResponder;
    destination_ = initiator ? Axis::kResponder : Axis::kInitiator;
    source_type_ = initiator ? Axis::kInitiatorType : Axis::kResponderType;
    destination_type_ = initiator ? Axis::kResponderType : Axis::kInitiatorType;
  }

  Set everything(bool tracking) {
    Set s = bdd_.both(space_.domain(), interfaces());
    if (!unrouted_) {
      const Set ends = to_groups_ ? routed_groups() : v4_ ? addresses4() : addresses6();
      const std::array replaced{Axis::kResponder};
      // NAT that is followed leads to plain addresses, which excuse no odd source, or nowhere else.
      const bool anyone = !v4_ || !followed_;
      const Set plain = anyone
                            ? ends
                            : bdd_.minus(bdd_.minus(ends, space_.values(Axis::kResponder, 0, 0)),
                                         space_.values(Axis::kResponder, 0xe0000000, 0xffffffff));
      s = bdd_.both(s, translated_ ? bdd_.either(space_.exists(plain, replaced), ends) : ends);
    }
    s = bdd_.both(s, types());
    s = bdd_.both(s, space_.domain());
    s = bdd_.both(s, headers(tracking));
    // Packets from a wire arrive without a mark; a local process may set one.
    const bool local_initiator = flow_path_ == Path::kOut || flow_path_ == Path::kLoopback;
    for (const unsigned v : space_.layout(Axis::kInitialMark).variables) {
      if (!local_initiator) s = bdd_.both(s, bdd_.literal(v, false));
    }
    return s;
  }

 private:
  bool opens() const { return source_ == Axis::kInitiator; }
  // A process of this host writes any source that it likes (IP_HDRINCL; IPv6 asks for nothing), and
  // sends anything by the device that its socket is bound to. (Of answers no such tricks are
  // asked.)
  bool sends_freely() const { return opens() && (path_ == Path::kOut || path_ == Path::kLoopback); }
  bool from_wire() const { return path_ == Path::kIn || path_ == Path::kForward; }

  Set wire(Axis axis) {
    return space_.class_range(axis, kLoopbackInterface + 1, space_.classes().interface.count() - 1);
  }
  Set device(Axis axis) {
    return bdd_.either(wire(axis), space_.class_is(axis, kLoopbackInterface));
  }
  // For "no packet ever matches" alone.
  bool anything() const { return unrouted_ && !translated_; }

  // The interfaces are the flow's, whoever sends.
  Set interfaces() {
    const Axis a = Axis::kInitiatorInterface, b = Axis::kResponderInterface;
    switch (flow_path_) {
      case Path::kIn:
        return bdd_.both(wire(a), space_.class_is(b, kNoInterface));
      case Path::kOut:  // first routed to lo, where NAT in OUTPUT moves it
        return bdd_.both(space_.class_is(a, kNoInterface), translated_ ? device(b) : wire(b));
      case Path::kForward:  // a network that is routed to lo goes there, and comes back
        return anything() ? bdd_.both(device(a), device(b)) : bdd_.both(wire(a), wire(b));
      case Path::kLoopback:
        return bdd_.both(space_.class_is(a, kLoopbackInterface),
                         translated_ ? device(b) : space_.class_is(b, kLoopbackInterface));
    }
    return kNothing;
  }

  Set outside(Set of, Axis axis, u128 lo, u128 hi) {
    return bdd_.minus(of, space_.values(axis, lo, hi));
  }

  Set addresses4() {
    constexpr u128 kLoop = 0x7f000000, kLoopEnd = 0x7fffffff;
    constexpr u128 kMulticast = 0xe0000000, kMulticastEnd = 0xefffffff, kBroadcast = 0xffffffff;
    // What is sent to 0.0.0.0 goes over lo.
    if (sends_freely()) {
      return path_ == Path::kOut ? outside(kEverything, destination_, 0, 0) : kEverything;
    }
    Set s = outside(kEverything, source_, kMulticast, kMulticastEnd);
    s = outside(s, source_, kBroadcast, kBroadcast);
    // ipv4_is_zeronet: since Linux 5.3 the rest of 0.0.0.0/8 is unicast.
    const Set zero_source = space_.values(source_, 0, 0);
    const Set to_broadcast = space_.values(destination_, kBroadcast, kBroadcast);
    const Set to_group = space_.values(destination_, kMulticast, kMulticastEnd);
    // Only a broadcast may come from 0.0.0.0 (DHCP), or a multicast, and only to this host.
    Set unbound = zero_source;
    if (path_ == Path::kIn || path_ == Path::kOut) unbound = bdd_.minus(unbound, to_broadcast);
    if (path_ == Path::kIn) unbound = bdd_.minus(unbound, to_group);
    s = bdd_.minus(s, unbound);
    const Set to_zero = space_.values(destination_, 0, 0);
    const Set nobody = bdd_.both(zero_source, to_zero);  // a broadcast, too
    s = bdd_.minus(s, to_zero);
    if (path_ == Path::kIn) s = bdd_.either(s, nobody);
    if (path_ != Path::kLoopback) {
      // To a broadcast it may come, unless it is the host's own.
      Set martian = space_.values(source_, kLoop, kLoopEnd);
      if (path_ == Path::kIn) martian = bdd_.minus(martian, to_broadcast);
      s = bdd_.minus(s, martian);
      s = outside(s, destination_, kLoop, kLoopEnd);
    }
    // Nobody answers to everybody.
    if (path_ == Path::kForward || !opens()) {
      s = bdd_.minus(bdd_.minus(s, to_group), to_broadcast);
    }
    return s;
  }

  Set addresses6() {
    const u128 multicast = u128{0xff} << 120;
    if (sends_freely() && path_ == Path::kOut) return kEverything;
    Set s = outside(kEverything, source_, multicast, ~u128{0});
    if (sends_freely()) return s;
    // A router sends that on.
    if (path_ != Path::kForward) s = outside(s, destination_, 0, 0);
    if (path_ != Path::kLoopback) {
      s = outside(s, source_, 1, 1);
      s = outside(s, destination_, 1, 1);
    }
    if (path_ == Path::kForward || !opens()) s = outside(s, destination_, multicast, ~u128{0});
    if (path_ == Path::kLoopback) s = outside(s, source_, 0, 0);
    if (path_ != Path::kForward) return s;
    // Only back by the device that they came in by (ip6_forward, rt6_need_strict).
    Set narrow = bdd_.either(space_.values(source_, 0, 0), link_local(space_, source_));
    narrow = bdd_.either(narrow, link_local(space_, destination_));
    return bdd_.minus(s, bdd_.minus(narrow, by_one_interface(space_)));
  }

  // What a multicast router takes on (ip_route_input_mc, ip6_mc_input): not what is for one link or
  // node alone, as far as the classes tell.
  Set routed_groups() {
    const u128 group = v4_ ? u128{0xe0000000} : u128{0xff} << 120;
    const u128 last = v4_ ? u128{0xefffffff} : ~u128{0};
    Set s = space_.values(destination_, group, last);
    s = outside(s, source_, group, last);
    if (v4_) {
      s = outside(outside(s, source_, 0xffffffff, 0xffffffff), source_, 0x7f000000, 0x7fffffff);
      return outside(s, destination_, group, group + 0xff);
    }
    for (u128 flags = 0; flags < 16; ++flags) {
      const u128 of_flags = group + (flags << 116);
      s = outside(s, destination_, of_flags, of_flags + (u128{3} << 112) - 1);
    }
    return outside(s, source_, 1, 1);
  }

  Set type_is(Axis axis, AddressType type) {
    return space_.values(axis, static_cast<u128>(type), static_cast<u128>(type));
  }

  // addrtype's classes, as far as the address decides them. Only if some rule asks.
  Set types() {
    if (space_.classes().address_type.count() == 1) return kEverything;
    Set s = kEverything;
    for (const auto& [address, type] :
         {std::pair{source_, source_type_}, std::pair{destination_, destination_type_}}) {
      const u128 first = v4_ ? u128{0xe0000000} : u128{0xff} << 120;
      const u128 last = v4_ ? u128{0xefffffff} : ~u128{0};
      s = bdd_.both(s, bdd_.same(space_.values(address, first, last),
                                 type_is(type, AddressType::kMulticast)));
      // lo has these on every host.
      const Set own =
          v4_ ? space_.values(address, 0x7f000000, 0x7fffffff) : space_.values(address, 1, 1);
      s = bdd_.minus(s, bdd_.both(own, type_is(type, AddressType::kUnicast)));
      if (v4_) {
        const Set sure = bdd_.either(space_.values(address, 0xffffffff, 0xffffffff),
                                     space_.values(address, 0, 0));
        s = bdd_.both(s,
                      bdd_.either(bdd_.complement(sure), type_is(type, AddressType::kBroadcast)));
      }
      if (translated_ && address == Axis::kResponder) continue;
      s = bdd_.both(s, address == source_ ? source_types() : destination_types());
    }
    return s;
  }

  // An outsider may call itself as this host does: IPv6 asks no source off a wire, and IPv4 only
  // for the addresses themselves, not for all of a network that is assigned to lo.
  Set source_types() {
    if (opens() || unrouted_ || path_ != Path::kOut) return kEverything;
    const Set bound_to_none = space_.values(source_, 0, 0);
    return bdd_.either(type_is(source_type_, AddressType::kLocal), bound_to_none);
  }

  // By `ip rule` a packet stays here that is for others (the reverse takes a host that has its
  // local table behind others: left out). Another device's link-local address is IPv6's to send on.
  Set destination_types() {
    const Set unicast = type_is(destination_type_, AddressType::kUnicast);
    const Set local = type_is(destination_type_, AddressType::kLocal);
    switch (path_) {
      case Path::kIn:  // local, or everybody's
        return opens() && by_rules_ ? kEverything : bdd_.complement(unicast);
      case Path::kForward:
        if (!opens()) return kEverything;
        return v4_ ? bdd_.complement(local)
                   : bdd_.either(bdd_.complement(local), link_local(space_, destination_));
      case Path::kLoopback:  // IPv4 takes any address as its own that is sent over lo
        return v4_ ? kEverything : bdd_.complement(unicast);
      case Path::kOut:
        return kEverything;
    }
    return kEverything;
  }

  Set has_protocol(std::uint8_t number) { return space_.protocol_is(number); }

  // Lengths that hold the headers which the other fields promise. (IPv6 may have others between.)
  Set lengths() {
    if (space_.classes().length.count() == 1) return kEverything;
    const u128 base = v4_ ? 20 : 40, longest = longest_packet(space_.classes().family);
    const auto between = [&](u128 low, u128 high) {
      return space_.values(Axis::kLength, base + low, high);
    };
    // (Options or extension headers may stand before what is cut.)
    const auto cut_before = [&](u128 bytes) {
      return between(0, v4_ ? base + kLongestOptions4 + bytes - 1 : longest);
    };
    Set s = between(0, longest);
    const auto where = [&](Set packets, Set lengths) {
      s = bdd_.both(s, bdd_.either(bdd_.complement(packets), lengths));
    };
    const Set whole = space_.class_is(Axis::kTruncated, 0);
    const Set first = v4_ ? kEverything : space_.class_is(Axis::kFragmentOffset, 0);
    const auto need = [&](std::uint8_t number, u128 header) {
      const Set packets = bdd_.both(first, has_protocol(number));
      where(bdd_.both(packets, whole), between(header, longest));
      where(bdd_.minus(packets, whole), cut_before(header));
    };
    need(protocol::kTcp, 20);
    need(protocol::kUdp, 8);
    need(protocol::kUdplite, 8);
    need(v4_ ? protocol::kIcmp : protocol::kIcmpv6, 8);
    need(protocol::kSctp, 12);
    if (!v4_ && space_.classes().backend == Backend::kNft) {
      where(has_protocol(protocol::kAh), between(kSeenOfExtension, longest));
    }
    if (space_.classes().truncated.count() <= 2) return s;
    // Less of it than `bytes` is there from this part on.
    const auto less = [&](HeaderPart part, Set packets, u128 bytes) {
      const Set shorter = space_.values(Axis::kTruncated, static_cast<u128>(part), 7);
      const Set longer = space_.values(Axis::kTruncated, 1, static_cast<u128>(part) - 1);
      where(bdd_.both(packets, shorter), cut_before(bytes));
      where(bdd_.both(packets, longer), between(bytes, longest));
    };
    less(HeaderPart::kNoPort, kEverything, 2);
    less(HeaderPart::kSourcePort, kEverything, 4);
    less(HeaderPart::kPorts, has_protocol(protocol::kTcp), 14);
    return s;
  }

  // Conntrack puts fragments together, but keeps its hands off what a raw socket sends that asks
  // for it (IP_NODEFRAG). (Over lo PREROUTING puts them together: surroundings.hpp.)
  Set pieces(bool tracking) {
    const Set first = space_.class_is(Axis::kFragmentOffset, 0);
    const Set whole = space_.class_is(Axis::kTruncated, 0);
    const bool kept = (anything() || opens()) && v4_ && path_ == Path::kOut;
    const auto flags = static_cast<u128>(HeaderPart::kFlags);  // TCP's alone
    const Set known = bdd_.either(bdd_.complement(space_.values(Axis::kTruncated, flags, flags)),
                                  has_protocol(protocol::kTcp));
    if (tracking) return kept ? known : bdd_.both(known, first);
    if (space_.classes().defragments && !unjoined_) return bdd_.both(known, first);
    // Of a later IPv6 fragment Linux reads the IPv6 header.
    return v4_ ? known : bdd_.both(known, bdd_.either(first, whole));
  }

  // An IPv6 packet's protocol is what follows its last extension header. One that ends before has
  // none (kNoProtocol6): iptables-legacy drops it where a rule names a protocol, and where none
  // does it is as one that says that nothing follows. To iptables-nft an authentication header is
  // one.
  Set protocols() {
    if (v4_) return kEverything;
    const Set some =
        space_.protocols([](std::uint8_t p) { return !is_extension_header(Family::kIpv6, p); });
    if (space_.classes().backend != Backend::kNft) return some;
    const Set none = space_.values(Axis::kProtocol, kNoProtocol6, kNoProtocol6);
    const Set odd = bdd_.either(none, has_protocol(protocol::kAh));
    return bdd_.either(some, bdd_.both(odd, space_.class_is(Axis::kTruncated, 0)));
  }

  Set headers(bool tracking) {
    Set s = bdd_.both(lengths(), pieces(tracking));
    s = bdd_.both(s, protocols());
    // Any TTL: a raw socket writes 0, too, and only forwarding looks at it (passage.cpp).
    if (!from_wire()) s = bdd_.both(s, space_.class_is(Axis::kHasMac, 0));
    // A packet without a link-layer header has no address there, and only its sender's counts.
    const bool initiator = source_ == Axis::kInitiator;
    const Axis own = initiator ? Axis::kInitiatorMac : Axis::kResponderMac;
    const Axis other = initiator ? Axis::kResponderMac : Axis::kInitiatorMac;
    s = bdd_.both(s, bdd_.either(space_.class_is(Axis::kHasMac, 1), space_.class_is(own, 0)));
    return bdd_.both(s, space_.class_is(other, 0));
  }

  Space& space_;
  Bdd& bdd_;
  Path flow_path_, path_;
  bool unrouted_, translated_, followed_, by_rules_, to_groups_, unjoined_, v4_;
  Axis source_, destination_, source_type_, destination_type_;
};

}  // namespace

Set can_set_out(Space& space, Path path, FlowEnd sender, bool tracking) {
  return Routing(space, path, sender, Routing::Mode::kRouted).everything(tracking);
}

Set can_keep_its_destination(Space& space, Path path, FlowEnd sender, bool tracking) {
  return Routing(space, path, sender, Routing::Mode::kKept).everything(tracking);
}

Set by_one_interface(Space& space) {
  Set same = kNothing;
  for (std::uint32_t c = 0; c < space.classes().interface.count(); ++c) {
    same = space.bdd().either(same, space.bdd().both(space.class_is(Axis::kInitiatorInterface, c),
                                                     space.class_is(Axis::kResponderInterface, c)));
  }
  return same;
}

Set can_set_out_to_groups(Space& space, bool tracking) {
  return Routing(space, Path::kForward, FlowEnd::kInitiator, Routing::Mode::kToGroups)
      .everything(tracking);
}

Set can_set_out_unjoined(Space& space, Path path) {
  return Routing(space, path, FlowEnd::kInitiator, Routing::Mode::kUnjoined).everything(false);
}

Set can_set_out_translated(Space& space, Path path, FlowEnd sender, bool tracking, bool elsewhere) {
  const auto mode = elsewhere ? Routing::Mode::kElsewhere : Routing::Mode::kTranslated;
  return Routing(space, path, sender, mode).everything(tracking);
}

Set unrouted(Space& space, Path path, FlowEnd sender, bool tracking) {
  return Routing(space, path, sender, Routing::Mode::kUnrouted).everything(tracking);
}

Set unrouted_anywhere(Space& space, Path path, FlowEnd sender, bool tracking) {
  return Routing(space, path, sender, Routing::Mode::kAnywhere).everything(tracking);
}

namespace {

// Types of addresses that only the routes of a host give: a subnet's broadcast address, a blackhole
// and the like. 255.255.255.255 and 0.0.0.0 are broadcast on every host.
Set types_by_routes(Space& space, Axis address, Axis type) {
  const Set odd = space.class_set_if(type, [](const ValueClass& c) {
    const auto is = static_cast<AddressType>(c.canonical);
    return is != AddressType::kUnicast && is != AddressType::kLocal &&
           is != AddressType::kMulticast;
  });
  if (space.classes().family != Family::kIpv4) return odd;
  const Set everybody = space.bdd().either(space.values(address, 0xffffffff, 0xffffffff),
                                           space.values(address, 0, 0));
  return space.bdd().minus(odd, everybody);
}

// IPv4 takes no packet from a wire that comes from an address of its own (127.0.0.1 is one), but it
// takes one from a subnet's broadcast address to that address, and looks at a limited broadcast's
// source for nothing else. IPv6 does not look.
Set own_or_not(Space& space, Path path) {
  if (space.classes().family != Family::kIpv4 || path != Path::kIn) return kNothing;
  return space.bdd().either(
      space.from_itself(),
      space.bdd().both(space.values(Axis::kInitiator, 0x7f000000, 0x7fffffff),
                       space.values(Axis::kResponder, 0xffffffff, 0xffffffff)));
}

Set to_groups(Space& space, Axis address) {
  return space.classes().family == Family::kIpv4
             ? space.values(address, 0xe0000000, 0xefffffff)
             : space.values(address, u128{0xff} << 120, ~u128{0});
}

Set groups_by_host(Space& space, Path path) {
  Bdd& bdd = space.bdd();
  const bool v4 = space.classes().family == Family::kIpv4;
  // All hosts: joined everywhere.
  const u128 all = v4 ? u128{0xe0000001} : (u128{0xff02} << 112) + 1;
  const Set everyone = space.values(Axis::kResponder, all, all);
  const Set groups = to_groups(space, Axis::kResponder);
  if (path == Path::kIn) return bdd.minus(groups, everyone);
  // (IPv6 sends to groups over lo only where somebody made a route of type local.)
  if (path == Path::kLoopback) return v4 ? bdd.minus(groups, everyone) : groups;
  if (path != Path::kOut) return kNothing;
  return v4 ? bdd.either(everyone, space.values(Axis::kResponder, 0xffffffff, 0xffffffff))
            : everyone;
}

// IPv6 takes the unspecified destination for this host only where a socket asks: once netfilter has
// changed the packet, so that it is routed again, it leaves by the default route, if there is one.
Set to_nobody(Space& space, Path path) {
  if (space.classes().family != Family::kIpv6 || path != Path::kOut) return kNothing;
  return space.values(Axis::kResponder, 0, 0);
}

Set typed(Space& space, Axis type, AddressType is) {
  if (space.classes().address_type.count() == 1) return kNothing;
  return space.values(type, static_cast<u128>(is), static_cast<u128>(is));
}

Set not_local(Space& space, Axis type) {
  if (space.classes().address_type.count() == 1) return kNothing;
  return space.bdd().complement(typed(space, type, AddressType::kLocal));
}

// A host that has any address gives it to what a socket sends from 0.0.0.0, but to itself it always
// has one.
Set from_nobody(Space& space, Path path) {
  if (space.classes().family != Family::kIpv4) return kNothing;
  const Set nobody = space.values(Axis::kInitiator, 0, 0);
  if (path == Path::kLoopback) return nobody;
  if (path != Path::kOut) return kNothing;
  return space.bdd().both(nobody, typed(space, Axis::kResponderType, AddressType::kLocal));
}

// What goes to an own address leaves only by a socket that is bound to a wire.
Set to_itself(Space& space, Path path) {
  return path == Path::kOut ? space.from_itself() : kNothing;
}

}  // namespace

Set typed_by_routes(Space& space) {
  if (space.classes().address_type.count() == 1) return kNothing;
  return space.bdd().either(types_by_routes(space, Axis::kInitiator, Axis::kInitiatorType),
                            types_by_routes(space, Axis::kResponder, Axis::kResponderType));
}

std::vector<HostsAffair> hosts_affairs(Space& space, Path path, bool moved) {
  std::vector<HostsAffair> result{
      {groups_by_host(space, path), "which groups it has joined"},
      {typed_by_routes(space),
       "which addresses are a subnet's broadcast address or of another type that only routes give"},
      {own_or_not(space, path), "which addresses it has"},
      {to_nobody(space, path), "where it routes a packet to :: that is changed"},
      {to_itself(space, path), "whether a socket is bound to a wire"},
      {from_nobody(space, path), "whether it has no address at all"}};
  if (path == Path::kIn && !moved) {
    result.push_back({typed(space, Axis::kResponderType, AddressType::kUnicast),
                      "whether it keeps what other tables of routes say is its own (ip rule)"});
  }
  if (path == Path::kForward && space.classes().family == Family::kIpv6) {
    const Set local = typed(space, Axis::kResponderType, AddressType::kLocal);
    result.push_back({space.bdd().both(local, link_local(space, Axis::kResponder)),
                      "which of its devices has a link-local address"});
  }
  std::erase_if(result, [](const HostsAffair& one) { return one.flows.empty(); });
  return result;
}

Set depends_on_host(Space& space, Path path, bool moved) {
  Set result = kNothing;
  for (const HostsAffair& one : hosts_affairs(space, path, moved)) {
    result = space.bdd().either(result, one.flows);
  }
  return result;
}

Set odd_flows(Space& space, Path path) {
  Bdd& bdd = space.bdd();
  const bool v4 = space.classes().family == Family::kIpv4;
  if (path == Path::kIn || path == Path::kForward) {
    return v4 ? typed(space, Axis::kInitiatorType, AddressType::kLocal) : kNothing;
  }
  const bool lo = path == Path::kLoopback;
  const auto values = [&](Axis axis, u128 low, u128 high) { return space.values(axis, low, high); };
  const Set from_none = values(Axis::kInitiator, 0, 0);
  const Set to_all = v4 ? values(Axis::kResponder, 0xffffffff, 0xffffffff) : kNothing;
  Set s = to_groups(space, Axis::kInitiator);
  s = bdd.either(s, bdd.minus(not_local(space, Axis::kInitiatorType), from_none));
  if (v4) s = bdd.either(s, values(Axis::kInitiator, 0xffffffff, 0xffffffff));
  if (v4 || lo) s = bdd.either(s, lo ? from_none : bdd.minus(from_none, to_all));
  if (lo) {
    s = bdd.either(s, bdd.either(values(Axis::kResponder, 0, 0), to_all));
    s = bdd.either(s, to_groups(space, Axis::kResponder));
    return bdd.either(s, not_local(space, Axis::kResponderType));
  }
  s = bdd.either(s, typed(space, Axis::kResponderType, AddressType::kLocal));
  return bdd.either(
      s, v4 ? values(Axis::kResponder, 0x7f000000, 0x7fffffff) : values(Axis::kResponder, 1, 1));
}

Set odd_when_moved(Space& space, Path path) {
  if (path != Path::kLoopback && path != Path::kOut) return kNothing;
  const bool v4 = space.classes().family == Family::kIpv4;
  const Set odd = odd_flows(space, path);
  if (path == Path::kLoopback) return odd;
  const Set nobody =
      v4 ? space.values(Axis::kInitiator, 0, 0) : space.values(Axis::kInitiator, 1, 1);
  return space.bdd().either(odd, nobody);
}

}  // namespace postern
