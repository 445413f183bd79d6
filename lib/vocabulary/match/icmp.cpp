// `-m icmp`: ICMP type and code (xt_tcpudp.c, icmp_match).
#include "net/protocol.hpp"
#include "vocabulary/icmp_types.hpp"

namespace postern::match {

extern const Match icmp;
const Match icmp{
    .name = "icmp",
    .families = {Family::kIpv4},
    .protocols = {protocol::kIcmp},
    .options =
        {{.name = "--icmp-type", .type = ValueType::kText, .invertible = true, .required = true}},
    .meaning = [](const Arguments& arguments) { return icmp_meaning(arguments, "--icmp-type"); },
    .print = [](const Arguments& arguments) { return icmp_print(arguments, "--icmp-type"); },
};

}  // namespace postern::match
