// ICMP and ICMPv6 types as --icmp-type and --icmpv6-type name them.
// Covered by corpus/matches/{icmp,icmp6}.t.
#pragma once

#include <string>
#include <string_view>

#include "vocabulary/descriptor.hpp"

namespace postern {

// A type and the codes that go with it; 0-255 when the rule names no code.
struct IcmpTest {
  std::uint8_t type = 0;
  std::uint8_t code_low = 0, code_high = 255;
  auto operator<=>(const IcmpTest&) const = default;
};

// "echo-request", "3/1", "8", "any" (IPv4 only: type 255, every packet); a unique beginning of a
// name will do. Complains about unknown and ambiguous words.
tl::expected<IcmpTest, Complaint> read_icmp_type(std::string_view text, Family family);
// As iptables-save prints it: "8", "3/1", "any".
std::string print_icmp_type(const IcmpTest& test, Family family);
// IPv4's type 255 matches every type, whatever the code (kernel-facts 61; xt_tcpudp.c,
// icmp_type_code_match).
inline bool is_any_icmp(const IcmpTest& test, Family family) {
  return family == Family::kIpv4 && test.type == 255;
}

// The meaning of the match for either family.
tl::expected<MatchMeaning, Complaint> icmp_meaning(const Arguments& arguments,
                                                   std::string_view option);
// Its canonical text.
std::string icmp_print(const Arguments& arguments, std::string_view option);

}  // namespace postern
