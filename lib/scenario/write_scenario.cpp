// Scenario -> JSON text, rulesets inline. Keys that have their default are left out.
// Covered by tests/unit/scenario_read_test.cpp (read(write(x)) == x).
#include <fmt/format.h>

#include "base/overloaded.hpp"
#include "net/protocol.hpp"
#include "scenario/packet_json.hpp"
#include "scenario/result.hpp"
#include "scenario/scenario.hpp"

namespace postern {
namespace {

using OrderedJson = nlohmann::ordered_json;

template <class T>
void put_unless(OrderedJson& out, const char* key, const T& value, const T& standard) {
  if (value != standard) out[key] = value;
}

void put_hex(OrderedJson& out, const char* key, const Bytes& bytes, std::string_view prefix) {
  if (!bytes.empty()) out[key] = std::string(prefix) + to_hex(bytes);
}

// Zeros are written as their number.
void put_payload(OrderedJson& out, const Bytes& bytes) {
  if (bytes.empty()) return;
  const bool zeros = bytes == Bytes(bytes.size(), 0);
  if (zeros) {
    out["payload"] = bytes.size();
  } else {
    out["payload"] = "hex:" + to_hex(bytes);
  }
}

void put_icmp(const Packet& p, OrderedJson& out) {
  out["type"] = p.type;
  out["code"] = p.code;
  put_unless<std::uint16_t>(out, "id", p.icmp_id, 0);
  put_unless<std::uint16_t>(out, "seq", p.icmp_seq, 0);
  if (p.inner) out["inner"] = write_packet(*p.inner);
  if (p.inner_length) out["inner_len"] = *p.inner_length;
}

void put_layer4(const Packet& p, OrderedJson& out) {
  const Packet standard;
  switch (p.protocol) {
    case protocol::kTcp:
    case protocol::kUdp:
    case protocol::kUdplite:
    case protocol::kSctp:
    case protocol::kDccp:
      out["sport"] = p.source_port;
      out["dport"] = p.destination_port;
      break;
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      put_icmp(p, out);
      break;
    default:
      break;
  }
  if (p.protocol == protocol::kTcp) {
    out["flags"] = flags_text(p.flags);
    put_unless(out, "window", p.window, standard.window);
    put_unless(out, "urg", p.urgent, standard.urgent);
    put_hex(out, "options", p.options, "");
  }
  if (p.protocol == protocol::kTcp || p.protocol == protocol::kDccp) {
    put_unless(out, "seq", p.seq, standard.seq);
    put_unless(out, "ack", p.ack, standard.ack);
  }
  put_unless(out, "vtag", p.verification_tag, standard.verification_tag);
  put_hex(out, "chunks", p.chunks, "hex:");
  put_unless(out, "key", p.gre_key, standard.gre_key);
  put_unless(out, "dccptype", p.dccp_type, standard.dccp_type);
  put_payload(out, p.payload);
}

void put_ip(const Packet& p, OrderedJson& out) {
  const Packet standard;
  out["src"] = p.source.text();
  out["dst"] = p.destination.text();
  const std::string_view name = scenario_protocol_name(p.protocol);
  if (name.empty()) {
    out["proto"] = p.protocol;
  } else {
    out["proto"] = name;
  }
  put_unless(out, "ttl", p.ttl, standard.ttl);
  put_unless(out, "tos", p.tos, standard.tos);
  put_unless(out, "ipid", p.ip_id, standard.ip_id);
  put_unless(out, "df", p.dont_fragment, false);
  put_unless(out, "mf", p.more_fragments, false);
  put_unless(out, "frag_off", p.fragment_offset, standard.fragment_offset);
  put_unless(out, "fragment", p.fragment_size, standard.fragment_size);
  put_unless(out, "badsum", p.bad_checksum, false);
}

std::string prefix_text(const InterfaceAddress& address) {
  return fmt::format("{}/{}", address.address.text(), address.length);
}

OrderedJson interface_json(const Interface& interface) {
  OrderedJson out{{"name", interface.name}};
  OrderedJson addresses = OrderedJson::array();
  for (const InterfaceAddress& address : interface.addresses) {
    addresses.push_back(prefix_text(address));
  }
  out["addresses"] = std::move(addresses);
  put_unless(out, "mtu", interface.mtu, interface.name == "lo" ? kLoopbackMtu : 1500u);
  return out;
}

OrderedJson route_json(const Route& route) {
  OrderedJson out;
  out["to"] = route.to.mask == 0 ? std::string("default") : route.to.text();
  if (route.to.address.family == Family::kIpv6) out["family"] = 6;
  if (!route.device.empty()) out["dev"] = route.device;
  if (route.via) out["via"] = route.via->text();
  put_unless(out, "type", route.type, std::string("unicast"));
  return out;
}

OrderedJson step_json(const Step& step) {
  return std::visit(
      Overloaded{[](const Packet& packet) {
                   OrderedJson out;
                   if (!packet.name.empty()) out["name"] = packet.name;
                   if (packet.local()) {
                     out["local"] = true;
                   } else {
                     out["in"] = packet.in;
                   }
                   out.update(write_packet(packet));
                   return out;
                 },
                 [](const WaitStep& wait) {
                   return OrderedJson{{"wait_ms", wait.milliseconds}};
                 },
                 [](const FlushStep& flush) {
                   return OrderedJson{{"flush", flush.expectations ? "expect" : "conntrack"}};
                 },
                 [](const SysctlStep& sysctl) {
                   return OrderedJson{{"sysctl", sysctl.values}};
                 }},
      step);
}

void put_modes(const Scenario& scenario, OrderedJson& out) {
  out["backend"] = text(scenario.backend);
  if (scenario.tracking == TrackingMode::kOn) out["conntrack"] = "on";
  if (scenario.tracking == TrackingMode::kOff) out["conntrack"] = "off";
  if (scenario.observe == Observe::kEnd) out["observe"] = "end";
  if (scenario.observe == Observe::kNone) out["observe"] = "none";
  put_unless(out, "trace", scenario.trace, false);
}

}  // namespace

OrderedJson write_packet(const Packet& p) {
  OrderedJson out;
  if (!p.out_interface.empty()) out["oif"] = p.out_interface;
  if (p.uid) out["uid"] = *p.uid;
  if (p.gid) out["gid"] = *p.gid;
  if (p.mark != 0 && p.local()) out["mark"] = p.mark;
  if (p.raw) {
    out["raw"] = to_hex(*p.raw);
    return out;
  }
  put_ip(p, out);
  if (p.raw_l4) {
    out["rawl4"] = to_hex(*p.raw_l4);
  } else {
    put_layer4(p, out);
  }
  return out;
}

std::string write_scenario(const Scenario& scenario) {
  OrderedJson out;
  if (scenario.ruleset) out["ruleset"] = *scenario.ruleset;
  if (scenario.ruleset6) out["ruleset6"] = *scenario.ruleset6;
  put_modes(scenario, out);
  OrderedJson interfaces = OrderedJson::array(), packets = OrderedJson::array();
  for (const Interface& interface : scenario.interfaces)
    interfaces.push_back(interface_json(interface));
  out["interfaces"] = std::move(interfaces);
  for (const Route& route : scenario.routes) out["routes"].push_back(route_json(route));
  put_unless(out, "forwarding", scenario.forwarding, false);
  if (!scenario.sysctl.empty()) out["sysctl"] = scenario.sysctl;
  if (scenario.ipset) out["ipset"] = *scenario.ipset;
  if (!scenario.choices.empty()) out["choices"] = scenario.choices;
  for (const Step& step : scenario.steps) packets.push_back(step_json(step));
  out["packets"] = std::move(packets);
  // A ruleset may hold bytes that are no UTF-8 (comments): JSON cannot, so they are replaced.
  return out.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace postern
