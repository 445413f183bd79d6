// `-j RATEEST`: measures a rate (xt_RATEEST), which `-m rateest` reads; that match is opaque.
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target rateest;
const Target rateest{
    .name = "RATEEST",
    .options = {{.name = "--rateest-name", .type = ValueType::kInterface, .required = true},
                {.name = "--rateest-interval", .type = ValueType::kInterface, .required = true},
                {.name = "--rateest-ewmalog", .type = ValueType::kInterface, .required = true}},
    .effect = annotates("RATEEST"),
};

}  // namespace postern::target
