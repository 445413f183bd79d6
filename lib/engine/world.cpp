// How a World is built from a scenario: addresses, the routes that the kernel makes of them, the
// user's routes, sysctls. Routing decisions are in route.cpp.
#include "engine/world.hpp"

#include <algorithm>
#include <charconv>

namespace postern {
namespace {

u128 mask_of(Family family, unsigned length) {
  const unsigned bits = address_bits(family);
  return low_bits(bits) & ~low_bits(bits - std::min(length, bits));
}

Prefix prefix_of(const Address& address, unsigned length) {
  const u128 mask = mask_of(address.family, length);
  return {{address.family, address.value & mask}, mask};
}

}  // namespace

World::World(const Scenario& scenario) : names_{""}, mtus_{0} {
  for (const Interface& interface : scenario.interfaces) {
    const auto id = static_cast<DeviceId>(names_.size());
    names_.push_back(interface.name);
    mtus_.push_back(interface.mtu);
    if (interface.name == "lo") loopback_ = id;
  }
  if (loopback_ == kNoDevice) {
    loopback_ = static_cast<DeviceId>(names_.size());
    names_.push_back("lo");
    mtus_.push_back(kLoopbackMtu);
  }
  for (const char* text : {"127.0.0.1/8", "::1/128"}) {
    const std::string_view word(text);
    const auto slash = word.find('/');
    const auto address = Address::parse(word.substr(0, slash));
    add_own({*address, address->family == Family::kIpv4 ? 8U : 128U}, loopback_);
  }
  const Prefix groups = prefix_of({Family::kIpv6, u128{0xff} << 120}, 8);
  for (const Interface& interface : scenario.interfaces) {
    const DeviceId id = *device(interface.name);
    add_addresses(interface, id);
    // Every wire leads to IPv6's groups; the first one is taken (addrconf_add_mroute).
    if (id != loopback_) local_.push_back({groups, 8, RouteType::kUnicast, id, std::nullopt});
  }
  forwarding_[0] = forwarding_[1] = scenario.forwarding;
  refresh();
  for (const auto& [key, value] : scenario.sysctl) set_sysctl(key, value);
  if (forwarding(Family::kIpv6)) answer_for_networks();
  for (const Route& route : scenario.routes) add_route(route);
}

// An IPv6 router takes the address of each of its wires' networks for its own, as all its
// neighbours do (addrconf_join_anycast).
void World::answer_for_networks() {
  for (const Own& own : own_) {
    if (own.address.family != Family::kIpv6 || own.device == loopback_ || own.length >= 127) {
      continue;
    }
    const Address network = prefix_of(own.address, own.length).address;
    if (network.value == 0 || is_own(network)) continue;
    local_.push_back({prefix_of(network, 128), 128, RouteType::kAnycast, own.device, {}, {}});
  }
}

std::optional<DeviceId> World::device(std::string_view name) const {
  const auto it = std::find(names_.begin() + 1, names_.end(), name);
  if (it == names_.end()) return std::nullopt;
  return static_cast<DeviceId>(it - names_.begin());
}

void World::add_addresses(const Interface& interface, DeviceId id) {
  for (const InterfaceAddress& own : interface.addresses) {
    if (!is_own(own.address)) add_own(own, id);
  }
}

// The routes that an address brings with it: fib_add_ifaddr (IPv4), addrconf (IPv6).
void World::add_own(const InterfaceAddress& own, DeviceId id) {
  const Address& address = own.address;
  const unsigned bits = address_bits(address.family);
  const auto primary = std::ranges::find_if(own_, [&](const Own& other) {
    return other.device == id && other.length == own.length &&
           prefix_of(other.address, own.length) == prefix_of(address, own.length);
  });
  const bool secondary = primary != own_.end();
  const Address preferred = secondary ? primary->address : address;
  own_.push_back({address, own.length, id});
  local_.push_back({prefix_of(address, bits), bits, RouteType::kLocal, id, preferred});
  const Prefix network = prefix_of(address, own.length);
  if (address.family == Family::kIpv6) {
    if (id != loopback_) {
      main_.push_back({network, own.length, RouteType::kUnicast, id, std::nullopt});
    }
    return;
  }
  if (secondary || own.length >= 32) return;
  auto& table = id == loopback_ ? local_ : main_;
  table.push_back({network, own.length, id == loopback_ ? RouteType::kLocal : RouteType::kUnicast,
                   id, address});
  if (own.length >= 31) return;
  const Address broadcast{address.family, network.address.value | (low_bits(bits) & ~network.mask)};
  local_.push_back({prefix_of(broadcast, bits), bits, RouteType::kBroadcast, id, address});
}

void World::add_route(const Route& route) {
  static const std::map<std::string_view, RouteType> kTypes{
      {"unicast", RouteType::kUnicast},     {"local", RouteType::kLocal},
      {"broadcast", RouteType::kBroadcast}, {"anycast", RouteType::kAnycast},
      {"blackhole", RouteType::kBlackhole}, {"unreachable", RouteType::kUnreachable},
      {"prohibit", RouteType::kProhibit}};
  const auto type = kTypes.find(route.type);
  if (type == kTypes.end()) return;  // "throw": the lookup goes on, as if the route were not there
  FibRoute made;
  made.to = route.to;
  made.length = route.to.length().value_or(0);
  made.type = type->second;
  made.gateway = route.via;
  made.device = device(route.device).value_or(kNoDevice);
  if (made.device == kNoDevice && route.via) {
    if (const FibRoute* to_gateway = lookup(*route.via)) made.device = to_gateway->device;
  }
  const bool local = made.type == RouteType::kLocal || made.type == RouteType::kBroadcast ||
                     made.type == RouteType::kAnycast;
  if (made.type == RouteType::kUnicast && made.device == kNoDevice) return;
  if (made.device != kNoDevice && made.to.address.family == Family::kIpv4) {
    made.source = source_for(route.via.value_or(made.to.address), made.device);
  }
  (local ? local_ : main_).push_back(made);
}

// inet_select_addr and ipv6_dev_get_saddr, as far as addresses without scopes and lifetimes need:
// an address of the device, best one whose network holds the destination; else any other's.
std::optional<Address> World::source_for(const Address& destination, DeviceId id) const {
  return best_source(destination, id, id == loopback_);
}

// inet_select_addr with the scope of the whole world: 127.0.0.1 is no address to be seen by.
std::optional<Address> World::masquerade_address(const Address& destination, DeviceId id) const {
  const FibRoute* route = lookup(destination);
  const bool v4 = destination.family == Family::kIpv4;
  const bool routed = v4 && route != nullptr && route->device == id && route->gateway;
  return best_source(routed ? *route->gateway : destination, id, !v4 && id == loopback_);
}

std::optional<Address> World::primary_address(DeviceId id, Family family) const {
  std::optional<Address> found;
  for (const Own& own : own_) {
    if (own.device != id || own.address.family != family) continue;
    if (family == Family::kIpv4) return own.address;
    found = own.address;
  }
  return found;
}

std::optional<Address> World::best_source(const Address& destination, DeviceId id,
                                          bool host_scope) const {
  const Own* best = nullptr;
  int best_score = -1;
  // To a group or a link-local address IPv6 speaks by an address of the link (ipv6_dev_get_saddr).
  const bool of_the_link = means_one_link(destination);
  for (const Own& own : own_) {
    if (own.address.family != destination.family || (of_the_link && own.device != id)) continue;
    int score = own.device == id ? 1000 : 1;
    if (own.device == loopback_ && !host_scope && (own.length == 8 || own.address.value == 1)) {
      continue;  // 127.0.0.1 and ::1 have host scope
    }
    if (own.address.family == Family::kIpv4) {
      // another device's address is taken as it comes
      if (own.device == id && prefix_of(own.address, own.length).contains(destination)) score += 1;
    } else if (own.address == destination) {
      score = 10000;  // whichever device has it
    } else if (own.address.value == 1) {
      score = 0;  // ::1 has no meaning for others
    } else {
      for (unsigned length = own.length; length > 0; --length) {  // no more than its prefix counts
        if (!prefix_of(own.address, length).contains(destination)) continue;
        score += static_cast<int>(length);
        break;
      }
    }
    // Of equals IPv6 takes the device's last, which stands first in its list (ipv6_link_dev_addr).
    const bool last = own.address.family == Family::kIpv6 && best != nullptr &&
                      score == best_score && best->device == own.device;
    if (score <= best_score && !last) continue;
    best = &own;
    best_score = score;
  }
  if (best == nullptr) return std::nullopt;
  return best->address;
}

void World::set_sysctl(const std::string& key, const std::string& value) {
  sysctl_[key] = value;
  const bool on = value != "0";
  if (key == "net/ipv4/ip_forward" || key == "net/ipv4/conf/all/forwarding") forwarding_[0] = on;
  if (key == "net/ipv6/conf/all/forwarding") forwarding_[1] = on;
  refresh();
}

void World::refresh() {
  conf_.resize(names_.size());
  for (DeviceId id = 0; id < names_.size(); ++id) {
    conf_[id] = {conf("accept_local", id) != 0, conf("route_localnet", id) != 0,
                 conf("rp_filter", id)};
  }
}

std::int64_t World::sysctl(const std::string& key, std::int64_t fallback) const {
  const auto it = sysctl_.find(key);
  if (it == sysctl_.end()) return fallback;
  std::int64_t value = fallback;
  std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
  return value;
}

std::int64_t World::conf(std::string_view key, DeviceId id) const {
  const std::string name(key);
  return std::max(sysctl("net/ipv4/conf/all/" + name, 0),
                  sysctl("net/ipv4/conf/" + names_[id] + "/" + name,
                         sysctl("net/ipv4/conf/default/" + name, 0)));
}

}  // namespace postern
