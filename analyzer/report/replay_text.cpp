#include "analyzer/report/replay_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "analyzer/place_text.hpp"
#include "base/overloaded.hpp"
#include "scenario/result.hpp"

namespace postern {
namespace {

using Json = nlohmann::json;

// A word or a number, as a person writes it.
std::string word(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string endpoint(const Json& headers, const char* address, const char* port) {
  const auto host = headers.at(address).get<std::string>();
  if (!headers.contains(port)) return host;
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", word(headers[port]));
}

// "192.0.2.9:5000 > 198.51.100.9:21 SYN seq 1000".
std::string packet_text(const Json& headers) {
  if (headers.contains("raw")) return "bytes " + headers["raw"].get<std::string>();
  std::string out =
      endpoint(headers, "src", "sport") + " > " + endpoint(headers, "dst", "dport") + ' ';
  if (headers.contains("flags")) {
    out += fmt::format("{} seq {}", word(headers["flags"]), word(headers["seq"]));
    if (headers["ack"] != 0) out += " ack " + word(headers["ack"]);
  } else {
    out += word(headers["proto"]);
  }
  if (headers.contains("type")) {
    out += fmt::format(" type {} code {}", word(headers["type"]), word(headers["code"]));
  }
  if (headers.value("badsum", false)) out += ", wrong checksum";
  if (headers.contains("id")) out += " id " + word(headers["id"]);
  if (headers.value("payload", 0) > 0) out += fmt::format(", {} bytes", word(headers["payload"]));
  if (headers.contains("inner")) out += fmt::format(" about ({})", packet_text(headers["inner"]));
  return out;
}

std::string tuple_text(const Json& tuple) {
  std::string out;
  for (const char* key : {"src", "dst", "sport", "dport", "type", "code", "id"}) {
    if (!tuple.contains(key)) continue;
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", key, word(tuple[key]));
  }
  return out;
}

// As `conntrack -L` prints it, without number and timeout.
std::string entry_text(const Json& entry) {
  std::string out = word(entry["proto"]) + ' ';
  if (entry.contains("state")) out += word(entry["state"]) + ' ';
  out += tuple_text(entry["orig"]);
  if (entry["unreplied"] == true) out += " [UNREPLIED]";
  out += ' ' + tuple_text(entry["reply"]);
  if (entry["assured"] == true) out += " [ASSURED]";
  if (entry["mark"] != 0) out += " mark=" + word(entry["mark"]);
  for (const char* key : {"zone", "helper"}) {
    if (entry.contains(key)) out += fmt::format(" {}={}", key, word(entry[key]));
  }
  if (entry.contains("master")) out += fmt::format(" child of ({})", tuple_text(entry["master"]));
  return out;
}

std::string expectation_text(const Json& expectation) {
  Json tuple = expectation["tuple"];
  for (auto& [key, value] : expectation["mask"].items()) {
    if (value == 0) tuple.erase(key);  // any will do
  }
  return fmt::format("{} {}", word(expectation["proto"]), tuple_text(tuple));
}

// Where the packet ended, with its headers there when they are not those that were sent.
std::string fate_text(const Json& packet, const std::string& sent) {
  const std::string verdict = word(packet["verdict"]);
  if (packet.contains("died_at")) {
    return verdict + place_text(word(packet["died_at"]));
  }
  std::string out;
  for (const char* key : {"out", "delivered"}) {
    if (!packet.contains(key)) continue;
    for (const Json& seen : packet[key]) {
      const std::string device = seen.contains("out") ? " by " + word(seen["out"]) : "";
      const std::string as = packet_text(seen);
      out += (out.empty() ? "" : "; ") + verdict + device + (as == sent ? "" : " as " + as);
    }
  }
  return out.empty() ? verdict : out;
}

std::string states_text(const Json& packet) {
  static const std::vector<Hook> kFromHere{Hook::kOutput, Hook::kPostrouting, Hook::kPrerouting,
                                           Hook::kInput};
  static const std::vector<Hook> kFromOutside{Hook::kPrerouting, Hook::kInput, Hook::kForward,
                                              Hook::kPostrouting};
  const Json states = packet.value("ctstate", Json::object());
  std::string out;
  for (const Hook hook : states.contains("OUTPUT") ? kFromHere : kFromOutside) {
    const std::string name(text(hook));
    if (!states.contains(name)) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, word(states[name]));
  }
  return out;
}

std::string answer_text(const Json& reply) {
  std::string out = packet_text(reply);
  if (reply.contains("ctstate")) out += fmt::format(", {} in OUTPUT", word(reply["ctstate"]));
  if (reply.contains("fate")) return out + ": " + word(reply["fate"]);
  return reply.contains("out") ? out + ": leaves by " + word(reply["out"]) : out;
}

std::string hit_text(const Json& hit) {
  const std::string place = fmt::format("{} {}", word(hit["table"]), word(hit["chain"]));
  const std::string times = hit["pkts"] == 1 ? "" : fmt::format(" ({} times)", word(hit["pkts"]));
  if (hit.contains("policy"))
    return fmt::format("{} policy {}{}", place, word(hit["policy"]), times);
  return fmt::format("{} {}{}: {}", place, word(hit["num"]), times, word(hit["rule"]));
}

void add_line(std::string& out, const std::string& line) { out += "   " + line + "\n"; }

// That a table other than filter lets everything pass goes without saying.
bool says_nothing(const Json& hit) {
  return hit.contains("policy") && hit["policy"] == "ACCEPT" && hit["table"] != "filter";
}

// Counters and tables: of a packet, or of the whole document.
void add_observations(std::string& out, const Json& seen) {
  for (const char* key : {"rules", "policies"}) {
    for (const Json& hit : seen.value(key, Json::array())) {
      if (!says_nothing(hit)) add_line(out, hit_text(hit));
    }
  }
  for (const Json& entry : seen.value("conntrack", Json::array())) {
    add_line(out, "conntrack: " + entry_text(entry));
  }
  for (const Json& one : seen.value("expect", Json::array())) {
    add_line(out, "expected: " + expectation_text(one));
  }
}

std::string packet_paragraph(const Packet& sent, const Json& packet) {
  std::string out = packet.contains("name") ? " " + word(packet["name"]) + "\n" : "\n";
  const std::string headers = packet_text(to_json(sent));
  add_line(out, (sent.local() ? "local" : sent.in) + ": " + headers);
  add_line(out, fate_text(packet, headers));
  if (const std::string states = states_text(packet); !states.empty()) {
    add_line(out, "state: " + states);
  }
  for (const Json& reply : packet.value("replies", Json::array())) {
    add_line(out, "answer: " + answer_text(reply));
  }
  add_observations(out, packet);
  return out;
}

std::string step_text(const Step& step, const Json& seen) {
  return std::visit(
      Overloaded{[&](const Packet& packet) { return packet_paragraph(packet, seen); },
                 [](const WaitStep& s) { return fmt::format(" wait {} ms\n", s.milliseconds); },
                 [](const FlushStep& s) {
                   return fmt::format(" flush {}\n", s.expectations ? "expect" : "conntrack");
                 },
                 [](const SysctlStep& s) {
                   std::string out;
                   for (const auto& [key, value] : s.values) {
                     out += fmt::format(" sysctl {}={}", key, value);
                   }
                   return out + "\n";
                 }},
      step);
}

}  // namespace

std::string replay_text(const Scenario& scenario, const Json& document) {
  std::string out;
  const Json& packets = document.at("packets");
  for (std::size_t i = 0; i < packets.size() && i < scenario.steps.size(); ++i) {
    out +=
        fmt::format("{}{}.{}", i == 0 ? "" : "\n", i + 1, step_text(scenario.steps[i], packets[i]));
  }
  if (document.contains("rules") || document.contains("conntrack")) {
    out += "\nat the end\n";
    add_observations(out, document);
  }
  if (document.contains("error")) out += "\n" + word(document["error"]) + "\n";
  if (const Json meta = document.value("meta", Json::object()); meta.contains("kernel")) {
    out += "\n" + word(meta["kernel"]) + "\n";
  }
  return out;
}

}  // namespace postern
