#include "symbolic/rules/routing.hpp"

#include <array>

#include "flow/odd_headers.hpp"
#include "net/protocol.hpp"
#include "symbolic/rules/pieces.hpp"

namespace postern {
namespace {

class Routing {
 public:
  enum class Mode : std::uint8_t { kRouted, kUnrouted, kTranslated, kAnywhere };
  Routing(Space& space, Path path, FlowEnd sender, Mode mode)
      : space_(space),
        bdd_(space.bdd()),
        flow_path_(path),
        path_(sender == FlowEnd::kInitiator ? path : reverse(path)),
        unrouted_(mode == Mode::kUnrouted || mode == Mode::kAnywhere),
        translated_(mode == Mode::kTranslated || mode == Mode::kAnywhere),
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
      const Set ends = v4_ ? addresses4() : addresses6();
      const std::array replaced{Axis::kResponder};
      // NAT that is followed leads to plain addresses, which excuse no odd source, or nowhere else.
      const Set plain = v4_ ? bdd_.minus(bdd_.minus(ends, space_.values(Axis::kResponder, 0, 0)),
                                         space_.values(Axis::kResponder, 0xe0000000, 0xffffffff))
                            : ends;
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
  // A process of this host writes any source that it likes (IP_HDRINCL; IPv6 asks for nothing).
  bool sends_out() const { return path_ == Path::kOut && source_ == Axis::kInitiator; }
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

  Set one_interface() {
    Set same = kNothing;
    for (std::uint32_t c = 0; c < space_.classes().interface.count(); ++c) {
      same = bdd_.either(same, bdd_.both(space_.class_is(Axis::kInitiatorInterface, c),
                                         space_.class_is(Axis::kResponderInterface, c)));
    }
    return same;
  }

  Set outside(Set of, Axis axis, u128 lo, u128 hi) {
    return bdd_.minus(of, space_.values(axis, lo, hi));
  }

  Set addresses4() {
    constexpr u128 kLoop = 0x7f000000, kLoopEnd = 0x7fffffff;
    constexpr u128 kMulticast = 0xe0000000, kMulticastEnd = 0xefffffff, kBroadcast = 0xffffffff;
    Set s = outside(kEverything, source_, kMulticast, kMulticastEnd);
    s = outside(s, source_, kBroadcast, kBroadcast);
    // ipv4_is_zeronet: since Linux 5.3 the rest of 0.0.0.0/8 is unicast.
    const Set zero_source = space_.values(source_, 0, 0);
    const Set to_broadcast = space_.values(destination_, kBroadcast, kBroadcast);
    // Only a broadcast may come from 0.0.0.0 (DHCP), or a multicast, and only to this host.
    Set unbound = zero_source;
    if (path_ == Path::kIn || path_ == Path::kOut) unbound = bdd_.minus(unbound, to_broadcast);
    if (path_ == Path::kIn) {
      unbound = bdd_.minus(unbound, space_.values(destination_, kMulticast, kMulticastEnd));
    }
    s = bdd_.minus(s, unbound);
    const Set to_zero = space_.values(destination_, 0, 0);
    const Set nobody = bdd_.both(zero_source, to_zero);  // a broadcast, too
    s = bdd_.minus(s, to_zero);
    if (path_ == Path::kIn) s = bdd_.either(s, nobody);
    if (path_ != Path::kLoopback) {
      // To a broadcast it may come, unless it is the host's own.
      Set martian = space_.values(source_, kLoop, kLoopEnd);
      if (path_ == Path::kIn) martian = bdd_.minus(martian, to_broadcast);
      if (!sends_out()) s = bdd_.minus(s, martian);
      s = outside(s, destination_, kLoop, kLoopEnd);
    }
    if (path_ == Path::kForward || path_ == Path::kLoopback) {
      s = outside(s, destination_, kMulticast, kMulticastEnd);
      s = bdd_.minus(s, to_broadcast);
    }
    // A broadcast from nobody that NAT leads to this host.
    if (translated_ && path_ == Path::kLoopback) {
      s = bdd_.either(s, bdd_.both(zero_source, to_broadcast));
    }
    return s;
  }

