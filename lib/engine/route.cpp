// Routing decisions: Linux's fib_lookup, ip_route_input_slow, fib_validate_source, ip6_rcv_core and
// ip6_route_input, told in our words.
#include "engine/world.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

constexpr u128 kLimitedBroadcast = 0xffffffff;

bool loopback4(u128 address) { return (address >> 24) == 127; }
// ipv4_is_zeronet: since Linux 5.3 the rest of 0.0.0.0/8 is unicast.
bool zeronet4(u128 address) { return address == 0; }

bool multicast(const Address& address) {
  return address.family == Family::kIpv4 ? (address.value >> 28) == 0xe
                                         : (address.value >> 120) == 0xff;
}
unsigned multicast_scope6(u128 address) { return static_cast<unsigned>(address >> 112) & 15; }
bool link_local6(u128 address) { return (address >> 118) == 0x3fa; }

InputRoute refused(std::string_view why, std::optional<IcmpError> error = std::nullopt) {
  return {.kind = InputRoute::Kind::kRefused, .error = error, .why = why};
}
InputRoute local(bool unicast) {
  return {.kind = InputRoute::Kind::kLocal, .unicast = unicast, .error = {}, .why = "local"};
}

}  // namespace

const World::FibRoute* World::longest(const std::vector<FibRoute>& table,
                                      const Address& destination, DeviceId only) const {
  const FibRoute* best = nullptr;
  for (const FibRoute& route : table) {
    if (only != kNoDevice && route.device != only) continue;
    if (!route.to.contains(destination)) continue;
    if (best == nullptr || route.length > best->length) best = &route;
  }
  return best;
}

const World::FibRoute* World::lookup(const Address& destination, DeviceId only) const {
  const FibRoute* found = longest(local_, destination, only);
  return found != nullptr ? found : longest(main_, destination, only);
}

bool World::is_own(const Address& address) const {
  for (const Own& own : own_) {
    if (own.address == address) return true;
  }
  return false;
}

bool World::has_address(DeviceId device, const Address& address) const {
  for (const Own& own : own_) {
    if (own.device == device && own.address == address) return true;
  }
  return false;
}

bool World::means_one_link(const Address& address) {
  return address.family == Family::kIpv6 && (multicast(address) || link_local6(address.value));
}

// xt_addrtype: IPv4 asks the local table only, so that an unroutable address is UNICAST; IPv6 looks
// at the form of the address first.
AddressType World::address_type(const Address& address) const {
  if (multicast(address)) return AddressType::kMulticast;
  const FibRoute* route = longest(local_, address, kNoDevice);
  if (address.family == Family::kIpv4) {
    if (zeronet4(address.value) || address.value == kLimitedBroadcast) {
      return AddressType::kBroadcast;
    }
  } else {
    if (address.value == 0) return AddressType::kUnspec;
    if (route == nullptr && lookup(address) == nullptr) return AddressType::kUnreachable;
  }
  if (route == nullptr) return AddressType::kUnicast;
  if (route->type == RouteType::kBroadcast) return AddressType::kBroadcast;
  if (route->type == RouteType::kAnycast) return AddressType::kAnycast;
  return AddressType::kLocal;
}

// fib_validate_source: an own address never comes from a wire; rp_filter as configured.
bool World::source_is_valid(const Address& source, DeviceId in) const {
  const bool accept_local = conf_[in].accept_local;
  if (!accept_local && is_own(source)) return false;
  const std::int64_t filter = conf_[in].rp_filter;
  if (filter == 0) return true;
  const FibRoute* back = lookup(source);
  if (back == nullptr) return false;
  if (back->type != RouteType::kUnicast && !(back->type == RouteType::kLocal && accept_local)) {
    return false;
  }
  return filter == 2 || back->device == in;
}

