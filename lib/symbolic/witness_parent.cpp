#include "symbolic/witness_parent.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.hpp"
#include "net/protocol.hpp"
#include "symbolic/witness_world.hpp"

namespace postern {
std::shared_ptr<const Packet> quoted_packet(const Witness& parent, bool opened) {
  POSTERN_CHECK(!parent.packets.empty(), "a parent has packets");
  const Packet& first = parent.packets.front().packet;
  if (opened) {
    Packet itself = first;
    itself.in.clear();
    return std::make_shared<const Packet>(std::move(itself));
  }
  Packet answer;
  answer.source = first.destination;
  answer.destination = first.source;
  answer.protocol = first.protocol;
  answer.source_port = first.destination_port;
  answer.destination_port = first.source_port;
  answer.verification_tag = first.verification_tag;
  answer.gre_key = first.gre_key;
  if (first.protocol == protocol::kTcp) answer.flags = tcp_flag::kSyn | tcp_flag::kAck;
  if (first.protocol == protocol::kIcmp || first.protocol == protocol::kIcmpv6) {
    answer.type = icmp_partner(first.family(), first.type);
    answer.icmp_id = first.icmp_id;
    answer.icmp_seq = first.icmp_seq;
  }
  return std::make_shared<const Packet>(std::move(answer));
}

Witness behind_parent(const Witness& parent, Witness error) {
  Witness both = parent;
  std::ranges::move(error.packets, std::back_inserter(both.packets));
  add_world(error.world, both.world);
  if (!both.translated_to) both.translated_to = error.translated_to;
  if (!both.obstacle) both.obstacle = std::move(error.obstacle);
  return both;
}

}  // namespace postern
