#include "engine/traveller.hpp"

#include "flow/odd_headers.hpp"
#include "net/no_protocol.hpp"
#include "net/protocol.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

void read_tuple(Reading& reading, Field source, const CtTuple& tuple) {
  // The table of fields lists source, destination and the two ports in this order.
  const auto at = static_cast<std::size_t>(source);
  reading.field[at] = tuple.source;
  reading.field[at + 1] = tuple.destination;
  reading.field[at + 2] = tuple.source_key;
  reading.field[at + 3] = tuple.destination_key;
}

}  // namespace

void read_headers(Traveller& traveller) {
  const PacketView& view = traveller.view;
  Reading& reading = traveller.reading;
  reading[Field::kSource] = view.source;
  reading[Field::kDestination] = view.destination;
  reading[Field::kFragmentOffset] = view.fragment_offset;
  reading[Field::kSourcePort] = view.source_port;
  reading[Field::kDestinationPort] = view.destination_port;
  reading[Field::kTcpFlags] = view.tcp_flags;
  reading[Field::kIcmpType] = view.icmp_type;
  reading[Field::kIcmpCode] = view.icmp_code;
  reading[Field::kLength] = view.length;
  reading[Field::kTtl] = view.ttl;
  reading[Field::kTos] = view.tos;
  reading[Field::kMark] = view.mark;
  reading.tcp_options = view.tcp_options;
}

// nf_tables stops at an authentication header (nft_set_pktinfo_ipv6: IP6_FH_F_AUTH), ip6_tables
// behind the last header (ip6_packet_match).
void read_protocol(Traveller& traveller, Backend backend) {
  const PacketView& view = traveller.view;
  std::uint8_t number = view.protocol;
  if (is_extension_header(view.family, number)) number = kNoProtocol6;
  if (backend == Backend::kNft && view.family == Family::kIpv6 && view.packet->raw) {
    const auto layer4 = find_layer4(*view.packet->raw);
    if (layer4 && layer4->authenticated) number = protocol::kAh;
  }
  traveller.reading[Field::kProtocol] = number;
}

void read_layer4_bytes(Traveller& traveller) {
  const PacketView& view = traveller.view;
  Reading& reading = traveller.reading;
  reading[Field::kTruncated] = static_cast<unsigned>(HeaderPart::kWhole);
  if (view.fragment_offset == 0 && !view.truncated) return;
  const Bytes whole = to_bytes(*view.packet);
  ByteView bytes = ByteView(whole).last(view.l4_length);
  if (view.family == Family::kIpv6 && view.fragment_offset != 0) {
    // Linux 6.18 leaves the offset of layer 4 at 0 here: the IPv6 header is read as if it were TCP.
    bytes = whole;
  }
  reading[Field::kTruncated] =
      static_cast<unsigned>(header_part(bytes.size(), matched_header_size(view.protocol)));
  if (bytes.size() >= 1) reading[Field::kIcmpType] = bytes[0];
  if (bytes.size() >= 2) reading[Field::kIcmpCode] = bytes[1];
  if (bytes.size() >= 2) reading[Field::kSourcePort] = get16(bytes, 0);
  if (bytes.size() < 4) return;
  reading[Field::kDestinationPort] = get16(bytes, 2);
  if (bytes.size() >= 14) reading[Field::kTcpFlags] = bytes[13];
}

void read_template(Traveller& traveller) {
  read_attachment(traveller);
  traveller.reading[Field::kCtState] = static_cast<unsigned>(CtState::kNew);
  traveller.reading[Field::kCtStatus] = ct_status::kConfirmed;
  if (traveller.template_mark != nullptr) {
    traveller.reading[Field::kCtMark] = *traveller.template_mark;
  }
}

void read_attachment(Traveller& traveller) {
  Reading& reading = traveller.reading;
  const Attachment& attachment = traveller.attachment;
  reading[Field::kCtState] = static_cast<unsigned>(attachment.state);
  if (!attachment.entry) {
    for (auto i = static_cast<std::size_t>(Field::kCtStatus); i < kFieldCount; ++i) {
      reading.field[i] = 0;
    }
    return;
  }
  const ConntrackEntry& entry = *attachment.entry;
  reading[Field::kCtStatus] = entry.status;
  reading[Field::kCtDirection] = attachment.direction == CtDirection::kReply ? 1 : 0;
  reading[Field::kCtMark] = entry.mark;
  reading[Field::kCtZone] = entry.original.zone;
  reading[Field::kCtProtocol] = entry.original.protocol;
  read_tuple(reading, Field::kCtOriginalSource, entry.original);
  read_tuple(reading, Field::kCtReplySource, entry.reply);
}

}  // namespace postern