// Every device is a member of all-hosts and of all-nodes; point-to-point devices join nothing else
// (no solicited-node groups without neighbour discovery).
bool World::joined(const Address& group) const {
  if (group.family == Family::kIpv4) return group.value == 0xe0000001;  // 224.0.0.1
  return group.value == ((u128{0xff02} << 112) | 1);                    // ff02::1
}

bool World::hears(const Address& destination) const {
  return destination.family == Family::kIpv6 || !multicast(destination) || joined(destination);
}

namespace {

// Hop-by-hop options are read before any hook, and must be whole (ipv6_parse_hopopts).
bool cuts_hop_by_hop(const Packet& packet) {
  constexpr std::size_t kHeader = 40;
  if (packet.protocol != 0 && !packet.raw) return false;
  const Bytes bytes = to_bytes(packet);
  if (bytes[6] != 0) return false;
  return bytes.size() < kHeader + 8 || bytes.size() < kHeader + (bytes[kHeader + 1] + 1U) * 8;
}

}  // namespace

bool World::takes(const PacketView& packet, DeviceId in) const {
  if (packet.family == Family::kIpv4) return true;
  if (cuts_hop_by_hop(*packet.packet)) return false;
  if ((packet.source == 1 || packet.destination == 1) && in != loopback_) return false;
  if (multicast(packet.source_address())) return false;
  const unsigned least = in == loopback_ ? 1 : 2;
  return !multicast(packet.destination_address()) || multicast_scope6(packet.destination) >= least;
}

InputRoute World::route_input(const PacketView& packet, DeviceId in, DeviceId counts_as) const {
  return packet.family == Family::kIpv4
             ? route_input4(packet, in)
             : route_input6(packet, in, counts_as == kNoDevice ? in : counts_as);
}

DeviceId World::owner(const Address& address) const {
  for (const Own& own : own_) {
    if (own.address == address) return own.device;
  }
  return loopback_;
}

InputRoute World::route_multicast4(const PacketView& packet, DeviceId in) const {
  const u128 source = packet.source;
  if (!joined(packet.destination_address())) return refused("multicast group is not joined");
  if (multicast(packet.source_address()) || source == kLimitedBroadcast ||
      (loopback4(source) && !conf_[in].route_localnet)) {
    return refused("martian source");
  }
  // 224.0.0.0/24 may come from 0.0.0.0; only 224.0.0.1 is ever joined here
  if (!zeronet4(source) && !source_is_valid(packet.source_address(), in)) {
    return refused("martian source");
  }
  return local(false);
}

InputRoute World::route_input4(const PacketView& packet, DeviceId in) const {
  const Address destination = packet.destination_address();
  const u128 to = packet.destination, from = packet.source;
  if (multicast(destination)) return route_multicast4(packet, in);
  if (multicast(packet.source_address()) || from == kLimitedBroadcast) {
    return refused("martian source");
  }
  const bool broadcast_any = to == kLimitedBroadcast || (from == 0 && to == 0);
  const FibRoute* route = nullptr;
  if (!broadcast_any) {
    if (zeronet4(from)) return refused("martian source");
    if (zeronet4(to)) return refused("martian destination");
    const bool localnet = conf_[in].route_localnet;
    if (loopback4(to) && !localnet) return refused("martian destination");
    if (!loopback4(to) && loopback4(from) && !localnet) return refused("martian source");
    route = lookup(destination);
  }
  const bool forwards = forwarding(Family::kIpv4);
  if (!broadcast_any &&
      (route == nullptr || route->type == RouteType::kUnreachable ||
       route->type == RouteType::kProhibit || route->type == RouteType::kBlackhole)) {
    if (route != nullptr && route->type == RouteType::kBlackhole) return refused("blackhole");
    if (!forwards) return refused("no route, and forwarding is off");
    const std::uint8_t code = route == nullptr                         ? 0
                              : route->type == RouteType::kUnreachable ? 1
                                                                       : 13;
    return refused("no route", IcmpError{3, code});
  }
  if (broadcast_any || route->type == RouteType::kBroadcast) {
    if (!zeronet4(from) && !source_is_valid(packet.source_address(), in)) {
      return refused("martian source");
    }
    return local(false);
  }
  if (route->type == RouteType::kLocal) {
    return source_is_valid(packet.source_address(), in) ? local(true) : refused("martian source");
  }
  if (!forwards) return refused("forwarding is off");
  if (!source_is_valid(packet.source_address(), in)) return refused("martian source");
  return {.kind = InputRoute::Kind::kForward, .out = route->device, .error = {}, .why = "forward"};
}

