#include "symbolic/witness/witness.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "flow/odd_headers.hpp"
#include "net/no_protocol.hpp"
#include "net/protocol.hpp"
#include "scenario/result.hpp"
#include "scenario/serialise.hpp"
#include "symbolic/rules/routing.hpp"
#include "symbolic/witness/witness_numbers.hpp"
#include "symbolic/witness/witness_odd.hpp"
#include "symbolic/witness/witness_tags.hpp"
#include "symbolic/witness/witness_world.hpp"

namespace postern {
namespace {

// Narrows a set axis by axis.
class Chooser {
 public:
  Chooser(Space& space, Set set) : space_(space), set_(set) {}

  // The class of the first preferred value that the set allows, else the class that the classes'
  // own preference puts first.
  std::uint32_t take(Axis axis, const std::vector<u128>& preferred) {
    const FieldClasses& classes = *space_.layout(axis).classes;
    const auto possible = space_.classes_in(set_, axis);
    POSTERN_CHECK(!possible.empty(), "a chosen set is not empty");
    for (const u128 value : preferred) {
      for (const std::uint32_t c : possible) {
        if (classes.classes[c].holds(value)) return fix(axis, c);
      }
    }
    const auto best = std::ranges::min_element(
        possible, {}, [&](std::uint32_t c) { return std::pair(classes.classes[c].preference, c); });
    return fix(axis, *best);
  }
  std::uint32_t fix(Axis axis, std::uint32_t c) {
    set_ = space_.bdd().both(set_, space_.class_is(axis, c));
    return c;
  }
  // Only these where there are such.
  void prefer(Set wanted) {
    const Set both = space_.bdd().both(set_, wanted);
    if (!both.empty()) set_ = both;
  }
  // Bits of a bit axis, zeros where possible.
  u128 take_bits(Axis axis) {
    u128 value = 0;
    for (const std::uint8_t bit : space_.layout(axis).bits) {
      if (take_bit(axis, bit)) value |= u128{1} << bit;
    }
    return value;
  }
  // Is the bit 1 in what is left (only where it must be)?
  bool take_bit(Axis axis, std::uint8_t bit) {
    const Set zero = space_.bdd().both(set_, *space_.bit(axis, bit, false));
    if (!zero.empty()) set_ = zero;
    return zero.empty();
  }
  Set set() const { return set_; }

