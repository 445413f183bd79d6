// Scenario JSON: defaults, every key, located errors (all of them), and read(write(x)) == x.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "net/protocol.hpp"
#include "scenario/scenario.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

Result<ScenarioFile> read(const std::string& text, const std::string& directory = "") {
  return read_scenarios(SourceFile("x.json", text), directory);
}

// "line:column message" for every error.
std::vector<std::string> errors(const std::string& text) {
  const SourceFile source("x.json", text);
  const auto result = read_scenarios(source, "");
  std::vector<std::string> lines;
  if (result) return lines;
  for (const Diagnostic& error : result.error()) {
    const Position at = source.position(error.span.begin);
    lines.push_back(std::to_string(at.line) + ":" + std::to_string(at.column) + " " +
                    error.message);
  }
  return lines;
}

Packet only_packet(const std::string& packet) {
  const auto file = read("{\"packets\":[" + packet + "]}");
  if (!file) throw std::runtime_error(file.error().front().message);
  return std::get<Packet>(file->scenarios.at(0).steps.at(0));
}

TEST(ScenarioRead, Defaults) {
  const auto file = read(R"({"packets": []})");
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->lone);
  const Scenario& s = file->scenarios.at(0);
  EXPECT_FALSE(s.ruleset);
  EXPECT_FALSE(s.ruleset6);
  EXPECT_EQ(s.backend, Backend::kLegacy);
  ASSERT_EQ(s.interfaces.size(), 2u);
  EXPECT_EQ(s.interfaces[0].name, "lo");
  EXPECT_EQ(s.interfaces[0].addresses.at(0).address.text(), "127.0.0.1");
  EXPECT_EQ(s.interfaces[0].addresses.at(1).address.text(), "::1");
  EXPECT_EQ(s.interfaces[1].name, "eth0");
  EXPECT_EQ(s.interfaces[1].addresses.at(0).address.text(), "192.0.2.1");
  EXPECT_EQ(s.interfaces[1].addresses.at(0).length, 24u);
  EXPECT_FALSE(s.forwarding);
  EXPECT_EQ(s.tracking, TrackingMode::kAuto);
  EXPECT_EQ(s.observe, Observe::kEach);
}

TEST(ScenarioRead, PacketDefaultsAndFields) {
  const Packet p = only_packet(
      R"({"in":"eth0","src":"192.0.2.9","dst":"192.0.2.1","proto":"tcp","sport":5,"dport":6,)"
      R"("flags":"SYN,ACK","seq":1,"ack":2,"payload":3,"ttl":9,"df":true,"options":"02 04 05 b4"})");
  EXPECT_EQ(p.in, "eth0");
  EXPECT_EQ(p.flags, tcp_flag::kSyn | tcp_flag::kAck);
  EXPECT_EQ(p.window, 65535);
  EXPECT_EQ(p.payload, Bytes(3, 0));
  EXPECT_EQ(p.options.size(), 4u);
  EXPECT_TRUE(p.dont_fragment);
  EXPECT_EQ(
      only_packet(
          R"({"local":true,"src":"::1","dst":"::1","proto":"icmpv6","type":135,"rest":65538})")
          .icmp_seq,
      2);
  EXPECT_EQ(
      only_packet(R"({"local":true,"src":"::1","dst":"::1","proto":50,"mark":"0x10","uid":0})")
          .mark,
      16u);
  EXPECT_EQ(
      only_packet(R"({"local":true,"src":"::1","dst":"::1","proto":"tcp","flags":"ALL"})").flags,
      0x3f);
  EXPECT_EQ(
      only_packet(R"({"local":true,"src":"::1","dst":"::1","proto":"udp","payload":"hex:0aff"})")
          .payload,
      (Bytes{10, 255}));
  const Packet sctp = only_packet(
      R"({"local":true,"src":"::1","dst":"::1","proto":"sctp","chunks":["INIT",{"type":0,"data":1}]})");
  EXPECT_EQ(sctp.chunks.size(), 28u);
}

TEST(ScenarioRead, BytesFillTheFields) {
  const Packet p = only_packet(
      R"({"in":"eth0","raw":"4500001c00000000401100000a0000010a0000020035003600080000"})");
  EXPECT_EQ(p.source.text(), "10.0.0.1");
  EXPECT_EQ(p.protocol, protocol::kUdp);
  EXPECT_EQ(p.source_port, 53);
  ASSERT_TRUE(p.raw);
  EXPECT_EQ(to_bytes(p).size(), 28u);
  const Packet cut = only_packet(
      R"({"in":"eth0","src":"10.0.0.1","dst":"10.0.0.2","proto":"tcp","rawl4":"00350036"})");
  EXPECT_EQ(cut.destination_port, 54);
  EXPECT_EQ(cut.raw_l4, (Bytes{0, 0x35, 0, 0x36}));
}

