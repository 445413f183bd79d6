// `-j CLUSTERIP`: shares an address among nodes (ipt_CLUSTERIP, removed from the kernel since). Not
// modelled.
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target clusterip;
const Target clusterip{
    .name = "CLUSTERIP",
    .families = {Family::kIpv4},
    .options = {{.name = "--new"},
                {.name = "--hashmode", .type = ValueType::kText},
                {.name = "--clustermac", .type = ValueType::kText},
                {.name = "--total-nodes", .type = ValueType::kUnsigned, .min = 1, .max = 16},
                {.name = "--local-node", .type = ValueType::kUnsigned, .min = 1, .max = 16},
                {.name = "--hash-init", .type = ValueType::kUnsigned}},
    .effect = undecided_target("CLUSTERIP: which node answers"),
    .hooks = {"INPUT"},
};

}  // namespace postern::target
