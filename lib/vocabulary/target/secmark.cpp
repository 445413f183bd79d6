// `-j SECMARK`: the security mark, which no rule reads (xt_SECMARK).
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target secmark;
const Target secmark{
    .name = "SECMARK",
    .options = {{.name = "--selctx", .type = ValueType::kText, .required = true}},
    .effect = annotates("SECMARK"),
    .tables = {"security", "mangle"},
};

}  // namespace postern::target