InputRoute World::route_input6(const PacketView& packet, DeviceId in, DeviceId counts_as) const {
  const Address destination = packet.destination_address();
  const u128 from = packet.source;
  const bool to_group = multicast(destination);
  if (to_group)
    return joined(destination) ? local(false) : refused("multicast group is not joined");
  // ::1 (by NAT) and link-local addresses mean something on the packet's own device only
  // (rt6_need_strict).
  const bool strict = packet.destination == 1 || link_local6(packet.destination);
  const FibRoute* route = lookup(destination, strict ? in : kNoDevice);
  if (route == nullptr || route->type == RouteType::kUnreachable) {
    return refused("no route", IcmpError{1, 0});
  }
  switch (route->type) {
    case RouteType::kBlackhole:
      return refused("blackhole");
    case RouteType::kProhibit:
      return refused("prohibited", IcmpError{1, 1});
    case RouteType::kLocal:
    case RouteType::kAnycast:
      return local(true);
    default:
      break;
  }
  if (!forwarding(Family::kIpv6)) return refused("forwarding is off");
  // Not asked where the packet goes back by the device that it came in by, nor of one whose hops
  // are spent (ip6_forward).
  const bool elsewhere = route->device != counts_as && packet.ttl > 1;
  if (elsewhere && from == 0) return refused("unspecified source");
  if (elsewhere && from == 1) return refused("loopback source");
  if (elsewhere && link_local6(from)) return refused("link-local source", IcmpError{1, 2});
  return {.kind = InputRoute::Kind::kForward, .out = route->device, .error = {}, .why = "forward"};
}

OutputRoute World::route_output(const Address& destination, DeviceId bound, bool again) const {
  OutputRoute out;
  Address to = destination;
  const bool literally = again && to.family == Family::kIpv6;  // ip6_route_me_harder
  if (to.value == 0 && !literally) {  // "this host", be the socket bound to a wire (IPv4)
    to.value = to.family == Family::kIpv4 ? 0x7f000001 : 1;
    if (to.family == Family::kIpv4) bound = kNoDevice;
  }
  const FibRoute* route = lookup(to, bound);
  const bool everyone = to.family == Family::kIpv4 && to.value == kLimitedBroadcast;
  // IPv4 takes any destination as on-link on the device that the socket is bound to.
  const bool on_link = bound != kNoDevice && to.family == Family::kIpv4;
  if (route == nullptr && !on_link) return out;
  out.found = true;
  out.unicast = !multicast(to) && !everyone;
  out.copied_here = everyone || (multicast(to) && joined(to));
  if (route == nullptr) {
    out.out = bound;
    out.source = best_source(to, bound, false);  // not 127.0.0.1, be it over lo
    return out;
  }
  switch (route->type) {
    case RouteType::kBlackhole:
    case RouteType::kUnreachable:
    case RouteType::kProhibit:
      out.found = false;
      return out;
    case RouteType::kLocal:
    case RouteType::kAnycast:
      out.out = loopback_;
      out.source = to.family == Family::kIpv4 ? route->source.value_or(to) : to;
      return out;
    case RouteType::kBroadcast:
      out.unicast = false;
      out.copied_here = true;
      break;
    case RouteType::kUnicast:
      break;
  }
  out.out = route->device;
  out.source = route->source ? route->source : source_for(to, route->device);
  return out;
}

}  // namespace postern
