// The headers of one packet as JSON ("delivered", "out", "replies", "inner"), read from its bytes
// so that engine and kernel cannot print the same packet differently. Covered by
// tests/unit/scenario_result_test.cpp.
#include <array>
#include <nlohmann/json.hpp>

#include "net/protocol.hpp"
#include "scenario/result.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<std::uint8_t, std::string_view>, 8> kProtocolWords{{
    {protocol::kIcmp, "icmp"},
    {protocol::kTcp, "tcp"},
    {protocol::kUdp, "udp"},
    {protocol::kDccp, "dccp"},
    {protocol::kGre, "gre"},
    {protocol::kIcmpv6, "icmpv6"},
    {protocol::kSctp, "sctp"},
    {protocol::kUdplite, "udplite"},
}};

constexpr std::array<std::string_view, 8> kFlagWords{"FIN", "SYN", "RST", "PSH",
                                                     "ACK", "URG", "ECE", "CWR"};

Json headers(ByteView bytes, bool quoted);

void add_tcp(ByteView l4, Json& out) {
  out["seq"] = get32(l4, 4);
  out["ack"] = get32(l4, 8);
  out["flags"] = flags_text(l4[13]);
  out["window"] = get16(l4, 14);
  const std::size_t header = (l4[12] >> 4) * 4u;
  out["payload"] = header <= l4.size() ? l4.size() - header : 0;
  if (header > 20 && header <= l4.size()) out["options"] = to_hex(l4.subspan(20, header - 20));
}

void add_icmp(std::uint8_t protocol, ByteView l4, bool quoted, Json& out) {
  out["type"] = l4[0];
  out["code"] = l4[1];
  if (is_icmp_error(protocol, l4[0])) {
    if (!quoted && find_layer4(l4.subspan(8))) out["inner"] = headers(l4.subspan(8), true);
    return;
  }
  out["id"] = get16(l4, 4);
  out["seq"] = get16(l4, 6);
}

void add_sctp(ByteView l4, Json& out) {
  out["vtag"] = get32(l4, 4);
  Json chunks = Json::array();
  for (std::size_t at = 12; at + 4 <= l4.size();) {
    chunks.push_back(l4[at]);
    at += (std::max<std::size_t>(get16(l4, at + 2), 4) + 3) / 4 * 4;
  }
  out["chunks"] = std::move(chunks);
}

bool has_ports(std::uint8_t number) {
  return number == protocol::kTcp || number == protocol::kUdp || number == protocol::kUdplite ||
         number == protocol::kSctp || number == protocol::kDccp;
}

void add_layer4(std::uint8_t number, ByteView l4, bool quoted, Json& out) {
  if (has_ports(number) && l4.size() >= 4) {
    out["sport"] = get16(l4, 0);
    out["dport"] = get16(l4, 2);
  }
  const std::size_t header = layer4_header_size(number);
  if (l4.size() < header) {
    if (number == protocol::kTcp && l4.size() >= 8) out["seq"] = get32(l4, 4);
    return;
  }
  switch (number) {
    case protocol::kTcp:
      add_tcp(l4, out);
      break;
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      add_icmp(number, l4, quoted, out);
      break;
    case protocol::kSctp:
      add_sctp(l4, out);
      break;
    case protocol::kGre:
      if ((l4[0] & 0x20) != 0 && l4.size() >= 8) out["key"] = get32(l4, 4);
      out["payload"] = l4.size() - header;
      break;
    default:
      out["payload"] = l4.size() - header;
  }
}

Json headers(ByteView bytes, bool quoted) {
  const auto layer4 = find_layer4(bytes);
  if (!layer4) return Json{{"raw", to_hex(bytes)}};
  const bool v4 = (bytes[0] >> 4) == 4;
  const Family family = v4 ? Family::kIpv4 : Family::kIpv6;
  Json out;
  out["ver"] = v4 ? 4 : 6;
  out["src"] = get_address(bytes, v4 ? 12 : 8, family).text();
  out["dst"] = get_address(bytes, v4 ? 16 : 24, family).text();
  out["ttl"] = v4 ? bytes[8] : bytes[7];
  out["tos"] = v4 ? bytes[1] : (get16(bytes, 0) >> 4) & 0xff;
  if (v4 && (bytes[6] & 0x40) != 0) out["df"] = true;
  if (layer4->more_fragments) out["mf"] = true;
  if (layer4->fragment_offset != 0) out["frag_off"] = layer4->fragment_offset;
  const std::string_view name = scenario_protocol_name(layer4->protocol);
  if (name.empty()) {
    out["proto"] = layer4->protocol;
  } else {
    out["proto"] = name;
  }
  out["len"] = v4 ? get16(bytes, 2) : get16(bytes, 4) + 40;
  const ByteView l4 = bytes.subspan(layer4->offset);
  if (layer4->fragment_offset != 0) {
    out["payload"] = l4.size();
  } else {
    add_layer4(layer4->protocol, l4, quoted, out);
  }
  return out;
}

}  // namespace

std::string_view scenario_protocol_name(std::uint8_t number) {
  for (const auto& [value, word] : kProtocolWords) {
    if (value == number) return word;
  }
  return {};
}

std::string flags_text(std::uint8_t flags) {
  std::string words;
  for (std::size_t bit = 0; bit < kFlagWords.size(); ++bit) {
    if ((flags >> bit & 1) == 0) continue;
    if (!words.empty()) words += ',';
    words += kFlagWords[bit];
  }
  return words.empty() ? "NONE" : words;
}

std::uint32_t ip_length(const Packet& packet) {
  return static_cast<std::uint32_t>(to_bytes(packet).size());
}

Json headers_json(ByteView bytes) { return headers(bytes, false); }

Json to_json(const Packet& packet) { return headers_json(to_bytes(packet)); }

}  // namespace postern
