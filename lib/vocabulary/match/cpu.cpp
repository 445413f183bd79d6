// `-m cpu`: the processor that handles the packet (xt_cpu).
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match cpu;
const Match cpu{
    .name = "cpu",
    .options =
        {{.name = "--cpu", .type = ValueType::kUnsigned, .invertible = true, .required = true}},
    .meaning = undecided("cpu: which processor handles the packet"),
};

}  // namespace postern::match
