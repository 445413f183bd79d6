// Packets whose checksum is wrong are INVALID off a wire (kernel-facts 26), whatever they are else,
// and those whose header is cut short, or claims another length than the packet has, everywhere:
// netfilter passes them on if its rules say so. No end hears them, so nobody answers; of wrong
// checksums and lengths this host's own stack takes none.
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
    ::testing::Values(Row{"Udp", Family::kIpv4, "-p udp --dport 53"},
                      Row{"Udp6", Family::kIpv6, "-p udp --dport 53"},
                      Row{"Syn", Family::kIpv4, "-p tcp --syn"},
                      Row{"Echo", Family::kIpv4, "-p icmp --icmp-type 8"},
                      Row{"Echo6", Family::kIpv6, "-p icmpv6 --icmpv6-type 128"},
                      // What is never tracked is no exception.
                      Row{"Neighbour", Family::kIpv6, "-p icmpv6 --icmpv6-type 135"},
                      Row{"Report", Family::kIpv6, "-p icmpv6 --icmpv6-type 143"}),
    [](const auto& row) { return std::string(row.param.name); });

// A wrong checksum is all that makes it so.
TEST(BrokenPacketsAlone, AWholeReportIsUntracked) {
  const auto report = [](const std::string& state, const std::string& path) {
    return behind("-A FORWARD -p icmpv6 --icmpv6-type 143 -m conntrack --ctstate " + state +
                      " -j ACCEPT\n-A INPUT -p icmpv6 -m conntrack --ctstate INVALID -j ACCEPT\n",
                  "deliver -i eth0 -p icmpv6 --icmpv6-type 143 --path " + path, Family::kIpv6)
        .truth;
  };
  EXPECT_EQ(report("UNTRACKED", "forward"), Truth::kYes);
  EXPECT_EQ(report("NEW,ESTABLISHED,RELATED", "forward"), Truth::kNo);
  EXPECT_EQ(report("INVALID", "forward"), Truth::kYes);
}

struct Cut {
  const char* name;
  Family family;
  const char* match;  // with a length that a whole header does not fit into
  bool whole = false;
};

const Cut kCuts[] = {
    {"Tcp", Family::kIpv4, "-p tcp -m length --length 20:30"},
    {"Tcp6", Family::kIpv6, "-p tcp -m length --length 40:50"},
    {"Udp", Family::kIpv4, "-p udp -m length --length 20:27"},
    {"Udp6", Family::kIpv6, "-p udp -m length --length 40:47"},
    {"UdpWithPorts", Family::kIpv4, "-p udp --dport 53 -m length --length 20:27", true},
    {"Udplite", Family::kIpv4, "-p udplite -m length --length 20:27"},
    {"Echo", Family::kIpv4, "-p icmp -m length --length 20:23"},
    {"Echo6", Family::kIpv6, "-p icmpv6 -m length --length 40:43"},
    {"Sctp", Family::kIpv4, "-p sctp -m length --length 20:31"},
};

class CutPackets : public ::testing::TestWithParam<Cut> {};

TEST_P(CutPackets, AreInvalid) {
  const auto& [name, family, match, never] = GetParam();
  const std::string accept =
      std::string(" ") + match + " -m conntrack --ctstate INVALID -j ACCEPT\n";
  const auto asked = [&](const std::string& chain, const std::string& question) {
    const Answer a = behind("-A " + chain + accept, "deliver " + question, family);
    // A match of ports drops what is cut short.
    EXPECT_EQ(a.truth, never ? Truth::kNo : Truth::kYes) << to_text(a);
    EXPECT_EQ(to_text(a).find("cut short") == std::string::npos, never) << to_text(a);
  };
  asked("FORWARD", "-i eth0 -o eth1 --path forward");
  asked("INPUT", "-i eth0 --path in");
  asked("OUTPUT", "-o eth1 --path out");
  const std::string other = std::string("-A FORWARD ") + match +
                            " -m conntrack --ctstate NEW,ESTABLISHED,RELATED,UNTRACKED -j ACCEPT\n";
  const Answer none = behind(other, "deliver -i eth0 -o eth1 --path forward", family);
  EXPECT_EQ(none.truth, Truth::kNo) << to_text(none);
}