 private:
  Space& space_;
  Set set_;
};

// Interfaces by name: those that rules name before those made up, "eth0" before all others.
std::uint32_t take_interface(Space& space, Chooser& chooser, Axis axis, std::string_view avoid) {
  const Classes& classes = space.classes();
  const auto possible = space.classes_in(chooser.set(), axis);
  const auto best = std::ranges::min_element(possible, {}, [&](std::uint32_t c) {
    const std::string& name = classes.interface_names[c];
    return std::tuple(!name.empty() && name == avoid, name != "eth0",
                      static_cast<bool>(classes.interface_is_example[c]), c);
  });
  POSTERN_CHECK(best != possible.end(), "a flow has its interfaces");
  return chooser.fix(axis, *best);
}

struct Roles {
  std::vector<u128> initiator, responder;            // addresses
  std::vector<u128> initiator_type, responder_type;  // addrtype classes
};
Roles roles(Path path, Family family) {
  const DocumentationAddresses a = documentation(family);
  const std::vector<u128> unicast{static_cast<u128>(AddressType::kUnicast)};
  const std::vector<u128> local{static_cast<u128>(AddressType::kLocal)};
  switch (path) {
    case Path::kIn:
      return {a.near, a.host, unicast, local};
    case Path::kOut:
      return {a.host, a.near, local, unicast};
    case Path::kForward:
      return {a.near, a.far, unicast, unicast};
    case Path::kLoopback: {
      // ... or, where only those get through, from others, to everybody, and to others.
      std::vector<u128> from = a.loopback, to = a.loopback;
      if (family == Family::kIpv4) to.insert(to.end(), {0xffffffff, 0xe0000001});
      to.insert(to.end(), a.near.begin(), a.near.end());
      from.insert(from.end(), a.near.begin(), a.near.end());
      return {from, to, local, local};
    }
  }
  return {};
}

}  // namespace

u128 FlowPoint::value(Axis axis) const {
  const auto at = values.find(axis);
  return at == values.end() ? 0 : at->second;
}

u128 choose_value(const ValueClass& of, const std::vector<u128>& preferred, u128 least) {
  for (const u128 value : preferred) {
    if (of.holds(value)) return value;
  }
  for (const Interval& i : of.intervals) {
    if (i.hi >= least) return std::max(i.lo, least);
  }
  return of.intervals.empty() ? of.canonical : of.intervals.front().lo;
}

u128 other_value(const ValueClass& of, const std::vector<u128>& preferred, u128 taken, u128 least) {
  std::vector<u128> rest;
  for (const u128 v : preferred) {
    if (v != taken) rest.push_back(v);
  }
  const u128 value = choose_value(of, rest, least);
  if (value != taken) return value;
  for (const Interval& i : of.intervals) {
    if (i.lo <= taken && taken < i.hi) return taken + 1;
    if (i.lo > taken) return i.lo;
  }
  return value;
}

FlowPoint choose_flow(Space& space, Set flows, Path path) {
  FlowPoint point;
  point.family = space.classes().family;
  Chooser chooser(space, flows);
  const auto take = [&](Axis axis, const std::vector<u128>& preferred, u128 least = 0) {
    const std::uint32_t c = chooser.take(axis, preferred);
    point.classes[axis] = c;
    point.values[axis] = choose_value(space.layout(axis).classes->classes[c], preferred, least);
  };
  const auto interface = [&](Axis axis, std::string_view avoid) {
    const std::uint32_t c = take_interface(space, chooser, axis, avoid);
    point.classes[axis] = c;
    return space.classes().interface_names[c];
  };
  const bool v6 = point.family == Family::kIpv6;
  chooser.prefer(space.bdd().complement(odd_flows(space, path)));
  take(Axis::kProtocol, {protocol::kTcp, protocol::kUdp, v6 ? protocol::kIcmpv6 : protocol::kIcmp});
  point.initiator_interface = interface(Axis::kInitiatorInterface, "");
  // Over lo from the start, or never, where there is a choice (NAT in OUTPUT moves packets).
  const Set to_lo = space.class_is(Axis::kResponderInterface, kLoopbackInterface);
  chooser.prefer(path == Path::kLoopback ? to_lo : space.bdd().complement(to_lo));
  point.responder_interface = interface(Axis::kResponderInterface, point.initiator_interface);
  const Roles role = roles(path, point.family);
  take(Axis::kResponderType, role.responder_type);
  take(Axis::kInitiatorType, role.initiator_type);
  take(Axis::kIcmpType, {v6 ? 128U : 8U});
  take(Axis::kIcmpCode, {0});
  // Two ends on wires have two addresses.
  if (path != Path::kLoopback) chooser.prefer(space.bdd().complement(space.from_itself()));
  take(Axis::kResponder, role.responder);
  take(Axis::kInitiator, role.initiator);
  const std::vector<u128> services{80, 22, 53, 443}, ephemeral{40000, 40001};
  take(Axis::kResponderPort, services, 1);
  take(Axis::kInitiatorPort, ephemeral, 1);
  const auto same = [&](Axis a, Axis b) { return point.values[a] == point.values[b]; };
  const auto class_of = [&](Axis axis) -> const ValueClass& {
    return space.layout(axis).classes->classes[point.classes[axis]];
  };
  if (path != Path::kLoopback && same(Axis::kInitiator, Axis::kResponder)) {
    point.values[Axis::kInitiator] =
        other_value(class_of(Axis::kInitiator), role.initiator, point.values[Axis::kResponder], 1);
  }
  if (same(Axis::kInitiator, Axis::kResponder) &&
      same(Axis::kInitiatorPort, Axis::kResponderPort)) {
    point.values[Axis::kInitiatorPort] = other_value(class_of(Axis::kInitiatorPort), ephemeral,
                                                     point.values[Axis::kResponderPort], 1);
  }
  // Not from an address and port to themselves, where there is a choice: that is one tuple.
  const auto protocol = static_cast<std::uint8_t>(point.values[Axis::kProtocol]);
  const bool one_port =
      !has_ports(tracker_of(protocol)) || same(Axis::kInitiatorPort, Axis::kResponderPort);
  const bool icmp = protocol == protocol::kIcmp || protocol == protocol::kIcmpv6;
  if (same(Axis::kInitiator, Axis::kResponder) && one_port && !icmp) {
    point.values[Axis::kInitiator] =
        other_value(class_of(Axis::kInitiator), {address_value(v6 ? "2001:db8::2" : "127.0.0.2")},
                    point.values[Axis::kResponder], 1);
  }
  point.values[Axis::kInitialMark] = chooser.take_bits(Axis::kInitialMark);
  return point;
}

Set flow_set(Space& space, const FlowPoint& point) {
  Set set = kEverything;
  for (const auto& [axis, c] : point.classes) set = space.bdd().both(set, space.class_is(axis, c));
  const u128 mark = point.value(Axis::kInitialMark);
  for (const std::uint8_t bit : space.layout(Axis::kInitialMark).bits) {
    set = space.bdd().both(set, *space.bit(Axis::kInitialMark, bit, (mark >> bit & 1) != 0));
  }
  return set;
}

namespace {

constexpr std::uint32_t kMostOnAWire = 65535;  // bytes

// The packet's own axes, one value each.
struct PacketPoint {
  std::map<Axis, u128> values;
  std::map<Axis, std::uint32_t> classes;
  const ValueClass* length = nullptr;
  const ValueClass* part = nullptr;  // of the transport header
  std::vector<std::uint8_t> options;
};

// `length`: of the packet with its payload, where that is given.
PacketPoint choose_packet(Space& space, Set packets, std::optional<u128> length, u128 ttl) {
  using namespace tcp_flag;
  PacketPoint point;
  Chooser chooser(space, packets);
  const auto take = [&](Axis axis, const std::vector<u128>& preferred) {
    const std::uint32_t c = chooser.take(axis, preferred);
    point.values[axis] = choose_value(space.layout(axis).classes->classes[c], preferred);
    point.classes[axis] = c;
    return c;
  };
  take(Axis::kFragmentOffset, {0});
  point.part = &space.layout(Axis::kTruncated).classes->classes[take(Axis::kTruncated, {0})];
  take(Axis::kTcpFlags, {kSyn, kSyn | kAck, kAck, kFin | kAck, kRst | kAck, kRst, 0});
  take(Axis::kHasMac, {0});
  take(Axis::kInitiatorMac, {0});
  take(Axis::kResponderMac, {0});
  take(Axis::kTos, {0});
  take(Axis::kTtl, {ttl});
  for (const std::uint8_t kind : space.layout(Axis::kTcpOptions).bits) {
    if (chooser.take_bit(Axis::kTcpOptions, kind)) point.options.push_back(kind);
  }
  const u128 natural = 40 + 4 * ((2 * point.options.size() + 3) / 4);
  const std::uint32_t c =
      take(Axis::kLength, {length.value_or(natural), 28, 60, 48, 20, 41, 100, 1500});
  point.length = &space.layout(Axis::kLength).classes->classes[c];
  return point;
}

void set_headers(Packet& packet, const FlowPoint& flow, bool reply) {
  const auto end = [&](Axis initiator, Axis responder, bool source) {
    return flow.value(source == reply ? responder : initiator);
  };
  packet.source = {flow.family, end(Axis::kInitiator, Axis::kResponder, true)};
  packet.destination = {flow.family, end(Axis::kInitiator, Axis::kResponder, false)};
  packet.protocol = static_cast<std::uint8_t>(flow.value(Axis::kProtocol));
  if (flow.family == Family::kIpv6 && packet.protocol == kNoProtocol6) {
    packet.protocol = kEndsWithin;
  }
  if (has_ports(tracker_of(packet.protocol)) || packet.protocol == protocol::kDccp) {
    packet.source_port =
        static_cast<std::uint16_t>(end(Axis::kInitiatorPort, Axis::kResponderPort, true));
    packet.destination_port =
        static_cast<std::uint16_t>(end(Axis::kInitiatorPort, Axis::kResponderPort, false));
  }
  if (packet.protocol == protocol::kIcmp || packet.protocol == protocol::kIcmpv6) {
    const auto type = static_cast<std::uint8_t>(flow.value(Axis::kIcmpType));
    packet.type = reply ? icmp_partner(flow.family, type) : type;
    packet.code = static_cast<std::uint8_t>(flow.value(Axis::kIcmpCode));
    packet.icmp_id = 1;
    packet.icmp_seq = 1;
  }
}

// Interfaces and the mark that a local sender gives.
void set_place(Packet& packet, const FlowPoint& flow, Path path, bool reply) {
  const std::string& from = reply ? flow.responder_interface : flow.initiator_interface;
  const std::string& to = reply ? flow.initiator_interface : flow.responder_interface;
  if (path == Path::kIn || path == Path::kForward) packet.in = from;
  if (path == Path::kOut) packet.out_interface = to;
  if (packet.local() && !reply) {
    packet.mark = static_cast<std::uint32_t>(flow.value(Axis::kInitialMark));
  }
}

// Payload (or, when the class asks for less than the headers need, an obstacle) for the length.
std::optional<std::string> set_length(Packet& packet, const ValueClass& length) {
  const u128 natural = ip_length(packet);
  for (const u128 least : {std::max(natural, well_formed_length(packet)), natural}) {
    for (const Interval& i : length.intervals) {
      if (i.hi < least) continue;
      const u128 wanted = std::max(i.lo, least);
      packet.payload.resize(packet.payload.size() + static_cast<std::size_t>(wanted - natural));
      return std::nullopt;
    }
  }
  return "the packet is shorter than its own headers";
}

// A header that is cut short: as few bytes of it as the classes allow.
std::optional<std::string> cut_short(Packet& packet, const ValueClass& part,
                                     const ValueClass& length) {
  const std::size_t header = matched_header_size(packet.protocol);
  Bytes whole = to_bytes(packet);
  const std::size_t before = packet.family() == Family::kIpv4 ? 20 : 40;
  whole.resize(std::max(whole.size(), before + header));
  for (std::size_t size = 0; size < header; ++size) {
    if (!part.holds(static_cast<u128>(header_part(size, header)))) continue;
    if (!length.holds(before + size)) continue;
    const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(before);
    packet.raw_l4 = Bytes(begin, begin + static_cast<std::ptrdiff_t>(size));
    return std::nullopt;
  }
  return "the packet's transport header is cut short behind options";
}

std::optional<std::string> fill(Packet& packet, const PacketPoint& point, Backend backend) {
  const auto value = [&](Axis axis) { return point.values.at(axis); };
  if (packet.protocol == protocol::kTcp) {
    packet.flags = static_cast<std::uint8_t>(value(Axis::kTcpFlags));
    for (const std::uint8_t kind : point.options) {
      packet.options.push_back(kind);
      if (kind > 1) packet.options.push_back(2);
    }
  }
  packet.ttl = static_cast<std::uint8_t>(value(Axis::kTtl));
  packet.tos = static_cast<std::uint8_t>(value(Axis::kTos));
  packet.fragment_offset = static_cast<std::uint16_t>(value(Axis::kFragmentOffset) * 8);
  if (value(Axis::kHasMac) != 0) return "the packet needs a link-layer source address";
  const bool six = packet.family() == Family::kIpv6;
  if (packet.fragment_offset != 0 && six && backend == Backend::kNft) {
    return "iptables-nft takes the IPv6 header of a later fragment for ports and flags";
  }
  if (value(Axis::kTruncated) != 0) return cut_short(packet, *point.part, *point.length);
  const auto obstacle = set_length(packet, *point.length);
  if (is_extension_header(packet.family(), packet.protocol)) end_within_extensions(packet);
  return obstacle;
}

}  // namespace

Witness build_witness(Space& space, std::span<const EntryInfo> entries, Path path,
                      const FlowPoint& flow, const std::vector<FlowStep>& steps,
                      const Translations* translations,
                      const std::shared_ptr<const Packet>& quoted) {
  Witness witness;
  witness.world = make_world(space, path, flow);
  if (translations != nullptr) add_nat(space, path, flow, steps, *translations, witness);
  if (path == Path::kForward && flow.initiator_interface != flow.responder_interface &&
      flow.value(Axis::kInitiator) == flow.value(Axis::kResponder)) {
    witness.obstacle = "its ends have one address behind two interfaces";
  }
  const bool answered = std::ranges::any_of(steps, &FlowStep::reply);
  if (from_own_address(space, path, flow) && answered) {
    witness.obstacle = "it comes from an address of this host, to which answers go over lo";
  } else if (is_odd(space, path, flow)) {
    const bool translated =
        std::ranges::any_of(steps, [](const FlowStep& s) { return s.nat != 0; });
    if (answered) witness.obstacle = "no ordinary socket sends it, or hears its answers";
    if (translated) witness.obstacle = "no ordinary socket sends what NAT changes there";
  }
  const bool over_lo = path == Path::kLoopback && bound_to_lo(space, flow);
  std::map<std::uint8_t, TcpNumbers> numbers;  // each entry hears but the packets of its zones
  std::map<std::uint8_t, SctpTags> tags;
  const Set fixed = flow_set(space, flow);
  std::optional<std::uint32_t> wait;
  for (const FlowStep& step : steps) {
    if (step.wait) {
      wait = 0;
      any_entry(entries, step.before.entry, [&](const EntryInfo& one) {
        wait = std::max(*wait, expiry_milliseconds(one));
        return false;
      });
      if (step.after.entry != 0) witness.obstacle = "one of the flow's entries must expire first";
      continue;
    }
    WitnessPacket made;
    made.step = step;
    made.path = step.reply ? reverse(path) : path;
    const Set packets = space.bdd().both(step.packets, fixed);
    POSTERN_CHECK(!packets.empty(), "every step of a witness has a packet of its flow");
    set_headers(made.packet, flow, step.reply);
    set_place(made.packet, flow, made.path, step.reply);
    if (over_lo && !step.reply) made.packet.out_interface = "lo";
    if (witness.translated_to) made.packet.out_interface.clear();  // routing finds the way
    made.packet.payload.assign(step.payload.begin(), step.payload.end());
    if (step.quotes) quote(made.packet, quoted);
    tags[step.pair].write(made.packet, step);
    made.packet.bad_checksum =
        step.condition == Condition::kCrafted || step.condition == Condition::kBroken;
    const bool speaks = !step.payload.empty();
    const bool filled = !made.packet.payload.empty() || !made.packet.chunks.empty();
    const PacketPoint point = choose_packet(
        space, packets, filled ? std::optional<u128>(ip_length(made.packet)) : std::nullopt,
        is_redirect(made.packet) ? 255 : 64);
    if (auto obstacle = fill(made.packet, point, space.classes().backend))
      witness.obstacle = std::move(obstacle);
    const bool leaves = made.path == Path::kOut || made.path == Path::kForward;
    if (leaves && ip_length(made.packet) > kMostOnAWire) {
      witness.obstacle = "no interface sends more than 65535 bytes at once";
    }
    if (step.kind == PacketKind::kBroken && !break_header(made.packet)) {
      witness.obstacle = "the packet is too short to be broken";
    }
    if (step.condition == Condition::kWrongLength && !lie_about_length(made.packet)) {
      witness.obstacle = "a packet of a wrong length has no TCP options";
    }
    pad_last_chunk(made.packet);
    if (speaks && made.packet.payload.size() != step.payload.size()) {
      witness.obstacle = "what it has to say does not fit into the packet";
    }
    made.classes = point.classes;
    made.options = point.options;
    if (step.quotes && quoted == nullptr) {
      witness.obstacle = "the packet is an ICMP error that quotes another flow";
    }
    numbers[step.pair].write(made.packet, step);
    if (step.condition == Condition::kLate) wait = kUdpStreamAfterMilliseconds + 500;
    made.wait_ms = wait;
    wait.reset();
    witness.packets.push_back(std::move(made));
  }
  return witness;
}

}  // namespace postern
