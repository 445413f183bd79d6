// `-j ACCEPT`.
#include "vocabulary/descriptor.hpp"

namespace postern::target {

extern const Target accept;
const Target accept{
    .name = "ACCEPT",
    .effect = [](const Arguments&) { return Effect{Accept{}}; },
};

}  // namespace postern::target
