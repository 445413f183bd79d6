// `-m cgroup`: the control group of the packet's socket (xt_cgroup).
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match cgroup;
const Match cgroup{
    .name = "cgroup",
    .options = {{.name = "--path",
                 .type = ValueType::kText,
                 .invertible = true,
                 .required = true,
                 .excludes = "what"},
                {.name = "--cgroup",
                 .type = ValueType::kUnsigned,
                 .invertible = true,
                 .excludes = "what"}},
    .meaning = undecided("cgroup: which process owns the socket"),
};

}  // namespace postern::match
