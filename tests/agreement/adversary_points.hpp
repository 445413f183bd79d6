// What the adversary's packets are to the sets and to the engine: points of the axes, answers under
// NAT, entries of the flow. Used by tests/agreement/adversary_test.cpp.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "adversary.hpp"
#include "scenario/result.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

// Everything that is known of a flow, and of one packet of its initiator, as a set.
class Points {
 public:
  Points(Space& space, const AttackedFlow& flow) : space_(space) {
    at(Axis::kInitiator, flow.initiator.value);
    at(Axis::kResponder, flow.responder.value);
    if (has_ports(tracker_of(flow.protocol))) {
      at(Axis::kInitiatorPort, flow.initiator_port);
      at(Axis::kResponderPort, flow.responder_port);
    }
    at(Axis::kProtocol, flow.protocol);
    const bool icmp = flow.protocol == protocol::kIcmp || flow.protocol == protocol::kIcmpv6;
    if (icmp) {
      at(Axis::kIcmpType, flow.icmp_type);
      at(Axis::kIcmpCode, flow.icmp_code);
    }
    interface(Axis::kInitiatorInterface, flow.initiator_interface);
    interface(Axis::kResponderInterface, flow.responder_interface);
    type(Axis::kInitiatorType, flow.initiator);
    type(Axis::kResponderType, flow.responder);
    flow_set_ = set_;
  }

  Set flow() const { return flow_set_; }
  Set packet(const Packet& p) {
    set_ = flow_set_;
    if (p.protocol == protocol::kTcp) at(Axis::kTcpFlags, p.flags);
    at(Axis::kLength, ip_length(p));
    at(Axis::kTtl, p.ttl);
    at(Axis::kTos, p.tos);
    at(Axis::kHasMac, 0);
    at(Axis::kFragmentOffset, p.fragment_offset / 8);
    const std::size_t header = layer4_header_size(p.protocol);
    const std::size_t there = is_cut(p) ? p.raw_l4->size() : header;
    at(Axis::kTruncated, static_cast<unsigned>(header_part(there, header)));
    return set_;
  }

 private:
  void at(Axis axis, u128 value) {
    const auto c = space_.layout(axis).classes->of(value);
    if (c) set_ = space_.bdd().both(set_, space_.class_is(axis, *c));
  }
  void interface(Axis axis, const std::string& wire) {
    const auto& names = space_.classes().interface_names;
    const auto at = std::ranges::find(names, wire);
    if (at == names.end()) return;  // stands for others
    set_ = space_.bdd().both(set_,
                             space_.class_is(axis, static_cast<std::uint32_t>(at - names.begin())));
  }
  void type(Axis axis, const Address& address) {
    if (space_.classes().address_type.count() == 1) return;
    const std::string text = address.text();
    const bool here = text.starts_with("127.") || text.ends_with(".1") || text.ends_with("::1");
    at(axis, static_cast<u128>(here ? AddressType::kLocal : AddressType::kUnicast));
  }

  Space& space_;
  Set set_ = kEverything, flow_set_ = kEverything;
};

inline std::string describe(const AttackedFlow& f) {
  return std::string(text(f.path)) + " " + f.initiator.text() + ":" +
         std::to_string(f.initiator_port) + " > " + f.responder.text() + ":" +
         std::to_string(f.responder_port) + " protocol " + std::to_string(f.protocol) +
         " icmp type " + std::to_string(f.icmp_type);
}

// Did a packet that got through go the way of the flow? NAT may have sent it elsewhere.
inline bool went_along(const PacketReport& report, Path path) {
  switch (report.verdict) {
    case Verdict::kDelivered:
      return path == Path::kIn || path == Path::kLoopback;
    case Verdict::kForwarded:
      return path == Path::kForward;
    case Verdict::kSent:
      return path == Path::kOut;
    case Verdict::kDropped:
      break;
  }
  // What leaves by lo comes back.
  const bool back = report.died_at.find("PREROUTING") != std::string_view::npos ||
                    report.died_at.find("INPUT") != std::string_view::npos;
  return path != Path::kOut || !back;
}

