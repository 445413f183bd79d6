// `-m frag`: IPv6 fragment header (ip6t_frag). Extension headers are not modelled.
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match frag;
const Match frag{
    .name = "frag",
    .families = {Family::kIpv6},
    .options = {{.name = "--fragid", .type = ValueType::kRange, .invertible = true},
                {.name = "--fraglen", .type = ValueType::kUnsigned, .invertible = true},
                {.name = "--fragres"},
                {.name = "--fragfirst"},
                {.name = "--fragmore", .excludes = "rest"},
                {.name = "--fraglast", .excludes = "rest"}},
    .meaning = undecided("frag: extension headers are not modelled", true),
};

}  // namespace postern::match
