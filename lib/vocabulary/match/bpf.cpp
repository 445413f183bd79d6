// `-m bpf`: a filter program over the packet's bytes (xt_bpf). Programs are not interpreted.
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match bpf;
const Match bpf{
    .name = "bpf",
    .options =
        {{.name = "--bytecode", .type = ValueType::kText, .required = true, .excludes = "program"},
         {.name = "--object-pinned", .type = ValueType::kText, .excludes = "program"}},
    .meaning = undecided("bpf: what the program answers"),
};

}  // namespace postern::match
