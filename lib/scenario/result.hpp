// What came of a scenario, whoever ran it (engine or Linux): the second half of scenario-format.md.
// Two results are comparable key by key; lists that mean sets are compared as sets.
// Covered by tests/unit/scenario_result_test.cpp.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flow/hooks.hpp"
#include "scenario/bytes.hpp"
#include "scenario/packet.hpp"

namespace postern {

// A rule or policy whose counter rose.
struct RuleHit {
  TableName table = TableName::kFilter;
  std::string chain;
  std::uint32_t number = 0;  // 1-based; 0 for a policy
  std::uint64_t packets = 0, bytes = 0;
  std::string text;              // rule text, or "ACCEPT"/"DROP" for a policy
  std::optional<Family> family;  // when both rulesets are loaded
  auto operator<=>(const RuleHit&) const = default;
};

// A flow's key in one direction. For ICMP the ports are absent and type, code, id are set.
struct TupleReport {
  Address source, destination;
  std::optional<std::uint16_t> source_port, destination_port, icmp_id;
  std::optional<std::uint8_t> icmp_type, icmp_code;
  auto operator<=>(const TupleReport&) const = default;
};

struct EntryReport {
  std::uint8_t protocol = 0;
  std::string state;  // "SYN_SENT"; empty for stateless protocols
  TupleReport original, reply;
  std::uint16_t status = 0;  // ct_status bits
  std::uint32_t mark = 0;
  std::uint16_t zone = 0;
  std::string helper;
  std::optional<TupleReport> master;  // original tuple of the entry that expected this one
  // The kernel's own TCP flags, original and reply; only a real kernel knows them.
  std::optional<std::pair<std::uint8_t, std::uint8_t>> tcp_flags = std::nullopt;
  bool unreplied() const { return (status & ct_status::kSeenReply) == 0; }
  bool assured() const { return (status & ct_status::kAssured) != 0; }
  auto operator<=>(const EntryReport&) const = default;
};

// An expectation: `mask` has ones where `tuple` counts.
struct ExpectationReport {
  std::uint8_t protocol = 0;
  TupleReport tuple, mask, master;
  std::string helper;
  std::uint16_t zone = 0;
  auto operator<=>(const ExpectationReport&) const = default;
};

enum class Verdict : std::uint8_t { kDelivered, kForwarded, kSent, kDropped };

// Something that the host itself generated in answer.
struct ReplyReport {
  Packet packet;
  std::string out;               // device by which it left the host or went over lo
  std::optional<CtState> state;  // in OUTPUT, after the lookup
  std::optional<bool> reply_direction;
  std::string fate;  // where it did not leave: "delivered" (over lo), "dropped"
};

// The packet as seen at one point of its way ("PREROUTING.first", ".ct", ".last"); with "trace".
struct TracePoint {
  std::string at;
  std::optional<CtState> state;
  std::optional<bool> reply_direction;
  std::string in, out;  // devices
  Packet packet;
};

struct PacketReport {
  std::string name;
  Verdict verdict = Verdict::kDropped;
  std::string died_at;                              // hook name, or "after PREROUTING"
  std::vector<std::pair<Packet, std::string>> out;  // as they leave, with device
  // As delivered, after NAT, with the device it came in by and its mark (Packet::in, ::mark).
  // Several when unreassembled fragments are delivered.
  std::vector<Packet> delivered;
  std::vector<ReplyReport> replies;
  std::map<Hook, CtState> state;  // empty when tracking is off
  std::map<Hook, bool> reply_direction;
  std::vector<RuleHit> rules, policies;
  std::vector<EntryReport> conntrack;  // the whole table
  std::vector<ExpectationReport> expect;
  std::vector<TracePoint> trace;
  std::string step;  // "wait", "flush", "sysctl" for steps that are no packets
};

// The whole document. `last` holds rules, policies, conntrack and expect after the last packet; it
// is printed when `observe` is not kEach (scenario-format.md).
struct ScenarioReport {
  std::vector<PacketReport> packets;
  PacketReport last;
  bool each = true;             // counters and entries stand with every packet
  std::string backend, kernel;  // meta; `kernel` empty: no real kernel
  std::vector<std::string> warnings;
  std::vector<std::uint64_t> choices;  // made by chance
};

// IP length in bytes of the packet as serialised (IPv6: header included).
std::uint32_t ip_length(const Packet& packet);

std::string_view text(CtState state);    // "NEW"
std::string_view text(Verdict verdict);  // "delivered"
// "SYN,ACK"; "NONE" for 0.
std::string flags_text(std::uint8_t flags);
// The word scenarios use for a protocol ("tcp", "icmpv6"); empty for one known by number only.
std::string_view scenario_protocol_name(std::uint8_t number);
// The names of the status bits, lowest first ("SEEN_REPLY", "CONFIRMED", ...).
std::vector<std::string> status_names(std::uint16_t status);

// Headers as in "delivered" and "out", read from the bytes as they are on the wire.
nlohmann::json headers_json(ByteView bytes);
nlohmann::json to_json(const Packet& packet);  // headers_json(to_bytes(packet))
nlohmann::json to_json(const EntryReport& entry);
nlohmann::json to_json(const ExpectationReport& expectation);
nlohmann::json to_json(const RuleHit& hit);
nlohmann::json to_json(const PacketReport& report, bool each = true);
nlohmann::json to_json(const ScenarioReport& report);

// Every difference between two results, one line each ("packets[2].rules: only left: ..."); order
// of rules, policies, conntrack and expect does not matter; `trace`, `meta`, `tcpflags` are
// ignored.
std::vector<std::string> differences(const nlohmann::json& left, const nlohmann::json& right);

}  // namespace postern