  Set addresses6() {
    const u128 multicast = u128{0xff} << 120, link = u128{0x3fa} << 118;
    const u128 link_end = (u128{0x3fb} << 118) - 1;
    Set s = outside(kEverything, source_, multicast, ~u128{0});
    // A router sends that on; so does a host that routes the packet again (to_nobody).
    const bool again = path_ == Path::kOut && destination_ == Axis::kResponder;
    if (path_ != Path::kForward && !again) s = outside(s, destination_, 0, 0);
    if (path_ != Path::kLoopback) {
      if (!sends_out()) s = outside(s, source_, 1, 1);
      s = outside(s, destination_, 1, 1);
    }
    if (path_ == Path::kForward || path_ == Path::kLoopback) {
      s = outside(s, destination_, multicast, ~u128{0});
    }
    if (path_ == Path::kLoopback) s = outside(s, source_, 0, 0);
    if (path_ != Path::kForward) return s;
    // Only back by the device that they came in by (ip6_forward, rt6_need_strict).
    Set narrow = bdd_.either(space_.values(source_, 0, 0), space_.values(source_, link, link_end));
    narrow = bdd_.either(narrow, space_.values(destination_, link, link_end));
    return bdd_.minus(s, bdd_.minus(narrow, one_interface()));
  }

  Set type_is(Axis axis, AddressType type) {
    return space_.values(axis, static_cast<u128>(type), static_cast<u128>(type));
  }

  // addrtype's classes, as far as the path and the address decide them. Only if some rule asks.
  Set types() {
    if (space_.classes().address_type.count() == 1) return kEverything;
    const bool out = path_ == Path::kOut, in = path_ == Path::kIn, lo = path_ == Path::kLoopback;
    Set s = kEverything;
    for (const auto& [address, type] :
         {std::pair{source_, source_type_}, std::pair{destination_, destination_type_}}) {
      const u128 first = v4_ ? u128{0xe0000000} : u128{0xff} << 120;
      const u128 last = v4_ ? u128{0xefffffff} : ~u128{0};
      s = bdd_.both(s, bdd_.same(space_.values(address, first, last),
                                 type_is(type, AddressType::kMulticast)));
      if (v4_) {
        const Set sure = bdd_.either(space_.values(address, 0xffffffff, 0xffffffff),
                                     space_.values(address, 0, 0));
        s = bdd_.both(s,
                      bdd_.either(bdd_.complement(sure), type_is(type, AddressType::kBroadcast)));
      }
      if (translated_ && address == Axis::kResponder) continue;
      const bool source = address == source_;
      const bool here = source ? (out || lo) && !unrouted_ : lo;
      // IPv6 asks no source off a wire whether it is its own: an outsider may call itself so.
      const bool foreign = !v4_ && address == Axis::kInitiator &&
                           (flow_path_ == Path::kIn || flow_path_ == Path::kForward);
      const bool elsewhere =
          !foreign && (source ? !(out || lo || unrouted_) : (out || path_ == Path::kForward));
      const Set local = type_is(type, AddressType::kLocal);
      const Set bound = space_.values(address, 0, 0);  // not bound yet
      if (here) s = bdd_.both(s, bdd_.either(local, bound));
      if (elsewhere) s = bdd_.minus(s, local);
    }
    if (in && !(translated_ &&
                destination_ == Axis::kResponder)) {  // delivered here: local, or everybody's
      s = bdd_.minus(s, type_is(destination_type_, AddressType::kUnicast));
    }
    return s;
  }

  Set has_protocol(std::uint8_t number) {
    return space_.class_set_if(Axis::kProtocol,
                               [&](const ValueClass& c) { return c.canonical == number; });
  }

  // Lengths that hold the headers which the other fields promise.
  Set lengths() {
    if (space_.classes().length.count() == 1) return kEverything;
    const u128 base = v4_ ? 20 : 40;
    const auto between = [&](u128 low, u128 high) {
      return space_.values(Axis::kLength, base + low, high);
    };
    Set s = between(0, 0xffff);
    const auto where = [&](Set packets, Set lengths) {
      s = bdd_.both(s, bdd_.either(bdd_.complement(packets), lengths));
    };
    const Set whole = space_.class_is(Axis::kTruncated, 0);
    const Set first = v4_ ? kEverything : space_.class_is(Axis::kFragmentOffset, 0);
    const auto need = [&](std::uint8_t number, u128 header) {
      const Set packets = bdd_.both(first, has_protocol(number));
      where(bdd_.both(packets, whole), between(header, 0xffff));
      where(bdd_.minus(packets, whole), between(0, base + header - 1));
    };
    need(protocol::kTcp, 20);
    need(protocol::kUdp, 8);
    need(protocol::kUdplite, 8);
    need(v4_ ? protocol::kIcmp : protocol::kIcmpv6, 8);
    if (space_.classes().truncated.count() <= 2) return s;
    // Less of it than `bytes` is there from this part on.
    const auto less = [&](HeaderPart part, Set packets, u128 bytes) {
      const Set shorter = space_.values(Axis::kTruncated, static_cast<u128>(part), 7);
      const Set longer = space_.values(Axis::kTruncated, 1, static_cast<u128>(part) - 1);
      where(bdd_.both(packets, shorter), between(0, base + bytes - 1));
      where(bdd_.both(packets, longer), between(bytes, 0xffff));
    };
    less(HeaderPart::kNothing, kEverything, 2);
    less(HeaderPart::kSourcePort, kEverything, 4);
    less(HeaderPart::kPorts, has_protocol(protocol::kTcp), 14);
    return s;
  }

