// Result documents: the JSON of headers and reports, and how two documents are compared.
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "net/protocol.hpp"
#include "scenario/result.hpp"

namespace postern {
namespace {

using Json = nlohmann::json;

Packet udp() {
  Packet p;
  p.in = "eth0";
  p.source = *Address::parse("192.0.2.9");
  p.destination = *Address::parse("192.0.2.1");
  p.protocol = protocol::kUdp;
  p.source_port = 5000;
  p.destination_port = 53;
  p.payload = Bytes(12, 0);
  return p;
}

TEST(ScenarioResult, HeadersOfEachProtocol) {
  EXPECT_EQ(to_json(udp()),
            Json::parse(R"({"ver":4,"src":"192.0.2.9","dst":"192.0.2.1","ttl":64,"tos":0,
      "proto":"udp","len":40,"sport":5000,"dport":53,"payload":12})"));
  Packet tcp = udp();
  tcp.protocol = protocol::kTcp;
  tcp.flags = tcp_flag::kRst | tcp_flag::kAck;
  tcp.dont_fragment = true;
  tcp.payload.clear();
  EXPECT_EQ(to_json(tcp),
            Json::parse(R"({"ver":4,"src":"192.0.2.9","dst":"192.0.2.1","ttl":64,"tos":0,
      "df":true,"proto":"tcp","len":40,"sport":5000,"dport":53,"seq":0,"ack":0,"window":65535,
      "flags":"RST,ACK","payload":0})"));
  Packet error;
  error.source = *Address::parse("2001:db8::1");
  error.destination = *Address::parse("2001:db8::2");
  error.protocol = protocol::kIcmpv6;
  error.type = 1;
  error.code = 4;
  Packet inner = udp();
  inner.source = error.destination;
  inner.destination = error.source;
  inner.payload.clear();
  error.inner = std::make_shared<const Packet>(inner);
  EXPECT_EQ(to_json(error),
            Json::parse(R"({"ver":6,"src":"2001:db8::1","dst":"2001:db8::2","ttl":64,
      "tos":0,"proto":"icmpv6","len":96,"type":1,"code":4,"inner":{"ver":6,"src":"2001:db8::2",
      "dst":"2001:db8::1","ttl":64,"tos":0,"proto":"udp","len":48,"sport":5000,"dport":53,"payload":0}})"));
  Packet other = udp();
  other.protocol = 50;
  EXPECT_EQ(to_json(other)["proto"], 50);
  EXPECT_EQ(ip_length(udp()), 40u);
}

TEST(ScenarioResult, ReportOfAPacket) {
  PacketReport report;
  report.name = "first";
  report.verdict = Verdict::kDelivered;
  report.delivered.push_back(udp());
  report.state = {{Hook::kPrerouting, CtState::kNew}, {Hook::kInput, CtState::kNew}};
  report.reply_direction = {{Hook::kPrerouting, false}, {Hook::kInput, false}};
  report.rules.push_back(
      {TableName::kFilter, "INPUT", 2, 1, 40, "-A INPUT -j ACCEPT", std::nullopt});
  report.policies.push_back({TableName::kRaw, "PREROUTING", 0, 1, 40, "ACCEPT", Family::kIpv4});
  EntryReport entry;
  entry.protocol = protocol::kUdp;
  entry.original = {
      *Address::parse("192.0.2.9"), *Address::parse("192.0.2.1"), 5000, 53, {}, {}, {}};
  entry.reply = {*Address::parse("192.0.2.1"), *Address::parse("192.0.2.9"), 53, 5000, {}, {}, {}};
  entry.status = ct_status::kConfirmed | ct_status::kSourceNatDone;
  report.conntrack.push_back(entry);
  const Json expected = Json::parse(R"({"name":"first","verdict":"delivered",
    "ctstate":{"PREROUTING":"NEW","INPUT":"NEW"},"ctdir":{"PREROUTING":"original","INPUT":"original"},
    "delivered":[{"ver":4,"src":"192.0.2.9","dst":"192.0.2.1","ttl":64,"tos":0,"proto":"udp","len":40,
                  "sport":5000,"dport":53,"payload":12,"in":"eth0","mark":0}],
    "rules":[{"table":"filter","chain":"INPUT","pkts":1,"bytes":40,"num":2,"rule":"-A INPUT -j ACCEPT"}],
    "policies":[{"table":"raw","chain":"PREROUTING","pkts":1,"bytes":40,"policy":"ACCEPT","family":4}],
    "conntrack":[{"l3":"ipv4","proto":"udp","orig":{"src":"192.0.2.9","dst":"192.0.2.1","sport":5000,"dport":53},
      "reply":{"src":"192.0.2.1","dst":"192.0.2.9","sport":53,"dport":5000},
      "status":["CONFIRMED","SRC_NAT_DONE"],"unreplied":true,"assured":false,"mark":0}]})");
  EXPECT_EQ(to_json(report), expected) << to_json(report).dump(1);
  ScenarioReport document;
  document.packets = {report};
  document.each = false;
  document.last.rules = report.rules;
  const Json whole = to_json(document);
  EXPECT_FALSE(whole["packets"][0].contains("rules"));
  EXPECT_EQ(whole["rules"], expected["rules"]);
  EXPECT_TRUE(whole.contains("conntrack"));
}

TEST(ScenarioResult, DifferencesIgnoreOrderOfSetsAndWhatDoesNotCount) {
  const Json left = Json::parse(R"({"packets":[{"verdict":"sent","rules":[{"num":1},{"num":2}],
      "conntrack":[{"mark":0,"tcpflags":{"orig":1}}],"trace":[1]}],"meta":{"a":1}})");
  const Json right = Json::parse(R"({"packets":[{"verdict":"sent","rules":[{"num":2},{"num":1}],
      "conntrack":[{"mark":0}],"expect":[]}],"meta":{"a":2}})");
  EXPECT_EQ(differences(left, right), std::vector<std::string>{});
}

TEST(ScenarioResult, DifferencesAreNamedWithTheirPath) {
  const Json left = Json::parse(
      R"({"packets":[{"verdict":"sent","rules":[{"num":1},{"num":1}],"died_at":"X"}]})");
  const Json right = Json::parse(R"({"packets":[{"verdict":"dropped","rules":[{"num":1}]},{}]})");
  EXPECT_EQ(differences(left, right), (std::vector<std::string>{
                                          "packets: 1 items left, 2 right",
                                          "packets[0].died_at: only left: \"X\"",
                                          "packets[0].rules: only left: {\"num\":1}",
                                          "packets[0].verdict: \"sent\" left, \"dropped\" right",
                                      }));
}

}  // namespace
}  // namespace postern
