// `-m icmp6`: ICMPv6 type and code (xt_tcpudp.c, icmp6_match). Here 255 is a type like any other.
#include "net/protocol.hpp"
#include "vocabulary/icmp_types.hpp"

namespace postern::match {

extern const Match icmp6;
const Match icmp6{
    .name = "icmp6",
    .families = {Family::kIpv6},
    .protocols = {protocol::kIcmpv6},
    .options =
        {{.name = "--icmpv6-type", .type = ValueType::kText, .invertible = true, .required = true}},
    .meaning = [](const Arguments& arguments) { return icmp_meaning(arguments, "--icmpv6-type"); },
    .print = [](const Arguments& arguments) { return icmp_print(arguments, "--icmpv6-type"); },
};

}  // namespace postern::match
