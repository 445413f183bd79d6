// `-m ah` for IPv6: an AH extension header (ip6t_ah). Extension headers are not modelled.
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match ah6;
const Match ah6{
    .name = "ah",
    .families = {Family::kIpv6},
    .options = {{.name = "--ahspi", .type = ValueType::kRange, .invertible = true},
                {.name = "--ahlen", .type = ValueType::kUnsigned, .invertible = true, .max = 65535},
                {.name = "--ahres"}},
    .meaning = undecided("ah: extension headers are not modelled", true),
};

}  // namespace postern::match