  // Conntrack puts fragments together, and to it a header that is cut short is INVALID
  // (docs/fidelity.md 36).
  Set pieces(bool tracking) {
    const Set first = space_.class_is(Axis::kFragmentOffset, 0);
    const Set whole = space_.class_is(Axis::kTruncated, 0);
    // A raw socket's own option keeps conntrack's hands off what it sends (IP_NODEFRAG).
    const bool kept = anything() && v4_ && path_ == Path::kOut;
    if (tracking) return kept ? whole : bdd_.both(first, whole);
    const auto flags = static_cast<u128>(HeaderPart::kFlags);  // TCP's alone
    const Set known = bdd_.either(bdd_.complement(space_.values(Axis::kTruncated, flags, flags)),
                                  has_protocol(protocol::kTcp));
    // Of a later IPv6 fragment Linux reads the IPv6 header.
    return v4_ ? known : bdd_.both(known, bdd_.either(first, whole));
  }

  Set headers(bool tracking) {
    Set s = bdd_.both(lengths(), pieces(tracking));
    // An IPv6 packet's protocol is what follows its last extension header.
    s = bdd_.both(s, space_.class_set_if(Axis::kProtocol, [this](const ValueClass& c) {
      const auto number = static_cast<std::uint8_t>(c.canonical);
      return v4_ || !is_extension_header(Family::kIpv6, number);
    }));
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
  bool unrouted_, translated_, v4_;
  Axis source_, destination_, source_type_, destination_type_;
};

}  // namespace

Set can_set_out(Space& space, Path path, FlowEnd sender, bool tracking) {
  return Routing(space, path, sender, Routing::Mode::kRouted).everything(tracking);
}

Set can_set_out_translated(Space& space, Path path, FlowEnd sender, bool tracking) {
  return Routing(space, path, sender, Routing::Mode::kTranslated).everything(tracking);
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

Set groups_by_host(Space& space, Path path) {
  Bdd& bdd = space.bdd();
  const bool v4 = space.classes().family == Family::kIpv4;
  // All hosts: joined everywhere.
  const u128 all = v4 ? u128{0xe0000001} : (u128{0xff02} << 112) + 1;
  const Set everyone = space.values(Axis::kResponder, all, all);
  const Set groups = v4 ? space.values(Axis::kResponder, 0xe0000000, 0xefffffff)
                        : space.values(Axis::kResponder, u128{0xff} << 120, ~u128{0});
  if (path == Path::kIn) return bdd.minus(groups, everyone);
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

}  // namespace

Set typed_by_routes(Space& space) {
  if (space.classes().address_type.count() == 1) return kNothing;
  return space.bdd().either(types_by_routes(space, Axis::kInitiator, Axis::kInitiatorType),
                            types_by_routes(space, Axis::kResponder, Axis::kResponderType));
}

Set depends_on_host(Space& space, Path path) {
  Bdd& bdd = space.bdd();
  const Set host = bdd.either(groups_by_host(space, path), own_or_not(space, path));
  return bdd.either(bdd.either(host, to_nobody(space, path)), typed_by_routes(space));
}

Set own_address(Space& space, Path path) {
  return path == Path::kOut ? space.from_itself() : kNothing;
}

Set odd_when_moved(Space& space, Path path) {
  const bool v4 = space.classes().family == Family::kIpv4;
  const Set nobody = v4 ? space.values(Axis::kInitiator, 0, 0) : kNothing;
  if (path == Path::kLoopback) return nobody;
  if (path != Path::kOut) return kNothing;
  const Set odd = v4 ? nobody : space.values(Axis::kInitiator, 1, 1);
  return space.bdd().either(odd, own_address(space, path));
}

}  // namespace postern
