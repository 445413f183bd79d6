// `-j TEE`: sends a copy to another host (xt_TEE), untracked, through OUTPUT and POSTROUTING. It
// leaves whatever becomes of the packet itself, so nothing is known of a packet that comes here.
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target tee;
const Target tee{
    .name = "TEE",
    .options = {{.name = "--gateway", .type = ValueType::kAddress, .required = true},
                {.name = "--oif", .type = ValueType::kInterface}},
    .effect = undecided_target("TEE: a copy that leaves by itself", OpaqueTarget::Sends::kCopies),
};

}  // namespace postern::target
