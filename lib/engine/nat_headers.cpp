#include "engine/nat_headers.hpp"

#include <algorithm>

#include "engine/odd_packets.hpp"
#include "flow/odd_headers.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

// What of layer 4 must be quoted so that the kernel changes it.
constexpr std::uint32_t kQuotedBytes = 8;

bool is_query(std::uint8_t number, std::uint8_t type) {
  const bool v4 = number == protocol::kIcmp;
  if (v4) return type == 0 || type == 8 || (type >= 13 && type <= 18);
  return type == 128 || type == 129;
}

// Where the key stands in layer 4; nullopt: this packet has none that NAT changes.
std::optional<std::size_t> key_offset(std::uint8_t number, std::uint8_t icmp_type, Manip manip) {
  const Tracker tracker = tracker_of(number);
  if (has_ports(tracker)) return manip == Manip::kSource ? 0 : 2;
  const bool icmp = tracker == Tracker::kIcmp || tracker == Tracker::kIcmpv6;
  if (icmp && is_query(number, icmp_type)) return 4;
  return std::nullopt;
}

std::uint16_t key_of(const CtTuple& tuple, Manip manip) {
  CtTuple copy = tuple;
  const Tracker tracker = tracker_of(tuple.protocol);
  if (tracker == Tracker::kIcmp || tracker == Tracker::kIcmpv6) return copy.source_key;
  return manip == Manip::kSource ? tuple.source_key : tuple.destination_key;
}

void set16(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

// A 16-bit word of the checksummed bytes changes (RFC 1624).
void adjust(Bytes& bytes, std::size_t checksum_at, std::uint16_t old_word, std::uint16_t new_word) {
  std::uint32_t sum = static_cast<std::uint16_t>(~get16(bytes, checksum_at)) +
                      static_cast<std::uint16_t>(~old_word) + std::uint32_t{new_word};
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  set16(bytes, checksum_at, static_cast<std::uint16_t>(~sum));
}

// Where the checksum of layer 4 stands, if it is the plain sum and is set.
std::optional<std::size_t> checksum_offset(std::uint8_t number, ByteView l4) {
  std::size_t at = 0;
  switch (number) {
    case protocol::kTcp:
      at = 16;
      break;
    case protocol::kUdp:
    case protocol::kUdplite:
      at = 6;
      break;
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      at = 2;
      break;
    default:
      return std::nullopt;
  }
  if (l4.size() < at + 2) return std::nullopt;
  if (number == protocol::kUdp && get16(l4, at) == 0) return std::nullopt;
  return at;
}

// Layer 4 as bytes: the key changes, and the checksum, which covers the address as well.
void patch_layer4(Bytes& l4, std::uint8_t number, Manip manip, const CtTuple& tuple,
                  const Address& old_address, const Address& new_address) {
  const auto checksum = checksum_offset(number, l4);
  if (checksum && number != protocol::kIcmp) {
    Bytes before, after;
    put_address(before, old_address);
    put_address(after, new_address);
    for (std::size_t i = 0; i < before.size(); i += 2) {
      adjust(l4, *checksum, get16(before, i), get16(after, i));
    }
  }
  const auto at = key_offset(number, l4.empty() ? 0 : l4[0], manip);
  if (!at || l4.size() < *at + 2) return;
  const std::uint16_t key = key_of(tuple, manip);
  if (checksum) adjust(l4, *checksum, get16(l4, *at), key);
  set16(l4, *at, key);
  if (number == protocol::kSctp && l4.size() >= 12) {
    for (std::size_t i = 8; i < 12; ++i) l4[i] = 0;
    const std::uint32_t sum = sctp_checksum(l4);
    set16(l4, 8, static_cast<std::uint16_t>(sum >> 16));
    set16(l4, 10, static_cast<std::uint16_t>(sum));
  }
}

// A whole packet as bytes.
void patch_raw(Bytes& raw, Manip manip, const CtTuple& tuple, const Address& old_address,
               const Address& new_address) {
  const auto layer4 = find_layer4(raw);
  if (!layer4) return;
  const bool v4 = new_address.family == Family::kIpv4;
  const bool source = manip == Manip::kSource;
  const std::size_t at = v4 ? (source ? 12 : 16) : (source ? 8 : 24);
  Bytes address;
  put_address(address, new_address);
  if (v4) {
    for (std::size_t i = 0; i < 4; i += 2) adjust(raw, 10, get16(raw, at + i), get16(address, i));
  }
  std::copy(address.begin(), address.end(), raw.begin() + static_cast<std::ptrdiff_t>(at));
  if (layer4->fragment_offset != 0) return;
  const auto begin = raw.begin() + static_cast<std::ptrdiff_t>(layer4->offset);
  Bytes l4(begin, raw.end());
  patch_layer4(l4, layer4->protocol, manip, tuple, old_address, new_address);
  std::copy(l4.begin(), l4.end(), begin);
}

void set_key(Packet& packet, Manip manip, const CtTuple& tuple) {
  const auto at = key_offset(packet.protocol, packet.type, manip);
  if (!at) return;
  std::uint16_t& key = *at == 0   ? packet.source_port
                       : *at == 2 ? packet.destination_port
                                  : packet.icmp_id;
  key = key_of(tuple, manip);
}

}  // namespace

