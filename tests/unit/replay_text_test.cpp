// analyzer/report/replay_text: what a person reads of a replay. The pages of corpus/stories have
// whole paragraphs; here is what they do not reach.
#include "analyzer/report/replay_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analyzer/replay_document.hpp"

namespace postern {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string text_of(const std::string& json) {
  const SourceFile source("scenario", json);
  const auto file = read_scenarios(source, ".");
  if (!file) throw std::runtime_error(render(file.error().front(), source));
  const auto document = replay_document(*file);
  if (!document) throw std::runtime_error(document.error().front().message);
  return replay_text(file->scenarios.front(), document->json);
}

const char* const kUdp6 =
    R"({"in":"eth0","src":"2001:db8::9","dst":"2001:db8::1","proto":"udp","sport":1,"dport":2})";

TEST(ReplayText, WritesIpv6PortsBehindBrackets) {
  const std::string text =
      text_of(R"({"interfaces":[{"name":"eth0","addresses":["2001:db8::1/64"]}],
    "ruleset6":"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -j ACCEPT\nCOMMIT\n","packets":[)" +
              std::string(kUdp6) + "]}");
  EXPECT_THAT(text, StartsWith("1.\n   eth0: [2001:db8::9]:1 > [2001:db8::1]:2 udp\n"
                               "   delivered\n   filter INPUT 1: -A INPUT -p udp -j ACCEPT\n"));
}

TEST(ReplayText, NamesStepsThatAreNoPackets) {
  const std::string text = text_of(
      R"({"packets":[{"wait_ms":5},{"flush":"expect"},{"sysctl":{"net.netfilter.nf_conntrack_checksum":0}}]})");
  EXPECT_EQ(text,
            "1. wait 5 ms\n\n2. flush expect\n\n"
            "3. sysctl net/netfilter/nf_conntrack_checksum=0\n");
}

TEST(ReplayText, TellsTheTablesAtTheEndWhenTheyAreObservedOnlyThere) {
  const std::string text = text_of(
      R"({"ruleset":"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstate NEW\nCOMMIT\n",
    "observe":"end","packets":[{"in":"eth0","src":"192.0.2.9","dst":"192.0.2.1","proto":"udp","sport":1,"dport":2}]})");
  EXPECT_THAT(text, HasSubstr("\nat the end\n   filter INPUT 1: -A INPUT -m conntrack"));
  EXPECT_THAT(text, HasSubstr("   conntrack: udp src=192.0.2.9"));
}

TEST(ReplayText, SaysBehindWhichHookRoutingDropped) {
  const std::string text = text_of(
      R"({"ruleset":"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j ACCEPT\nCOMMIT\n","forwarding":false,
    "packets":[{"in":"eth0","src":"192.0.2.9","dst":"203.0.113.9","proto":"udp","sport":1,"dport":2}]})");
  EXPECT_THAT(text, HasSubstr("\n   dropped after PREROUTING\n"));
}

TEST(ReplayText, SaysWhereItStopped) {
  const std::string text = text_of(
      R"({"ruleset":"*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j CT --helper sip\nCOMMIT\n",
    "packets":[{"in":"eth0","src":"192.0.2.9","dst":"192.0.2.1","proto":"udp","sport":1,"dport":2}]})");
  EXPECT_THAT(text, HasSubstr("unmodelled: CT --helper sip"));
  EXPECT_THAT(text, Not(HasSubstr("1.")));
}

}  // namespace
}  // namespace postern
