// JSON -> Packet. A packet that is given as bytes (`raw`, `rawl4`) has its fields filled from them,
// so that every consumer can read fields only. Covered by tests/unit/scenario_read_test.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "net/protocol.hpp"
#include "scenario/packet_json.hpp"
#include "scenario/result.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxPayload = 65535;
constexpr unsigned kMaxNesting = 4;  // quotations inside quotations

struct ChunkName {
  std::string_view name;
  std::uint8_t type;
};
constexpr std::array<ChunkName, 13> kChunks{{{"DATA", 0},
                                             {"INIT", 1},
                                             {"INIT_ACK", 2},
                                             {"SACK", 3},
                                             {"HEARTBEAT", 4},
                                             {"HEARTBEAT_ACK", 5},
                                             {"ABORT", 6},
                                             {"SHUTDOWN", 7},
                                             {"SHUTDOWN_ACK", 8},
                                             {"ERROR", 9},
                                             {"COOKIE_ECHO", 10},
                                             {"COOKIE_ACK", 11},
                                             {"SHUTDOWN_COMPLETE", 14}}};

constexpr std::array<std::string_view, 8> kDccpTypes{"REQUEST", "RESPONSE", "DATA",  "ACK",
                                                     "DATAACK", "CLOSEREQ", "CLOSE", "RESET"};

std::optional<Bytes> hex_value(const ObjectReader& object, std::string_view key) {
  const auto text = object.string(key);
  if (!text) return std::nullopt;
  std::string_view digits = *text;
  if (digits.starts_with("hex:")) digits.remove_prefix(4);
  auto bytes = from_hex(digits);
  if (!bytes) object.complain(key, "bytes in hexadecimal are needed here, such as \"00ff\"");
  if (bytes && bytes->size() > kMaxPayload) {
    object.complain(key, "at most " + std::to_string(kMaxPayload) + " bytes fit here");
    return std::nullopt;
  }
  return bytes;
}

// A length in bytes (zeros), "hex:…", or text.
Bytes payload_value(const ObjectReader& object, std::string_view key) {
  const Json* value = object.find(key);
  if (value == nullptr) return {};
  if (value->is_string()) {
    const std::string& text = value->get_ref<const std::string&>();
    if (text.starts_with("hex:")) return hex_value(object, key).value_or(Bytes{});
    if (text.size() <= kMaxPayload) return Bytes(text.begin(), text.end());
  }
  if (!value->is_string() && json_number(*value, kMaxPayload)) {
    return Bytes(*json_number(*value, kMaxPayload), 0);
  }
  object.complain(key, "a length up to " + std::to_string(kMaxPayload) +
                           ", a text or \"hex:…\" is needed here");
  return {};
}

void read_protocol(const ObjectReader& object, Packet& p) {
  const Json* value = object.find("proto");
  if (value == nullptr) {
    object.context().complain(object.pointer(), "missing-key", "a packet needs `proto`",
                              "such as \"proto\": \"tcp\"");
    return;
  }
  std::optional<std::uint64_t> number = json_number(*value, 255);
  if (!number && value->is_string()) {
    const std::string& word = value->get_ref<const std::string&>();
    for (unsigned candidate = 0; candidate < 256 && !number; ++candidate) {
      if (scenario_protocol_name(static_cast<std::uint8_t>(candidate)) == word) number = candidate;
    }
    if (!number) number = protocol_number(word);
  }
  if (!number) {
    object.complain("proto", "no such protocol",
                    "tcp, udp, udplite, icmp, icmpv6, sctp, gre, dccp or a number up to 255");
    return;
  }
  p.protocol = static_cast<std::uint8_t>(*number);
}

void read_flags(const ObjectReader& object, Packet& p) {
  const Json* value = object.find("flags");
  if (value == nullptr) return;
  if (auto number = json_number(*value, 255)) {
    p.flags = static_cast<std::uint8_t>(*number);
  } else if (auto bits = value->is_string() ? flags_value(value->get_ref<const std::string&>())
                                            : std::nullopt) {
    p.flags = *bits;
  } else {
    object.complain("flags", "unknown TCP flags",
                    "FIN SYN RST PSH ACK URG ECE CWR with commas, NONE, ALL or a number");
  }
}

std::optional<std::uint64_t> chunk_type(const Json& value) {
  if (value.is_string()) {
    const auto found = std::find_if(kChunks.begin(), kChunks.end(), [&](const ChunkName& chunk) {
      return chunk.name == value.get_ref<const std::string&>();
    });
    if (found != kChunks.end()) return found->type;
  }
  return json_number(value, 255);
}

