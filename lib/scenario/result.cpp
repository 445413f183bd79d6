// Reports -> JSON, key by key as scenario-format.md has them.
// Covered by tests/unit/scenario_result_test.cpp, against the documents in scenario-examples.
#include "scenario/result.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace postern {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 16> kStatusWords{
    "EXPECTED",   "SEEN_REPLY",   "ASSURED",      "CONFIRMED", "SRC_NAT",       "DST_NAT",
    "SEQ_ADJUST", "SRC_NAT_DONE", "DST_NAT_DONE", "DYING",     "FIXED_TIMEOUT", "TEMPLATE",
    "NAT_CLASH",  "HELPER",       "OFFLOAD",      "HW_OFFLOAD"};

Json tuple_json(const TupleReport& tuple) {
  Json out{{"src", tuple.source.text()}, {"dst", tuple.destination.text()}};
  if (tuple.source_port) out["sport"] = *tuple.source_port;
  if (tuple.destination_port) out["dport"] = *tuple.destination_port;
  if (tuple.icmp_type) out["type"] = *tuple.icmp_type;
  if (tuple.icmp_code) out["code"] = *tuple.icmp_code;
  if (tuple.icmp_id) out["id"] = *tuple.icmp_id;
  return out;
}

Json protocol_json(std::uint8_t number) {
  const std::string_view name = scenario_protocol_name(number);
  return name.empty() ? Json(number) : Json(name);
}

std::string_view family_word(Family family) { return family == Family::kIpv4 ? "ipv4" : "ipv6"; }

std::string_view direction_word(bool reply) { return reply ? "reply" : "original"; }

template <class List>
Json list_json(const List& list) {
  Json out = Json::array();
  for (const auto& item : list) out.push_back(to_json(item));
  return out;
}

void add_state(const std::optional<CtState>& state, const std::optional<bool>& reply, Json& out) {
  if (state) out["ctstate"] = text(*state);
  if (reply) out["ctdir"] = direction_word(*reply);
}

Json reply_json(const ReplyReport& reply) {
  Json out = to_json(reply.packet);
  if (!reply.out.empty()) out["out"] = reply.out;
  if (!reply.fate.empty()) out["fate"] = reply.fate;
  add_state(reply.state, reply.reply_direction, out);
  return out;
}

Json trace_json(const TracePoint& point) {
  Json out{{"at", point.at}, {"hdr", to_json(point.packet)}};
  add_state(point.state, point.reply_direction, out);
  if (!point.in.empty()) out["in"] = point.in;
  if (!point.out.empty()) out["out"] = point.out;
  return out;
}

void add_fate(const PacketReport& report, Json& out) {
  out["verdict"] = text(report.verdict);
  if (!report.state.empty()) {
    Json states = Json::object(), directions = Json::object();
    for (const auto& [hook, state] : report.state) states[std::string(text(hook))] = text(state);
    for (const auto& [hook, reply] : report.reply_direction) {
      directions[std::string(text(hook))] = direction_word(reply);
    }
    out["ctstate"] = std::move(states);
    out["ctdir"] = std::move(directions);
  }
  if (!report.died_at.empty()) out["died_at"] = report.died_at;
  for (const auto& [packet, device] : report.out) {
    Json leaving = to_json(packet);
    leaving["out"] = device;
    out["out"].push_back(std::move(leaving));
  }
  for (const Packet& packet : report.delivered) {
    Json delivered = to_json(packet);
    delivered["in"] = packet.in;
    delivered["mark"] = packet.mark;
    out["delivered"].push_back(std::move(delivered));
  }
  for (const ReplyReport& reply : report.replies) out["replies"].push_back(reply_json(reply));
  for (const TracePoint& point : report.trace) out["trace"].push_back(trace_json(point));
}

void add_observations(const PacketReport& report, Json& out) {
  out["rules"] = list_json(report.rules);
  out["policies"] = list_json(report.policies);
  out["conntrack"] = list_json(report.conntrack);
  if (!report.expect.empty()) out["expect"] = list_json(report.expect);
}

}  // namespace

std::string_view text(CtState state) {
  constexpr std::array<std::string_view, 5> words{"INVALID", "NEW", "ESTABLISHED", "RELATED",
                                                  "UNTRACKED"};
  return words[static_cast<std::size_t>(state)];
}

std::string_view text(Verdict verdict) {
  constexpr std::array<std::string_view, 4> words{"delivered", "forwarded", "sent", "dropped"};
  return words[static_cast<std::size_t>(verdict)];
}

std::vector<std::string> status_names(std::uint16_t status) {
  std::vector<std::string> names;
  for (std::size_t bit = 0; bit < kStatusWords.size(); ++bit) {
    if ((status >> bit & 1) != 0) names.emplace_back(kStatusWords[bit]);
  }
  return names;
}

Json to_json(const EntryReport& entry) {
  Json out{{"l3", family_word(entry.original.source.family)},
           {"proto", protocol_json(entry.protocol)},
           {"orig", tuple_json(entry.original)},
           {"reply", tuple_json(entry.reply)},
           {"status", status_names(entry.status)},
           {"unreplied", entry.unreplied()},
           {"assured", entry.assured()},
           {"mark", entry.mark}};
  if (!entry.state.empty()) out["state"] = entry.state;
  if (entry.tcp_flags) {
    out["tcpflags"] = {{"orig", entry.tcp_flags->first}, {"reply", entry.tcp_flags->second}};
  }
  if (entry.zone != 0) out["zone"] = entry.zone;
  if (!entry.helper.empty()) out["helper"] = entry.helper;
  if (entry.master) out["master"] = tuple_json(*entry.master);
  return out;
}

Json to_json(const ExpectationReport& expectation) {
  Json out{{"l3", family_word(expectation.tuple.source.family)},
           {"proto", protocol_json(expectation.protocol)},
           {"tuple", tuple_json(expectation.tuple)},
           {"mask", tuple_json(expectation.mask)},
           {"master", tuple_json(expectation.master)}};
  if (!expectation.helper.empty()) out["helper"] = expectation.helper;
  if (expectation.zone != 0) out["zone"] = expectation.zone;
  return out;
}

Json to_json(const RuleHit& hit) {
  Json out{{"table", text(hit.table)},
           {"chain", hit.chain},
           {"pkts", hit.packets},
           {"bytes", hit.bytes}};
  if (hit.family) out["family"] = static_cast<int>(*hit.family);
  if (hit.number != 0) {
    out["num"] = hit.number;
    out["rule"] = hit.text;
  } else {
    out["policy"] = hit.text;
  }
  return out;
}

Json to_json(const PacketReport& report, bool each) {
  Json out = Json::object();
  if (!report.name.empty()) out["name"] = report.name;
  if (!report.step.empty()) {
    out["step"] = report.step;
    return out;
  }
  add_fate(report, out);
  if (each) add_observations(report, out);
  return out;
}

Json to_json(const ScenarioReport& report) {
  Json packets = Json::array();
  for (const PacketReport& packet : report.packets) packets.push_back(to_json(packet, report.each));
  Json out{{"packets", std::move(packets)}};
  if (!report.each) add_observations(report.last, out);
  Json meta{{"backend", report.backend}, {"warnings", report.warnings}};
  if (!report.kernel.empty()) meta["kernel"] = report.kernel;
  if (!report.choices.empty()) meta["choices"] = report.choices;
  out["meta"] = std::move(meta);
  return out;
}

}  // namespace postern
