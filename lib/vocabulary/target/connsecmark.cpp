// `-j CONNSECMARK`: copies the security mark, which no rule reads (xt_CONNSECMARK).
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target connsecmark;
const Target connsecmark{
    .name = "CONNSECMARK",
    .options = {{.name = "--save", .required = true, .excludes = "operation"},
                {.name = "--restore", .excludes = "operation"}},
    .effect = annotates("CONNSECMARK"),
    .switches_on_tracking = true,
    .tables = {"security", "mangle"},
};

}  // namespace postern::target
