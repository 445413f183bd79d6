// Packets whose checksum is wrong are INVALID off a wire (kernel-facts 26), whatever they are else:
// netfilter passes them on if its rules say so. No end hears them, so nobody answers, and to this
// host's own sockets its stack does not give them.
#include <gtest/gtest.h>

#include "query_fixture.hpp"
#include "symbolic/entries/abstract_entry.hpp"

namespace postern {
namespace {

Answer behind(const std::string& filter, const std::string& question, Family family) {
  const LoadedRuleset rules(
      "broken.rules", "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n" + filter + "COMMIT\n",
      family);
  return ask_one(rules, question);
}

struct Row {
  const char* name;
  Family family;
  const char* match;
};

class BrokenPackets : public ::testing::TestWithParam<Row> {};

TEST_P(BrokenPackets, AreInvalidOffAWire) {
  const auto& [name, family, match] = GetParam();
  const std::string invalid = std::string(" ") + match + " -m conntrack --ctstate INVALID ";
  const std::string asked = std::string("deliver -i eth0 ") + match + " --path ";
  const Answer a = behind("-A FORWARD" + invalid + "-j ACCEPT\n", asked + "forward", family);
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_NE(to_text(a).find("wrong checksum"), std::string::npos) << to_text(a);
  const Answer dropped = behind("-A FORWARD" + invalid + "-j DROP\n-A FORWARD " + match +
                                    " -m conntrack --ctstate ESTABLISHED -j ACCEPT\n",
                                asked + "forward", family);
  EXPECT_EQ(dropped.truth, Truth::kNo) << to_text(dropped);
  const Answer here = behind("-A INPUT" + invalid + "-j ACCEPT\n", asked + "in", family);
  EXPECT_EQ(here.truth, Truth::kNo) << to_text(here);
}

INSTANTIATE_TEST_SUITE_P(
    Of, BrokenPackets,
    ::testing::Values(Row{"Udp", Family::kIpv4, "-p udp"}, Row{"Udp6", Family::kIpv6, "-p udp"},
                      Row{"Syn", Family::kIpv4, "-p tcp --syn"},
                      Row{"Echo", Family::kIpv4, "-p icmp --icmp-type 8"},
                      Row{"Echo6", Family::kIpv6, "-p icmpv6 --icmpv6-type 128"}),
    [](const auto& row) { return std::string(row.param.name); });

// What no end hears opens no way for an answer.
TEST(BrokenPacketsAlone, AreNotAnswered) {
  const auto after = [](const std::string& first) {
    return behind("-A FORWARD -p udp -i eth0 -m ttl --ttl-eq 7 -m conntrack --ctstate " + first +
                      " -j ACCEPT\n-A FORWARD -p udp -i eth1 -m conntrack --ctstate NEW -j ACCEPT\n"
                      "-A FORWARD -p udp -m conntrack --ctstate ESTABLISHED -j ACCEPT\n",
                  "deliver -i eth0 -o eth1 -p udp -m ttl --ttl-eq 20", Family::kIpv4)
        .truth;
  };
  EXPECT_EQ(after("INVALID"), Truth::kNo);
  EXPECT_EQ(after("NEW"), Truth::kYes);
}

// Every kind that has a checksum may be INVALID without moving anything.
TEST(AbstractEntry, AnyKindWithAChecksumMayBeInvalid) {
  using enum PacketKind;
  for (const PacketKind kind :
       {kTcpSyn, kTcpSynAck, kTcpFin, kTcpAck, kTcpRst, kDatagram, kUdplite, kIcmpRequest,
        kSctpInit, kSctpInitAck, kSctpCookieEcho, kSctpCookieAck, kSctp}) {
    std::set<AbstractEntry> seen{AbstractEntry{}};
    std::vector<AbstractEntry> work{AbstractEntry{}};
    while (!work.empty()) {
      const AbstractEntry entry = work.back();
      work.pop_back();
      bool invalid = false;
      for (const AbstractStep& step : successors(entry, FlowEnd::kInitiator, kind, {})) {
        invalid = invalid || (step.state == CtState::kInvalid && step.after == entry);
        if (seen.insert(step.after).second) work.push_back(step.after);
      }
      EXPECT_TRUE(invalid) << text(kind) << " meets " << text(entry);
    }
  }
}

}  // namespace
}  // namespace postern
