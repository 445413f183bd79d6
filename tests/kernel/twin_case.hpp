// Rows of tables of small scenarios that run in the engine and on Linux, and what differs then.
#pragma once

#include <nlohmann/json.hpp>

#include "chain_lines.hpp"
#include "nat_twin.hpp"

namespace postern::kernel {

using Json = nlohmann::json;

struct Case {
  const char* name;
  const char* ruleset;      // IPv4; "6" in front: IPv6
  const char* packets;      // JSON list
  const char* more = "{}";  // further keys of the scenario
};

inline void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

inline Scenario scenario_of(const Case& one, const char* backend) {
  Json json = Json::parse(one.more);
  const bool six = one.ruleset[0] == '6';
  const std::string text = one.ruleset + (six ? 1 : 0);
  // The legacy backend counts policies of chains that the text leaves out, too.
  const bool nft = std::string_view(backend) == "nft";
  json[six ? "ruleset6" : "ruleset"] = nft ? with_chains(text) : text;
  json["packets"] = Json::parse(one.packets);
  json["backend"] = backend;
  if (!json.contains("interfaces")) {
    json["interfaces"] = Json::parse(
        R"([{"name":"lo"},{"name":"eth0","addresses":["192.0.2.1/24","192.0.2.2/24","2001:db8:1::1/64"]},
            {"name":"eth1","addresses":["198.51.100.1/24","2001:db8:2::1/64"]}])");
  }
  if (!json.contains("routes")) json["routes"] = Json::parse(R"([{"to":"default","dev":"eth1"}])");
  if (!json.contains("forwarding")) json["forwarding"] = true;
  const SourceFile source(one.name, json.dump());
  auto file = read_scenarios(source, ".");
  if (!file) throw std::runtime_error(render(file.error().front(), source));
  return file->scenarios.at(0);
}

// iptables-nft-save writes some rules in other words.
inline Json without_texts(Json document) {
  for (auto& packet : document["packets"]) {
    if (!packet.contains("rules")) continue;
    for (auto& hit : packet["rules"]) hit.erase("rule");
  }
  return document;
}

inline std::string difference(const NatTwin& twin, std::size_t most = 12) {
  std::string all;
  const auto lines = differences(without_texts(twin.engine_says), without_texts(twin.linux_says));
  for (std::size_t i = 0; i < std::min(lines.size(), most); ++i) all += lines[i] + "\n";
  return all;
}

}  // namespace postern::kernel
