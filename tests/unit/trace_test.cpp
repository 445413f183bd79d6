// analyzer/trace: packets from words, the world around them, and the whole text of a trace.
#include "analyzer/trace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/bind.hpp"

namespace postern {
namespace {

using testing::HasSubstr;

std::vector<TracePacket> packets(const std::string& words, Family family = Family::kIpv4) {
  const SourceFile source("words", words);
  auto read = read_packet_words(source, family);
  EXPECT_TRUE(read) << render(read.error().front(), source);
  return read ? std::move(*read) : std::vector<TracePacket>{};
}

std::string errors(const std::string& words) {
  const SourceFile source("words", words);
  const auto read = read_packet_words(source, Family::kIpv4);
  EXPECT_FALSE(read);
  std::string out;
  if (read) return out;
  for (const Diagnostic& error : read.error()) out += render(error, source);
  return out;
}

struct Traced {
  Ruleset ruleset;
  std::optional<Program> program;

  explicit Traced(const std::string& text) {
    auto bound = read_ruleset(std::make_shared<const SourceFile>("rules", text));
    EXPECT_TRUE(bound);
    ruleset = std::move(bound->ruleset);
    program = std::move(*Program::compile(ruleset));
  }
  TraceReport run(const std::string& words) const {
    const auto given = packets(words, ruleset.family);
    return trace(*program, trace_world(given, ruleset.family), given);
  }
};

TEST(TraceWords, ReadsIptablesWords) {
  const auto list = packets(
      "-i eth3 -s 192.0.2.7 -d 192.0.2.8 -p udp -m udp --sport 68 --dport domain --ttl 3 --mark "
      "0x10");
  ASSERT_EQ(list.size(), 1U);
  const Packet& p = list[0].packet;
  EXPECT_EQ(p.in, "eth3");
  EXPECT_EQ(p.source.text(), "192.0.2.7");
  EXPECT_EQ(p.protocol, 17);
  EXPECT_EQ(p.source_port, 68);
  EXPECT_EQ(p.destination_port, 53);
  EXPECT_EQ(p.ttl, 3);
  EXPECT_EQ(p.mark, 16U);
}

TEST(TraceWords, FillsInDocumentationValues) {
  const Packet arriving = packets("-p tcp --dport 22")[0].packet;
  EXPECT_EQ(arriving.in, "eth0");
  EXPECT_EQ(arriving.source.text(), "198.51.100.9");
  EXPECT_EQ(arriving.destination.text(), "192.0.2.1");
  EXPECT_EQ(arriving.flags, tcp_flag::kSyn);
  const Packet leaving = packets("-o eth1 -p icmp")[0].packet;
  EXPECT_TRUE(leaving.local());
  EXPECT_EQ(leaving.source.text(), "192.0.2.1");
  EXPECT_EQ(leaving.type, 8);
  const Packet looped = packets("-i lo --flags SYN,ACK", Family::kIpv6)[0].packet;
  EXPECT_TRUE(looped.local());
  EXPECT_EQ(looped.source.text(), "::1");
  EXPECT_EQ(looped.flags, tcp_flag::kSyn | tcp_flag::kAck);
  const TracePacket forwarded = packets("-i a -o b --length 100")[0];
  EXPECT_EQ(forwarded.forwarded_to, "b");
  EXPECT_EQ(forwarded.packet.payload.size(), 60U);
}

TEST(TraceWords, ReportsEveryMistakeInItsPlace) {
  const std::string all = errors("-p nonsense --dport 70000 --colour red -s fe80::1 --sport");
  EXPECT_THAT(all, HasSubstr("words:1:4: error: -p needs a protocol [packet]"));
  EXPECT_THAT(all, HasSubstr("words:1:21: error: --dport needs a port"));
  EXPECT_THAT(all, HasSubstr("a packet has no --colour"));
  EXPECT_THAT(all, HasSubstr("-s needs an IPv4 address"));
  EXPECT_THAT(all, HasSubstr("--sport needs a port"));
}

TEST(Trace, ShowsEachRuleWithTheReasonWhyNot) {
  const Traced traced(
      "*filter\n:INPUT DROP [0:0]\n:ssh - [0:0]\n"
      "-A INPUT -i lo -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
      "-A INPUT -p tcp -m tcp --dport 22 -j ssh\n"
      "-A ssh -s 203.0.113.0/24 -j ACCEPT\nCOMMIT\n");
  const TraceReport report = traced.run("-i eth0 -p tcp --dport 22 --syn");
  EXPECT_EQ(report.exit_status, 0);
  EXPECT_EQ(report.text,
            "packet 1: eth0 198.51.100.9:50000 -> 192.0.2.1:22 tcp SYN\n"
            "PREROUTING\n"
            "  conntrack: NEW (original)\n"
            "INPUT\n"
            "  filter INPUT\n"
            "    - 1 [line 4] -A INPUT -i lo -j ACCEPT\n"
            "        not: -i lo (in is eth0)\n"
            "    - 2 [line 5] -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
            "        not: -m conntrack --ctstate RELATED,ESTABLISHED (ctstate is NEW)\n"
            "    + 3 [line 6] -A INPUT -p tcp -m tcp --dport 22 -j ssh\n"
            "  filter ssh\n"
            "    - 1 [line 7] -A ssh -s 203.0.113.0/24 -j ACCEPT\n"
            "        not: -s 203.0.113.0/24 (src is 198.51.100.9)\n"
            "  filter INPUT\n"
            "    policy DROP\n"
            "=> dropped in INPUT\n");
}

TEST(Trace, FollowsAConversationAndTheHostsAnswers) {
  const Traced traced(
      "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
      "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
      "-A INPUT -p udp -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n");
  const TraceReport report = traced.run(
      "-o eth0 -p udp --sport 5 --dport 6 -d 203.0.113.1 "
      "--then -i eth0 -p udp --sport 6 --dport 5 -s 203.0.113.1 "
      "--then -i eth0 -p udp --sport 7 --dport 5 -s 203.0.113.1");
  EXPECT_THAT(report.text, HasSubstr("=> sent to eth0\npacket 2: eth0"));
  EXPECT_THAT(report.text, HasSubstr("conntrack: ESTABLISHED (reply)"));
  EXPECT_THAT(report.text, HasSubstr("=> delivered\npacket 3: eth0"));
  EXPECT_THAT(report.text, HasSubstr("OUTPUT (the host's answer)\n  conntrack: RELATED (reply)"));
  EXPECT_THAT(report.text, HasSubstr("=> dropped in INPUT\n   the host answers: "));
}

TEST(Trace, SaysWhatItAssumed) {
  const Traced traced("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m frobnicate -j DROP\nCOMMIT\n");
  const TraceReport report = traced.run("-i eth0 -o eth1 -p udp");
  EXPECT_THAT(report.text, HasSubstr("=> forwarded to eth1\n"));
  EXPECT_THAT(report.text, HasSubstr("in filter FORWARD 1 is false\n"));
}

}  // namespace
}  // namespace postern
