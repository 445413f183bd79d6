// `-j DROP`.
#include "vocabulary/descriptor.hpp"

namespace postern::target {

extern const Target drop;
const Target drop{
    .name = "DROP",
    .effect = [](const Arguments&) { return Effect{Drop{}}; },
};

}  // namespace postern::target