TEST(ScenarioRead, EveryErrorWithItsPlace) {
  EXPECT_EQ(
      errors("{\"packets\":[\n {\"in\":\"eth0\",\"src\":\"192.0.2.999\",\"dst\":\"192.0.2.1\",\n"
             "  \"proto\":\"tcp\",\"sport\":65536,\"flag\":\"SYN\"},\n {\"local\":true}],\n"
             " \"backend\":\"ipfw\"}"),
      (std::vector<std::string>{
          "2:21 `192.0.2.999` is no numeric IP address",
          "3:25 a number from 0 to 65535 is needed here",
          "3:31 `flag` is not known here",
          "4:2 a packet needs `src`",
          "4:2 a packet needs `dst`",
          "4:2 a packet needs `proto`",
          "5:12 `ipfw` is not known here",
      }));
  EXPECT_EQ(
      errors(
          "{\"packets\":[{\"in\":\"eth9\",\"src\":\"1.1.1.1\",\"dst\":\"::1\",\"proto\":\"x\"}]}"),
      (std::vector<std::string>{"1:19 `eth9` is not one of the interfaces",
                                "1:48 `src` and `dst` are of different families",
                                "1:62 no such protocol"}));
  const std::string length =
      R"({"packets":[{"local":true,"src":"::1","dst":"::1","proto":"udp","payload":)";
  EXPECT_EQ(errors(length + "65527}]}"), std::vector<std::string>{});
  EXPECT_EQ(errors(length + "65528}]}"),
            std::vector<std::string>{
                "1:13 this packet has 65576 bytes, and no length field counts more than 65575"});
  EXPECT_EQ(errors("{\"packets\":[],\"packets\":[]}"),
            (std::vector<std::string>{"1:15 `packets` stands here twice"}));
  EXPECT_EQ(errors("{\"ruleset\":\"/nonexistent\"}"),
            (std::vector<std::string>{"1:12 cannot read /nonexistent"}));
  ASSERT_EQ(errors("{\n \"packets\": [1,}").size(), 1u);
  EXPECT_EQ(errors("{\n \"packets\": [1,}").front().substr(0, 5), "2:16 ");
  EXPECT_EQ(errors("[1]").size(), 1u);
  EXPECT_EQ(errors("").size(), 1u);
  EXPECT_EQ(errors(std::string(100000, '[')).size(), 1u);
  EXPECT_EQ(
      errors(
          R"({"packets":[{"in":"eth0","local":true,"src":"1.1.1.1","dst":"1.1.1.2","proto":1}]})")
          .size(),
      1u);
}

// Scenarios are run as root with --on-kernel: nothing in them may reach beyond the namespace.
TEST(ScenarioRead, NamesCannotSmuggleCommandsOrPaths) {
  for (const char* scenario :
       {R"({"interfaces":[{"name":"e\nnetns exec x sh"}]})", R"({"interfaces":[{"name":"a/b"}]})",
        R"({"interfaces":[{"name":"all"}]})", R"({"interfaces":[{"name":""}]})",
        R"({"routes":[{"to":"default","dev":"eth0\nvrf exec x sh"}]})",
        R"({"routes":[{"to":"default","dev":"eth0","type":"unicast default\nvrf exec x sh"}]})",
        R"({"sysctl":{"kernel/core_pattern":"|/bin/sh"}})",
        R"({"sysctl":{"net/../kernel/core_pattern":"x"}})"}) {
    EXPECT_EQ(errors(scenario).size(), 1u) << scenario;
  }
}

TEST(ScenarioRead, SeveralScenariosAndPaths) {
  const auto directory = std::filesystem::temp_directory_path() / "postern_scenario_read";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "a.rules") << "*filter\nCOMMIT\n";
  const auto file = read(R"({"scenarios":[{"ruleset":"a.rules"},{"ruleset":"*raw\nCOMMIT\n"}]})",
                         directory.string());
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->lone);
  EXPECT_EQ(file->scenarios.at(0).ruleset, "*filter\nCOMMIT\n");
  EXPECT_EQ(file->scenarios.at(1).ruleset, "*raw\nCOMMIT\n");
  std::filesystem::remove_all(directory);
}

