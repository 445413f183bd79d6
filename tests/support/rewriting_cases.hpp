// Rulesets that write TTL or TOS and read them again, and what questions about them answer. Held by
// tests/unit/rewriting_test.cpp and tests/kernel/rewriting_test.cpp (each yes on Linux).
#pragma once

#include "net/family.hpp"

namespace postern {

struct RewritingCase {
  const char* name;
  Family family;
  const char* rules;
  const char* question;
  const char* answer;
};

inline constexpr const char* kTosOfDns =
    "*mangle\n:PREROUTING ACCEPT\n"
    "-A PREROUTING -p udp -m udp --dport 53 -j TOS --set-tos 0x10/0xff\nCOMMIT\n"
    "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -m tos --tos "
    "0x10/0xff -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kNoTos =
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -j TOS --set-tos 0x00/0xff\nCOMMIT\n"
    "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -m tos --tos "
    "0x10/0xff -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kExpedited =
    "*mangle\n:FORWARD ACCEPT\n-A FORWARD -j DSCP --set-dscp 0x2e\nCOMMIT\n"
    "*filter\n:FORWARD DROP\n-A FORWARD -m tos --tos 0xb8/0xff -j ACCEPT\nCOMMIT\n";
// The chain is called twice, and leaves what it does not name as it came.
inline constexpr const char* kChain =
    "*mangle\n:PREROUTING ACCEPT\n:class -\n"
    "-A class -m tos --tos 0x08/0xff -j RETURN\n-A class -j TOS --set-tos 0x04/0xff\n"
    "-A PREROUTING -p udp -j class\n-A PREROUTING -p tcp -j TOS --set-tos 0x08/0xff\n"
    "-A PREROUTING -p tcp -j class\nCOMMIT\n"
    "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -m tos --tos "
    "0x08/0xff -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kFlipped =  // --xor-tos
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -j TOS --set-tos 0x18/0x00\nCOMMIT\n"
    "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -m tos --tos "
    "0x10/0xff -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kRaised =
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -i eth0 -j TTL --ttl-inc 5\nCOMMIT\n"
    "*filter\n:FORWARD DROP\n-A FORWARD -i eth0 -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kLowered =
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -j TTL --ttl-set 1\nCOMMIT\n"
    "*filter\n:FORWARD ACCEPT\nCOMMIT\n";
inline constexpr const char* kLoweredBehind =
    "*mangle\n:FORWARD ACCEPT\n-A FORWARD -j TTL --ttl-set 1\nCOMMIT\n"
    "*filter\n:FORWARD DROP\n-A FORWARD -m ttl --ttl-eq 1 -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kTenHops =
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -j TTL --ttl-set 10\nCOMMIT\n"
    "*filter\n:FORWARD DROP\n-A FORWARD -p udp -m ttl --ttl-eq 9 -j ACCEPT\n"
    "-A FORWARD -p tcp -m ttl --ttl-eq 10 -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kUpToTheEnd =
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -j TTL --ttl-inc 200\nCOMMIT\n"
    "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -m ttl "
    "--ttl-lt 255 -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kDownToTheEnd =
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -j TTL --ttl-dec 100\nCOMMIT\n"
    "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -m ttl "
    "--ttl-eq 0 -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kOverLo =
    "*mangle\n:OUTPUT ACCEPT\n-A OUTPUT -p udp -m udp --dport 53 -j TOS --set-tos 0x10/0xff\n"
    "COMMIT\n*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -i lo "
    "-m tos --tos 0x10/0xff -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kAnswers =
    "*mangle\n:OUTPUT ACCEPT\n-A OUTPUT -j DSCP --set-dscp 0\n"
    "-A OUTPUT -p tcp -m tcp --sport 80 -j DSCP --set-dscp 0x04\nCOMMIT\n"
    "*filter\n:INPUT ACCEPT\n:OUTPUT DROP\n-A OUTPUT -m dscp --dscp 0x04 -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kRedirected =
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -m tcp --dport 80 -j TOS --set-tos "
    "0x10/0xff\nCOMMIT\n"
    "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -m tos --tos 0x10/0xff -j REDIRECT --to-ports "
    "8080\nCOMMIT\n*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT "
    "-p tcp -m tcp --dport 8080 -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kHopLimit =
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -i eth0 -j HL --hl-set 7\n"
    "-A PREROUTING -i eth0 -j HL --hl-dec 1\nCOMMIT\n"
    "*filter\n:FORWARD DROP\n-A FORWARD -m hl --hl-eq 5 -j ACCEPT\nCOMMIT\n";
inline constexpr const char* kCongestion =
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -j ECN --ecn-tcp-remove\nCOMMIT\n"
    "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -p tcp -m tcp "
    "--dport 22 -j ACCEPT\nCOMMIT\n";

inline constexpr const char* kTosThatNobodyReads =
    "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -j TOS --set-tos 0x10/0xff\nCOMMIT\n"
    "*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -p udp -j "
    "ACCEPT\nCOMMIT\n";

inline constexpr RewritingCase kRewritingCases[] = {
    {"TosIsWritten", Family::kIpv4, kTosOfDns,
     "deliver -i eth0 -p udp --dport 53 -m tos --tos 0/0xff --path in", "yes"},
    {"TosIsNotWritten", Family::kIpv4, kTosOfDns,
     "deliver -i eth0 -p udp --dport 54 -m tos --tos 0/0xff --path in", "no"},
    {"TosAsItWas", Family::kIpv4, kTosOfDns, "deliver -i eth0 -p udp --dport 54 --path in", "yes"},
    {"TosIsTaken", Family::kIpv4, kNoTos, "deliver -i eth0 --path in", "no"},
    {"TosThatOnlyTheQuestionReads", Family::kIpv4, kTosThatNobodyReads,
     "deliver -i eth0 -p udp -m tos --tos 0x08/0xff --path in", "yes"},
    {"TosThatOnlyTheQuestionReadsOpensNothing", Family::kIpv4, kTosThatNobodyReads,
     "deliver -i eth0 -p tcp -m tos --tos 0x08/0xff --path in", "no"},
    {"DscpIsWritten", Family::kIpv4, kExpedited,
     "deliver -i eth0 -o eth1 -p udp -m tos --tos 0x44/0xff", "yes"},
    {"DscpLeavesCongestion", Family::kIpv4, kExpedited,
     "deliver -i eth0 -o eth1 -p udp -m tos --tos 0x03/0x03", "no"},
    {"ChainLeavesAsItCame", Family::kIpv4, kChain,
     "deliver -i eth0 -p udp -m tos --tos 0x08/0xff --path in", "yes"},
    {"ChainWrites", Family::kIpv4, kChain,
     "deliver -i eth0 -p udp -m tos --tos 0x10/0xff --path in", "no"},
    {"ChainSeesWhatIsWritten", Family::kIpv4, kChain,
     "deliver -i eth0 -p tcp -m tos --tos 0x10/0xff --path in", "yes"},
    {"TosIsFlipped", Family::kIpv4, kFlipped,
     "deliver -i eth0 -p udp -m tos --tos 0x08/0xff --path in", "yes"},
    {"TosIsFlippedAway", Family::kIpv4, kFlipped,
     "deliver -i eth0 -p udp -m tos --tos 0x10/0xff --path in", "no"},
    {"TtlIsRaised", Family::kIpv4, kRaised, "deliver -i eth0 -o eth1 -p udp -m ttl --ttl-eq 1",
     "yes"},
    {"TtlIsNotRaised", Family::kIpv4, kRaised, "deliver -i eth1 -o eth0 -p udp", "no"},
    {"TtlIsLowered", Family::kIpv4, kLowered, "deliver -i eth0 -o eth1", "no"},
    {"TtlIsLoweredBehindRouting", Family::kIpv4, kLoweredBehind, "deliver -i eth0 -o eth1 -p udp",
     "yes"},
    {"TtlBehindTheHop", Family::kIpv4, kTenHops, "deliver -i eth0 -o eth1 -p udp", "yes"},
    {"TtlBeforeTheHop", Family::kIpv4, kTenHops, "deliver -i eth0 -o eth1 -p tcp", "no"},
    {"TtlStopsAt255", Family::kIpv4, kUpToTheEnd,
     "deliver -i eth0 -p udp -m ttl --ttl-gt 54 --path in", "no"},
    {"TtlBelow255", Family::kIpv4, kUpToTheEnd,
     "deliver -i eth0 -p udp -m ttl --ttl-eq 54 --path in", "yes"},
    {"TtlStopsAt0", Family::kIpv4, kDownToTheEnd,
     "deliver -i eth0 -p udp -m ttl --ttl-eq 64 --path in", "yes"},
    {"TtlAbove0", Family::kIpv4, kDownToTheEnd,
     "deliver -i eth0 -p udp -m ttl --ttl-gt 100 --path in", "no"},
    {"OverLo", Family::kIpv4, kOverLo, "deliver -i lo -p udp --dport 53 -m tos --tos 0/0xff",
     "yes"},
    {"OverLoNotWritten", Family::kIpv4, kOverLo,
     "deliver -i lo -p udp --dport 54 -m tos --tos 0/0xff", "no"},
    {"Answers", Family::kIpv4, kAnswers, "connect -i eth0 -p tcp --dport 80 --path in", "yes"},
    {"AnswersNotWritten", Family::kIpv4, kAnswers, "connect -i eth0 -p udp --dport 80 --path in",
     "no"},
    {"NatReadsIt", Family::kIpv4, kRedirected,
     "deliver -i eth0 -p tcp --syn --dport 80 -m tos --tos 0/0xff --path in", "yes"},
    {"HopLimit", Family::kIpv6, kHopLimit, "deliver -i eth0 -o eth1 -p udp", "yes"},
    {"HopLimitOfOthers", Family::kIpv6, kHopLimit, "deliver -i eth1 -o eth0 -p udp -m hl --hl-gt 6",
     "no"},
    // The engine does not write flags: no witness replays.
    {"CongestionBits", Family::kIpv4, kCongestion,
     "deliver -i eth0 -p tcp --dport 22 --syn --path in", "unknown"},
    {"CongestionBitsOpenNothing", Family::kIpv4, kCongestion,
     "deliver -i eth0 -p tcp --dport 23 --path in", "no"},
};

}  // namespace postern
