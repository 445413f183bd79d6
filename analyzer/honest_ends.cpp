#include "analyzer/honest_ends.hpp"

#include <algorithm>
#include <vector>

#include "flow/conntrack.hpp"

namespace postern {
namespace {

// As rules of NAT left it, where it arrived.
std::vector<Packet> arrivals(const PacketReport& report) {
  std::vector<Packet> all = report.delivered;
  for (const auto& [packet, device] : report.out) all.push_back(packet);
  return all;
}

// Is it from the one end of `known` to its other, or back (`reply`)?
bool between_same_ends(const Packet& packet, const Packet& known, bool reply) {
  const Address& from = reply ? known.destination : known.source;
  const Address& to = reply ? known.source : known.destination;
  if (packet.source != from || packet.destination != to) return false;
  if (!has_ports(tracker_of(packet.protocol))) return true;
  return packet.source_port == (reply ? known.destination_port : known.source_port) &&
         packet.destination_port == (reply ? known.source_port : known.destination_port);
}

}  // namespace

bool HonestEnds::hear(const Packet& sent, bool reply, const PacketReport& report) {
  const std::vector<Packet> arrived = arrivals(report);
  if (!near_) {
    near_ = sent;
    if (!arrived.empty()) far_ = arrived.front();
    return true;
  }
  if (!far_) return true;
  if (reply && !between_same_ends(sent, *far_, true)) return false;
  return std::ranges::any_of(arrived, [&](const Packet& p) {
    return between_same_ends(p, reply ? *near_ : *far_, reply);
  });
}

}  // namespace postern
