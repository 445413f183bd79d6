#include "symbolic/witness/witness_world.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "symbolic/rules/routing.hpp"

namespace postern {

u128 address_value(std::string_view text) {
  const auto address = Address::parse(text);
  POSTERN_CHECK(address.has_value(), "a documentation address is an address");
  return address->value;
}

bool is_loopback(const Address& a) {
  return a.family == Family::kIpv4 ? (a.value >> 24) == 127 : a.value == 1;
}

DocumentationAddresses documentation(Family family) {
  const auto list = [](std::initializer_list<const char*> texts) {
    std::vector<u128> values;
    for (const char* t : texts) values.push_back(address_value(t));
    return values;
  };
  if (family == Family::kIpv4) {
    return {list({"192.0.2.1", "198.51.100.1", "203.0.113.1"}),
            list({"192.0.2.9", "192.0.2.10", "198.51.100.9", "203.0.113.9"}),
            list({"198.51.100.9", "198.51.100.10", "203.0.113.9", "192.0.2.9"}),
            list({"127.0.0.1", "127.0.0.2"})};
  }
  return {list({"2001:db8::1", "2001:db8:1::1"}), list({"2001:db8::9", "2001:db8::10"}),
          list({"2001:db8:1::9", "2001:db8:1::10"}), list({"::1"})};
}

namespace {

constexpr const char* kLo = "lo";

Interface& interface_of(Scenario& world, const std::string& name) {
  const auto at = std::ranges::find(world.interfaces, name, &Interface::name);
  if (at != world.interfaces.end()) return *at;
  world.interfaces.push_back({name, {}, 1500});
  return world.interfaces.back();
}

// No host has such an address.
bool is_nobodys(const Address& a) {
  if (a.family == Family::kIpv6) return a.value == 0 || (a.value >> 120) == 0xff;
  return a.value == 0 || a.value == 0xffffffff || (a.value >> 28) == 0xe;
}

void add_address(Scenario& world, const std::string& interface, const Address& address) {
  if (is_loopback(address) || is_nobodys(address)) return;
  interface_of(world, interface).addresses.push_back({address, address_bits(address.family)});
}

void add_route(Scenario& world, const Address& to, const std::string& device) {
  interface_of(world, device);
  const auto known = [&](const Route& r) { return r.to.address == to && r.device == device; };
  if (std::ranges::any_of(world.routes, known)) return;
  Route route;
  route.to = {to, low_bits(address_bits(to.family))};
  route.device = device;
  world.routes.push_back(std::move(route));
}

bool has_address(const Scenario& world, const std::string& interface, Family family) {
  const auto at = std::ranges::find(world.interfaces, interface, &Interface::name);
  return at != world.interfaces.end() &&
         std::ranges::any_of(at->addresses, [&](const InterfaceAddress& own) {
           return own.address.family == family;
         });
}

// Where rules ask for types of addresses: is this end's surely none of this host's?
bool is_typed_foreign(Space& space, const FlowPoint& flow, Axis type) {
  return space.layout(type).classes->classes.size() > 1 && !is_typed_local(space, flow, type);
}

// A network on lo that has the address without its being the host's own.
void add_network(Scenario& world, const Address& address, const Address& other) {
  for (unsigned rest = 2; rest < 16; ++rest) {
    const u128 first = address.value & ~low_bits(rest), last = address.value | low_bits(rest);
    if (address.value == last || (first <= other.value && other.value <= last)) continue;
    const u128 own = address.value == first + 1 ? first + 2 : first + 1;
    interface_of(world, kLo)
        .addresses.push_back({{address.family, own}, address_bits(address.family) - rest});
    return;
  }
}

// An address for the interface, that no end of the flow has.
void add_own_address(Scenario& world, const std::string& interface, const FlowPoint& flow) {
  if (has_address(world, interface, flow.family)) return;
  for (const u128 value : documentation(flow.family).host) {
    if (value == flow.value(Axis::kInitiator) || value == flow.value(Axis::kResponder)) continue;
    return add_address(world, interface, {flow.family, value});
  }
}

// Some addresses of the range that `old` may become; a witness gets the first that is free.
std::vector<Address> few_of(const EndRange& range, const Address& old) {
  constexpr u128 kMost = 64;
  const Family family = old.family;
  std::vector<Address> result;
  if (!range.address) return result;
  if (range.from) return {{family, range.image(old.value)}};
  const u128 last = std::min(range.address->second, range.address->first + kMost);
  for (u128 value = range.address->first; value <= last; ++value) {
    result.push_back({family, value});
  }
  return result;
}

// Builds upon make_world() for one binding.
class NatWorld {
 public:
  NatWorld(Space& space, Path path, const FlowPoint& flow, Witness& witness)
      : space_(space),
        path_(path),
        flow_(flow),
        witness_(witness),
        world_(witness.world),
        sent_{flow.family, flow.value(Axis::kResponder)} {}

