// `-m devgroup`: the group that an interface belongs to (xt_devgroup); set with `ip link`, not
// here.
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match devgroup;
const Match devgroup{
    .name = "devgroup",
    .options = {{.name = "--src-group", .type = ValueType::kMasked, .invertible = true},
                {.name = "--dst-group", .type = ValueType::kMasked, .invertible = true}},
    .meaning = undecided("devgroup: which group the interface belongs to"),
};

}  // namespace postern::match
