// Rulesets and questions that iptables-legacy and iptables-nft answer otherwise: the order of
// tables in INPUT, and what a match reads where there is no whole header. Held by
// tests/unit/backend_test.cpp (both answers) and tests/kernel/backend_test.cpp (each yes on Linux).
#pragma once

#include "net/family.hpp"

namespace postern {

struct BackendCase {
  const char* name;
  Family family;
  const char* rules;
  const char* question;
  const char *legacy, *nft;  // "yes", "no", "conditional", "unknown"
};

inline constexpr BackendCase kBackendCases[] = {
    // Security comes behind nat in INPUT and sees the new source.
    {"OrderInInput", Family::kIpv4,
     "*nat\n:INPUT ACCEPT\n-A INPUT -j SNAT --to-source 203.0.113.5\nCOMMIT\n"
     "*security\n:INPUT DROP\n-A INPUT -s 203.0.113.5/32 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp -s 192.0.2.9 --path in", "no", "yes"},
    {"OrderInInputReversed", Family::kIpv4,
     "*nat\n:INPUT ACCEPT\n-A INPUT -j SNAT --to-source 203.0.113.5\nCOMMIT\n"
     "*security\n:INPUT ACCEPT\n-A INPUT -s 203.0.113.5/32 -j DROP\nCOMMIT\n",
     "deliver -i eth0 -p udp --dport 53 -s 192.0.2.9 --path in", "yes", "no"},
    // Whatever bytes stand there in a later fragment are its ports.
    {"LaterFragment", Family::kIpv4,
     "*filter\n:FORWARD DROP\n-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp -f", "no", "yes"},
    {"LaterFragmentOfUdp", Family::kIpv4,
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -m udp --sport 53 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p udp -f", "no", "yes"},
    {"LaterFragmentDropped", Family::kIpv4,
     "*filter\n:FORWARD ACCEPT\n-A FORWARD -p udp -m udp --dport 0:1023 -j DROP\n"
     "-A FORWARD -p udp -m udp --dport 1024:65535 -j DROP\n"
     "-A FORWARD -m length --length 0:63 -j DROP\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p udp -f", "yes", "no"},
    // A later IPv6 fragment shows bytes of its IPv6 header, which no witness writes.
    {"LaterFragment6", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp -m length --length 48:60", "yes", "yes"},
    // Without a test it is the kernel's own match, which wants the header.
    {"NothingTested", Family::kIpv4,
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -m udp -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p udp -f", "no", "no"},
    // No rule about ports holds for a header that ends before them, and none drops it on the spot.
    {"HeaderCutShort", Family::kIpv4,
     "*filter\n:FORWARD ACCEPT\n-A FORWARD -p tcp -m tcp --dport 0:79 -j DROP\n"
     "-A FORWARD -p tcp -m tcp --dport 80:65535 -j DROP\n-A FORWARD -f -j DROP\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp", "no", "yes"},
    {"HeaderCutBehindThePorts", Family::kIpv4,
     "*filter\n:FORWARD ACCEPT\n-A FORWARD -p tcp -m tcp --tcp-flags SYN SYN -j DROP\n"
     "-A FORWARD -p tcp -m tcp ! --tcp-flags SYN SYN -j DROP\n-A FORWARD -f -j DROP\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp -m length --length 30", "no", "yes"},
    // multiport is the kernel's own: four bytes are enough, with fewer it drops.
    {"MultiportOfACutHeader", Family::kIpv4,
     "*filter\n:FORWARD DROP\n-A FORWARD -p tcp -m multiport --dports 80,443 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp -m length --length 24:39", "yes", "yes"},
    {"MultiportOfNoPorts", Family::kIpv4,
     "*filter\n:FORWARD ACCEPT\n-A FORWARD -p tcp -m multiport --dports 80,443 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp ! -f -m length --length 20:23", "no", "no"},
    // What versions of iptables-nft load in different ways.
    {"InvertedFullRange", Family::kIpv4,
     "*filter\n:INPUT DROP\n-A INPUT -p udp -m udp ! --dport 0:65535 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path in", "no", "conditional"},
    {"TwoInvertedPorts", Family::kIpv4,
     "*filter\n:INPUT DROP\n-A INPUT -p udp -m udp ! --sport 1 ! --dport 80 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --sport 1 --dport 81 --path in", "no", "conditional"},
    {"NoFlag", Family::kIpv4,
     "*filter\n:INPUT DROP\n-A INPUT -p tcp -m tcp --tcp-flags NONE SYN -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p tcp --dport 22 --path in", "no", "conditional"},
    // A packet that ends within IPv6's extension headers has no protocol: no test of it holds, and
    // no inverted one; iptables-legacy drops it there.
    {"NoProtocol", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -j DROP\n-A FORWARD ! -p udp -j DROP\n-A FORWARD "
     "-j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 --path forward", "no", "yes"},
    {"NoProtocolIn", Family::kIpv6,
     "*filter\n:INPUT DROP\n-A INPUT -p udp -j DROP\n-A INPUT ! -p udp -j DROP\n-A INPUT -j "
     "ACCEPT\nCOMMIT\n",
     "deliver -i eth0 --path in", "no", "yes"},
    {"NoProtocolOut", Family::kIpv6,
     "*filter\n:OUTPUT DROP\n-A OUTPUT -p udp -j DROP\n-A OUTPUT ! -p udp -j DROP\n-A OUTPUT -j "
     "ACCEPT\nCOMMIT\n",
     "deliver -o eth1 --path out", "no", "yes"},
    {"NoProtocolOverLo", Family::kIpv6,
     "*filter\n:OUTPUT DROP\n-A OUTPUT -p udp -j DROP\n-A OUTPUT ! -p udp -j DROP\n-A OUTPUT -j "
     "ACCEPT\nCOMMIT\n",
     "deliver -i lo", "no", "yes"},
    {"NoProtocolIsNotUdp", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -j DROP\n-A FORWARD ! -p udp -j DROP\n-A FORWARD "
     "-j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 ! -p udp --path forward", "no", "yes"},
    {"NoProtocolIsNoneAsked", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -j DROP\n-A FORWARD ! -p udp -j DROP\n-A FORWARD "
     "-j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p tcp --path forward", "no", "no"},
    {"NoProtocolOfALength", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -j DROP\n-A FORWARD ! -p udp -j DROP\n-A FORWARD "
     "-m length --length 1400:1450 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 --path forward", "no", "yes"},
    {"NoProtocolIsInvalid", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -j DROP\n-A FORWARD ! -p udp -j DROP\n-A FORWARD "
     "-m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 --path forward", "no", "yes"},
    {"NoProtocolIsInvalidIn", Family::kIpv6,
     "*filter\n:INPUT DROP\n-A INPUT -p udp -j DROP\n-A INPUT ! -p udp -j DROP\n-A INPUT -m "
     "conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 --path in", "no", "yes"},
    {"NoProtocolIsInvalidOut", Family::kIpv6,
     "*filter\n:OUTPUT DROP\n-A OUTPUT -p udp -j DROP\n-A OUTPUT ! -p udp -j DROP\n-A OUTPUT -m "
     "conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -o eth1 --path out", "no", "yes"},
    {"NoProtocolIsInvalidOverLo", Family::kIpv6,
     "*filter\n:OUTPUT DROP\n-A OUTPUT -p udp -j DROP\n-A OUTPUT ! -p udp -j DROP\n-A OUTPUT -m "
     "conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i lo", "no", "yes"},
    {"NoProtocolIsNothingElse", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -j DROP\n-A FORWARD ! -p udp -j DROP\n-A FORWARD "
     "-m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 --path forward", "no", "no"},
    {"NoProtocolUntracked", Family::kIpv6,
     "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -j CT --notrack\nCOMMIT\n"
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -j DROP\n-A FORWARD ! -p udp -j DROP\n-A FORWARD "
     "-m conntrack --ctstate UNTRACKED -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 --path forward", "no", "yes"},
    {"NoProtocolIsLeftByAJump", Family::kIpv6,
     "*filter\n:FORWARD DROP\n:next -\n-A FORWARD ! -p 60 -g next\n-A FORWARD -p 60 -g next\n-A "
     "FORWARD -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 --path forward", "no", "yes"},
    {"NoProtocolIsForNoOrdinaryEnd", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -j DROP\n-A FORWARD ! -p udp -j DROP\n-A FORWARD "
     "-j ACCEPT\nCOMMIT\n",
     "connect -i eth0 -o eth1 --path forward", "no", "no"},
    // To nf_tables an authentication header of IPv6 is the protocol, to ip6_tables what follows it.
    {"AuthenticationHeader", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p ah -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p ah --path forward", "no", "yes"},
    {"AuthenticationHeaderOfNoInside", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p ah -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 --path forward", "no", "yes"},
    {"AuthenticationHeaderIsSeen", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p ah -m length --length 40:41 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 --path forward", "no", "no"},
    {"AuthenticationHeaderIsShort", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p ah -m length --length 42 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 --path forward", "no", "yes"},
    {"AuthenticationHeaderIsLong", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p ah -m length --length 1400:1401 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 --path forward", "no", "yes"},
    {"AuthenticationHeadersBothWays", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p ah -j ACCEPT\nCOMMIT\n",
     "connect -i eth0 -o eth1 -p ah --path forward", "no", "yes"},
    {"AuthenticationHeaderIsNotAsked", Family::kIpv6,
     "*filter\n:FORWARD DROP\n-A FORWARD -p ah -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p udp --path forward", "no", "no"},
};

}  // namespace postern
