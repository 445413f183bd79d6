#include "engine/odd_packets.hpp"

#include <algorithm>

#include "flow/odd_headers.hpp"
#include "scenario/quotation.hpp"
#include "scenario/serialise.hpp"

namespace postern {

GreHeader gre_header(const PacketView& view) {
  GreHeader header;
  if (view.packet == nullptr || (!view.packet->raw && !view.packet->raw_l4)) return header;
  const Bytes bytes = to_bytes(*view.packet);
  const auto layer4 = find_layer4(bytes);
  if (!layer4) return header;
  ByteView l4 = ByteView(bytes).subspan(layer4->offset);
  l4 = l4.first(std::min<std::size_t>(l4.size(), view.l4_length));
  if (l4.size() < 4) return header;
  header.version = l4[1] & 7;
  header.pptp = header.version == kPptpVersion && l4.size() >= kPptpBytes;
  if (!header.pptp) return header;
  header.ppp = get16(l4, 2) == kPptpProtocol;
  header.call = get16(l4, 6);
  return header;
}

std::optional<Packet> redirected(const PacketView& view) {
  constexpr std::size_t kQuoted = kRedirectOptions + kRedirectedOffset;
  const bool link_local = view.source >> 118 == 0x3fa;
  if (view.icmp_code != 0 || view.ttl != kRedirectHops || !link_local) return std::nullopt;
  const Bytes bytes = to_bytes(*view.packet);
  const auto layer4 = find_layer4(bytes);
  const ByteView l4 = ByteView(bytes).subspan(layer4->offset);
  if (l4.size() < kQuoted || l4[kRedirectOptions] != kRedirectedHeader) return std::nullopt;
  if (l4[kRedirectOptions + 1] == 0) return std::nullopt;
  return read_quotation(l4.subspan(kQuoted));
}

}  // namespace postern
