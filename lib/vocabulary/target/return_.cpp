// `-j RETURN`.
#include "vocabulary/descriptor.hpp"

namespace postern::target {

extern const Target return_;
const Target return_{
    .name = "RETURN",
    .effect = [](const Arguments&) { return Effect{Return{}}; },
};

}  // namespace postern::target
