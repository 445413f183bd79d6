// Meanings against Linux: one UDP packet over lo, and for every rule whether the kernel counted it
// is what the rule's predicate says about that packet.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sstream>

#include "../unit/truth.hpp"
#include "ir/bind.hpp"
#include "kernel/system.hpp"
#include "kernel_fixture.hpp"

namespace postern::kernel {
namespace {

class Meaning : public KernelTest {};

// Matches of the first packet of a UDP flow from lo to lo, one byte to port 9.
constexpr std::string_view kBoth[] = {
    "-m udp --dport 9",
    "-m udp ! --dport 9",
    "-m udp --dport 20:10",
    "-m udp ! --dport 20:10",
    "-m multiport --dports 1,5:9",
    "-m multiport ! --ports 9",
    "-m conntrack --ctstate NEW",
    "-m conntrack ! --ctstate NEW,RELATED",
    "-m conntrack --ctstate SNAT,DNAT",
    "-m conntrack --ctproto 17 --ctdir ORIGINAL --ctorigdstport 9",
    "-m conntrack ! --ctproto 17",
    "-m conntrack --ctstatus NONE",
    "-m conntrack ! --ctstatus NONE",
    "-m conntrack --ctstatus CONFIRMED",
    "-m conntrack --ctreplsrcport 9",
    "-m connmark --mark 0",
    "-m connmark ! --mark 1",
    "-m mark --mark 0/0xff",
    "-m mark --mark 0xff/0xf",
    "-m mark ! --mark 0xff/0xf",
    "-m addrtype --dst-type LOCAL",
    "-m addrtype --dst-type UNICAST",
    "-m addrtype --dst-type UNICAST,LOCAL",
    "-m addrtype --dst-type LOCAL,MULTICAST",
    "-m addrtype ! --src-type LOCAL",
    "-m length --length 100:3",
    "-m length ! --length 100:3",
    "-m statistic --mode random --probability 1",
    "-m statistic --mode random --probability 0",
    "-m statistic --mode nth --every 1 --packet 0",
    "-m recent --set --name a",
    "-m recent ! --set --name a",
    "-m dscp ! --dscp 0",
    "-m tos --tos 0/0xff",
    "-m ecn ! --ecn-ip-ect 0",
    "-m helper ! --helper ftp",
    "-m helper --helper ftp",
    "-m comment --comment x",
};
constexpr std::string_view kOnly4[] = {
    "-m length --length 29",
    "-m ttl --ttl-eq 64",
    "-m ttl --ttl-lt 64",
    "-m ttl --ttl-gt 63",
    "-m iprange --dst-range 127.0.0.0-127.0.0.1",
    "-m iprange --dst-range 127.0.0.9-127.0.0.1",
    "-m iprange ! --dst-range 127.0.0.9-127.0.0.1",
    "-m conntrack --ctorigsrc 127.9.9.9/8",
};
constexpr std::string_view kOnly6[] = {
    "-m length --length 49",          "-m hl ! --hl-eq 64",
    "-m iprange --dst-range ::-::1",  "-m addrtype --src-type UNSPEC",
    "-m conntrack ! --ctorigsrc ::1",
};

std::string ruleset(Family family) {
  std::string text = "*filter\n:OUTPUT ACCEPT [0:0]\n";
  const auto add = [&](std::span<const std::string_view> rules) {
    for (const std::string_view rule : rules)
      text += "-A OUTPUT -p udp " + std::string(rule) + "\n";
  };
  add(kBoth);
  if (family == Family::kIpv4) {
    add(kOnly4);
  } else {
    add(kOnly6);
  }
  return text + "COMMIT\n";
}

WordPacket packet(Family family) {
  const std::string host = family == Family::kIpv4 ? "127.0.0.1" : "::1";
  return WordPacket({{"proto", "17"},
                     {"src", host},
                     {"dst", host},
                     {"dport", "9"},
                     {"sport", "40000"},
                     {"length", family == Family::kIpv4 ? "29" : "49"},
                     {"ttl", "64"},
                     {"src_type", "2"},
                     {"dst_type", "2"},
                     {"ctstate", "NEW"},
                     {"ctproto", "17"},
                     {"ctorigsrc", host},
                     {"ctorigdst", host},
                     {"ctreplsrc", host},
                     {"ctrepldst", host},
                     {"ctorigsrcport", "40000"},
                     {"ctorigdstport", "9"},
                     {"ctreplsrcport", "9"},
                     {"out", "lo"}});
}

void send_byte(Family family) {
  const bool v4 = family == Family::kIpv4;
  const FileDescriptor socket_fd(socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0));
  ASSERT_TRUE(socket_fd.valid());
  sockaddr_in to4{};
  to4.sin_family = AF_INET;
  to4.sin_port = htons(9);
  to4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 to6{};
  to6.sin6_family = AF_INET6;
  to6.sin6_port = htons(9);
  to6.sin6_addr = in6addr_loopback;
  const auto* to =
      v4 ? reinterpret_cast<const sockaddr*>(&to4) : reinterpret_cast<const sockaddr*>(&to6);
  const socklen_t size = v4 ? sizeof to4 : sizeof to6;
  ASSERT_EQ(sendto(socket_fd.get(), "x", 1, 0, to, size), 1);
}

// Whether each rule of OUTPUT has counted a packet, in order.
std::vector<bool> counted(const std::string& program) {
  std::vector<bool> result;
  const auto saved = run_checked({program + "-save", "-c", "-t", "filter"});
  EXPECT_TRUE(saved) << saved.error();
  std::istringstream lines(saved.value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("-A OUTPUT") != std::string::npos) result.push_back(!line.starts_with("[0:"));
  }
  return result;
}

TEST_F(Meaning, OfOneUdpPacketIsWhatTheKernelCounts) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const std::string program = family == Family::kIpv4 ? "iptables-legacy" : "ip6tables-legacy";
    const auto space = NetNamespace::create();
    ASSERT_TRUE(space) << space.error();
    const auto inside = space->enter();
    ASSERT_TRUE(inside) << inside.error();
    ASSERT_TRUE(run_checked({"ip", "link", "set", "lo", "up"}));
    const std::string text = ruleset(family);
    const auto loaded = run_checked({program + "-restore"}, text);
    ASSERT_TRUE(loaded) << loaded.error();
    send_byte(family);
    const auto kernel = counted(program);
    const auto bound = read_ruleset(std::make_shared<SourceFile>("rules", text), family);
    ASSERT_TRUE(bound);
    const auto& rules = bound->ruleset.tables.at(0).find("OUTPUT")->rules;
    ASSERT_EQ(kernel.size(), rules.size());
    const WordPacket words = packet(family);
    words.check();
    for (std::size_t i = 0; i < rules.size(); ++i) {
      Truth ours = Truth::kYes;
      for (const Clause& clause : rules[i].clauses) {
        ours = std::min(ours, truth(*clause.predicate, words));
      }
      EXPECT_EQ(ours, kernel[i] ? Truth::kYes : Truth::kNo)
          << bound->ruleset.source->slice(rules[i].span);
    }
  }
}

}  // namespace
}  // namespace postern::kernel
