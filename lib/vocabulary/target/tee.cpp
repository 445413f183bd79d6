// `-j TEE`: sends a copy to another host (xt_TEE). The copy is untracked and not modelled.
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target tee;
const Target tee{
    .name = "TEE",
    .options = {{.name = "--gateway", .type = ValueType::kAddress, .required = true},
                {.name = "--oif", .type = ValueType::kInterface}},
    .effect = annotates("TEE: a copy"),
};

}  // namespace postern::target
