// ICMP errors: RELATED to the flow that they quote. The error gets that flow's entry, does not
// change it, and goes the way of an answer to the quoted packet. Sources: kernel-facts 40, 41;
// nf_conntrack_inet_error. Covered by tests/unit/conntrack_simple_test.cpp.
#include <algorithm>

#include "engine/conntrack.hpp"
#include "engine/odd_packets.hpp"
#include "flow/odd_headers.hpp"

namespace postern {
namespace {

// The highest type that the kernel has a name for; above it everything is INVALID.
constexpr std::uint8_t kLastIcmpType = 18;
constexpr std::uint32_t kIcmpHeader = 8;

}  // namespace

bool ConntrackTable::track_icmp_error(const PacketView& packet, Hook hook, Attachment& attachment,
                                      ConntrackZone zone) {
  if (packet.l4_length < kIcmpHeader) return true;
  if (packet.bad_checksum && config_.checksum && hook == Hook::kPrerouting) return true;
  if (packet.family == Family::kIpv4 && packet.icmp_type > kLastIcmpType) return true;
  const auto relate_redirect = [&] {
    const auto quoted = redirected(packet);
    if (!quoted) return;
    PacketView error = packet;
    error.inner = &*quoted;
    error.inner_length = static_cast<std::uint32_t>(quoted->raw->size());
    relate(error, attachment, zone);
  };
  switch (icmp_class(packet.family, packet.icmp_type)) {
    case IcmpClass::kUntracked:
      attachment.state = CtState::kUntracked;
      return true;
    case IcmpClass::kError:
      relate(packet, attachment, zone);
      return true;
    case IcmpClass::kRequest:
    case IcmpClass::kReply:
      return false;
    case IcmpClass::kOther:
      if (packet.family == Family::kIpv6 && packet.icmp_type == kIcmpv6Redirect) {
        relate_redirect();
      }
      break;
  }
  return true;
}

void ConntrackTable::relate(const PacketView& packet, Attachment& attachment,
                            ConntrackZone zone) const {
  if (packet.inner == nullptr) return;
  PacketView inner = view_of(*packet.inner);
  if (inner.family != packet.family || inner.fragment_offset != 0) return;
  const std::uint32_t headers = inner.length - inner.l4_length;
  if (packet.inner_length < headers) return;
  inner.l4_length = std::min(inner.l4_length, packet.inner_length - headers);
  if (inner.truncated) {  // a view has no fields of a cut header, but the first bytes suffice here
    inner.source_port = packet.inner->source_port;
    inner.destination_port = packet.inner->destination_port;
  }
  const auto quoted = tuple_of(inner);
  if (!quoted) return;
  const auto answer = quoted->inverse();
  if (!answer) return;
  const Found found = find(*answer, zone);
  if (!found.entry) return;
  // The error must go to the sender of the quoted packet, as this host saw it.
  const CtTuple& tuple =
      found.direction == CtDirection::kOriginal ? found.entry->original : found.entry->reply;
  if (packet.destination != tuple.destination) return;
  attachment = {found.entry, CtState::kRelated, found.direction};
}

}  // namespace postern
