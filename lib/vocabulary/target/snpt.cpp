// `-j SNPT`: replaces an address prefix, packet by packet (ip6t_NPT). Not modelled.
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target snpt;
const Target snpt{
    .name = "SNPT",
    .families = {Family::kIpv6},
    .options = {{.name = "--src-pfx", .type = ValueType::kPrefix, .required = true},
                {.name = "--dst-pfx", .type = ValueType::kPrefix, .required = true}},
    .effect = undecided_target("SNPT: stateless translation is not modelled"),
    .tables = {"mangle"},
    .hooks = {"INPUT", "POSTROUTING"},
};

}  // namespace postern::target