INSTANTIATE_TEST_SUITE_P(Of, CutPackets, ::testing::ValuesIn(kCuts),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(CutPacketsAlone, AreUntrackedWhereARuleSaysSo) {
  const LoadedRuleset rules(
      "cut.rules",
      "*raw\n-A PREROUTING -p udp -j CT --notrack\nCOMMIT\n*filter\n:FORWARD DROP\n-A FORWARD -p "
      "udp "
      "-m conntrack --ctstate UNTRACKED -m length --length 20:27 -j ACCEPT\nCOMMIT\n",
      Family::kIpv4);
  const Answer a = ask_one(rules, "deliver -i eth0 -o eth1 -p udp --path forward");
  EXPECT_EQ(a.truth, Truth::kYes) << to_text(a);
}

// Over lo as well, looked up twice.
TEST(CutPacketsAlone, AreInvalidOverLo) {
  const Answer a = behind(
      "-A OUTPUT -j ACCEPT\n-A INPUT -p tcp -m length --length 20:30 -m conntrack --ctstate "
      "INVALID "
      "-j ACCEPT\n",
      "deliver -i lo -p tcp", Family::kIpv4);
  EXPECT_EQ(a.truth, Truth::kYes) << to_text(a);
}

// An IPv6 packet is longer by the headers before the one that is cut.
TEST(CutPacketsAlone, ExtensionHeadersMakeLonger) {
  const Answer a = behind(
      "-A FORWARD -p udp --dport 53 -m length --length 60:70 -j ACCEPT\n"
      "-A FORWARD -p udp -m length --length 60:70 -j DROP\n"
      "-A FORWARD -p tcp -m length --length 48:70 -m conntrack --ctstate INVALID "
      "-m conntrack ! --ctstate NEW -j ACCEPT\n",
      "deliver -i eth0 -o eth1 -p tcp -m length --length 48:70 --path forward", Family::kIpv6);
  EXPECT_NE(a.truth, Truth::kNo) << to_text(a);
}

// An IPv4 packet by its options: up to 40 bytes.
TEST(CutPacketsAlone, OptionsMakeLonger) {
  const auto asked = [](const std::string& length) {
    const std::string udp = "-p udp -m length --length " + length;
    return behind("-A INPUT " + udp + " -m conntrack --ctstate INVALID -j ACCEPT\n",
                  "deliver -i eth0 " + udp + " --path in", Family::kIpv4)
        .truth;
  };
  EXPECT_EQ(asked("50:60"), Truth::kUnknown);
  EXPECT_EQ(asked("68:70"), Truth::kNo);
}

// Only a raw socket writes such headers; they leave, and nobody takes them.
TEST(WrongLengths, OfThisHostAreInvalidAndLeave) {
  for (const char* match : {"-p udp --dport 53", "-p tcp --syn"}) {
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      const std::string invalid = std::string(" ") + match +
                                  " -m length --length 60:100 -m conntrack --ctstate INVALID "
                                  "-j ACCEPT\n";
      const std::string asked = std::string(" ") + match;
      const Answer out = behind("-A OUTPUT" + invalid, "deliver -o eth1" + asked, family);
      ASSERT_EQ(out.truth, Truth::kYes) << to_text(out);
      EXPECT_NE(to_text(out).find("wrong length"), std::string::npos) << to_text(out);
      // (A SYN may be INVALID by its numbers.)
      if (asked.find("udp") == std::string::npos) continue;
      const Answer lo =
          behind("-A OUTPUT -j ACCEPT\n-A INPUT" + invalid, "deliver -i lo" + asked, family);
      EXPECT_EQ(lo.truth, Truth::kNo) << to_text(lo);
    }
  }
}

// What a raw socket sends with IP_NODEFRAG conntrack does not put together: it is INVALID. No
// scenario has such a socket.
TEST(PiecesPastConntrack, LeaveAsInvalid) {
  const auto of = [](const std::string& rule, const std::string& question) {
    return behind("-A OUTPUT " + rule + " -j ACCEPT\n-A FORWARD -j ACCEPT\n", "deliver " + question,
                  Family::kIpv4);
  };
  const std::string invalid = "-f -m conntrack --ctstate INVALID";
  const Answer a = of(invalid, "-o eth1 -p udp -f --path out");
  ASSERT_EQ(a.truth, Truth::kUnknown) << to_text(a);
  EXPECT_NE(to_text(a).find("IP_NODEFRAG"), std::string::npos) << to_text(a);
  EXPECT_EQ(of(invalid, "-o eth1 -p 253 --path out").truth, Truth::kUnknown);
  EXPECT_EQ(of(invalid, "-o eth1 -p udp --dport 53 --path out").truth, Truth::kNo);
  EXPECT_EQ(of("-m conntrack --ctstate NEW", "-o eth1 -p udp -f --path out").truth, Truth::kNo);
  EXPECT_EQ(of("-m conntrack --ctstate NEW", "-o eth1 -p udp --path out").truth, Truth::kYes);
  EXPECT_EQ(of(invalid, "-i eth0 -o eth1 -p udp -f --path forward").truth, Truth::kNo);
}

// Lengths are looked at where checksums are not.
TEST(WrongLengths, NeedNoChecksums) {
  const LoadedRuleset rules(
      "length.rules",
      "*filter\n:FORWARD DROP\n-A FORWARD -p udp -m length --length 28:100 -m "
      "conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
      Family::kIpv4);
  QueryOptions options;
  options.sysctl["net/netfilter/nf_conntrack_checksum"] = "0";
  const Answer a = ask_one(rules, "deliver -i eth0 -o eth1 -p udp --path forward", options);
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_NE(to_text(a).find("wrong length"), std::string::npos) << to_text(a);
}

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
  EXPECT_EQ(after("INVALID -m length --length 20:27"), Truth::kNo);
  EXPECT_EQ(after("NEW"), Truth::kYes);
}

// ... nor by NOTRACK.
TEST(CutPacketsAlone, AreNotAnswered) {
  const auto after = [](const char* length) {
    const LoadedRuleset rules(
        "cut.rules",
        std::string(
            "*raw\n-A PREROUTING -m ttl --ttl-eq 7 -j NOTRACK\nCOMMIT\n*filter\n"
            ":FORWARD DROP\n-A FORWARD -p udp -i eth0 -m ttl --ttl-eq 7 -m length --length ") +
            length +
            " -j ACCEPT\n-A FORWARD -p udp -i eth1 -m conntrack --ctstate NEW -j ACCEPT\n"
            "-A FORWARD -p udp -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n",
        Family::kIpv4);
    return ask_one(rules, "deliver -i eth0 -o eth1 -p udp -m ttl --ttl-eq 20 --path forward").truth;
  };
  EXPECT_NE(after("20:27"), Truth::kYes);
  EXPECT_EQ(after("28:40"), Truth::kYes);
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
