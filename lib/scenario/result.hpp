// What came of a scenario, whoever ran it (engine or Linux): the second half of scenario-format.md.
// Two results are comparable key by key; lists that mean sets are compared as sets.
// Covered by tests/unit/scenario_test.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "flow/hooks.hpp"
#include "scenario/packet.hpp"

namespace postern {

// A rule or policy whose counter rose.
struct RuleHit {
  TableName table = TableName::kFilter;
  std::string chain;
  std::uint32_t number = 0;             // 1-based; 0 for a policy
  std::uint64_t packets = 0, bytes = 0;
  std::string text;                     // rule text, or "ACCEPT"/"DROP" for a policy
  std::optional<Family> family;         // when both rulesets are loaded
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
  std::string state;                    // "SYN_SENT"; empty for stateless protocols
  TupleReport original, reply;
  std::uint16_t status = 0;             // ct_status bits
  std::uint32_t mark = 0;
  std::uint16_t zone = 0;
  std::string helper;
  bool unreplied() const { return (status & ct_status::kSeenReply) == 0; }
  bool assured() const { return (status & ct_status::kAssured) != 0; }
  auto operator<=>(const EntryReport&) const = default;
};

enum class Verdict : std::uint8_t { kDelivered, kForwarded, kSent, kDropped };

// Something that the host itself generated in answer.
struct ReplyReport {
  Packet packet;
  std::uint32_t length = 0;
  std::string out;                      // device
  std::optional<CtState> state;
  std::optional<bool> reply_direction;
  std::string fate;                     // where it did not leave: "delivered" (over lo), "dropped"
};

struct PacketReport {
  Verdict verdict = Verdict::kDropped;
  std::string died_at;                  // hook name, or "after PREROUTING"
  std::vector<std::pair<Packet, std::string>> out;   // as they leave, with device
  std::optional<Packet> delivered;      // as it was delivered, after NAT
  std::vector<ReplyReport> replies;
  std::map<Hook, CtState> state;
  std::map<Hook, bool> reply_direction;
  std::vector<RuleHit> rules, policies;
  std::vector<EntryReport> conntrack;   // the whole table
  std::string step;                     // "wait", "flush", "sysctl" for steps that are no packets
};

// IP length in bytes of the packet as serialised (IPv6: header included).
std::uint32_t ip_length(const Packet& packet);

nlohmann::json to_json(const Packet& packet);       // headers as in "delivered"/"out"
nlohmann::json to_json(const PacketReport& report);

// Every difference between two results, one line each ("packets[2].rules: only left: ..."); order of
// rules, policies, conntrack and expect does not matter; `trace`, `meta`, `tcpflags` are ignored.
std::vector<std::string> differences(const nlohmann::json& left, const nlohmann::json& right);

}  // namespace postern