// Appends one SCTP chunk. INIT and INIT_ACK without a body get a well-formed one with this tag.
void add_chunk(std::uint8_t type, std::uint32_t flags, std::uint32_t tag, Bytes body, Bytes& to) {
  const bool init = type == 1 || type == 2;
  if (init && body.empty()) {
    put32(body, tag);
    put32(body, 65536);  // receiver window
    put16(body, 1);      // streams out
    put16(body, 1);      // streams in
    put32(body, 1);      // initial TSN
  }
  put8(to, type);
  put8(to, flags);
  put16(to, static_cast<std::uint32_t>(4 + body.size()));
  put(to, body);
  while (to.size() % 4 != 0) put8(to, 0);
}

void read_chunks(const ObjectReader& object, Packet& p) {
  const Json* value = object.find("chunks");
  if (value == nullptr) return;
  if (value->is_string()) {
    p.chunks = hex_value(object, "chunks").value_or(Bytes{});
    return;
  }
  for (const std::string& item : object.items("chunks")) {
    const Json& chunk = object.context().document.root().at(Json::json_pointer(item));
    std::uint32_t flags = 0, tag = 1;
    Bytes body;
    std::optional<std::uint64_t> type;
    if (chunk.is_object()) {
      const ObjectReader reader(object.context(), item);
      reader.allow_only({"type", "flags", "tag", "data"});
      if (reader.has("type")) type = chunk_type(chunk["type"]);
      flags = static_cast<std::uint32_t>(reader.number("flags", 255).value_or(0));
      tag = static_cast<std::uint32_t>(reader.number("tag", 0xffffffff).value_or(1));
      body = payload_value(reader, "data");
    } else {
      type = chunk_type(chunk);
    }
    if (!type) {
      object.context().complain(item, "value", "unknown SCTP chunk",
                                "a name such as \"INIT\", a number or {\"type\": …}");
      continue;
    }
    add_chunk(static_cast<std::uint8_t>(*type), flags, tag, std::move(body), p.chunks);
  }
}

void read_dccp_type(const ObjectReader& object, Packet& p) {
  const Json* value = object.find("dccptype");
  if (value == nullptr) return;
  if (auto number = json_number(*value, 15)) {
    p.dccp_type = static_cast<std::uint8_t>(*number);
    return;
  }
  if (value->is_string()) {
    const auto found =
        std::find(kDccpTypes.begin(), kDccpTypes.end(), value->get_ref<const std::string&>());
    if (found != kDccpTypes.end()) {
      p.dccp_type = static_cast<std::uint8_t>(found - kDccpTypes.begin());
      return;
    }
  }
  object.complain("dccptype", "unknown DCCP packet type", "REQUEST, RESPONSE, DATA … or 0 to 15");
}

void read_icmp(const ObjectReader& object, Packet& p) {
  object.number_into("type", p.type);
  object.number_into("code", p.code);
  if (auto rest = object.number("rest", 0xffffffff)) {
    p.icmp_id = static_cast<std::uint16_t>(*rest >> 16);
    p.icmp_seq = static_cast<std::uint16_t>(*rest);
  }
  object.number_into("id", p.icmp_id);
  object.number_into("seq", p.icmp_seq);
  if (auto length = object.number("inner_len", kMaxPayload)) {
    p.inner_length = static_cast<std::uint32_t>(*length);
  }
}

void read_layer4(const ObjectReader& object, Packet& p) {
  object.number_into("sport", p.source_port);
  object.number_into("dport", p.destination_port);
  if (p.protocol == protocol::kIcmp || p.protocol == protocol::kIcmpv6) {
    read_icmp(object, p);
  } else {
    object.number_into("seq", p.seq);
  }
  object.number_into("ack", p.ack);
  object.number_into("window", p.window);
  object.number_into("urg", p.urgent);
  object.number_into("vtag", p.verification_tag);
  object.number_into("key", p.gre_key);
  p.options = hex_value(object, "options").value_or(Bytes{});
  if (p.options.size() > 40) object.complain("options", "TCP options are at most 40 bytes");
  read_flags(object, p);
  read_chunks(object, p);
  read_dccp_type(object, p);
  p.payload = payload_value(object, "payload");
  p.raw_l4 = hex_value(object, "rawl4");
}

void read_ip(const ObjectReader& object, Packet& p) {
  for (std::string_view key : {"src", "dst"}) {
    if (!object.has(key)) {
      object.context().complain(object.pointer(), "missing-key",
                                "a packet needs `" + std::string(key) + "`");
    }
  }
  p.source = object.address("src").value_or(Address{});
  p.destination = object.address("dst").value_or(Address{p.source.family, 0});
  if (p.source.family != p.destination.family) {
    object.complain("dst", "`src` and `dst` are of different families");
    p.destination = Address{p.source.family, 0};
  }
  object.number_into("ttl", p.ttl);
  object.number_into("tos", p.tos);
  object.number_into("ipid", p.ip_id);
  object.number_into("fragment", p.fragment_size);
  object.number_into("frag_off", p.fragment_offset);
  if (p.fragment_offset % 8 != 0) {
    object.complain("frag_off", "a fragment offset in bytes is a multiple of 8");
  }
  object.boolean_into("df", p.dont_fragment);
  object.boolean_into("mf", p.more_fragments);
  object.boolean_into("badsum", p.bad_checksum);
}

