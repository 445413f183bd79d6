// `-j TRACE`: the kernel logs every rule that the packet meets from here on (xt_TRACE).
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target trace;
const Target trace{
    .name = "TRACE",
    .effect = annotates("TRACE"),
    .tables = {"raw"},
};

}  // namespace postern::target
