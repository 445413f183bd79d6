// `-j IDLETIMER`: restarts a timer (xt_IDLETIMER).
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target idletimer;
const Target idletimer{
    .name = "IDLETIMER",
    .options = {{.name = "--timeout", .type = ValueType::kUnsigned, .required = true},
                {.name = "--label", .type = ValueType::kText, .required = true},
                {.name = "--alarm"}},
    .effect = annotates("IDLETIMER"),
};

}  // namespace postern::target
