// `-m dst`: IPv6 destination options (ip6t_hbh). Extension headers are not modelled.
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match dst;
const Match dst{
    .name = "dst",
    .families = {Family::kIpv6},
    .options = {{.name = "--dst-len", .type = ValueType::kUnsigned, .invertible = true},
                {.name = "--dst-opts", .type = ValueType::kWordList}},
    .meaning = undecided("dst: extension headers are not modelled", true),
};

}  // namespace postern::match