// An answer to an entry under NAT comes from, and goes to, where its reply tuple says.
inline bool answer_under_nat(Packet& packet, bool reply, const AttackedFlow& f,
                             const std::vector<EntryReport>& entries) {
  for (const EntryReport& entry : entries) {
    if ((entry.status & (ct_status::kSourceNat | ct_status::kDestinationNat)) == 0) continue;
    const Address& opener = reply ? f.initiator : f.responder;
    const std::uint16_t port = reply ? f.initiator_port : f.responder_port;
    if (entry.protocol != f.protocol || entry.original.source != opener) continue;
    // Both ends may have one address. (What GRE shows where ports stand is no port.)
    const bool ports = has_ports(tracker_of(f.protocol));
    if (ports && entry.original.source_port.value_or(port) != port) continue;
    packet.source = entry.reply.source;
    packet.destination = entry.reply.destination;
    packet.source_port = entry.reply.source_port.value_or(packet.source_port);
    packet.destination_port = entry.reply.destination_port.value_or(packet.destination_port);
    packet.icmp_id = entry.reply.icmp_id.value_or(packet.icmp_id);
    return true;
  }
  return false;
}

// Who sends an ICMP error to whom, by which device (over lo: "lo"), and where that one is.
struct ErrorWay {
  Address from, to;
  std::string in, out;
};

// An ICMP error about a packet as somebody saw it, and the flow that it is.
inline std::pair<Packet, AttackedFlow> error_about(const Packet& seen, const AttackedFlow& flow,
                                                   const ErrorWay& way) {
  const bool v4 = flow.family == Family::kIpv4;
  AttackedFlow of = flow;
  of.initiator = way.from;
  of.responder = way.to;
  of.initiator_interface = way.in;
  of.responder_interface = way.out;
  of.protocol = v4 ? protocol::kIcmp : protocol::kIcmpv6;
  of.icmp_type = v4 ? 3 : 1;
  of.icmp_code = v4 ? 3 : 4;
  Packet p;
  p.source = way.from;
  p.destination = way.to;
  if (way.in != "lo") p.in = way.in;
  p.protocol = of.protocol;
  p.type = of.icmp_type;
  p.code = of.icmp_code;
  Packet inner = seen;
  inner.in.clear();
  p.inner = std::make_shared<const Packet>(std::move(inner));
  return {p, of};
}

// How the packet fared: what conntrack said of it at each hook, and how it arrived, or left.
inline std::string fared(const Packet& sent, const PacketReport& report) {
  std::string result = "  length " + std::to_string(ip_length(sent));
  for (const auto& [hook, state] : report.state) {
    result += ", " + std::string(text(hook)) + " " + std::string(text(state));
  }
  const auto ends = [](const Packet& p) { return p.source.text() + " > " + p.destination.text(); };
  for (const Packet& p : report.delivered) result += ", delivered " + ends(p);
  for (const auto& [p, device] : report.out) result += ", by " + device + " " + ends(p);
  return result + "\n";
}

// `by_ports`: other flows of the same ends are there, too (masters).
inline bool of_flow(const EntryReport& entry, const AttackedFlow& f, bool by_ports) {
  if (entry.protocol != f.protocol) return false;
  const TupleReport& t = entry.original;
  const bool straight = t.source == f.initiator && t.destination == f.responder;
  const bool turned = t.source == f.responder && t.destination == f.initiator;
  if (!straight && !turned) return false;
  if (!by_ports || !t.source_port) return true;
  const auto is = [&](std::uint16_t from, std::uint16_t to) {
    return *t.source_port == from && *t.destination_port == to;
  };
  return (straight && is(f.initiator_port, f.responder_port)) ||
         (turned && is(f.responder_port, f.initiator_port));
}

}  // namespace postern