bool translatable(const PacketView& packet, Manip manip) {
  if (packet.protocol != protocol::kGre || packet.fragment_offset != 0) return true;
  return packet.l4_length >= kPptpBytes &&
         (manip == Manip::kSource || gre_header(packet).version <= kPptpVersion);
}

Packet translated(const Packet& packet, Manip manip, const CtTuple& tuple) {
  Packet made = packet;
  Address& address = manip == Manip::kSource ? made.source : made.destination;
  const Address old_address = address;
  address.value = manip == Manip::kSource ? tuple.source : tuple.destination;
  if (packet.fragment_offset == 0) set_key(made, manip, tuple);
  if (made.raw_l4 && packet.fragment_offset == 0) {
    patch_layer4(*made.raw_l4, made.protocol, manip, tuple, old_address, address);
  }
  if (made.raw) patch_raw(*made.raw, manip, tuple, old_address, address);
  if (made.protocol == protocol::kSctp) made.bad_checksum = false;
  // Nothing knows DCCP any more (6.18): its checksum stays that of the old address.
  if (made.protocol == protocol::kDccp && address_sum(made) != address_sum(packet)) {
    made.bad_checksum = true;
  }
  return made;
}

std::uint16_t address_sum(const Packet& packet) {
  Bytes bytes;
  put_address(bytes, packet.source);
  put_address(bytes, packet.destination);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) sum += get16(bytes, i);
  return static_cast<std::uint16_t>(sum % 0xffff);  // ones' complement: 0xffff is 0
}

std::optional<Packet> translated_error(const Packet& error, Manip manip, const CtTuple& quoted) {
  const Packet& inner = *error.inner;
  PacketView view = view_of(inner);
  const std::uint32_t headers = view.length - view.l4_length;
  const std::uint32_t quoted_length = error.inner_length.value_or(headers + kQuotedBytes);
  const bool has_key = key_offset(inner.protocol, inner.type, manip).has_value();
  if (has_key && quoted_length < headers + kQuotedBytes) return std::nullopt;
  // Measured on 6.18: not even forwarded (other protocols are INVALID when quoted as a fragment).
  const bool six = inner.family() == Family::kIpv6;
  if (six && inner.protocol == protocol::kGre && inner.more_fragments) return std::nullopt;
  view.l4_length = std::min(view.l4_length, quoted_length - std::min(quoted_length, headers));
  if (!translatable(view, other(manip))) return std::nullopt;
  Packet made = error;
  made.inner = std::make_shared<const Packet>(translated(inner, other(manip), quoted));
  Address& address = manip == Manip::kSource ? made.source : made.destination;
  address.value = manip == Manip::kSource ? quoted.destination : quoted.source;
  return made;
}

}  // namespace postern
