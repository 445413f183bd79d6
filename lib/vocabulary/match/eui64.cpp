// `-m eui64`: whether an IPv6 source address carries the EUI-64 of the MAC address (ip6t_eui64).
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match eui64;
const Match eui64{
    .name = "eui64",
    .families = {Family::kIpv6},
    .meaning = undecided("eui64: whether the source address fits the MAC address", true),
    .hooks = {"PREROUTING", "INPUT", "FORWARD"},
};

}  // namespace postern::match