  // What the opener's address becomes: whoever answers must know a way there.
  void source(const EndRange& range) {
    const bool in = path_ == Path::kIn, over_lo = path_ == Path::kLoopback;
    const bool hosts = !range.address && !range.keeps_address;
    // (MASQUERADE gives no address of lo.)
    const std::string device = in                 ? flow_.initiator_interface
                               : over_lo && hosts ? wire()
                                                  : way_out();
    add_own_address(world_, device, flow_);
    if (hosts && !over_lo) witness_.giving_device = device;
    const Address opener{flow_.family, flow_.value(Axis::kInitiator)};
    for (const Address& one : few_of(range, opener)) {
      if (one == opener || one == sent_) continue;
      if (in) add_route(world_, one, flow_.initiator_interface);
      if (over_lo) add_address(world_, kLo, one);
    }
  }

  // What the destination becomes, and where it was before.
  void destination(const EndRange& range) {
    const auto list = few_of(range, sent_);
    if (std::ranges::find(list, sent_) == list.end()) before(range);
    if (path_ == Path::kIn || path_ == Path::kForward) {
      add_own_address(world_, flow_.initiator_interface, flow_);
    }
    if (list.empty()) return redirected();
    witness_.translated_to = list.front();
    for (const Address& to : list) {
      if (to == sent_) continue;
      if (path_ == Path::kIn) {
        add_address(world_, flow_.initiator_interface, to);
      } else if (path_ == Path::kLoopback) {
        add_address(world_, kLo, to);
      } else {
        add_route(world_, to, way_out());
      }
    }
  }

 private:
  // A wire by which packets leave: the flow's, or, where that is first routed to lo, another one.
  std::string way_out() const {
    const bool led = path_ == Path::kOut && flow_.responder_interface == kLo;
    return led ? wire() : flow_.responder_interface;
  }
  std::string wire() const {
    const Classes& classes = space_.classes();
    return classes.interface_names.size() > kLoopbackInterface + 1
               ? classes.interface_names[kLoopbackInterface + 1]
               : "eth0";
  }

  // REDIRECT off a wire takes the first address of the device (nf_nat_redirect).
  void redirected() {
    if (path_ != Path::kIn) return;
    witness_.giving_device = flow_.initiator_interface;
    witness_.redirects = true;
    const Interface& device = interface_of(world_, flow_.initiator_interface);
    const auto own = std::ranges::find(device.addresses, flow_.family,
                                       [](const auto& a) { return a.address.family; });
    if (own != device.addresses.end()) witness_.translated_to = own->address;
  }

  // The destination as it is sent may be an address of this host that NAT takes elsewhere, and what
  // NAT leads to this host need not be sent to one of its addresses.
  void before(const EndRange& range) {
    if (range.keeps_address) return;
    const bool typed = is_typed_local(space_, flow_, Axis::kResponderType);
    if (path_ == Path::kForward && typed) {
      forget_routes();
      add_address(world_, flow_.initiator_interface, sent_);
    }
    if (path_ == Path::kIn && !typed) forget_address();
    if (path_ == Path::kOut && (typed || flow_.responder_interface == kLo)) {
      forget_routes();
      if (sent_.value != flow_.value(Axis::kInitiator)) add_address(world_, kLo, sent_);
    }
  }

  void forget_routes() {
    std::erase_if(world_.routes, [&](const Route& r) { return r.to.address == sent_; });
  }

  void forget_address() {
    auto& own = interface_of(world_, flow_.initiator_interface).addresses;
    std::erase_if(own, [&](const InterfaceAddress& a) { return a.address == sent_; });
  }

