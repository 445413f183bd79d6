// `-j NOTRACK`: the packet is UNTRACKED from here on (kernel-facts 4, 22, 23).
#include "vocabulary/descriptor.hpp"

namespace postern::target {

extern const Target notrack;
const Target notrack{
    .name = "NOTRACK",
    .effect = [](const Arguments&) { return Effect{NoTrack{}}; },
    .tables = {"raw"},
    .hooks = {"PREROUTING", "OUTPUT"},
};

}  // namespace postern::target
