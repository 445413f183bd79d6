#include "analyzer/world_assumptions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "symbolic/witness/witness_world.hpp"

namespace postern {
namespace {

// What every host takes for its own: broadcasts (0.0.0.0 from nobody is one) and multicast.
bool for_everybody(const Address& a) {
  if (a.family == Family::kIpv6) return (a.value >> 120) == 0xff;
  return a.value == 0 || a.value == 0xffffffff || (a.value >> 28) == 0xe;
}

// By which device the world of the witness reaches an address.
std::string device_to(const Witness& witness, const Address& to) {
  for (const Route& route : witness.world.routes) {
    if (route.to.address == to) return route.device;
  }
  return "the same interface";
}

// What comes by another interface than the one by which its sender is reached, each pair once.
std::vector<std::string> asymmetric(const Witness& witness) {
  std::vector<std::string> list;
  for (const WitnessPacket& one : witness.packets) {
    const Packet& packet = one.packet;
    const auto route = std::ranges::find(witness.world.routes, packet.source,
                                         [](const Route& r) { return r.to.address; });
    if (packet.in.empty() || route == witness.world.routes.end() || route->device == packet.in) {
      continue;
    }
    std::string line = fmt::format("{} sends by {}, though it is reached by {} (asymmetric routes)",
                                   packet.source.text(), packet.in, route->device);
    if (std::ranges::find(list, line) == list.end()) list.push_back(std::move(line));
  }
  return list;
}

std::string of_this_host(const Address& address) {
  return fmt::format("{} is an address of this host", address.text());
}

std::string of_this_host(const std::vector<Address>& own) {
  if (own.size() == 1) return of_this_host(own.front());
  return fmt::format("{} and {} are addresses of this host", own[0].text(), own[1].text());
}

// Which ends of what this host sends it must have for its own: those that rules ask to be LOCAL,
// and both over lo, where no unusual socket sends it and NAT does not keep it here.
std::vector<Address> own_ends(Space& space, Path path, const FlowPoint& flow, bool odd) {
  const bool lo = path == Path::kLoopback && !odd;
  const bool kept = flow.responder_interface != "lo";
  std::vector<Address> own;
  const auto add = [&](Axis axis, Axis type, bool sure) {
    const Address end{flow.family, flow.value(axis)};
    if (is_loopback(end) || for_everybody(end) || (!own.empty() && own.front() == end)) return;
    if (sure || is_typed_local(space, flow, type)) own.push_back(end);
  };
  add(Axis::kInitiator, Axis::kInitiatorType, lo);
  add(Axis::kResponder, Axis::kResponderType, lo && !kept);
  return own;
}

std::string of_a_network(const Address& address) {
  return fmt::format("{} is an address of a network on lo", address.text());
}

// The wires of a forwarded flow. `own`: its sender calls itself as this host does.
std::string forwarded(const FlowPoint& flow, const Address& from, const Address& to, bool own) {
  std::string begun =
      fmt::format("forwarding is on, {} is reached by {}", to.text(), flow.responder_interface);
  if (!own && from == to && flow.initiator_interface == flow.responder_interface) return begun;
  begun += " and " + from.text();
  if (!own) return begun + " by " + flow.initiator_interface;
  const bool v4 = from.family == Family::kIpv4;
  return begun + ", which comes by " + flow.initiator_interface + ", is an address of " +
         (v4 ? "a network on lo" : "this host");
}

}  // namespace

std::vector<std::string> world_assumptions(Space& space, Path path, const FlowPoint& flow,
                                           const Witness& witness) {
  std::vector<std::string> list;
  const Address from{flow.family, flow.value(Axis::kInitiator)};
  const Address sent_to{flow.family, flow.value(Axis::kResponder)};
  const Address to = witness.translated_to.value_or(sent_to);
  const bool own = from_own_address(space, path, flow), v4 = flow.family == Family::kIpv4;
  const bool odd = is_odd(space, path, flow);
  switch (path) {
    case Path::kIn:
      if (own) list.push_back(v4 ? of_a_network(from) : of_this_host(from));
      if (!for_everybody(to) && witness.given != to) list.push_back(of_this_host(to));
      break;
    case Path::kOut:
      if (odd) {
        list.push_back(
            fmt::format("a process of this host sends from {} to {} by {} (a raw socket, "
                        "or one that is bound to a device)",
                        from.text(), to.text(), flow.responder_interface));
        break;
      }
      list.push_back(fmt::format("{}, and {} is reached by {}", of_this_host(from), to.text(),
                                 device_to(witness, to)));
      break;
    case Path::kForward:
      list.push_back(forwarded(flow, from, to, own));
      break;
    case Path::kLoopback:
      if (to != sent_to && !is_loopback(to)) list.push_back(of_this_host(to));
      if (odd) {
        list.push_back(
            fmt::format("a process of this host sends from {} to {} over lo (a raw "
                        "socket, or one that is bound to lo)",
                        from.text(), to.text()));
      }
      break;
  }
  // What NAT in OUTPUT leads away from lo was first sent to this host.
  const bool led = path == Path::kOut && flow.responder_interface == "lo";
  if (path == Path::kLoopback || (path == Path::kOut && odd)) {
    const std::vector<Address> ends = own_ends(space, path, flow, odd);
    if (!ends.empty()) list.push_back(of_this_host(ends));
  } else if (to != sent_to && !is_loopback(sent_to) &&
             (led || is_typed_local(space, flow, Axis::kResponderType))) {
    list.push_back(of_this_host(sent_to));
  }
  if (witness.given) {
    list.push_back(fmt::format("{} is the first address of {}, which NAT takes",
                               witness.given->text(), *witness.giving_device));
  }
  std::ranges::move(asymmetric(witness), std::back_inserter(list));
  const auto master = std::ranges::find(witness.packets, true, &WitnessPacket::of_master);
  if (master != witness.packets.end()) {
    list.push_back(fmt::format("the flow from {} to {} port {} announces it to a helper first",
                               master->packet.source.text(), master->packet.destination.text(),
                               master->packet.destination_port));
  }
  return list;
}

std::vector<std::string_view> said_of(const Surroundings& needed) {
  std::vector<std::string_view> list;
  if (needed.forged) {
    list.emplace_back(
        "nobody forges the address of the flow's other end (IPv4's rp_filter stops that)");
  }
  if (needed.forged_here) {
    list.emplace_back(
        "no other process speaks in the name of the flow's other end (a raw socket can)");
  }
  if (needed.replies) {
    list.emplace_back(
        "this host sends it unasked (what its servers, its kernel and REJECT answer is not meant)");
  }
  if (needed.asymmetric) {
    list.emplace_back("each end of a flow is behind one interface (no asymmetric routes)");
  }
  if (needed.wrapped) {
    list.emplace_back("nobody sends what a rule would track behind an authentication header");
  }
  if (needed.bridged) list.emplace_back("no bridge hands its packets to these rules");
  if (needed.groups) list.emplace_back("no multicast router runs on this host");
  if (needed.answered)
    list.emplace_back("nobody sends answers as from a group or a broadcast address");
  if (needed.marked) {
    list.emplace_back("no tunnel of this host hands packets on with the mark of its own packets");
  }
  if (needed.echoed) {
    list.emplace_back("no multicast or broadcast packet of this host comes back to it as a copy");
  }
  if (needed.rerouted) {
    list.emplace_back(
        "what OUTPUT has given a mark, TOS or hop limit leaves by the device that OUTPUT has seen "
        "(an `ip rule` may send it by another, and the kernel forgets a device of IP_PKTINFO, "
        "IP_UNICAST_IF or IP_MULTICAST_IF)");
  }
  if (needed.kept) list.emplace_back("no `ip rule` keeps here what is for another host");
  if (needed.bound) {
    list.emplace_back(
        "no socket is bound to a device by which it sends what OUTPUT turns to this host");
  }
  if (needed.unjoined) {
    list.emplace_back("no raw socket sends fragments past defragmentation (IP_NODEFRAG)");
  }
  if (needed.lengthless) {
    list.emplace_back(
        "nobody sends UDP whose length field is 0 (INVALID, but IPv6's sockets take it)");
  }
  if (needed.in_pieces) {
    list.emplace_back("no packet comes in fragments that only its receiver puts together");
  }
  if (needed.scattered) {
    list.emplace_back("the pieces of one packet come by one interface and from one card");
  }
  if (needed.cut_over_lo) {
    list.emplace_back(
        "nothing that this host sends over lo goes in fragments (rules of PREROUTING see each "
        "alone)");
  }
  if (needed.trailed) {
    list.emplace_back("no raw socket sends IPv6 packets over lo with bytes behind their end");
  }
  return list;
}

}  // namespace postern
