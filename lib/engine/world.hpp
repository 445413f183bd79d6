// The host around the ruleset: devices, addresses, routing tables and the sysctls that routing
// obeys. Decides what becomes of a packet between PREROUTING and the next hook, and where local
// packets go. IPv4 and IPv6 are one code; where Linux differs, the difference stands in route.cpp
// beside the name of the kernel function that makes it (kernel-facts 13, 63). Covered by
// tests/unit/engine_world_test.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/view.hpp"
#include "scenario/scenario.hpp"

namespace postern {

using DeviceId = std::uint16_t;  // index into World::names(); 0 is "none"
inline constexpr DeviceId kNoDevice = 0;

struct IcmpError {
  std::uint8_t type = 3, code = 0;
};

// What routing says about an arriving packet.
struct InputRoute {
  enum class Kind : std::uint8_t {
    kLocal,    // delivered here, through INPUT
    kForward,  // out of `out`, through FORWARD
    kRefused,  // dropped after PREROUTING; `error`, when set, is what the sender is told
  };
  Kind kind = Kind::kRefused;
  DeviceId out = kNoDevice;
  bool unicast = true;  // false: to a broadcast or multicast address
  std::optional<IcmpError> error;
  std::string_view why;  // "martian source", "no route" ...
};

// Where a packet that this host sends goes.
struct OutputRoute {
  bool found = false;
  DeviceId out = kNoDevice;  // lo for local destinations
  bool unicast = true;
  bool copied_here = false;       // a broadcast or joined multicast: a copy comes back
  std::optional<Address> source;  // the address that the kernel would choose
};

class World {
 public:
  explicit World(const Scenario& scenario);

  // Device names; names()[0] is empty.
  const std::vector<std::string>& names() const { return names_; }
  std::optional<DeviceId> device(std::string_view name) const;
  DeviceId loopback() const { return loopback_; }
  std::uint32_t mtu(DeviceId device) const { return mtus_[device]; }

  // False: dropped before PREROUTING already (IPv6 sanity checks).
  bool takes(const PacketView& packet, DeviceId in) const;
  // `counts_as`: what IPv6 compares the way out with, when it is not `in`: for a packet over lo the
  // owner() of the address that it was sent to (inet6_iif).
  InputRoute route_input(const PacketView& packet, DeviceId in,
                         DeviceId counts_as = kNoDevice) const;
  DeviceId owner(const Address& address) const;  // the device with this address, or lo
  // `bound`: the device that the socket is bound to, or kNoDevice. `again`: netfilter asks for a
  // packet that it changed; `::` is then this host no longer.
  OutputRoute route_output(const Address& destination, DeviceId bound, bool again = false) const;
  // Is it an IPv6 address for which the device counts: link-local or a group?
  static bool means_one_link(const Address& address);
  AddressType address_type(const Address& address) const;  // as xt_addrtype asks
  bool is_own(const Address& address) const;
  // Over lo: an IPv4 group must be joined there; what else goes to lo is for this host.
  bool hears(const Address& destination) const;
  bool has_address(DeviceId device, const Address& address) const;
  // What REDIRECT maps to: the device's first address (IPv4: primary; IPv6: the newest).
  std::optional<Address> primary_address(DeviceId device, Family family) const;
  // What MASQUERADE maps to when a packet to `destination` leaves by this device.
  std::optional<Address> masquerade_address(const Address& destination, DeviceId device) const;
  // The source address that the kernel takes for a packet to `destination` on this device.
  std::optional<Address> source_for(const Address& destination, DeviceId device) const;

  bool forwarding(Family family) const { return forwarding_[family == Family::kIpv6 ? 1 : 0]; }
  // Keys with '/'. Unknown ones are kept and ignored.
  void set_sysctl(const std::string& key, const std::string& value);
  // The number that a sysctl was set to, or `fallback`.
  std::int64_t sysctl(const std::string& key, std::int64_t fallback) const;

 private:
  enum class RouteType : std::uint8_t {
    kUnicast,
    kLocal,
    kBroadcast,
    kAnycast,
    kBlackhole,
    kUnreachable,
    kProhibit,
  };
  struct FibRoute {
    Prefix to;
    unsigned length = 0;
    RouteType type = RouteType::kUnicast;
    DeviceId device = kNoDevice;
    std::optional<Address> source = {};   // preferred source
    std::optional<Address> gateway = {};  // next hop, when not the destination itself
  };
  struct Own {
    Address address;
    unsigned length;
    DeviceId device;
  };
  // The sysctls of IPv4 that routing asks for with every packet, by device.
  struct DeviceConf {
    bool accept_local = false, route_localnet = false;
    std::int64_t rp_filter = 0;
  };

  void add_addresses(const Interface& interface, DeviceId device);
  void add_own(const InterfaceAddress& own, DeviceId device);
  void add_route(const Route& route);
  // Longest prefix in the local table, else in the main one; `only`: routes of that device.
  const FibRoute* lookup(const Address& destination, DeviceId only = kNoDevice) const;
  const FibRoute* longest(const std::vector<FibRoute>& table, const Address& destination,
                          DeviceId only) const;
  // Per-device sysctl of IPv4: the larger of conf/all and conf/NAME.
  std::int64_t conf(std::string_view key, DeviceId device) const;
  void refresh();
  void answer_for_networks();
  std::optional<Address> best_source(const Address& destination, DeviceId id,
                                     bool host_scope) const;
  bool source_is_valid(const Address& source, DeviceId in) const;
  bool joined(const Address& group) const;
  InputRoute route_input4(const PacketView& packet, DeviceId in) const;
  InputRoute route_input6(const PacketView& packet, DeviceId in, DeviceId counts_as) const;
  InputRoute route_multicast4(const PacketView& packet, DeviceId in) const;

  std::vector<std::string> names_;
  std::vector<std::uint32_t> mtus_;
  std::vector<DeviceConf> conf_;
  DeviceId loopback_ = kNoDevice;
  std::vector<Own> own_;
  std::vector<FibRoute> local_, main_;
  std::map<std::string, std::string> sysctl_;
  bool forwarding_[2] = {false, false};
};

}  // namespace postern
