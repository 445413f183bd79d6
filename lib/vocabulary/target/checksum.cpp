// `-j CHECKSUM`: fills in the transport checksum (xt_CHECKSUM).
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target checksum;
const Target checksum{
    .name = "CHECKSUM",
    .options = {{.name = "--checksum-fill", .required = true}},
    .effect = annotates("CHECKSUM"),
    .tables = {"mangle"},
};

}  // namespace postern::target
