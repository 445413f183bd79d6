// `-m hbh`: IPv6 hop-by-hop options (ip6t_hbh). Extension headers are not modelled.
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match hbh;
const Match hbh{
    .name = "hbh",
    .families = {Family::kIpv6},
    .options = {{.name = "--hbh-len", .type = ValueType::kUnsigned, .invertible = true},
                {.name = "--hbh-opts", .type = ValueType::kWordList}},
    .meaning = undecided("hbh: extension headers are not modelled", true),
};

}  // namespace postern::match
