// `-j SYNPROXY`: answers SYNs itself and opens the connection later (xt_SYNPROXY). Not modelled.
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target synproxy;
const Target synproxy{
    .name = "SYNPROXY",
    .protocols = {protocol::kTcp},
    .options = {{.name = "--sack-perm"},
                {.name = "--timestamp"},
                {.name = "--wscale", .type = ValueType::kUnsigned, .max = 14},
                {.name = "--mss", .type = ValueType::kUnsigned, .max = 65535},
                {.name = "--ecn"}},
    .effect = undecided_target("SYNPROXY: the kernel opens the connection itself",
                               OpaqueTarget::Sends::kSegments),
    .switches_on_tracking = true,
    .hooks = {"INPUT", "FORWARD"},
};

}  // namespace postern::target