TEST(ScenarioRead, WrittenScenariosReadTheSame) {
  const std::string text =
      R"({"ruleset":"*filter\nCOMMIT\n","ruleset6":"*raw\nCOMMIT\n","backend":"nft",
   "interfaces":[{"name":"lo","addresses":["10.0.0.1/32"]},{"name":"e","addresses":["192.0.2.1/24","2001:db8::1/64"],"mtu":1280}],
   "routes":[{"to":"default","dev":"e"},{"to":"default","family":6,"dev":"e"},{"to":"10.1.0.0/16","type":"blackhole"},{"to":"10.2.0.0/16","via":"192.0.2.7"}],
   "forwarding":true,"sysctl":{"net.ipv4.ip_forward":1,"net/ipv6/conf/e/forwarding":"1"},"conntrack":"on","observe":"end","trace":true,
   "ipset":"create x hash:ip\n","choices":[1,2],
   "packets":[{"in":"e","src":"192.0.2.9","dst":"192.0.2.1","proto":"tcp","sport":5,"dport":6,"flags":"SYN","seq":7,"window":3,"urg":1,"options":"0101"},
    {"wait_ms":5},{"flush":"expect"},{"flush":"conntrack"},{"sysctl":{"net/b":0}},
    {"name":"n","local":true,"oif":"e","uid":0,"gid":3,"mark":9,"src":"2001:db8::1","dst":"2001:db8::2","proto":"udp","payload":"abc","tos":4,"ttl":1},
    {"in":"e","src":"192.0.2.9","dst":"192.0.2.1","proto":"icmp","type":3,"code":1,"inner":{"src":"192.0.2.1","dst":"192.0.2.9","proto":"udp","sport":1,"dport":2},"inner_len":30},
    {"in":"e","src":"192.0.2.9","dst":"192.0.2.1","proto":"sctp","sport":1,"dport":2,"vtag":4,"chunks":["INIT"]},
    {"in":"e","src":"192.0.2.9","dst":"192.0.2.1","proto":"gre","key":4,"payload":"hex:00"},
    {"in":"e","src":"192.0.2.9","dst":"192.0.2.1","proto":"dccp","sport":1,"dport":2,"dccptype":"RESPONSE"},
    {"in":"e","src":"192.0.2.9","dst":"192.0.2.1","proto":2,"payload":5,"mf":true,"frag_off":8,"ipid":3,"badsum":true},
    {"in":"e","src":"192.0.2.9","dst":"192.0.2.1","proto":"udp","payload":50,"fragment":16},
    {"in":"e","src":"192.0.2.9","dst":"192.0.2.1","proto":"tcp","rawl4":"00"},
    {"in":"e","raw":"4500001400000000400100000a0000010a000002"}]})";
  const auto first = read(text);
  ASSERT_TRUE(first) << first.error().front().message;
  const std::string written = write_scenario(first->scenarios.at(0));
  const auto second = read(written);
  ASSERT_TRUE(second) << second.error().front().message << written;
  EXPECT_EQ(write_scenario(second->scenarios.at(0)), written);
  const auto& a = first->scenarios.at(0).steps;
  const auto& b = second->scenarios.at(0).steps;
  ASSERT_EQ(a.size(), b.size());
  int packets = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].index(), b[i].index());
    if (const auto* packet = std::get_if<Packet>(&a[i])) {
      ++packets;
      EXPECT_EQ(to_wire(*packet), to_wire(std::get<Packet>(b[i]))) << "packets[" << i << "]";
      EXPECT_EQ(packet->in, std::get<Packet>(b[i]).in);
      EXPECT_EQ(packet->mark, std::get<Packet>(b[i]).mark);
    }
  }
  EXPECT_EQ(packets, 10);
  EXPECT_EQ(second->scenarios.at(0).sysctl, first->scenarios.at(0).sysctl);
  EXPECT_EQ(second->scenarios.at(0).routes.size(), 4u);
}

TEST(ScenarioRead, ExamplesOfTheFormatRead) {
  const std::filesystem::path directory =
      std::filesystem::path(POSTERN_SOURCE_DIR) / "../shared/scenario-examples";
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no ../shared";
  for (const char* name : {"mixed.json", "sequence.json", "ipv6_nat.json"}) {
    std::ifstream stream(directory / name);
    std::ostringstream text;
    text << stream.rdbuf();
    const auto file = read(text.str());
    ASSERT_TRUE(file) << name << file.error().front().message;
    EXPECT_FALSE(file->scenarios.at(0).steps.empty());
  }
}

}  // namespace
}  // namespace postern
