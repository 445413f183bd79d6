// `-j DNPT`: replaces an address prefix, packet by packet (ip6t_NPT). Not modelled.
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target dnpt;
const Target dnpt{
    .name = "DNPT",
    .families = {Family::kIpv6},
    .options = {{.name = "--src-pfx", .type = ValueType::kPrefix, .required = true},
                {.name = "--dst-pfx", .type = ValueType::kPrefix, .required = true}},
    .effect = undecided_target("DNPT: stateless translation is not modelled"),
    .tables = {"mangle"},
    .hooks = {"PREROUTING", "OUTPUT"},
};

}  // namespace postern::target
