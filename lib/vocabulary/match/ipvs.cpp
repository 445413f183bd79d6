// `-m ipvs`: whether the packet belongs to a connection of IPVS (xt_ipvs).
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match ipvs;
const Match ipvs{
    .name = "ipvs",
    .options =
        {{.name = "--ipvs", .invertible = true},
         {.name = "--vproto", .type = ValueType::kProtocol, .invertible = true},
         {.name = "--vaddr", .type = ValueType::kPrefix, .invertible = true},
         {.name = "--vport", .type = ValueType::kPort, .invertible = true, .any_service = true},
         {.name = "--vdir", .type = ValueType::kText},
         {.name = "--vmethod", .type = ValueType::kText, .invertible = true},
         {.name = "--vportctl", .type = ValueType::kPort, .invertible = true, .any_service = true}},
    .meaning = undecided("ipvs: which connections IPVS knows"),
};

}  // namespace postern::match