  Space& space_;
  Path path_;
  const FlowPoint& flow_;
  Witness& witness_;
  Scenario& world_;
  Address sent_;
};

}  // namespace

bool is_typed_local(Space& space, const FlowPoint& flow, Axis type) {
  const auto& types = space.layout(type).classes->classes;
  const auto at = flow.classes.find(type);
  return types.size() > 1 && at != flow.classes.end() &&
         types[at->second].canonical == static_cast<u128>(AddressType::kLocal);
}

bool from_own_address(Space& space, Path path, const FlowPoint& flow) {
  return (path == Path::kIn || path == Path::kForward) &&
         is_typed_local(space, flow, Axis::kInitiatorType);
}

bool is_odd(Space& space, Path path, const FlowPoint& flow) {
  return !space.bdd().disjoint(flow_set(space, flow), odd_flows(space, path));
}

bool bound_to_lo(Space& space, const FlowPoint& flow) {
  const Address to{flow.family, flow.value(Axis::kResponder)};
  if (to.family == Family::kIpv6) return false;
  return (is_nobodys(to) && to.value != 0) || is_typed_foreign(space, flow, Axis::kResponderType);
}

Scenario make_world(Space& space, Path path, const FlowPoint& flow) {
  Scenario world;
  const Address initiator{flow.family, flow.value(Axis::kInitiator)};
  const Address responder{flow.family, flow.value(Axis::kResponder)};
  const bool v4 = flow.family == Family::kIpv4;
  const Address home{flow.family, address_value(v4 ? "127.0.0.1" : "::1")};
  interface_of(world, kLo).addresses.push_back({home, v4 ? 8U : 128U});
  const bool to_lo = flow.responder_interface == kLo;
  const auto to_initiator = [&] {
    if (from_own_address(space, path, flow)) {
      if (v4) {
        interface_of(world, flow.initiator_interface);
        add_network(world, initiator, responder);
      } else {
        add_address(world, flow.initiator_interface, initiator);
      }
    } else {
      add_route(world, initiator, flow.initiator_interface);
    }
  };
  switch (path) {
    case Path::kLoopback:
      if (!is_typed_foreign(space, flow, Axis::kInitiatorType)) add_address(world, kLo, initiator);
      if (responder == initiator || bound_to_lo(space, flow)) break;
      if (to_lo) {
        add_address(world, kLo, responder);
      } else {  // NAT in OUTPUT keeps it here
        add_route(world, responder, flow.responder_interface);
      }
      break;
    case Path::kIn:
      add_address(world, flow.initiator_interface, responder);
      to_initiator();
      break;
    case Path::kOut:
      interface_of(world, flow.responder_interface);
      if (!is_typed_foreign(space, flow, Axis::kInitiatorType)) {
        add_address(world, flow.responder_interface, initiator);
      }
      if (is_typed_local(space, flow, Axis::kResponderType)) add_address(world, kLo, responder);
      if (!v4 || !is_loopback(responder)) add_route(world, responder, flow.responder_interface);
      break;
    case Path::kForward:
      world.forwarding = true;
      to_initiator();
      add_route(world, responder, flow.responder_interface);
      break;
  }
  return world;
}

void add_nat(Space& space, Path path, const FlowPoint& flow, const std::vector<FlowStep>& steps,
             const Translations& translations, Witness& witness) {
  const auto variants = translations.variants(path);
  NatWorld world(space, path, flow, witness);
  std::vector<std::uint16_t> seen;
  for (const FlowStep& step : steps) {
    if (step.nat == 0 || std::ranges::find(seen, step.nat) != seen.end()) continue;
    seen.push_back(step.nat);
    const NatVariant& nat = variants[step.nat - 1];
    if (nat.source != 0 && nat.source == translations.clash()) {
      witness.obstacle = "another flow must have taken its port, so that NAT gives it another";
    } else if (nat.source != 0) {
      world.source(translations.range(nat.source));
    }
    if (nat.destination != 0 && !witness.translated_to) {
      world.destination(translations.range(nat.destination));
    }
  }
}

void give_first_address(const Address& address, const std::string& device, Scenario& world) {
  if (address.value == 0 || (is_loopback(address) && device != kLo)) return;  // no device has it
  std::erase_if(world.routes, [&](const Route& r) { return r.to.address == address; });
  for (Interface& one : world.interfaces) {
    std::erase_if(one.addresses, [&](const InterfaceAddress& a) { return a.address == address; });
  }
  auto& own = interface_of(world, device).addresses;
  own.insert(own.begin(), {address, address_bits(address.family)});
}

void add_world(const Scenario& from, Scenario& into) {
  for (const Interface& one : from.interfaces) {
    const auto at = std::ranges::find(into.interfaces, one.name, &Interface::name);
    if (at == into.interfaces.end()) {
      into.interfaces.push_back(one);
      continue;
    }
    for (const InterfaceAddress& own : one.addresses) {
      const auto same = [&](const InterfaceAddress& a) { return a.address == own.address; };
      if (std::ranges::none_of(at->addresses, same)) at->addresses.push_back(own);
    }
  }
  for (const Route& route : from.routes) {
    const auto same = [&](const Route& r) { return r.to.address == route.to.address; };
    if (std::ranges::none_of(into.routes, same)) into.routes.push_back(route);
  }
  into.forwarding = into.forwarding || from.forwarding;
}

}  // namespace postern