// Fills the fields of a packet whose bytes are given from those bytes.
Packet with_fields_of_bytes(Packet given) {
  auto parsed = from_bytes(to_bytes(given));
  if (!parsed) return given;
  parsed->raw = std::move(given.raw);
  parsed->raw_l4 = std::move(given.raw_l4);
  parsed->fragment_size = given.fragment_size;
  parsed->bad_checksum = given.bad_checksum;
  return *parsed;
}

Packet read_headers(const ObjectReader& object, unsigned depth) {
  Packet p;
  if (!object.valid()) return p;
  p.raw = hex_value(object, "raw");
  if (p.raw) {
    if (!from_bytes(*p.raw)) object.complain("raw", "these bytes do not begin with an IP header");
    return with_fields_of_bytes(std::move(p));
  }
  if (object.has("raw")) return p;
  read_ip(object, p);
  read_protocol(object, p);
  read_layer4(object, p);
  if (object.has("inner")) {
    const ObjectReader inner(object.context(), object.at("inner"));
    if (depth == kMaxNesting) {
      object.complain("inner", "packets are nested too deeply here");
    } else {
      p.inner = std::make_shared<const Packet>(read_headers(inner, depth + 1));
    }
  }
  if (ip_length(p) > longest_packet(p.family())) {
    object.context().complain(
        object.pointer(), "value",
        fmt::format("this packet has {} bytes, and no length field counts more than {}",
                    ip_length(p), longest_packet(p.family())));
  }
  return p.raw_l4 ? with_fields_of_bytes(std::move(p)) : p;
}

void read_entry_point(const ObjectReader& object, Packet& p) {
  const bool local = object.boolean("local").value_or(false);
  p.in = object.string("in").value_or("");
  if (local == !p.in.empty()) {
    object.context().complain(
        object.pointer(), "missing-key",
        local ? "a packet has `in` or `local`, not both" : "a packet needs `in` or `local`",
        "\"in\": \"eth0\" arrives there; \"local\": true is generated here");
  }
  p.out_interface = object.string("oif").value_or("");
  if (auto uid = object.number("uid", 0xffffffff)) p.uid = static_cast<std::uint32_t>(*uid);
  if (auto gid = object.number("gid", 0xffffffff)) p.gid = static_cast<std::uint32_t>(*gid);
  object.number_into("mark", p.mark);
  if (!local && !p.in.empty()) {
    for (std::string_view key : {"uid", "gid", "mark", "oif"}) {
      if (object.has(key))
        object.complain(key, "only a local packet has `" + std::string(key) + "`");
    }
  }
}

}  // namespace

std::optional<std::uint8_t> flags_value(std::string_view text) {
  constexpr std::array<std::string_view, 8> words{"FIN", "SYN", "RST", "PSH",
                                                  "ACK", "URG", "ECE", "CWR"};
  if (text == "NONE" || text.empty()) return std::uint8_t{0};
  if (text == "ALL") return std::uint8_t{0x3f};
  unsigned bits = 0;
  while (true) {
    const std::size_t comma = text.find(',');
    const auto found = std::find(words.begin(), words.end(), text.substr(0, comma));
    if (found == words.end()) return std::nullopt;
    bits |= 1u << (found - words.begin());
    if (comma == std::string_view::npos) return static_cast<std::uint8_t>(bits);
    text.remove_prefix(comma + 1);
  }
}

std::optional<Address> ObjectReader::address(std::string_view key) const {
  const auto text = string(key);
  if (!text) return std::nullopt;
  auto address = Address::parse(*text);
  if (!address) complain(key, "`" + *text + "` is no numeric IP address");
  return address;
}

Packet read_packet(const ObjectReader& object) {
  object.allow_only({"name",  "in",       "local",  "oif",      "uid",     "gid",    "mark",
                     "src",   "dst",      "proto",  "ttl",      "tos",     "ipid",   "df",
                     "mf",    "frag_off", "badsum", "fragment", "payload", "rawl4",  "raw",
                     "sport", "dport",    "flags",  "seq",      "ack",     "window", "options",
                     "urg",   "type",     "code",   "id",       "rest",    "inner",  "inner_len",
                     "vtag",  "chunks",   "key",    "dccptype"});
  Packet p = read_headers(object, 0);
  if (!object.valid()) return p;
  p.name = object.string("name").value_or("");
  read_entry_point(object, p);
  return p;
}

}  // namespace postern
